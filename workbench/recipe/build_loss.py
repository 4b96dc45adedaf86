"""From a config to a loss: plain values become the arguments that its constructor takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from torch import nn

from workbench import losses
from workbench.contenders.own.loss_values import loss_value
from workbench.errors import InvalidTypeError, InvalidValueError, UnknownNameError
from workbench.recipe.config import LossConfig
from workbench.sentence_transformer import SentenceTransformer

# Python objects that no plain value can stand for, and what fills them instead.
_NOT_FROM_A_CONFIG = frozenset({"self", "model", "loss", "loss_fct", "cos_score_transformation"})


def build_loss(config: LossConfig, model: SentenceTransformer, num_labels: int = 0) -> nn.Module:
    """Build the named loss around ``model``.

    Args:
        config: Name, arguments, and the loss inside where it is a wrapper.
        model: What is trained.
        num_labels: Classes in the data, for a loss with a classifier.

    Raises:
        UnknownNameError: ``loss-unknown``, or a name that stands for no function.
        InvalidValueError: ``loss-argument-unknown``, ``loss-inner``.
    """
    kind = loss_class(config.name)
    known = loss_arguments(config.name)
    arguments: dict[str, Any] = {}
    for name, value in config.arguments.items():
        if name not in known:
            raise InvalidValueError(
                "loss-argument-unknown",
                f"{name!r}",
                expected=f"one of {', '.join(known) or 'none: this loss takes no argument'}",
                where=config.name,
            )
        arguments[name] = _value(config.name, name, value)
    if "guide" in known and "guide" not in arguments:
        raise InvalidValueError(
            "loss-guide-missing",
            "No guide",
            expected="the model that judges which negatives are false",
            fix="State guide: all-MiniLM-L6-v2 among the loss's arguments",
            where=config.name,
        )
    if "num_labels" in known:
        arguments.setdefault("num_labels", num_labels)
        arguments.setdefault("embedding_dimension", model.get_sentence_embedding_dimension())
    if config.name in losses.WRAPPERS:
        inner = config.inner or LossConfig()
        if inner.name in losses.WRAPPERS:
            raise InvalidValueError(
                "loss-inner", f"{inner.name} inside {config.name}", expected="a loss that wraps no other"
            )
        arguments["loss"] = build_loss(inner, model, num_labels)
        if "matryoshka_dims" in known and "matryoshka_dims" not in arguments:
            arguments["matryoshka_dims"] = halvings(model.get_sentence_embedding_dimension())
    elif config.inner is not None:
        raise InvalidValueError(
            "loss-inner",
            f"inner stands beside {config.name}",
            expected=f"inner with one of {', '.join(sorted(losses.WRAPPERS))}",
        )
    try:
        return kind(model, **arguments)
    except TypeError as error:
        raise InvalidTypeError("loss-arguments", str(error)[:200], where=config.name) from error


def loss_class(name: str) -> Callable[..., nn.Module]:
    """The loss of this name.

    Raises:
        UnknownNameError: ``loss-unknown``, with those there are.
    """
    if name not in losses.LOSSES:
        raise UnknownNameError("loss-unknown", repr(name), expected=f"one of {', '.join(losses.LOSSES)}")
    return losses.LOSSES[name]


def loss_arguments(name: str) -> tuple[str, ...]:
    """The arguments of a loss that a config may state."""
    return tuple(
        argument
        for argument in inspect.signature(loss_class(name)).parameters
        if argument not in _NOT_FROM_A_CONFIG
    )


def halvings(dim: int) -> list[int]:
    """Dimensions for a Matryoshka loss: the full one, and its halves down to 32.

    Example:
        >>> halvings(384)
        [384, 192, 96, 48]
    """
    dims = [dim]
    while dims[-1] % 2 == 0 and dims[-1] // 2 >= 32:
        dims.append(dims[-1] // 2)
    return dims


def _value(loss: str, argument: str, value: Any) -> Any:
    if argument == "guide":
        return SentenceTransformer(str(value))
    if argument == "decoder_name_or_path":
        # It would name a second model that no check has admitted.
        raise InvalidValueError(
            "loss-argument-unknown", "decoder_name_or_path", expected="the encoder's own weights", where=loss
        )
    return loss_value(loss, argument, value)
