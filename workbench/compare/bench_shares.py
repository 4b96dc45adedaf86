"""Where the time of a call goes: tokenise, forward, pool, and the rest, which is mostly copying."""

from __future__ import annotations

import functools
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

from workbench.compare.interleaved import seconds_of, synchronize
from workbench.contenders.contract import Contender

PARTS = ("tokenize", "forward", "pool", "copy")
# What a pipeline of steps has.
_STEPS = ("tokenize", "pool", "modules", "encoder", "run")
# The method that turns texts into features, as the libraries call it.
_TOKENIZERS = ("tokenize_texts", "preprocess", "tokenize")


def time_shares(contender: Contender, texts: Sequence[str]) -> dict[str, float] | None:
    """The parts of one call as shares that add up to 1.

    A contender that reports its own times is believed: ``model.encode_report.seconds``. Else its real
    objects are timed through hooks and wrappers, which are taken off again. ``copy`` is the rest of the
    call: sorting, moving, gathering.

    Returns:
        Share of each of ``PARTS``; None where the contender has no parts to look at.
    """
    for way in (_reported, _by_steps, _by_modules):
        found = way(contender, texts)
        if found is not None:
            return found
    return None


def _reported(contender: Contender, texts: Sequence[str]) -> dict[str, float] | None:
    model: Any = getattr(contender, "model", None)
    if not hasattr(model, "encode_report"):
        return None
    contender.encode(texts)
    seconds = getattr(model.encode_report, "seconds", None)
    if not isinstance(seconds, Mapping) or not sum(seconds.get(part, 0.0) for part in PARTS):
        return None
    total = sum(float(seconds.get(part, 0.0)) for part in PARTS)
    return {part: float(seconds.get(part, 0.0)) / total for part in PARTS}


def _by_steps(contender: Any, texts: Sequence[str]) -> dict[str, float] | None:
    """Of a pipeline whose steps are functions that can be replaced."""
    pipeline: Any = contender.pipeline() if callable(getattr(contender, "pipeline", None)) else None
    if not all(hasattr(pipeline, step) for step in _STEPS):
        return None
    meter = _Meter(contender.settings.device)
    timed = replace(
        pipeline,
        tokenize=meter.around("tokenize", pipeline.tokenize),
        pool=meter.around("pool", pipeline.pool),
        modules=tuple((name, meter.around("pool", module)) for name, module in pipeline.modules),
    )
    with contender.exclusively(), meter.on_module("forward", pipeline.encoder):
        total = seconds_of(lambda: timed.run(texts))
    return meter.shares(total)


def _by_modules(contender: Any, texts: Sequence[str]) -> dict[str, float] | None:
    """Of a sequence of modules: the first is the encoder, the others pool."""
    from torch import nn

    model = getattr(contender, "model", None)
    if not isinstance(model, nn.Module):
        return None
    first, *others = list(model.children()) or [model]
    meter = _Meter(contender.settings.device)
    with ExitStack() as stack:
        stack.enter_context(meter.on_module("forward", first))
        for other in others:
            stack.enter_context(meter.on_module("pool", other))
        stack.enter_context(meter.on_method("tokenize", (model, first)))
        total = seconds_of(lambda: contender.encode(texts))
    return meter.shares(total)


class _Meter:
    """Adds up the seconds of each part; nested calls of one part count once."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._seconds: dict[str, float] = defaultdict(float)
        self._inside: str = ""

    def shares(self, total: float) -> dict[str, float] | None:
        """Shares of the whole call; None where nothing passed through the parts."""
        if not self._seconds.get("forward"):
            return None
        spent = {part: self._seconds.get(part, 0.0) for part in PARTS[:-1]}
        spent["copy"] = max(0.0, total - sum(spent.values()))
        whole = sum(spent.values())
        return {part: seconds / whole for part, seconds in spent.items()}

    def around(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, timed."""

        @functools.wraps(function)
        def timed(*values: Any, **named: Any) -> Any:
            if self._inside:
                return function(*values, **named)
            self._inside = part
            synchronize(self._device)
            begun = time.perf_counter()
            try:
                return function(*values, **named)
            finally:
                synchronize(self._device)
                self._seconds[part] += time.perf_counter() - begun
                self._inside = ""

        return timed

    @contextmanager
    def on_module(self, part: str, module: Any) -> Iterator[None]:
        """A module's forward is timed meanwhile."""
        with self._replaced(module, "forward", self.around(part, module.forward)):
            yield

    @contextmanager
    def on_method(self, part: str, owners: Sequence[Any]) -> Iterator[None]:
        """The first tokenising method of the owners is timed meanwhile; one may call another."""
        with ExitStack() as stack:
            for owner in owners:
                for name in _TOKENIZERS:
                    method = getattr(owner, name, None)
                    if callable(method):
                        stack.enter_context(self._replaced(owner, name, self.around(part, method)))
            yield

    @contextmanager
    def _replaced(self, owner: Any, name: str, function: Callable[..., Any]) -> Iterator[None]:
        # Into the object itself, past nn.Module's own bookkeeping; its class keeps what it had.
        before = vars(owner).get(name)
        vars(owner)[name] = function
        try:
            yield
        finally:
            if before is None:
                del vars(owner)[name]
            else:
                vars(owner)[name] = before
