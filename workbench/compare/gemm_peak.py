"""The fastest matrix product that this machine shows at a model's own shapes: the ceiling of an encoder."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from workbench.compare.flops import EncoderSizes
from workbench.compare.interleaved import synchronize

# Rows of a product: about a batch of packed texts.
ROWS = 1024
_SECONDS_A_WAY = 0.6
_LEAST_REPEATS = 3


@dataclass(frozen=True)
class GemmPeak:
    """What was measured.

    Attributes:
        gflops: Billions of operations a second, of the best way.
        precision, device, threads: Where.
        way: ``linear`` or ``prepacked``, and ``one product`` by all threads or ``a product each``.
        ways: Every way that was tried → its figure.
    """

    gflops: float
    precision: str
    device: str
    threads: int
    way: str
    ways: tuple[tuple[str, float], ...]


def gemm_peak(sizes: EncoderSizes, precision: str, device: str, threads: int) -> GemmPeak | None:
    """Time the four products of a layer in every way at hand and keep the best.

    A way is a kernel (``F.linear``, or oneDNN's with weights packed beforehand) times an arrangement of
    threads (all of them in one product, or a product each). A figure is the best of its repeats: a ceiling
    is what the machine can do undisturbed.

    Args:
        sizes: Of the model.
        precision: ``float32``, ``bfloat16`` or ``float16``; None comes back for any other.
        device: ``cpu`` or a CUDA device.
        threads: On the CPU.
    """
    import torch

    dtype = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}.get(precision)
    if dtype is None:
        return None
    shapes = layer_shapes(sizes)
    flops = 2 * ROWS * sum(left * right for left, right in shapes)
    found: dict[str, float] = {}
    for kernel, make in _KERNELS.items():
        with suppress(RuntimeError, AttributeError, NotImplementedError):
            for arrangement, parts, inner in _arrangements(device, threads):
                calls = [_layer(make, shapes, dtype, device) for _ in range(parts)]
                seconds = _best(calls, inner, device)
                found[f"{kernel}, {arrangement}"] = parts * flops / seconds / 1e9
    if not found:
        return None
    best = max(found, key=lambda way: found[way])
    return GemmPeak(found[best], precision, device, threads, best, tuple(found.items()))


def layer_shapes(sizes: EncoderSizes) -> list[tuple[int, int]]:
    """Inputs and outputs of the products of one layer, query, key and value in one."""
    width, inner = sizes.width, sizes.inner
    return [(width, 3 * width), (width, width), (width, inner), (inner, width)]


def _arrangements(device: str, threads: int) -> list[tuple[str, int, int]]:
    """Name, products at a time, threads of each."""
    if device != "cpu" or threads == 1:
        return [("one product", 1, threads)]
    return [("one product", 1, threads), ("a product each", threads, 1)]


Kernel = Callable[[Any, Any, Any], Callable[[], object]]


def _linear(rows: Any, weight: Any, bias: Any) -> Callable[[], object]:
    import torch.nn.functional as F

    return lambda: F.linear(rows, weight, bias)


def _prepacked(rows: Any, weight: Any, bias: Any) -> Callable[[], object]:
    import torch

    if rows.device.type != "cpu":
        raise NotImplementedError("packed weights are for the CPU")
    packed = torch.ops.mkldnn._reorder_linear_weight(weight, len(rows))
    return lambda: torch.ops.mkldnn._linear_pointwise(rows, packed, bias, "none", [], "")


_KERNELS: dict[str, Kernel] = {"linear": _linear, "prepacked": _prepacked}


def _layer(make: Kernel, shapes: list[tuple[int, int]], dtype: Any, device: str) -> Callable[[], None]:
    import torch

    calls = [
        make(
            torch.randn(ROWS, left).to(device, dtype),
            torch.randn(right, left).to(device, dtype),
            torch.randn(right).to(device, dtype),
        )
        for left, right in shapes
    ]

    def run() -> None:
        with torch.inference_mode():
            for call in calls:
                call()

    return run


def _best(calls: list[Callable[[], None]], threads: int, device: str) -> float:
    """Seconds of all calls side by side, each in a thread of its own; the best of some repeats."""
    # Imported here, as torch is everywhere in this file.
    from workbench.contenders.instruments import torch_threads

    with (
        torch_threads(threads),
        ThreadPoolExecutor(len(calls), initializer=_set_threads, initargs=(threads,)) as pool,
    ):

        def once() -> float:
            synchronize(device)
            begun = time.perf_counter()
            if len(calls) == 1:
                calls[0]()
            else:
                list(pool.map(lambda call: call(), calls))
            synchronize(device)
            return time.perf_counter() - begun

        once()
        seconds = [once() for _ in range(_LEAST_REPEATS)]
        until = time.perf_counter() + _SECONDS_A_WAY
        while time.perf_counter() < until:
            seconds.append(once())
    return min(seconds)


def _set_threads(count: int) -> None:
    import torch

    torch.set_num_threads(count)
