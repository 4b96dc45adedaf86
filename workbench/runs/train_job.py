"""The job that trains: each way and seed in turn, then the proof. It goes on where it was stopped."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.errors import InvalidValueError
from workbench.persistence.atomic import writing
from workbench.runs.files import get_json, put_json
from workbench.runs.job import JobContext

# The trainers that this job can run; the page offers what stands here.
WAYS: tuple[str, ...] = ("own", "upstream", "transformers")
_DONE = "done.json"
_MOST_SEEDS = 10
# Steps over whose time the rest is estimated.
_RECENT = 20


@dataclass
class _Progress:
    """Where the job stands among all its trainings."""

    context: JobContext
    total: int
    done: int = 0
    part: dict[str, float] = field(default_factory=dict)
    times: list[float] = field(default_factory=list)
    speed: dict[str, float] = field(default_factory=dict)

    def hear(self, event: object) -> None:
        """Report the start, a step or a score of the training that runs."""
        from workbench.contenders.train_contract import StepRecord
        from workbench.recipe.ways import WayStarted
        from workbench.training.events import Evaluated, Stepped

        if isinstance(event, WayStarted):
            self.context.resumed(self.done + event.first_step)
            self.times, self.speed = [time.monotonic()], {}
        elif isinstance(event, Stepped):
            self.speed = {"tokens_per_second": event.tokens_per_second}
        elif isinstance(event, StepRecord):
            self.times = [*self.times[-_RECENT:], time.monotonic()]
            step = self.done + event.step
            self.context.report(
                step,
                self.total,
                loss=event.loss,
                learning_rate=event.learning_rate,
                gradient_norm=event.gradient_norm,
                weight_distance=event.weight_distance,
                seconds_left=self._seconds_a_step() * (self.total - step),
                **self.speed,
                **self.part,
            )
        elif isinstance(event, Evaluated) and event.score is not None:
            self.context.report(self.done + event.global_step, self.total, score=event.score, **self.part)

    def _seconds_a_step(self) -> float:
        return (self.times[-1] - self.times[0]) / max(1, len(self.times) - 1)


def train(context: JobContext) -> Mapping[str, Any] | None:
    """Train every way and seed that the settings name, and judge what came out.

    Settings: ``training`` (a ``TrainingConfig``), ``ways`` (names of trainers), ``seeds`` (how many, from the
    config's own on), ``prove`` (whether a proof ends it), ``others`` (names of untuned models to judge
    beside; what is wrong with one of them costs nothing but its place in the proof). All ways of a seed are
    given the same batches.

    Raises:
        WorkbenchError: Whatever is wrong with the settings, the data or the model.
    """
    from workbench.recipe.prepare import prepare

    config, ways, seeds = _read(context)
    prepared = prepare(config)
    progress = _Progress(context, prepared.total_steps * len(ways) * len(seeds))
    facts: list[dict[str, Any]] = []
    for number, way in enumerate(ways):
        for seed in seeds:
            progress.part = {"way": number, "seed": seed}
            seeded = config.model_copy(update={"seed": seed})
            # Without padding where no other way is laid beside it, whose dropout it would have to share.
            done = _train_one(context, seeded, way, progress, packed=len(ways) == 1)
            if done is None:
                return None
            progress.done += prepared.total_steps
            facts.append(done)
    result: dict[str, Any] = {"trainings": facts, "notices": list(prepared.examples.notices)}
    if len(ways) > 1:
        result["parity"] = _parity(context, config, facts)
        result["side_by_side"] = _side_by_side(context, config, prepared.examples, facts)
    if context.config.get("prove", True):
        result["proofs"] = _prove(context, config, prepared.examples, facts)
    return result


def _read(context: JobContext) -> tuple[Any, list[str], list[int]]:
    from workbench.runs.job_config import training_config

    given = context.config
    config = training_config(context)
    ways = given.get("ways") or [config.trainer]
    count = given.get("seeds", 1)
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= _MOST_SEEDS:
        raise InvalidValueError("seeds-out-of-range", repr(count)[:80], expected=f"1 to {_MOST_SEEDS}")
    known = isinstance(ways, list) and all(isinstance(way, str) and way in WAYS for way in ways)
    if not known or not ways or len(set(ways)) < len(ways):
        raise InvalidValueError(
            "ways-unknown", repr(ways)[:80], expected=f"a list of some of {', '.join(WAYS)}"
        )
    return config, list(ways), [(config.seed + number) % 2**32 for number in range(count)]


def _train_one(
    context: JobContext, config: Any, way: str, progress: _Progress, *, packed: bool
) -> dict[str, Any] | None:
    """One training; one that ended in an earlier attempt is not done again. None where it was stopped."""
    from workbench.recipe.ways import find_way, train_way

    folder = context.folder / f"{way}-{config.seed}"
    done = folder / _DONE
    if done.is_file():
        found: dict[str, Any] = get_json(done)
        return found
    resume = find_way(way).resumes and (folder / "checkpoints").is_dir()
    if folder.exists() and not resume:
        # Of a way that cannot go on, nothing is kept: it begins anew.
        _remove(folder)
    outcome = train_way(
        way, config, folder, progress=progress.hear, stop=context.stop, resume=resume, packed=packed
    )
    if outcome.status == "cancelled" or outcome.model_folder is None:
        return None
    facts = {
        "way": way,
        "seed": config.seed,
        "steps": len(outcome.steps),
        "seconds": round(outcome.seconds, 3),
        "final_loss": outcome.steps[-1].loss if outcome.steps else None,
        "best_score": outcome.best_score,
        "status": outcome.status,
        "folder": folder.name,
        "model": f"{folder.name}/model",
        "start": list(outcome.start),
    }
    put_json(done, facts)
    return facts


def _remove(folder: Path) -> None:
    import shutil

    with writing(folder):
        shutil.rmtree(folder)


def _parity(context: JobContext, config: Any, facts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first seed's trainings, each against the first way, step by step."""
    from workbench.compare.training_parity import Recorded, training_parity
    from workbench.recipe.prepare import prepare
    from workbench.recipe.step_file import read_steps
    from workbench.recipe.ways import STEPS_FILE, plan_of

    plan = plan_of(prepare(config))
    sides = [
        Recorded(
            fact["way"],
            plan,
            read_steps(context.folder / fact["folder"] / STEPS_FILE),
            tuple(fact["start"]),
        )
        for fact in facts
        if fact["seed"] == config.seed
    ]
    found = []
    for other in sides[1:]:
        parity = training_parity(sides[0], other)
        cause = parity.cause
        found.append(
            {
                "left": parity.left,
                "right": parity.right,
                "agree": parity.agree,
                "first_step": parity.first_step,
                "quantity": parity.quantity,
                "cause": None if cause is None else cause.name,
                "sentence": None if cause is None else cause.sentence,
                "largest_loss_difference": parity.largest_loss_difference,
            }
        )
    return found


