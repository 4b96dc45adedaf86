"""From token embeddings to one embedding a text: a pure function per mode, and the module that joins them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal, Self

import torch
from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from torch import Tensor, nn

from workbench.errors import InvalidTypeError, InvalidValueError, ShapeMismatchError
from workbench.models.normalize import Size, check_config, read_feature
from workbench.models.protocols import Features

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
POOLING_FLAGS: dict[str, PoolingMode] = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
# 2.0 knows these four; the two others came in 2.3 and are written only where they are on.
_FIRST_FLAGS = tuple(POOLING_FLAGS)[:4]


def _as_list(value: object) -> object:
    if isinstance(value, str):
        return [value]
    return list(value) if isinstance(value, tuple) else value


class PoolingConfig(BaseModel):
    """What ``1_Pooling/config.json`` may hold: flags up to 5.3, ``pooling_mode`` later, in agreement.

    As in upstream 6.2, a flag that is absent is off, and mean is taken where nothing is said.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    word_embedding_dimension: Size = Field(
        validation_alias=AliasChoices("word_embedding_dimension", "embedding_dimension")
    )
    pooling_mode: (
        Annotated[list[PoolingMode], BeforeValidator(_as_list), Field(min_length=1, max_length=6)] | None
    ) = None
    pooling_mode_cls_token: bool | None = None
    pooling_mode_max_tokens: bool | None = None
    pooling_mode_mean_tokens: bool | None = None
    pooling_mode_mean_sqrt_len_tokens: bool | None = None
    pooling_mode_weightedmean_tokens: bool | None = None
    pooling_mode_lasttoken: bool | None = None
    include_prompt: bool = True

    @model_validator(mode="after")
    def _modes_are_clear(self) -> Self:
        flags = self._flags()
        if self.pooling_mode is None:
            if not any(flags.values()) and flags.get("mean") is False:
                raise InvalidValueError(
                    "pooling-no-mode",
                    "Every pooling mode is off",
                    expected=f"one of {', '.join(POOLING_FUNCTIONS)}",
                    fix="Turn one on, or leave all flags out for mean",
                    where="Pooling",
                )
        elif wrong := [mode for mode, on in flags.items() if on != (mode in self.pooling_mode)]:
            raise InvalidValueError(
                "pooling-contradiction",
                f"pooling_mode is {'+'.join(self.pooling_mode)}, and the flags say otherwise of {wrong}",
                fix="Give pooling_mode or the flags, not both",
                where="Pooling",
            )
        return self

    def _flags(self) -> dict[PoolingMode, bool]:
        flags = {mode: getattr(self, flag) for flag, mode in POOLING_FLAGS.items()}
        return {mode: on for mode, on in flags.items() if on is not None}

    @property
    def modes(self) -> tuple[PoolingMode, ...]:
        """The modes in the order of concatenation."""
        if self.pooling_mode is not None:
            return tuple(self.pooling_mode)
        return tuple(mode for mode, on in self._flags().items() if on) or ("mean",)


