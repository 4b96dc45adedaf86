"""Which pass a model's texts take, and the engine for it, built once for as long as the weights stay."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from torch import nn

from workbench.encoding.confirm import confirmed
from workbench.encoding.engine import Engine, build_engine
from workbench.encoding.freshness import WeightWatch
from workbench.encoding.linear import Compute
from workbench.errors import InvalidValueError
from workbench.models.packed import packable, untouched
from workbench.models.packed_pooling import can_pool_packed
from workbench.models.transformer import Transformer


@dataclass(frozen=True)
class Way:
    """How texts run.

    Attributes:
        engine: For packed batches; None where texts are sorted and padded.
        reason: Why they are padded; empty where they are not.
    """

    engine: Engine | None
    reason: str = ""


@dataclass
class _Ready:
    """The engines of one encoder."""

    watch: WeightWatch
    confirmed: bool
    engines: dict[Compute, Engine] = field(default_factory=dict)


_READY: WeakKeyDictionary[nn.Module, _Ready] = WeakKeyDictionary()
_BUILDING = threading.Lock()


def way_for(modules: Sequence[nn.Module], compute: Compute = "float32") -> Way:
    """Choose the pass for a model in eval mode.

    Args:
        modules: All of them, the one that tokenises first.
        compute: In which type the linear layers multiply.

    Raises:
        InvalidValueError: ``compute-not-supported``: a type that this model or device does not compute in.
    """
    reason = _reason(modules)
    way = Way(None, reason) if reason else _packed(modules[0], compute)
    if way.engine is None and compute == "int8":
        raise InvalidValueError(
            "compute-not-supported",
            f"compute is 'int8', and this model's texts cannot run packed: {way.reason}",
            expected="'float32' or 'bfloat16'",
        )
    return way


def _reason(modules: Sequence[nn.Module]) -> str:
    first = modules[0]
    if type(first) is not Transformer:
        return f"{type(first).__name__} is no encoder with attention"
    if not untouched(first) or not all(map(untouched, modules[1:])):
        return "a hook, an adapter or another forward stands in the model"
    if not packable(first.encoder):
        return f"{first.encoder.config.model_type} has no packed pass"  # type: ignore[union-attr]
    if getattr(first.encoder.config, "output_hidden_states", False):
        return "all layers are asked for"
    if not can_pool_packed(modules[1:]):
        names = ", ".join(type(module).__name__ for module in modules[1:]) or "nothing"
        return f"after the encoder comes {names}"
    return ""


def _packed(first: nn.Module, compute: Compute) -> Way:
    assert isinstance(first, Transformer)
    encoder = first.encoder
    with _BUILDING:
        ready = _READY.get(encoder)
        if ready is None:
            # The probe is of the pass, not of the numbers in it: once an encoder is enough.
            exact = build_engine(encoder, "float32")
            ready = _Ready(WeightWatch(encoder), confirmed(first, exact), {"float32": exact})
            _READY[encoder] = ready
        elif not ready.watch.unchanged(encoder):
            ready.watch, ready.engines = WeightWatch(encoder), {}
        if not ready.confirmed:
            return Way(None, "the probe found the packed pass different from the plain one")
        if compute not in ready.engines:
            ready.engines[compute] = build_engine(encoder, compute)
        return Way(ready.engines[compute])


def refuse_device(compute: Compute, device: str) -> None:
    """int8 multiplies on the CPU alone.

    Raises:
        InvalidValueError: ``compute-not-supported``.
    """
    if compute == "int8" and device != "cpu":
        raise InvalidValueError(
            "compute-not-supported",
            f"compute is 'int8' on {device}",
            expected="'float32' or 'bfloat16' there",
        )
