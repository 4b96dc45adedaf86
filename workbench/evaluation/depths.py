"""The metrics of retrieval at the depths that are asked for: their names, their columns, their means."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from workbench.evaluation.metrics.ranking import (
    TieGroup,
    accuracy_at_k,
    average_precision_at_k,
    ndcg_at_k,
    precision_at_k,
    recall_at_k,
    reciprocal_rank_at_k,
)
from workbench.evaluation.metrics.score import Score
from workbench.util.checks import require_count

AtK = Callable[[Sequence[TieGroup], int, int], float]

# Name of the metric → (name of its column, groups × depth × relevant in all → value).
METRICS: dict[str, tuple[str, AtK]] = {
    "accuracy": ("Accuracy", lambda groups, k, total: accuracy_at_k(groups, k)),
    "precision": ("Precision", lambda groups, k, total: precision_at_k(groups, k)),
    "recall": ("Recall", recall_at_k),
    "ndcg": ("NDCG", ndcg_at_k),
    "mrr": ("MRR", lambda groups, k, total: reciprocal_rank_at_k(groups, k)),
    "map": ("MAP", average_precision_at_k),
}


@dataclass(frozen=True)
class Depths:
    """At which depths each metric is computed.

    Attributes:
        mrr, ndcg, accuracy, precision_recall, map: Depths, each 1 or more.
    """

    mrr: tuple[int, ...]
    ndcg: tuple[int, ...]
    accuracy: tuple[int, ...]
    precision_recall: tuple[int, ...]
    map: tuple[int, ...]

    @property
    def deepest(self) -> int:
        """The largest of all."""
        return max(self.mrr + self.ndcg + self.accuracy + self.precision_recall + self.map)

    @property
    def primary(self) -> str:
        """The metric by which models are chosen: nDCG at its largest depth."""
        return f"ndcg@{max(self.ndcg)}"

    def metrics(self) -> list[tuple[str, int]]:
        """Metric and depth, in the order in which metrics are reported."""
        depths = {
            "accuracy": self.accuracy,
            "precision": self.precision_recall,
            "recall": self.precision_recall,
            "ndcg": self.ndcg,
            "mrr": self.mrr,
            "map": self.map,
        }
        return [(metric, k) for metric, ks in depths.items() for k in ks]

    def columns(self) -> dict[str, str]:
        """Column of the CSV file → metric, in upstream's order."""
        order = [("accuracy", k) for k in self.accuracy]
        order += [(metric, k) for k in self.precision_recall for metric in ("precision", "recall")]
        order += [("mrr", k) for k in self.mrr] + [("ndcg", k) for k in self.ndcg]
        order += [("map", k) for k in self.map]
        return {f"{METRICS[metric][0]}@{k}": f"{metric}@{k}" for metric, k in order}


def read_depths(
    mrr: Iterable[int],
    ndcg: Iterable[int],
    accuracy: Iterable[int],
    precision_recall: Iterable[int],
    map: Iterable[int],
) -> Depths:
    """Check the depths.

    Raises:
        InvalidValueError: One that is no integer of at least 1, or none for nDCG, the primary metric.
    """
    given = {
        "mrr_at_k": tuple(mrr),
        "ndcg_at_k": tuple(ndcg),
        "accuracy_at_k": tuple(accuracy),
        "precision_recall_at_k": tuple(precision_recall),
        "map_at_k": tuple(map),
    }
    # An empty list is not there to be a depth: its "largest" is refused as one.
    require_count(max(given["ndcg_at_k"], default=0), "ndcg_at_k")
    return Depths(*(tuple(require_count(k, name) for k in depths) for name, depths in given.items()))


def mean_over_queries(depths: Depths, rankings: Iterable[tuple[Sequence[TieGroup], int]]) -> dict[str, Score]:
    """Each metric's mean over the queries.

    Args:
        depths: What to compute.
        rankings: For each query where its relevant documents stand, and how many there are in all.
    """
    wanted = depths.metrics()
    sums = [0.0] * len(wanted)
    queries = 0
    for groups, total in rankings:
        queries += 1
        for place, (metric, k) in enumerate(wanted):
            sums[place] += METRICS[metric][1](groups, k, total)
    return {f"{metric}@{k}": sums[place] / queries for place, (metric, k) in enumerate(wanted)}
