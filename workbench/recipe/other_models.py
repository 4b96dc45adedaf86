"""Other untuned models beside a training: embedded one after the other, and a failure kept as its reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from workbench.compare.held_out import HeldOut
from workbench.compare.judged_models import JudgedModel, embedded_now, judged_model
from workbench.errors import Cancelled, WorkbenchError
from workbench.sentence_transformer import SentenceTransformer


@dataclass(frozen=True)
class OtherModels:
    """What could be used instead of the tuned model.

    Attributes:
        models: With their embeddings of the held-out data; the models themselves are let go.
        failures: Name of each that could not be judged → why, with the code of the error.
    """

    models: tuple[JudgedModel, ...] = ()
    failures: Mapping[str, str] | None = None


def other_models(
    names: Sequence[str],
    held_out: HeldOut,
    *,
    device: str | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> OtherModels:
    """Open untuned models and let each embed held-out data.

    What goes wrong with one is its own: a training must not be lost to a name that cannot be loaded.

    Args:
        names: Bundled name, folder or Hub name of each; one that stands twice is taken once.
        held_out: What they will be judged by.
        device: Where they compute.
        cancelled: Asked before each.

    Raises:
        Cancelled: ``cancelled`` said so.
    """
    models, failures = [], {}
    for name in dict.fromkeys(names):
        if cancelled is not None and cancelled():
            raise Cancelled
        try:
            # One at a time in memory.
            opened = SentenceTransformer(name, device=device)
            models.append(embedded_now(judged_model(name, opened), held_out))
        except Cancelled:
            raise
        except WorkbenchError as error:
            failures[name] = error.message
        except Exception as error:
            failures[name] = f"{type(error).__name__}: {str(error)[:200]} [other-model-failed]"
    return OtherModels(tuple(models), failures)
