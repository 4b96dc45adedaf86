"""Loss arguments whose plain value is a name: what the names stand for, by loss where losses differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench import losses
from workbench.errors import UnknownNameError
from workbench.util import similarity

_SIMILARITIES: dict[str, Any] = {
    name: getattr(similarity, name)
    for name in (
        "cos_sim",
        "dot_score",
        "euclidean_sim",
        "manhattan_sim",
        "pairwise_cos_sim",
        "pairwise_dot_score",
        "pairwise_euclidean_sim",
        "pairwise_manhattan_sim",
    )
}
_BATCH_DISTANCES: dict[str, Any] = {
    "cosine_distance": losses.BatchHardTripletLossDistanceFunction.cosine_distance,
    "euclidean_distance": losses.BatchHardTripletLossDistanceFunction.euclidean_distance,
}
_DISTANCES: dict[str, Mapping[str, Any]] = {
    "TripletLoss": losses.TripletDistanceMetric.__members__,
    "ContrastiveLoss": losses.SiameseDistanceMetric.__members__,
    "OnlineContrastiveLoss": losses.SiameseDistanceMetric.__members__,
    "BatchAllTripletLoss": _BATCH_DISTANCES,
    "BatchHardTripletLoss": _BATCH_DISTANCES,
    "BatchHardSoftMarginTripletLoss": _BATCH_DISTANCES,
    "BatchSemiHardTripletLoss": _BATCH_DISTANCES,
}


def loss_value(loss: str, argument: str, value: Any) -> Any:
    """What a loss is called with where a plan or a config states a plain value.

    Raises:
        UnknownNameError: ``loss-function-unknown``.
    """
    table = {"similarity_fct": _SIMILARITIES, "distance_metric": _DISTANCES.get(loss, {})}.get(argument)
    if table is None:
        return tuple(value) if argument == "directions" and isinstance(value, list) else value
    if value not in table:
        raise UnknownNameError(
            "loss-function-unknown",
            f"{argument}: {value!r}",
            expected=f"one of {', '.join(table)}",
            where=loss,
        )
    return table[value]