def _side_by_side(
    context: JobContext, config: Any, examples: Any, facts: list[dict[str, Any]]
) -> dict[str, Any]:
    from workbench.recipe.trained_models import models_side_by_side

    first = {
        fact["way"]: context.folder / fact["folder"] / "model"
        for fact in facts
        if fact["seed"] == config.seed
    }
    return models_side_by_side(config, examples, first, cancelled=context.stop)


def _prove(
    context: JobContext, config: Any, examples: Any, facts: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    from workbench.compare.proof_html import proof_html
    from workbench.compare.proof_report import proof_dict, proof_json
    from workbench.recipe.judge import judge
    from workbench.recipe.other_models import other_models

    names = [str(other) for other in context.config.get("others") or () if other != config.model.name]
    others = other_models(names, examples.test, device=config.device, cancelled=context.stop)
    found = []
    for way in dict.fromkeys(fact["way"] for fact in facts):
        proof = judge(
            config,
            examples,
            {fact["seed"]: context.folder / fact["folder"] / "model" for fact in facts if fact["way"] == way},
            name=f"trained by {way}",
            others=others,
            cancelled=context.stop,
        )
        for name, text in (("html", proof_html(proof)), ("json", proof_json(proof))):
            path = context.folder / f"proof-{way}.{name}"
            with writing(path):
                path.write_text(text, encoding="utf-8")
        found.append({"way": way, **proof_dict(proof)})
    return found
