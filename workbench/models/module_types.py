"""The closed table of module types: which strings in ``modules.json`` stand for which class here.

A type outside the table is refused before anything is imported; no string is ever imported.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from workbench.models.dense import Dense, DenseConfig
from workbench.models.dropout import Dropout, DropoutConfig
from workbench.models.layer_norm import LayerNorm, LayerNormConfig
from workbench.models.normalize import Normalize, NormalizeConfig
from workbench.models.pooling import Pooling, PoolingConfig
from workbench.models.static_embedding import StaticEmbedding
from workbench.models.transformer import Transformer
from workbench.models.weighted_layer_pooling import WeightedLayerPooling, WeightedLayerPoolingConfig


@dataclass(frozen=True)
class ModuleType:
    """One row of the table.

    Attributes:
        name: Class name, ours and upstream's.
        cls: Our class.
        schema: Of its ``config.json``; None where a module has none or reads it itself.
        place: Where in a model it may stand: first, over tokens, the pooling, or after it.
        homes: Packages whose ``homes.name`` is accepted; the module path (``homes.name.name``) too.
    """

    name: str
    cls: type[Any]
    schema: type[BaseModel] | None
    place: Literal["input", "tokens", "pooling", "sentence"]
    homes: tuple[str, ...]

    @property
    def accepted(self) -> tuple[str, ...]:
        """Every type string that stands for this class."""
        return tuple(
            spelling
            for home in self.homes
            for spelling in (f"{home}.{self.name}", f"{home}.{_file_name(self.name, home)}.{self.name}")
        )


_CLASSIC = "sentence_transformers.models"
_BASE = "sentence_transformers.base.modules"
_SENTENCE = "sentence_transformers.sentence_transformer.modules"

MODULE_TYPES: tuple[ModuleType, ...] = (
    ModuleType("Transformer", Transformer, None, "input", (_CLASSIC, _BASE, _SENTENCE)),
    ModuleType("StaticEmbedding", StaticEmbedding, None, "input", (_CLASSIC, _SENTENCE)),
    ModuleType(
        "WeightedLayerPooling",
        WeightedLayerPooling,
        WeightedLayerPoolingConfig,
        "tokens",
        (_CLASSIC, _SENTENCE),
    ),
    ModuleType("Pooling", Pooling, PoolingConfig, "pooling", (_CLASSIC, _SENTENCE)),
    ModuleType("Dense", Dense, DenseConfig, "sentence", (_CLASSIC, _BASE, _SENTENCE)),
    ModuleType("Normalize", Normalize, NormalizeConfig, "sentence", (_CLASSIC, _BASE, _SENTENCE)),
    ModuleType("Dropout", Dropout, DropoutConfig, "sentence", (_CLASSIC, _SENTENCE)),
    ModuleType("LayerNorm", LayerNorm, LayerNormConfig, "sentence", (_CLASSIC, _SENTENCE)),
)


def _file_name(name: str, home: str) -> str:
    """Classic module files carry the class name, today's are in snake case."""
    if home == _CLASSIC:
        return name
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name).lstrip("_")


BY_TYPE: dict[str, ModuleType] = {
    spelling: module_type for module_type in MODULE_TYPES for spelling in module_type.accepted
}
BY_CLASS: dict[type[Any], ModuleType] = {module_type.cls: module_type for module_type in MODULE_TYPES}
