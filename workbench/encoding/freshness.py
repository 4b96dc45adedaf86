"""Whether weights that were copied are still the ones that the model holds."""

from __future__ import annotations

import torch
from torch import Tensor, nn

# Numbers looked at in each tensor, beside its version counter: writing through ``.data`` counts nothing.
_SAMPLES = 16


class WeightWatch:
    """Remembers a module's parameters and buffers as they are now.

    An in-place change raises a tensor's version, an exchange moves its storage, and what does neither shows
    in a sample of the numbers unless it leaves all of these as they were.
    """

    def __init__(self, module: nn.Module) -> None:
        self._marks = _marks(module)
        self._views = [_sample(tensor) for tensor in _tensors(module) if tensor.numel()]
        self._numbers = self._read()

    def unchanged(self, module: nn.Module) -> bool:
        """Whether nothing has changed since."""
        return self._marks == _marks(module) and torch.equal(self._numbers, self._read())

    def _read(self) -> Tensor:
        # Of any floating type; compared as bits would be, but a NaN stays a change.
        return torch.cat([view.float() for view in self._views])


def _tensors(module: nn.Module) -> list[Tensor]:
    return [*module.parameters(), *module.buffers()]


def _marks(module: nn.Module) -> list[tuple[int, int, tuple[int, ...]]]:
    return [
        (tensor.data_ptr(), 0 if tensor.is_inference() else tensor._version, tuple(tensor.shape))
        for tensor in _tensors(module)
    ]


def _sample(tensor: Tensor) -> Tensor:
    """A view of some numbers, spread over the tensor."""
    flat = tensor.detach().reshape(-1)
    return flat[:: max(1, flat.numel() // _SAMPLES)][:_SAMPLES]
