"""A proof of a fine-tune: baselines, paired intervals, seeds, leaks, forgetting, movement, a verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from workbench.compare.conditions import conditions
from workbench.compare.detectable import Detectable, before_training, from_difference, half_of_components
from workbench.compare.forgetting import Forgetting, forgetting
from workbench.compare.held_out import HeldOut, scored_pairs
from workbench.compare.item_scores import ItemScores, metric_value
from workbench.compare.judged_models import Embedded, JudgedModel, embedded, scores_of
from workbench.compare.leaks import LeakFacts
from workbench.compare.movement import Movement, movement
from workbench.compare.proof_results import ModelFacts, ModelScore, Proof, ProofSettings
from workbench.compare.seeds import SeedSpread, seed_spread
from workbench.compare.significance import (
    Difference,
    corrected,
    paired_difference,
    score_interval,
    undefined_difference,
)
from workbench.compare.verdict import verdict
from workbench.data.general_pairs import GENERAL_PAIRS_NAME, general_pairs
from workbench.errors import Cancelled, InvalidValueError
from workbench.evaluation.metrics.score import Undefined

Found = Mapping[str, ItemScores] | Undefined


@dataclass(frozen=True)
class _Scored:
    """A model with its embeddings and item scores on one data set."""

    model: JudgedModel
    role: str
    embedded: Embedded
    found: Found


def prove(
    held_out: HeldOut,
    base: JudgedModel,
    tuned: Sequence[JudgedModel],
    *,
    others: Sequence[JudgedModel] = (),
    unjudged: Mapping[str, str] | None = None,
    leak: LeakFacts | None = None,
    general: Mapping[str, HeldOut] | None = None,
    settings: ProofSettings | None = None,
    progress: Callable[[int, int, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Proof:
    """Judge a tuned model on held-out data.

    Args:
        held_out: Data that was not trained on.
        base: The untouched model that was tuned.
        tuned: The tuned model, once a seed.
        others: Other untuned models that could be used instead.
        unjudged: Name of each other model that was asked for and could not be judged → why.
        leak: From `leaks.find_leaks`, or from a finer search; its items are left out.
        general: Sets on which the tuned model should not fall, by name; None for the built-in pairs,
            empty for none.
        settings: How to take it.
        progress: Told before each embedding: how many are done, of how many, and the model's name.
        cancelled: Asked before each embedding.

    Raises:
        InvalidValueError: No tuned model, a name twice, or no item left after the leak check.
        Cancelled: ``cancelled`` said so.
    """
    chosen = settings or ProofSettings()
    kept = _without_leaks(held_out, leak)
    models = [(base, "base"), *((one, "tuned") for one in tuned), *((one, "other") for one in others)]
    _check_models(models)
    sets = general_sets() if general is None else dict(general)
    told = _Told(len(models) + len(sets) * (1 + len(tuned)), progress, cancelled)
    scored = [_score(model, role, kept, told) for model, role in models]
    differences = _all_differences(scored, kept.primary, chosen)
    primary = [one for one in differences if one.metric == kept.primary]
    after = from_difference(primary[0], "as observed", chosen.power)
    forgot = tuple(_forgetting(name, data, base, tuned, chosen, told) for name, data in sets.items())
    return Proof(
        shape=kept.shape,
        primary=kept.primary,
        items=kept.items,
        models=tuple(ModelFacts(one.name, role, one.seed, dict(one.identity)) for one, role in models),
        scores=tuple(row for one in scored for row in _score_rows(one, chosen)),
        differences=differences,
        seeds=_seeds([one for one in scored if one.role == "tuned"], chosen),
        before=_expected(kept, scored[0], [one for one in scored if one.role == "other"], chosen),
        after=after,
        forgetting=forgot,
        movement=_movement(kept, scored),
        leak=leak,
        verdict=verdict(
            primary[0], primary[1:], unjudged=unjudged or {}, known=after, forgot=forgot, leak=leak
        ),
        settings=chosen,
        conditions=conditions(),
    )


def smallest_before_training(
    held_out: HeldOut,
    base: JudgedModel,
    others: Sequence[JudgedModel] = (),
    *,
    leak: LeakFacts | None = None,
    settings: ProofSettings | None = None,
) -> Detectable | None:
    """The smallest difference that held-out data could show, before anything is trained.

    Args:
        held_out, base, others, leak, settings: As in `prove`.

    Returns:
        None where the base has no score on the data.
    """
    kept = _without_leaks(held_out, leak)
    told = _Told(1 + len(others), None, None)
    scored = [_score(one, "other", kept, told) for one in (base, *others)]
    return _expected(kept, scored[0], scored[1:], settings or ProofSettings())


def general_sets() -> dict[str, HeldOut]:
    """The built-in general set, by its name."""
    left, right, gold = zip(*general_pairs(), strict=True)
    return {GENERAL_PAIRS_NAME: scored_pairs(left, right, gold)}


@dataclass
class _Told:
    """Tells of each step, and stops where that was asked for."""

    total: int
    progress: Callable[[int, int, str], None] | None
    cancelled: Callable[[], bool] | None
    done: int = 0

    def step(self, name: str) -> None:
        if self.cancelled is not None and self.cancelled():
            raise Cancelled
        if self.progress is not None:
            self.progress(self.done, self.total, name)
        self.done += 1


def _score(model: JudgedModel, role: str, data: HeldOut, told: _Told) -> _Scored:
    told.step(model.name)
    found = embedded(model, data)
    return _Scored(model, role, found, scores_of(found, data))


def _all_differences(
    scored: Sequence[_Scored], primary: str, settings: ProofSettings
) -> tuple[Difference, ...]:
    """Tuned against base and others, metric by metric, each metric's comparisons corrected together."""
    tuned = [one for one in scored if one.role == "tuned"]
    against = [one for one in scored if one.role != "tuned"]
    metrics = next((list(one.found) for one in scored if not isinstance(one.found, Undefined)), [primary])
    rows: list[Difference] = []
    for metric in metrics:
        rows += corrected([_difference(metric, reference, tuned, settings) for reference in against])
    return tuple(rows)


