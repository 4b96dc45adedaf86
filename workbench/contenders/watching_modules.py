"""Hooks on a list of modules that pass a dict of features along: the pooling and what follows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from torch import nn

from workbench.contenders.trace_contract import Watch


@contextmanager
def watched_modules(modules: Sequence[nn.Module], pooling: nn.Module, watch: Watch) -> Iterator[None]:
    """Tell ``watch`` what the pooling reads and gives, and what each module after it gives.

    Args:
        modules: All of a model, in order.
        pooling: The one that turns token vectors into one vector a text.
    """
    place = next(index for index, module in enumerate(modules) if module is pooling)
    last = modules[-1]

    def before_pooling(module: nn.Module, args: tuple[dict[str, Any]]) -> tuple[dict[str, Any]]:
        features = dict(args[0])
        features["token_embeddings"] = watch.pool_input(features["token_embeddings"])
        return (features,)

    def after(module: nn.Module, args: Any, features: dict[str, Any]) -> dict[str, Any]:
        rows = features["sentence_embedding"]
        rows = watch.pooled(rows) if module is pooling else watch.module(type(module).__name__, rows)
        if module is last:
            rows = watch.finished(rows)
        return {**features, "sentence_embedding": rows}

    handles = [pooling.register_forward_pre_hook(before_pooling)]
    handles += [module.register_forward_hook(after) for module in modules[place:]]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
