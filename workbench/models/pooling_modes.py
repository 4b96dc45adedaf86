"""From token embeddings to one embedding a text: a pure function per mode."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor

from workbench.errors import InvalidTypeError, ShapeMismatchError

PoolingMode = Literal["cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"]

# Below this no denominator falls, so that a text without a real token gives zeros instead of 0 / 0.
_SMALLEST_SUM = 1e-9


@dataclass(frozen=True, eq=False)
class TokenBatch:
    """The token embeddings of a batch, and what decides which of them count.

    Sums that several modes need are kept after their first use, as their gradient then flows back once.

    Attributes:
        token_embeddings: Last hidden state, a floating-point type. Shape ``(batch, tokens, dim)``.
        attention_mask: 1 for a real token, 0 for padding on either side. Shape ``(batch, tokens)``.
        prompt_length: Real tokens at the start of each text that do not count: one number, or a tensor of
            shape ``(1,)`` or ``(batch,)``.
        token_weights_sum: Denominator of the means where the tokens carry weights. Shape ``(batch,)``.
        cls_token_embeddings: Taken for the first token's embedding where given. Shape ``(batch, dim)``.

    Raises:
        InvalidTypeError: Token embeddings that are not floating-point numbers.
        ShapeMismatchError: Tensors that disagree on ``(batch, tokens)``, or no token at all.
    """

    token_embeddings: Tensor
    attention_mask: Tensor
    prompt_length: int | Tensor = 0
    token_weights_sum: Tensor | None = None
    cls_token_embeddings: Tensor | None = None

    def __post_init__(self) -> None:
        embeddings = self.token_embeddings
        if not embeddings.is_floating_point():
            raise InvalidTypeError(
                "token-embeddings-type",
                f"token_embeddings of type {embeddings.dtype}",
                expected="a floating-point type",
            )
        if embeddings.dim() != 3 or embeddings.shape[1] == 0:
            raise ShapeMismatchError(
                "token-embeddings-shape",
                f"token_embeddings of shape {tuple(embeddings.shape)}",
                expected="(batch, tokens, dim) with at least one token",
            )
        batch = embeddings.shape[0]
        _check_shape("attention_mask", self.attention_mask, [tuple(embeddings.shape[:2])])
        _check_shape("token_weights_sum", self.token_weights_sum, [(batch,)])
        _check_shape("cls_token_embeddings", self.cls_token_embeddings, [(batch, embeddings.shape[2])])
        if isinstance(self.prompt_length, Tensor):
            _check_shape("prompt_length", self.prompt_length, [(), (1,), (batch,)])

    @cached_property
    def first_token(self) -> Tensor:
        """Index of the first real token, prompt included; 0 in a row without one. Shape ``(batch, 1)``."""
        return self.attention_mask.to(torch.int32).argmax(dim=1, keepdim=True)

    @cached_property
    def mask(self) -> Tensor:
        """The attention mask without the prompt, in its own type. Shape ``(batch, tokens)``."""
        length = self.prompt_length
        if isinstance(length, Tensor):
            length = length.to(self.attention_mask.device).reshape(-1, 1)
        elif length == 0:
            return self.attention_mask
        positions = torch.arange(self.attention_mask.shape[1], device=self.attention_mask.device)
        return self.attention_mask * (positions >= self.first_token + length)

    @property
    def sum_dtype(self) -> torch.dtype:
        """The type in which sums are taken: float32 for the half types, whose own would lose digits."""
        dtype = self.token_embeddings.dtype
        return torch.float32 if dtype in (torch.float16, torch.bfloat16) else dtype

    @cached_property
    def token_sum(self) -> Tensor:
        """Sum of the embeddings that count. Shape ``(batch, dim)``, type ``sum_dtype``."""
        mask = self.mask.unsqueeze(-1).to(self.token_embeddings.dtype)
        return (self.token_embeddings * mask).sum(dim=1, dtype=self.sum_dtype)

    @cached_property
    def token_count(self) -> Tensor:
        """How many embeddings count, or the sum of their weights; never zero. Shape ``(batch, 1)``."""
        if self.token_weights_sum is not None:
            return self._bounded_weights_sum(self.token_weights_sum)
        mask = self.mask.unsqueeze(-1).to(self.token_embeddings.dtype)
        return mask.sum(dim=1, dtype=self.sum_dtype).clamp(min=_SMALLEST_SUM)

    @property
    def mean_dtype(self) -> torch.dtype:
        """The type of a mean: that of the embeddings, or a wider one of the weights."""
        dtype = self.token_embeddings.dtype
        weights = self.token_weights_sum
        return dtype if weights is None else torch.promote_types(dtype, weights.dtype)

    def _bounded_weights_sum(self, weights: Tensor) -> Tensor:
        wide = weights.unsqueeze(-1).to(torch.promote_types(self.sum_dtype, weights.dtype))
        return wide.clamp(min=_SMALLEST_SUM)


def _check_shape(name: str, tensor: Tensor | None, allowed: list[tuple[int, ...]]) -> None:
    if tensor is not None and tuple(tensor.shape) not in allowed:
        raise ShapeMismatchError(
            "pooling-shape",
            f"{name} of shape {tuple(tensor.shape)}",
            expected=" or ".join(str(shape) for shape in allowed) + ", as the token embeddings have",
        )


def _at(token_embeddings: Tensor, index: Tensor) -> Tensor:
    # One token a text. index: (batch, 1) → (batch, dim)
    return torch.take_along_dim(token_embeddings, index.unsqueeze(-1), dim=1).squeeze(1)


def cls_pooling(batch: TokenBatch) -> Tensor:
    """Take the embedding of the first token that counts.

    Args:
        batch: Token embeddings. Shape ``(batch, tokens, dim)``.

    Returns:
        One embedding a text. Shape ``(batch, dim)``, dtype of the token embeddings.

    Source: sentence-transformers' mode ``cls``; ``cls_token_embeddings`` has precedence, and a row without a
    real token gives its first position.
    """
    if batch.cls_token_embeddings is not None:
        return batch.cls_token_embeddings
    return _at(batch.token_embeddings, batch.mask.to(torch.int32).argmax(dim=1, keepdim=True))


def max_pooling(batch: TokenBatch) -> Tensor:
    """Take the largest value of each dimension over the tokens that count.

    Args:
        batch: Token embeddings. Shape ``(batch, tokens, dim)``.

    Returns:
        One embedding a text. Shape ``(batch, dim)``, dtype of the token embeddings.

    Source: sentence-transformers' mode ``max``; a row without a real token gives -inf.
    """
    ignored = (batch.mask == 0).unsqueeze(-1)
    return batch.token_embeddings.masked_fill(ignored, float("-inf")).max(dim=1).values


def mean_pooling(batch: TokenBatch) -> Tensor:
    """Average the embeddings of the tokens that count.

    Args:
        batch: Token embeddings. Shape ``(batch, tokens, dim)``.

    Returns:
        One embedding a text. Shape ``(batch, dim)``, dtype ``batch.mean_dtype``.

    Source: sentence-transformers' mode ``mean``; a row without a real token gives zeros.
    """
    return (batch.token_sum / batch.token_count).to(batch.mean_dtype)


def mean_sqrt_len_pooling(batch: TokenBatch) -> Tensor:
    """Sum the embeddings of the tokens that count and divide by the square root of their number.

    Args:
        batch: Token embeddings. Shape ``(batch, tokens, dim)``.

    Returns:
        One embedding a text. Shape ``(batch, dim)``, dtype ``batch.mean_dtype``.

    Source: sentence-transformers' mode ``mean_sqrt_len_tokens``; a row without a real token gives zeros.
    """
    return (batch.token_sum / torch.sqrt(batch.token_count)).to(batch.mean_dtype)


def weighted_mean_pooling(batch: TokenBatch) -> Tensor:
    """Average the embeddings of the tokens that count, the k-th real token with weight k.

    Args:
        batch: Token embeddings. Shape ``(batch, tokens, dim)``.

    Returns:
        One embedding a text. Shape ``(batch, dim)``, dtype ``batch.mean_dtype``.

    Source: SGPT (https://arxiv.org/abs/2202.08904), sentence-transformers' mode ``weightedmean``; a prompt
    that is left out still counts for k, and a row without a real token gives zeros.
    """
    embeddings = batch.token_embeddings
    ranks = torch.arange(1, embeddings.shape[1] + 1, device=embeddings.device, dtype=batch.sum_dtype)
    weights = batch.mask.to(batch.sum_dtype) * (ranks - batch.first_token)  # (batch, tokens)
    weights = weights.unsqueeze(-1)
    if batch.token_weights_sum is None:
        total = weights.sum(dim=1).clamp(min=_SMALLEST_SUM)
    else:
        total = batch._bounded_weights_sum(batch.token_weights_sum)
    return ((embeddings * weights).sum(dim=1) / total).to(batch.mean_dtype)


def last_token_pooling(batch: TokenBatch) -> Tensor:
    """Take the embedding of the last token that counts.

    Args:
        batch: Token embeddings. Shape ``(batch, tokens, dim)``.

    Returns:
        One embedding a text. Shape ``(batch, dim)``, dtype of the token embeddings.

    Source: sentence-transformers' mode ``lasttoken``; a row without a real token gives zeros.
    """
    positions = torch.arange(batch.mask.shape[1], device=batch.mask.device)
    last = (positions * (batch.mask != 0)).argmax(dim=1, keepdim=True)
    real = batch.mask.gather(1, last).to(batch.token_embeddings.dtype)
    return _at(batch.token_embeddings, last) * real


# In the order in which a folder's flags are concatenated.
POOLING_FUNCTIONS: dict[PoolingMode, Callable[[TokenBatch], Tensor]] = {
    "cls": cls_pooling,
    "max": max_pooling,
    "mean": mean_pooling,
    "mean_sqrt_len_tokens": mean_sqrt_len_pooling,
    "weightedmean": weighted_mean_pooling,
    "lasttoken": last_token_pooling,
}
# The flag in config.json up to 5.3 → the mode.
