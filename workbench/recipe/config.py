"""The config of a training run: a closed schema, the same in YAML, on the command line and on the page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workbench.errors import InvalidValueError
from workbench.persistence.source import BUNDLED

Scalar = bool | int | float | str | None
Trainer = Literal["own", "upstream", "transformers"]

MAX_YAML_CHARS = 100_000


class _Closed(BaseModel):
    # A misspelt key must not be taken for a setting that was left at its default.
    model_config = ConfigDict(extra="forbid", frozen=True)


class DataConfig(_Closed):
    """Where the examples come from and what their columns mean.

    Attributes:
        source: ``support-desk``, ``hub:owner/name``, or a file (CSV, TSV, JSONL, Parquet).
        view: What to take of the bundled data: ``pairs``, ``answers``, ``scored`` or ``labelled``.
        language: Language of the bundled data.
        roles: Column → role, where the detected ones are wrong.
        rescale: The scale that the scores stand on, such as ``0-5``; None where they need no change.
        encoding: Encoding of a text file that is not UTF-8.
        subset: Configuration of a Hub data set.
        split: Split of a Hub data set.
        held_out: A file of held-out examples; None keeps a share of ``source`` back.
        held_out_share: That share, from 0.05 to 0.5, cut so that no sentence stands in both parts.
    """

    source: str = "support-desk"
    view: Literal["pairs", "answers", "scored", "labelled"] = "pairs"
    language: Literal["en", "ko"] = "en"
    roles: dict[str, str] = Field(default_factory=dict)
    rescale: str | None = None
    encoding: str | None = None
    subset: str | None = None
    split: str = "train"
    held_out: str | None = None
    held_out_share: Annotated[float, Field(ge=0.05, le=0.5)] = 0.2


class ModelConfig(_Closed):
    """The modules: an encoder, its length, a pooling, and what follows.

    Attributes:
        name: The bundled model, a folder, or a name on the Hub.
        max_seq_length: Longest input in tokens; None keeps the model's own.
        pooling: A pooling mode, or several joined by ``+``; None keeps the model's own.
        dense: Output size of a Dense layer after the pooling; None adds none.
        normalize: Whether embeddings are scaled to unit length; None keeps what the model does.
    """

    name: str = BUNDLED
    max_seq_length: Annotated[int, Field(ge=3, le=32_768)] | None = None
    pooling: str | None = None
    dense: Annotated[int, Field(ge=1, le=8192)] | None = None
    normalize: bool | None = None


class LossConfig(_Closed):
    """A loss by its name and its arguments.

    Attributes:
        name: A key of ``losses.LOSSES``.
        arguments: Plain values; a function by its name (``similarity_fct: dot_score``), a distance by its
            member (``distance_metric: COSINE``), a guide by its model's name.
        inner: The loss inside a wrapper such as ``MatryoshkaLoss``.
    """

    name: str = "MultipleNegativesRankingLoss"
    arguments: dict[str, Scalar | list[int] | list[float] | list[str]] = Field(default_factory=dict)
    inner: LossConfig | None = None


class TrainingConfig(_Closed):
    """Everything a training run depends on, the data's bytes and the machine aside.

    Attributes:
        trainer: ``own`` fit, ``upstream``'s Trainer, or ``transformers``' Trainer with a plain loss.
        evaluator: ``auto`` takes the one that fits the held-out data, ``none`` leaves it out.
        warmup: Steps, or a share of all steps where it is below 1.
        evaluation_steps: Evaluate every so many steps, 0 at the ends of epochs only.
        checkpoint_steps: Write a checkpoint every so many steps; 0 writes none.
        max_steps: Stop early; 0 runs all epochs.
    """

    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    loss: LossConfig = LossConfig()
    trainer: Trainer = "own"
    evaluator: str = "auto"
    epochs: Annotated[int, Field(ge=1, le=1000)] = 1
    max_steps: Annotated[int, Field(ge=0)] = 0
    batch_size: Annotated[int, Field(ge=1, le=65_536)] = 16
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 2e-5
    warmup: Annotated[float, Field(ge=0)] = 0.1
    scheduler: str = "WarmupLinear"
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.01
    max_grad_norm: Annotated[float, Field(gt=0)] = 1.0
    gradient_accumulation_steps: Annotated[int, Field(ge=1, le=1024)] = 1
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    dropout: bool = True
    device: str | None = None
    threads: Annotated[int, Field(ge=1, le=256)] | None = None
    evaluation_steps: Annotated[int, Field(ge=0)] = 0
    checkpoint_steps: Annotated[int, Field(ge=0)] = 100
    checkpoints_kept: Annotated[int, Field(ge=1, le=100)] = 2
    early_stopping_patience: Annotated[int, Field(ge=1)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 42

    def warmup_steps(self, steps: int) -> int:
        """Warm-up in steps of a run of ``steps``."""
        return int(self.warmup * steps + 0.5) if self.warmup < 1 else int(self.warmup)


def checked_config(values: object, where: str = "config") -> TrainingConfig:
    """A config from plain values.

    Raises:
        InvalidValueError: ``config-invalid``: the first key that is unknown or out of range.
    """
    try:
        return TrainingConfig.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        key = ".".join(map(str, first["loc"])) or "the whole"
        unknown = first["type"] == "extra_forbidden"
        raise InvalidValueError(
            "config-invalid",
            f"{key} is not known" if unknown else f"{key}: {str(first.get('input'))[:80]!r}",
            expected=f"one of {', '.join(_siblings(first['loc']))}" if unknown else first["msg"],
            where=where,
        ) from error


def config_from_yaml(text: str, where: str = "config") -> TrainingConfig:
    """A config from YAML; what is left out keeps its default.

    Raises:
        InvalidValueError: ``yaml-broken`` or ``config-invalid``.
    """
    if len(text) > MAX_YAML_CHARS:
        raise InvalidValueError(
            "yaml-too-long", f"{len(text):,} characters", expected=f"at most {MAX_YAML_CHARS:,}", where=where
        )
    if "&" in text and "*" in text and _has_alias(text):
        raise InvalidValueError("yaml-alias", "An alias (&name, *name)", expected="plain values", where=where)
    try:
        values: Any = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{where}, line {mark.line + 1}" if mark else where
        raise InvalidValueError(
            "yaml-broken", str(getattr(error, "problem", "") or error)[:200], expected="YAML", where=place
        ) from error
    return checked_config({} if values is None else values, where)


def config_to_yaml(config: TrainingConfig) -> str:
    """The config as YAML, every setting stated; reads back to the same config."""
    return str(yaml.safe_dump(config.model_dump(), sort_keys=False, allow_unicode=True))


def read_config(path: Path) -> TrainingConfig:
    """A config from a YAML file.

    Raises:
        InvalidValueError: It cannot be read as UTF-8, or its content is refused.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidValueError(
            "config-unreadable", str(error)[:200], expected="a YAML file in UTF-8", where=path.name
        ) from error
    return config_from_yaml(text, path.name)


def _siblings(location: tuple[int | str, ...]) -> list[str]:
    """The known keys beside an unknown one."""
    kind: Any = TrainingConfig
    for part in location[:-1]:
        field = getattr(kind, "model_fields", {}).get(part)
        kind = LossConfig if part == "inner" else field.annotation if field else TrainingConfig
    return sorted(getattr(kind, "model_fields", TrainingConfig.model_fields))


def _has_alias(text: str) -> bool:
    """Whether YAML sees an alias: a small file of aliases can unfold into gigabytes."""
    try:
        return any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text))
    except (yaml.YAMLError, RecursionError):
        return False
