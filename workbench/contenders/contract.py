"""The contract of a contender: a library's pipeline around one model, with every setting stated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Precision = Literal["float32", "bfloat16", "float16", "int8"]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a pipeline does to a text, stated in full: nothing is left to a library's default.

    Attributes:
        pooling: Pooling mode, one of mean, cls, max, mean_sqrt_len_tokens, weightedmean, lasttoken,
            or several joined by ``+``, concatenated in the order given; empty for a static embedding.
        normalize: Scale each embedding to unit length.
        max_length: Longest input in tokens, special tokens included; the rest is cut off.
        prompt: Text put before every input.
        lowercase: True or False overrides the tokenizer's own lower-casing; None leaves it.
        use_mask: False pools over padding too, the classic ``last_hidden_state.mean(dim=1)`` bug.
        precision: Type in which the encoder computes; in int8 its matrix products do, on the CPU.
        device: ``"cpu"`` or ``"cuda"``, ``"cuda:0"``, …
        threads: Intra-op threads on CPU.
        batch_size: Texts a forward call.
    """

    pooling: str = "mean"
    normalize: bool = True
    max_length: int = 256
    prompt: str = ""
    lowercase: bool | None = None
    use_mask: bool = True
    precision: Precision = "float32"
    device: str = "cpu"
    threads: int = 1
    batch_size: int = 32


@dataclass(frozen=True)
class ModelPaths:
    """Where the admitted byte copy of a model lies.

    Attributes:
        root: The model folder (holds ``modules.json``).
        encoder: The folder of the Transformer module: ``root`` or a sub-folder of it.
    """

    root: Path
    encoder: Path


@dataclass(frozen=True)
class TokenCount:
    """How many tokens a text has under a contender's settings.

    Attributes:
        kept: Tokens the encoder sees, special tokens included.
        full: Tokens the text would have without a limit, special tokens included.
        unknown: Unknown tokens among those kept.
    """

    kept: int
    full: int
    unknown: int


@dataclass(frozen=True)
class TokenView:
    """One text as the encoder sees it: three tuples of equal length."""

    tokens: tuple[str, ...]
    ids: tuple[int, ...]
    mask: tuple[int, ...]


class Contender(Protocol):
    """A loaded pipeline. ``settings`` is what it was opened with and what it does."""

    name: str
    settings: Settings

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One embedding a text, in the order given. Shape ``(texts, dim)``."""
        ...

    def token_counts(self, texts: Sequence[str]) -> list[TokenCount]:
        """Token counts of each text, prompt included."""
        ...

    def token_view(self, text: str) -> TokenView:
        """The tokens, ids and attention mask of one text, prompt included, as a batch of one."""
        ...
