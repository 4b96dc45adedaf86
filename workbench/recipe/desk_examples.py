"""The bundled support desk as the examples of a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from workbench.compare.held_out import HeldOut, scored_pairs
from workbench.compare.held_out_retrieval import retrieval
from workbench.data import desk
from workbench.data.input_example import InputExample
from workbench.errors import InvalidValueError
from workbench.losses.needs import DataNeeds
from workbench.recipe.config import DataConfig
from workbench.recipe.examples import Examples


def desk_examples(config: DataConfig, needs: DataNeeds) -> Examples:
    """The bundled set in one of its views; its parts were fixed when it was written, whatever the seed.

    Raises:
        InvalidValueError: ``view-does-not-fit``: the loss needs other columns or labels.
    """
    language = config.language
    if config.view == "labelled":
        train = tuple(
            InputExample(guid=one.id, texts=[one.text], label=one.label)
            for one in desk.labelled_sentences("train", language)
        )
    else:
        train = tuple(_DESK_TRAIN[config.view]("train", language))
    _check_view(config.view, train, needs)
    return Examples(
        train=train,
        dev=desk_held_out(config, "dev"),
        test=desk_held_out(config, "test"),
        roles=DESK_ROLES[config.view],
        num_labels=1 + max(one.label for one in train) if config.view == "labelled" else 0,
        classes={},
        sha256=None,
        notices=(),
    )


_DESK_TRAIN: dict[str, Callable[..., list[InputExample]]] = {
    "pairs": desk.positive_pairs,
    "answers": desk.question_article_pairs,
    "scored": desk.scored_pairs,
}
DESK_ROLES: dict[str, dict[str, str]] = {
    "pairs": {"phrasing": "anchor", "other phrasing": "positive"},
    "answers": {"question": "anchor", "article": "positive"},
    "scored": {"sentence1": "sentence1", "sentence2": "sentence2", "score": "score"},
    "labelled": {"sentence": "text", "intent": "label"},
}


def desk_held_out(config: DataConfig, split: str) -> HeldOut:
    """A held-out part of the bundled set: retrieval of answers for that view, scored pairs for the others."""
    return (_desk_answers if config.view == "answers" else _desk_scored)(split, config.language)


def _desk_scored(split: str, language: str) -> HeldOut:
    found = desk.scored_pairs(split, language)  # type: ignore[arg-type] # the config's own choices
    return scored_pairs(
        [one.texts[0] for one in found], [one.texts[1] for one in found], [one.label for one in found]
    )


def _desk_answers(split: str, language: str) -> HeldOut:
    found = desk.retrieval(split, language)  # type: ignore[arg-type]
    return retrieval(found.queries, found.corpus, found.relevant)


def _check_view(view: str, train: Sequence[InputExample], needs: DataNeeds) -> None:
    """Refuse a loss that the view has no columns or labels for."""
    roles = set(DESK_ROLES[view].values())
    wanted = {role.rstrip("*+?") for role in needs.columns if not role.endswith(("*", "?"))}
    label = {"none": None, "score": "score", "class": "label", "binary": None}.get(needs.labels, needs.labels)
    if not wanted <= roles or (label and label not in roles) or needs.labels == "binary":
        fitting = [
            name
            for name, found in DESK_ROLES.items()
            if wanted <= set(found.values()) and (label is None or label in found.values())
        ]
        raise InvalidValueError(
            "view-does-not-fit",
            f"The bundled data as {view} ({', '.join(sorted(roles))})",
            expected=f"columns {', '.join(needs.columns)}" + (f" and {label}" if label else ""),
            fix=f"Take it as {' or '.join(fitting)}" if fitting else "Choose another loss, or your own data",
            where="data.view",
        )
