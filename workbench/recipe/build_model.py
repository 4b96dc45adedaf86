"""From a config to a model: the modules it names, and nothing that the file of a model could add."""

from __future__ import annotations

from typing import Any

from torch import nn

from workbench import models
from workbench.contenders.instruments import switch_dropout_off
from workbench.errors import InvalidValueError
from workbench.recipe.config import ModelConfig
from workbench.sentence_transformer import SentenceTransformer


def build_model(
    config: ModelConfig, *, device: str | None = None, dropout: bool = True
) -> SentenceTransformer:
    """Load the named model and put the stated modules in their places.

    Args:
        config: What to load, and what to change.
        device: Where it computes; by default a GPU where there is one.
        dropout: False sets every dropout to zero, so that two trainers can be compared step by step.

    Raises:
        InvalidValueError: A model without a Transformer was given a pooling or a length.
    """
    loaded = SentenceTransformer(config.name, device=device)
    modules = _changed(list(loaded), config)
    model = loaded
    if modules != list(loaded):
        model = SentenceTransformer(
            modules=modules,
            device=str(loaded.device),
            prompts=loaded.prompts,
            default_prompt_name=loaded.default_prompt_name,
            similarity_fn_name=loaded.similarity_fn_name,
        )
        model.base_model_name = loaded.base_model_name
    if config.max_seq_length is not None:
        model.max_seq_length = config.max_seq_length
    if not dropout:
        switch_dropout_off(model)
    return model


def _changed(modules: list[nn.Module], config: ModelConfig) -> list[nn.Module]:
    if config.pooling is not None:
        modules = _with_pooling(modules, config.pooling)
    if config.dense is not None:
        place = max(
            (at for at, module in enumerate(modules) if not isinstance(module, models.Normalize)), default=-1
        )
        dense = models.Dense(_dim(modules[: place + 1]), config.dense)
        modules = [*modules[: place + 1], dense, *modules[place + 1 :]]
    normalized = any(isinstance(module, models.Normalize) for module in modules)
    if config.normalize is True and not normalized:
        modules = [*modules, models.Normalize()]
    if config.normalize is False:
        modules = [module for module in modules if not isinstance(module, models.Normalize)]
    return modules


def _with_pooling(modules: list[nn.Module], pooling: str) -> list[nn.Module]:
    place = next((at for at, module in enumerate(modules) if isinstance(module, models.Pooling)), None)
    if place is None:
        raise InvalidValueError(
            "pooling-has-no-place",
            f"A model of {', '.join(type(module).__name__ for module in modules)}",
            expected="a model with a Pooling module",
            fix="Leave pooling out",
            where="model.pooling",
        )
    first: Any = modules[0]
    modes = tuple(pooling.split("+"))
    mode = modes if len(modes) > 1 else modes[0]
    return [
        *modules[:place],
        models.Pooling(first.get_word_embedding_dimension(), pooling_mode=mode),
        *modules[place + 1 :],
    ]


def _dim(modules: list[nn.Module]) -> int:
    for module in reversed(modules):
        method = getattr(module, "get_sentence_embedding_dimension", None)
        if method is not None:
            return int(method())
    first: Any = modules[0]
    return int(first.get_word_embedding_dimension())
