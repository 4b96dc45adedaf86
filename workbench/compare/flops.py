"""How many floating point operations an encoder needs for a token, from its configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Families of the plain encoder block: four projections of the width and two of the feed-forward part.
_PLAIN = frozenset(
    {
        "bert", "roberta", "xlm-roberta", "camembert", "electra", "mpnet", "ernie", "data2vec-text",
        "distilbert", "esm",
    }
)  # fmt: skip
# What other families call the same sizes.
_OTHER_NAMES = {"hidden_size": "dim", "intermediate_size": "hidden_dim", "num_hidden_layers": "n_layers"}


@dataclass(frozen=True)
class EncoderSizes:
    """The sizes that the work of an encoder follows from.

    Attributes:
        layers: How many.
        width: Length of a hidden state.
        inner: Width of the feed-forward part.
    """

    layers: int
    width: int
    inner: int

    @property
    def per_token(self) -> int:
        """Operations of the matrix products for a token, attention between tokens left out."""
        return self.layers * 2 * (4 * self.width**2 + 2 * self.width * self.inner)

    @property
    def per_token_pair(self) -> int:
        """Operations of attention for a token and each token of its text: scores and weighted sum."""
        return self.layers * 4 * self.width

    def of_texts(self, tokens: Sequence[int]) -> int:
        """Operations for texts of so many tokens, without padding.

        Example:
            >>> EncoderSizes(6, 384, 1536).of_texts([10])
            213258240
        """
        return sum(count * (self.per_token + self.per_token_pair * count) for count in tokens)


def encoder_sizes(config: Mapping[str, Any]) -> EncoderSizes | None:
    """Sizes from a ``config.json``; None for a family whose layers are built in another way."""
    if config.get("model_type") not in _PLAIN:
        return None
    found = [
        config.get(_OTHER_NAMES[name], config.get(name))
        for name in ("num_hidden_layers", "hidden_size", "intermediate_size")
    ]
    if not all(isinstance(size, int) and size > 0 for size in found):
        return None
    layers, width, inner = (int(size) for size in found if isinstance(size, int))
    return EncoderSizes(layers, width, inner)
