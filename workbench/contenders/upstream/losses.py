"""Upstream's losses by name, with plain arguments turned into what their constructors take."""

from __future__ import annotations

from typing import Any

from sentence_transformers.sentence_transformer import losses
from sentence_transformers.util import similarity

from workbench.contenders.train_contract import LossPlan
from workbench.errors import InvalidTypeError, UnknownNameError

_BATCH_DISTANCES = ("cosine_distance", "euclidean_distance")
_VECTOR_DISTANCES = ("COSINE", "EUCLIDEAN", "MANHATTAN")
_PAIR_DISTANCES = ("COSINE_DISTANCE", "EUCLIDEAN", "MANHATTAN")
_SIMILARITIES = (
    "cos_sim",
    "dot_score",
    "euclidean_sim",
    "manhattan_sim",
    "pairwise_cos_sim",
    "pairwise_dot_score",
    "pairwise_euclidean_sim",
    "pairwise_manhattan_sim",
)
# Loss → where its distances are found by name, and their names; None where it takes none.
_OFFERED: dict[str, tuple[Any, tuple[str, ...]] | None] = {
    "CosineSimilarityLoss": None,
    "CoSENTLoss": None,
    "AnglELoss": None,
    "MultipleNegativesRankingLoss": None,
    "MultipleNegativesSymmetricRankingLoss": None,
    "CachedMultipleNegativesRankingLoss": None,
    "CachedMultipleNegativesSymmetricRankingLoss": None,
    "MegaBatchMarginLoss": None,
    "MarginMSELoss": None,
    "MSELoss": None,
    "DistillKLDivLoss": None,
    "SoftmaxLoss": None,
    "TripletLoss": (losses.TripletDistanceMetric, _VECTOR_DISTANCES),
    "ContrastiveLoss": (losses.SiameseDistanceMetric, _PAIR_DISTANCES),
    "OnlineContrastiveLoss": (losses.SiameseDistanceMetric, _PAIR_DISTANCES),
    **dict.fromkeys(
        (
            "BatchAllTripletLoss",
            "BatchHardTripletLoss",
            "BatchHardSoftMarginTripletLoss",
            "BatchSemiHardTripletLoss",
        ),
        (losses.BatchHardTripletLossDistanceFunction, _BATCH_DISTANCES),
    ),
    "MatryoshkaLoss": None,
    "AdaptiveLayerLoss": None,
    "Matryoshka2dLoss": None,
}
OFFERED_LOSSES = tuple(_OFFERED)


def build_upstream_loss(plan: LossPlan, model: Any) -> Any:
    """The named loss of sentence-transformers around its model.

    Raises:
        UnknownNameError: ``loss-not-offered``, ``loss-function-unknown``.
        InvalidTypeError: ``loss-arguments``.
    """
    if plan.name not in _OFFERED:
        raise UnknownNameError(
            "loss-not-offered",
            repr(plan.name),
            expected=f"one of {', '.join(OFFERED_LOSSES)}",
            fix="Train it with this package's own fit",
            where="upstream",
        )
    arguments = {name: _value(plan.name, name, value) for name, value in plan.arguments.items()}
    if plan.inner is not None:
        arguments["loss"] = build_upstream_loss(plan.inner, model)
    kind = getattr(losses, plan.name)
    try:
        return kind(model, **arguments)
    except (TypeError, ValueError) as error:
        raise InvalidTypeError("loss-arguments", str(error)[:200], where=plan.name) from error


def _value(loss: str, argument: str, value: Any) -> Any:
    if argument == "similarity_fct":
        return getattr(similarity, _known(loss, argument, value, _SIMILARITIES))
    if argument == "distance_metric":
        home, names = _OFFERED[loss] or (None, ())
        return getattr(home, _known(loss, argument, value, names))
    return tuple(value) if argument == "directions" and isinstance(value, list) else value


def _known(loss: str, argument: str, value: Any, names: tuple[str, ...]) -> str:
    if value not in names:
        raise UnknownNameError(
            "loss-function-unknown",
            f"{argument}: {value!r}",
            expected=f"one of {', '.join(names)}",
            where=loss,
        )
    return str(value)
