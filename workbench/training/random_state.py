"""The random states of Python, numpy and torch as tensors of bytes, and back, to the last bit."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from workbench.errors import CheckpointError

# A Mersenne twister: 624 words and a position; then whether a normal number is kept back, and that number.
_TWISTER = struct.Struct("<625I?d")
_CUDA = "cuda-"


def python_state() -> bytes:
    """State of the ``random`` module."""
    _, words, kept = random.getstate()
    return _TWISTER.pack(*words, kept is not None, kept or 0.0)


def set_python_state(state: bytes) -> None:
    """Put the ``random`` module into a state of ``python_state``."""
    *words, has_kept, kept = _TWISTER.unpack(state)
    random.setstate((3, tuple(words), kept if has_kept else None))


def numpy_state() -> bytes:
    """State of numpy's global generator, the one of ``np.random.rand`` and its like.

    Raises:
        CheckpointError: ``random-state``: it was exchanged for one of another kind.
    """
    state: Any = np.random.get_state()
    if not isinstance(state, tuple):
        raise _refused("numpy's global generator was exchanged", "its Mersenne twister")
    _, words, position, has_kept, kept = state
    return _TWISTER.pack(*words.tolist(), position, bool(has_kept), kept)


def set_numpy_state(state: bytes) -> None:
    """Put numpy's global generator into a state of ``numpy_state``."""
    *words, position, has_kept, kept = _TWISTER.unpack(state)
    np.random.set_state(("MT19937", np.array(words, dtype=np.uint32), position, int(has_kept), kept))


def torch_state() -> bytes:
    """State of torch's generator on the CPU."""
    return torch.get_rng_state().numpy().tobytes()


def set_torch_state(state: bytes) -> None:
    """Put torch's generator on the CPU into a state of ``torch_state``."""
    torch.set_rng_state(as_tensor(state))


# The global sources that a data loader can draw from, and how each is read and set.
SOURCES: Mapping[str, tuple[Callable[[], bytes], Callable[[bytes], None]]] = {
    "python": (python_state, set_python_state),
    "numpy": (numpy_state, set_numpy_state),
    "torch": (torch_state, set_torch_state),
}


def capture_random_state() -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The states of Python, numpy, torch on the CPU, and torch on every GPU that was used.

    Returns:
        Name → uint8 tensor, and a document that says what there is.
    """
    tensors = {name: as_tensor(read()) for name, (read, _) in SOURCES.items()}
    # Asking an untouched CUDA would start it, memory and all, in a training that runs on the CPU.
    if torch.cuda.is_available() and torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        for device in range(torch.cuda.device_count()):
            tensors[f"{_CUDA}{device}"] = torch.cuda.get_rng_state(device)
    return tensors, {"sources": sorted(tensors)}


def restore_random_state(tensors: Mapping[str, Tensor], document: Mapping[str, Any]) -> None:
    """Put every generator back where ``capture_random_state`` found it.

    Args:
        tensors: As captured.
        document: As captured.

    Raises:
        CheckpointError: ``random-state``: a state is missing or of another kind, or belongs to a GPU that
            this machine does not have. Nothing is set then.
    """
    names = set(tensors)
    devices = sorted(name for name in names if name.startswith(_CUDA))
    if not names >= set(SOURCES) or sorted(names) != document.get("sources"):
        raise _refused(f"the random states of {', '.join(sorted(names))}", "those that were captured")
    here = [f"{_CUDA}{device}" for device in range(torch.cuda.device_count())] if devices else []
    if not set(devices) <= set(here):
        raise _refused(f"random states of {len(devices)} GPUs, and {len(here)} here", "the same GPUs")
    before = {name: read() for name, (read, _) in SOURCES.items()}
    try:
        for name, (_, put) in SOURCES.items():
            put(as_bytes(tensors[name]))
        for name in devices:
            torch.cuda.set_rng_state(tensors[name], int(name.removeprefix(_CUDA)))
    except (struct.error, RuntimeError, ValueError, TypeError) as error:
        for name, (_, put) in SOURCES.items():
            put(before[name])
        raise _refused(f"a random state that is none: {error}", "a state as it was captured") from error


@contextmanager
def kept_random_state() -> Iterator[None]:
    """Whatever the block draws or seeds on the CPU, the global generators end where they began."""
    before = {name: read() for name, (read, _) in SOURCES.items()}
    try:
        yield
    finally:
        for name, (_, put) in SOURCES.items():
            put(before[name])


def as_tensor(state: bytes) -> Tensor:
    """Bytes as a tensor. Shape ``(bytes,)``, uint8."""
    return torch.frombuffer(bytearray(state), dtype=torch.uint8)


def as_bytes(state: Tensor) -> bytes:
    """The bytes of a uint8 tensor."""
    return state.detach().cpu().contiguous().numpy().tobytes()


def _refused(came: str, expected: str) -> CheckpointError:
    return CheckpointError(
        "random-state",
        came,
        expected=expected,
        where="random state",
        fix="Resume on the machine it came from",
    )
