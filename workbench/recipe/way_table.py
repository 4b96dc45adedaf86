"""The table of ways to train a config, and the losses that each offers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workbench.contenders.contract import Settings
from workbench.contenders.train_contract import TrainingBatch, TrainPlan, Trains
from workbench.errors import UnknownNameError
from workbench.losses import LOSSES, WRAPPERS
from workbench.recipe.config import LossConfig


@dataclass(frozen=True)
class Way:
    """A way to train.

    Attributes:
        title: Name for a menu.
        description: One line.
        resumes: Whether an interrupted training can go on.
        losses: Names of the losses that it offers.
        trains: The contender; None for ``fit`` on the living model, which can be resumed.
        code: Model, settings, batches, plan and losses → a script that trains the same again.
    """

    title: str
    description: str
    resumes: bool
    losses: Callable[[], tuple[str, ...]]
    trains: Callable[[], Trains] | None
    code: Callable[[str, Settings, Sequence[TrainingBatch], TrainPlan, Sequence[float]], str]


# The libraries are heavy: each function imports its own when it is first called.
def _upstream_losses() -> tuple[str, ...]:
    from workbench.contenders.upstream.losses import OFFERED_LOSSES

    return OFFERED_LOSSES


def _manual_losses() -> tuple[str, ...]:
    from workbench.contenders.manual.losses import OFFERED_LOSSES

    return OFFERED_LOSSES


def _upstream() -> Trains:
    from workbench.contenders.upstream.train import train_upstream

    return train_upstream


def _manual() -> Trains:
    from workbench.contenders.manual.train import train_manual

    return train_manual


def _own_code(
    model: str,
    settings: Settings,
    batches: Sequence[TrainingBatch],
    plan: TrainPlan,
    losses: Sequence[float],
) -> str:
    from workbench.contenders.own.train_code import own_train_code

    return own_train_code(model, settings, batches, plan, losses)


def _upstream_code(
    model: str,
    settings: Settings,
    batches: Sequence[TrainingBatch],
    plan: TrainPlan,
    losses: Sequence[float],
) -> str:
    from workbench.contenders.upstream.train_code import upstream_train_code

    return upstream_train_code(model, settings, batches, plan, losses)


def _manual_code(
    model: str,
    settings: Settings,
    batches: Sequence[TrainingBatch],
    plan: TrainPlan,
    losses: Sequence[float],
) -> str:
    from workbench.contenders.manual.train_code import manual_train_code

    return manual_train_code(model, settings, batches, plan, losses)


WAYS: dict[str, Way] = {
    "own": Way("This workbench", "The package's own fit", True, lambda: tuple(LOSSES), None, _own_code),
    "upstream": Way(
        "sentence-transformers",
        "The upstream library's SentenceTransformerTrainer",
        False,
        _upstream_losses,
        _upstream,
        _upstream_code,
    ),
    "transformers": Way(
        "Transformers' Trainer",
        "A plain Hugging Face Trainer over AutoModel, with pooling and loss in plain torch",
        False,
        _manual_losses,
        _manual,
        _manual_code,
    ),
}


def offered_losses(way: str) -> tuple[str, ...]:
    """Names of the losses that a way offers.

    Raises:
        UnknownNameError: ``way-unknown``.
    """
    return find_way(way).losses()


def find_way(name: str) -> Way:
    """Look a way up.

    Raises:
        UnknownNameError: ``way-unknown``.
    """
    if name not in WAYS:
        raise UnknownNameError("way-unknown", repr(name), expected=f"one of {', '.join(WAYS)}")
    return WAYS[name]


def check_offered(way: str, loss: LossConfig) -> None:
    """Refuse a loss that a way does not offer, before anything is loaded.

    Raises:
        UnknownNameError: ``loss-not-offered``, ``way-unknown``.
    """
    offered = offered_losses(way)
    names = [loss.name, *([(loss.inner or LossConfig()).name] if loss.name in WRAPPERS else [])]
    for name in names:
        if name not in offered and name in LOSSES:
            raise UnknownNameError(
                "loss-not-offered",
                f"{name} in {WAYS[way].title}",
                expected=f"one of {', '.join(offered)}",
                fix="Choose one of these, or train it with own",
                where="loss",
            )
