"""Three losses in plain torch, written from their formulas alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from workbench.contenders.train_contract import LossPlan
from workbench.errors import InvalidValueError, UnknownNameError

Formula = Callable[[list[Tensor], Tensor | None, float], Tensor]


def cosine_regression(columns: list[Tensor], labels: Tensor | None, scale: float) -> Tensor:
    """``mean((cos(u, v) - label)²)``. Columns ``(batch, dim)``, labels ``(batch,)``; no scale."""
    first, second = columns
    return ((F.cosine_similarity(first, second) - _needed(labels)) ** 2).mean()


def in_batch_negatives(columns: list[Tensor], labels: Tensor | None, scale: float) -> Tensor:
    """``mean over i of -log softmax_j(scale · cos(a_i, d_j))[i]``: cross-entropy, the own row its class."""
    anchors, *documents = (F.normalize(column, dim=1) for column in columns)
    logits = scale * anchors @ torch.cat(documents).T
    return F.cross_entropy(logits, torch.arange(len(logits), device=logits.device))


def cosent(columns: list[Tensor], labels: Tensor | None, scale: float) -> Tensor:
    """``log(1 + Σ exp(scale · (cos_i - cos_j)))`` over the rows with ``label_i < label_j``."""
    first, second = columns
    wanted = _needed(labels)
    cosines = scale * F.cosine_similarity(first, second)
    higher = wanted.unsqueeze(1) < wanted.unsqueeze(0)
    wrong_way = (cosines.unsqueeze(1) - cosines.unsqueeze(0))[higher]
    return torch.logsumexp(F.pad(wrong_way, (1, 0)), dim=0)


# Name → formula, and whether it takes a scale; the only argument that is offered here.
_LOSSES: Mapping[str, tuple[Formula, bool]] = {
    "CosineSimilarityLoss": (cosine_regression, False),
    "MultipleNegativesRankingLoss": (in_batch_negatives, True),
    "CoSENTLoss": (cosent, True),
}
OFFERED_LOSSES = tuple(_LOSSES)
_SCALE = 20.0


def find_formula(plan: LossPlan) -> Callable[[list[Tensor], Tensor | None], Tensor]:
    """The formula of a planned loss: columns of embeddings and labels to one number.

    Raises:
        UnknownNameError: ``loss-not-offered``, naming the three.
        InvalidValueError: ``loss-argument-not-offered``.
    """
    if plan.name not in _LOSSES or plan.inner is not None:
        raise UnknownNameError(
            "loss-not-offered",
            repr(plan.name),
            expected=f"one of {', '.join(OFFERED_LOSSES)}",
            fix="Train it with this package's own fit or with upstream",
            where="the plain Trainer",
        )
    formula, scaled = _LOSSES[plan.name]
    arguments: dict[str, Any] = dict(plan.arguments)
    scale = arguments.pop("scale", _SCALE) if scaled else _SCALE
    if arguments or isinstance(scale, bool) or not isinstance(scale, int | float) or not scale > 0:
        raise InvalidValueError(
            "loss-argument-not-offered",
            f"{plan.name} with {dict(plan.arguments)}"[:200],
            expected="scale, a number above 0, and nothing else" if scaled else "no argument",
            fix="Leave the others at their defaults, or train it another way",
            where="the plain Trainer",
        )
    return lambda columns, labels: formula(columns, labels, float(scale))


def _needed(labels: Tensor | None) -> Tensor:
    if labels is None:
        raise InvalidValueError("label-missing", "no labels came", expected="one score a row", where="labels")
    return labels.float()
