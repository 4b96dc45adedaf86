"""From the features of each column to its embeddings: the model's part of every loss."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor

from workbench.models.module_checks import read_feature
from workbench.models.packed_columns import embed_packed
from workbench.models.protocols import EmbeddingModel, Features


def embed(model: EmbeddingModel, features: Features) -> Tensor:
    """Embed one column.

    Args:
        model: Sets ``sentence_embedding``.
        features: The batch of one column; the dict is left as it was.

    Returns:
        Shape ``(batch, dim)``.

    Raises:
        UnknownNameError: The model does not set ``sentence_embedding``.
    """
    # A copy of the dict: modules write their results into it, and a column may be embedded twice.
    return read_feature(model(dict(features)), "sentence_embedding", "loss")


def embed_columns(model: EmbeddingModel, sentence_features: Iterable[Features]) -> list[Tensor]:
    """Embed every column whole. Shape ``(batch, dim)`` each.

    In one pass without padding where ``fit`` has switched the model to it and every column allows it, else
    column by column.
    """
    columns = list(sentence_features)
    packed = embed_packed(model, columns)
    return [embed(model, features) for features in columns] if packed is None else packed