class Pooling(nn.Module):
    """Make one embedding a text out of its token embeddings; several modes are concatenated.

    Args:
        word_embedding_dimension: Length of a token embedding, 1 to 8192.
        pooling_mode: A mode of ``POOLING_FUNCTIONS``, or several, concatenated in the order given.
        pooling_mode_cls_token, pooling_mode_max_tokens, pooling_mode_mean_tokens,
        pooling_mode_mean_sqrt_len_tokens, pooling_mode_weightedmean_tokens, pooling_mode_lasttoken: The
            classic flags; those that are on are concatenated in the order of the table. Mean where neither a
            mode nor a flag is on; by name only, since the newest upstream has ``include_prompt`` third.
        include_prompt: False leaves the first ``prompt_length`` tokens of each text out.
        embedding_dimension: The newer name of ``word_embedding_dimension``.

    Raises:
        UnknownNameError: A mode that does not exist.
        InvalidValueError, InvalidTypeError: Every mode off, mode and flags in contradiction, a bad dimension.

    Source: sentence-transformers' ``Pooling``.
    """

    legacy_type: ClassVar[str] = "sentence_transformers.models.Pooling"

    def __init__(
        self,
        word_embedding_dimension: int | None = None,
        pooling_mode: str | Sequence[str] | None = None,
        *,
        pooling_mode_cls_token: bool | None = None,
        pooling_mode_max_tokens: bool | None = None,
        pooling_mode_mean_tokens: bool | None = None,
        pooling_mode_mean_sqrt_len_tokens: bool | None = None,
        pooling_mode_weightedmean_tokens: bool | None = None,
        pooling_mode_lasttoken: bool | None = None,
        include_prompt: bool = True,
        embedding_dimension: int | None = None,
    ) -> None:
        super().__init__()
        given = {
            "word_embedding_dimension": word_embedding_dimension,
            "embedding_dimension": embedding_dimension,
            # 2.x took "MEAN" too.
            "pooling_mode": pooling_mode.lower() if isinstance(pooling_mode, str) else pooling_mode,
            "pooling_mode_cls_token": pooling_mode_cls_token,
            "pooling_mode_max_tokens": pooling_mode_max_tokens,
            "pooling_mode_mean_tokens": pooling_mode_mean_tokens,
            "pooling_mode_mean_sqrt_len_tokens": pooling_mode_mean_sqrt_len_tokens,
            "pooling_mode_weightedmean_tokens": pooling_mode_weightedmean_tokens,
            "pooling_mode_lasttoken": pooling_mode_lasttoken,
            "include_prompt": include_prompt,
        }
        config = check_config(PoolingConfig, given, "Pooling")
        self.word_embedding_dimension = config.word_embedding_dimension
        self.include_prompt = config.include_prompt
        self._modes = config.modes

    @classmethod
    def from_config(cls, config: PoolingConfig) -> Self:
        """Build the module that a folder describes."""
        return cls(config.word_embedding_dimension, config.modes, include_prompt=config.include_prompt)

    def get_config(self) -> dict[str, Any]:
        """Give what config.json holds: the flags that 2.x reads, or the newer form where they cannot say it.

        Flags carry no order, so that modes given in another order than the table's need the newer form.
        """
        if self._modes != tuple(mode for mode in POOLING_FUNCTIONS if mode in self._modes):
            return {
                "embedding_dimension": self.word_embedding_dimension,
                "pooling_mode": list(self._modes),
                "include_prompt": self.include_prompt,
            }
        config: dict[str, Any] = {"word_embedding_dimension": self.word_embedding_dimension}
        for flag, mode in POOLING_FLAGS.items():
            if flag in _FIRST_FLAGS or mode in self._modes:
                config[flag] = mode in self._modes
        # A key of 2.4: left out where it says nothing new.
        return config if self.include_prompt else config | {"include_prompt": False}

    @property
    def in_dimension(self) -> int:
        """Length of a token embedding that it takes."""
        return self.word_embedding_dimension

    @property
    def pooling_modes(self) -> tuple[PoolingMode, ...]:
        """The modes in the order of concatenation."""
        return self._modes

    def get_pooling_mode_str(self) -> str:
        """The modes joined by ``+``, in the order of concatenation."""
        return "+".join(self._modes)

    def get_sentence_embedding_dimension(self) -> int:
        """Length of an embedding: the dimension times the number of modes."""
        return self.word_embedding_dimension * len(self._modes)

    def forward(self, features: Features) -> Features:
        """Set ``sentence_embedding``, shape ``(batch, dim × modes)``.

        Reads ``token_embeddings``, ``attention_mask`` (all ones where absent), ``cls_token_embeddings``,
        ``token_weights_sum`` and, with ``include_prompt=False``, ``prompt_length``.

        Raises:
            UnknownNameError: There are no token embeddings.
            ShapeMismatchError: Features that do not fit each other or the dimension.
        """
        embeddings = read_feature(features, "token_embeddings", "Pooling", self.word_embedding_dimension)
        mask = features.get("attention_mask")
        batch = TokenBatch(
            embeddings,
            embeddings.new_ones(embeddings.shape[:2], dtype=torch.int64) if mask is None else mask,
            0 if self.include_prompt else features.get("prompt_length", 0),
            features.get("token_weights_sum"),
            features.get("cls_token_embeddings"),
        )
        pooled = [POOLING_FUNCTIONS[mode](batch) for mode in self._modes]
        features["sentence_embedding"] = torch.cat(pooled, dim=-1)
        return features

    def extra_repr(self) -> str:
        """Show dimension and modes."""
        return f"{self.word_embedding_dimension}, {self.get_pooling_mode_str()}"
