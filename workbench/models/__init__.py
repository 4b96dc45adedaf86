"""The modules a model is made of: features in, features out, under the names the field knows."""

from workbench.models.dense import Dense
from workbench.models.dropout import Dropout
from workbench.models.layer_norm import LayerNorm
from workbench.models.normalize import Normalize
from workbench.models.pooling import Pooling
from workbench.models.static_embedding import StaticEmbedding
from workbench.models.transformer import Transformer
from workbench.models.weighted_layer_pooling import WeightedLayerPooling

__all__ = [
    "Dense",
    "Dropout",
    "LayerNorm",
    "Normalize",
    "Pooling",
    "StaticEmbedding",
    "Transformer",
    "WeightedLayerPooling",
]
