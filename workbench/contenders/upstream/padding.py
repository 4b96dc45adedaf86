"""A module for the upstream pipeline that makes the pooling take padding for text."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class PoolOverPadding(nn.Module):
    """Stands between encoder and pooling: the encoder saw the mask, the pooling sees only ones.

    Mean pooling then is ``last_hidden_state.mean(dim=1)``, so that an embedding depends on the longest
    text of its batch.
    """

    def forward(self, features: dict[str, Tensor]) -> dict[str, Tensor]:
        """Replace ``attention_mask``, shape ``(batch, tokens)``, by ones in a copy of the features."""
        return {**features, "attention_mask": torch.ones_like(features["attention_mask"])}
