"""Changing the module list of a SentenceTransformer: pooling, padding, normalisation."""

from __future__ import annotations

from typing import Any

from sentence_transformers.sentence_transformer.modules import Normalize, Pooling

from workbench.contenders.upstream.padding import PoolOverPadding
from workbench.contenders.upstream.pooling_modes import pooling_modes
from workbench.errors import InvalidValueError


def with_pooling(modules: list[Any], pooling: str, use_mask: bool) -> list[Any]:
    """Replace the Pooling module where its modes differ, and let it pool over padding where asked to.

    Raises:
        InvalidValueError: There is no Pooling module to replace, or a later layer takes another width.
        UnknownNameError: An unknown mode.
    """
    place = next((index for index, module in enumerate(modules) if isinstance(module, Pooling)), None)
    if place is None:
        # A static embedding table takes the mean of its rows.
        if pooling not in ("", "mean") or not use_mask:
            raise InvalidValueError(
                "pooling-not-settable",
                f"Pooling {pooling!r}, mask {use_mask}, and the model has no Pooling module",
                expected="pooling '' with the mask",
                fix="Choose a model with Transformer and Pooling modules to vary the pooling",
            )
        return modules
    modes = pooling_modes(pooling)
    old = modules[place]
    present = (old.pooling_mode,) if isinstance(old.pooling_mode, str) else tuple(old.pooling_mode)
    new = old
    if present != modes:
        _check_width(modules[place + 1 :], old.embedding_dimension * len(modes))
        new = Pooling(old.embedding_dimension, modes, include_prompt=old.include_prompt)
    between = [] if use_mask else [PoolOverPadding()]
    return [*modules[:place], *between, new, *modules[place + 1 :]]


def with_normalize(modules: list[Any], normalize: bool) -> list[Any]:
    """Make the last module a Normalize, or take it away. One that stands before a Dense is left alone."""
    last = isinstance(modules[-1], Normalize)
    if normalize == last:
        return modules
    return [*modules, Normalize()] if normalize else modules[:-1]


def _check_width(later: list[Any], width: int) -> None:
    takes = next((int(module.in_features) for module in later if hasattr(module, "in_features")), width)
    if takes != width:
        raise InvalidValueError(
            "pooling-width",
            f"The pooling gives {width} values and the model's Dense layer takes {takes}",
            expected=f"a pooling of {takes} values",
            fix="Use as many pooling modes as the model was made with",
        )