def _difference(
    metric: str, reference: _Scored, tuned: Sequence[_Scored], settings: ProofSettings
) -> Difference:
    name = tuned[0].model.name
    names = (name if len(tuned) == 1 else f"{name} ({len(tuned)} seeds)", reference.model.name)
    scores: list[ItemScores] = []
    for one in (reference, *tuned):
        if isinstance(one.found, Undefined):
            return undefined_difference(metric, names, len(tuned), one.found.reason, settings.level)
        scores.append(one.found[metric])
    return paired_difference(
        scores[0],
        scores[1:],
        names=names,
        resamples=settings.resamples,
        level=settings.level,
        seed=settings.seed,
    )


def _forgetting(
    name: str,
    data: HeldOut,
    base: JudgedModel,
    tuned: Sequence[JudgedModel],
    settings: ProofSettings,
    told: _Told,
) -> Forgetting:
    before = _score(base, "base", data, told)
    after = [_score(one, "tuned", data, told) for one in tuned]
    return forgetting(_difference(data.primary, before, after, settings), name, settings.margin)


def _score_rows(one: _Scored, settings: ProofSettings) -> list[ModelScore]:
    model = one.model
    if isinstance(one.found, Undefined):
        return [ModelScore(model.name, one.role, model.seed, "", one.found, None, None)]
    rows = []
    for metric, scores in one.found.items():
        low, high = score_interval(
            scores, resamples=settings.resamples, level=settings.level, seed=settings.seed
        ) or (None, None)
        value = metric_value(scores)
        rows.append(ModelScore(model.name, one.role, model.seed, metric, value, low, high))
    return rows


def _seeds(tuned: Sequence[_Scored], settings: ProofSettings) -> tuple[SeedSpread, ...]:
    rows = []
    first = tuned[0].found
    for metric in [] if isinstance(first, Undefined) else list(first):
        values = [
            Undefined("") if isinstance(one.found, Undefined) else metric_value(one.found[metric])
            for one in tuned
        ]
        numbers = [value for value in values if not isinstance(value, Undefined)]
        # A spread over the trainings that went well would hide the one that did not.
        if len(numbers) == len(tuned):
            rows.append(seed_spread(metric, [one.model.seed for one in tuned], numbers, settings.level))
    return tuple(rows)


def _expected(
    data: HeldOut, base: _Scored, others: Sequence[_Scored], settings: ProofSettings
) -> Detectable | None:
    if isinstance(base.found, Undefined):
        return None
    queries, documents = (
        half_of_components(rows) if rows.size else rows
        for rows in (base.embedded.queries, base.embedded.documents)
    )
    half = data.scores(queries, documents)[data.primary]
    stand_ins = [("itself with half of its components", half)]
    for one in others:
        if not isinstance(one.found, Undefined):
            stand_ins.append((one.model.name, one.found[data.primary]))
    return before_training(
        base.found[data.primary], stand_ins, power=settings.power, level=settings.level, seed=settings.seed
    )


def _movement(data: HeldOut, scored: Sequence[_Scored]) -> Movement | None:
    base, tuned = scored[0], scored[1]
    if isinstance(base.found, Undefined) or isinstance(tuned.found, Undefined):
        return None
    return movement(
        data,
        base.embedded.documents,
        tuned.embedded.documents,
        (base.found[data.primary], tuned.found[data.primary]),
    )


def _without_leaks(held_out: HeldOut, leak: LeakFacts | None) -> HeldOut:
    if leak is None or not leak.left_out:
        return held_out
    if leak.items != held_out.items or leak.left_out[-1] >= held_out.items or leak.left_out[0] < 0:
        raise InvalidValueError(
            "leaks-of-other-data",
            f"the leak check looked at {leak.items} items, the held-out data has {held_out.items}",
            expected="a leak check of this data",
            where="leak",
        )
    kept = [row for row in range(held_out.items) if row not in set(leak.left_out)]
    if not kept:
        raise InvalidValueError(
            "all-items-leaked",
            f"all {held_out.items} held-out items stand in the training data",
            expected="items that were not trained on",
            fix="Split the data anew, or bring other held-out data",
            where="held-out data",
        )
    return held_out.subset(kept)


def _check_models(models: Sequence[tuple[JudgedModel, str]]) -> None:
    if not any(role == "tuned" for _, role in models):
        raise InvalidValueError("no-tuned-model", "no tuned model came", expected="one, or one a seed")
    keys = [(model.name, model.seed) for model, _ in models]
    if len(set(keys)) < len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        raise InvalidValueError(
            "model-twice",
            f"name {twice[0]!r} with seed {twice[1]}",
            expected="each model once, told apart by name or seed",
        )
