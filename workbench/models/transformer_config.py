"""The schema of ``sentence_bert_config.json`` and its six historical names."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from workbench.models.schema_check import hold_to_schema
from workbench.persistence.json_reader import read_json, scan_keys

FILE_NAMES = (
    "sentence_bert_config.json",
    "sentence_roberta_config.json",
    "sentence_distilbert_config.json",
    "sentence_camembert_config.json",
    "sentence_albert_config.json",
    "sentence_xlm-roberta_config.json",
    "sentence_xlnet_config.json",
)
# A dict that must be absent or empty: its keys would be arguments of a loader.
NoArguments = dict[str, Any]


class Modality(BaseModel):
    """How 6.x calls the encoder for one kind of input."""

    model_config = ConfigDict(extra="forbid", strict=True)

    method: Literal["forward"]
    method_output_name: Literal["last_hidden_state"]
    format: str | None = None


class TransformerConfig(BaseModel):
    """Keys of every version; what this package writes is the first two."""

    model_config = ConfigDict(extra="forbid", strict=True)

    max_seq_length: int | None = Field(default=None, ge=1, le=131_072)
    do_lower_case: bool = False
    transformer_task: Literal["feature-extraction"] | None = None
    modality_config: dict[Literal["text", "message"], Modality] | None = None
    module_output_name: Literal["token_embeddings"] | None = None
    unpad_inputs: bool | None = None
    query_length: None = None
    document_length: None = None
    query_expansion: None = None
    backend: Literal["torch"] | None = None
    model_args: NoArguments = Field(default={}, max_length=0)
    tokenizer_args: NoArguments = Field(default={}, max_length=0)
    config_args: NoArguments = Field(default={}, max_length=0)
    model_kwargs: NoArguments = Field(default={}, max_length=0)
    processor_kwargs: NoArguments = Field(default={}, max_length=0)
    config_kwargs: NoArguments = Field(default={}, max_length=0)
    processing_kwargs: NoArguments = Field(default={}, max_length=0)


def read_transformer_config(folder: Path) -> TransformerConfig:
    """Read the first of the seven names that is there; defaults where none is.

    Raises:
        ModelFolderError: A key or value outside the schema.
    """
    for name in FILE_NAMES:
        path = folder / name
        if path.is_file():
            raw = read_json(path)
            scan_keys(raw, name)
            return hold_to_schema(TransformerConfig, raw, name)
    return TransformerConfig()
