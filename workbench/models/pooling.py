"""The pooling module: one mode or several joined, and its configuration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Self

import torch
from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from torch import nn

from workbench.errors import InvalidValueError
from workbench.models.module_checks import Size, check_config, read_feature
from workbench.models.pooling_modes import POOLING_FUNCTIONS, PoolingMode, TokenBatch
from workbench.models.protocols import Features

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
