"""The schemas of the files that describe a whole model: modules.json, config_sentence_transformers.json."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from workbench.errors import ModelFolderError
from workbench.models.module_types import BY_TYPE, MODULE_TYPES, ModuleType
from workbench.models.schema_check import hold_to_schema
from workbench.persistence.json_reader import read_json, scan_keys

_MOST_MODULES = 6
_ORDER = {"input": 0, "tokens": 1, "pooling": 2, "sentence": 3}


class ModuleEntry(BaseModel):
    """One entry of ``modules.json``."""

    model_config = ConfigDict(extra="forbid", strict=True)

    idx: int = Field(ge=0, lt=100)
    name: str = Field(max_length=64)
    path: str = Field(pattern=r"^(|[0-9]_[A-Za-z]{1,24})$")
    type: str = Field(max_length=200)
    kwargs: list[Any] = Field(default=[], max_length=0)


class ModelConfig(BaseModel):
    """``config_sentence_transformers.json``; everything in it is optional."""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)

    versions: dict[str, str] = Field(default={}, alias="__version__", max_length=8)
    prompts: dict[str, str] = Field(default={}, max_length=64)
    default_prompt_name: str | None = None
    similarity_fn_name: Literal["cosine", "dot", "euclidean", "manhattan"] | None = None
    truncate_dim: int | None = Field(default=None, ge=1, le=65_536)
    architecture_type: Literal["SentenceTransformer"] | None = Field(default=None, alias="model_type")
    requirements: None = None


def read_modules_json(folder: Path) -> list[tuple[ModuleEntry, ModuleType]]:
    """The modules of a model, in order.

    Raises:
        ModelFolderError: Not a list of 1 to 6 entries, a type outside the table, a name or path twice,
            a path that leaves the folder, or an order no model has.
    """
    raw = read_json(folder / "modules.json")
    scan_keys(raw, "modules.json")
    if not isinstance(raw, list) or not 1 <= len(raw) <= _MOST_MODULES:
        what = f"a list of {len(raw):,} entries" if isinstance(raw, list) else f"a {type(raw).__name__}"
        raise ModelFolderError(
            "modules-json-shape",
            f"It holds {what}",
            expected=f"a list of 1 to {_MOST_MODULES} modules",
            where="modules.json",
        )
    entries = [hold_to_schema(ModuleEntry, item, f"modules.json, entry {i}") for i, item in enumerate(raw)]
    for what in ("name", "path"):
        values = [getattr(entry, what) for entry in entries]
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            raise ModelFolderError(
                "modules-json-duplicate",
                f"The {what} {twice[0]!r} stands twice",
                expected="one module a name and a path",
                where="modules.json",
            )
    modules = [(entry, _module_type(entry)) for entry in entries]
    _check_order(modules)
    return modules


def _module_type(entry: ModuleEntry) -> ModuleType:
    if entry.type not in BY_TYPE:
        known = ", ".join(module_type.name for module_type in MODULE_TYPES)
        raise ModelFolderError(
            "module-type-not-admitted",
            f"The type is {entry.type[:80]!r}",
            expected=f"sentence-transformers' own {known}",
            fix="A model with code of its own cannot be loaded here",
            where=f"modules.json, entry {entry.idx}",
        )
    return BY_TYPE[entry.type]


def _check_order(modules: list[tuple[ModuleEntry, ModuleType]]) -> None:
    names = [module_type.name for _, module_type in modules]
    places = [_ORDER[module_type.place] for _, module_type in modules]
    fits = places == sorted(places) and places.count(0) == 1 and places.count(2) <= 1
    # A StaticEmbedding gives sentence embeddings itself; an encoder needs a Pooling.
    needs_pooling = names[0] == "Transformer"
    if not fits or (needs_pooling and places.count(2) != 1) or (not needs_pooling and {1, 2} & set(places)):
        raise ModelFolderError(
            "modules-json-order",
            f"The modules are {' → '.join(names)}",
            expected="Transformer → Pooling → any of Dense, Normalize, LayerNorm, Dropout; "
            "or StaticEmbedding → the same",
            where="modules.json",
        )


def read_model_config(folder: Path) -> ModelConfig:
    """Read ``config_sentence_transformers.json``; defaults where it is missing.

    Raises:
        ModelFolderError: A key or value outside the schema, or a default prompt that does not exist.
    """
    name = "config_sentence_transformers.json"
    if not (folder / name).is_file():
        return ModelConfig()
    raw = read_json(folder / name)
    scan_keys(raw, name)
    config = hold_to_schema(ModelConfig, raw, name)
    if config.default_prompt_name is not None and config.default_prompt_name not in config.prompts:
        raise ModelFolderError(
            "prompt-unknown",
            f"default_prompt_name is {config.default_prompt_name[:60]!r}",
            expected=f"one of {', '.join(config.prompts) or 'no prompts at all'}",
            where=name,
        )
    return config
