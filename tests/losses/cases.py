"""Every loss with the arguments that change its value, and the data it takes, for both libraries."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import torch
from sentence_transformers.sentence_transformer import losses as upstream
from torch import Tensor, nn

from tests.models.tiny import library_tokenizer
from workbench import losses as own
from workbench.util import similarity

DIM = 6
# One for all: a trained vocabulary is not the same twice.
_TOKENIZER = library_tokenizer("bert")


def shown(values: Iterable[Any]) -> str:
    """Arguments as part of a test's name, which must be the same in every process: no addresses."""
    return " ".join(getattr(value, "__name__", None) or str(value) for value in values)


@dataclass(frozen=True)
class Case:
    """A loss, its arguments, and its data.

    ``arguments`` makes them from the namespace of either library. ``columns`` lists how many text columns
    to try; ``labels`` draws them from a generator, the rows and the columns.
    """

    name: str
    arguments: Callable[[Any], dict[str, Any]] = lambda library: {}
    columns: tuple[int, ...] = (2,)
    labels: Callable[[torch.Generator, int, int], Tensor | None] = lambda generator, rows, columns: None
    about: str = ""
    inner: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.name, self.inner, self.about)))

    def build(self, library: Any, model: nn.Module, guide: nn.Module | None = None) -> Any:
        """The loss of one of the two libraries."""
        arguments = self.arguments(library)
        if "GIST" in self.name:
            return getattr(library, self.name)(model, guide, **arguments)
        if self.inner:
            case = next(case for case in PLAIN if case.name == self.inner)
            return getattr(library, self.name)(model, case.build(library, model, guide), **arguments)
        return getattr(library, self.name)(model, **arguments)


def scores(generator: torch.Generator, rows: int, columns: int) -> Tensor:
    """Eighths from 0 to 1, some equal; exact in float32."""
    return torch.randint(0, 9, (rows,), generator=generator) / 8


def binary(generator: torch.Generator, rows: int, columns: int) -> Tensor:
    """0 and 1, now and then only one of them."""
    ones = int(torch.randint(0, 5, (), generator=generator))
    return (torch.randint(0, 4, (rows,), generator=generator) < ones).long()


def classes(generator: torch.Generator, rows: int, columns: int) -> Tensor:
    """One to three classes."""
    return torch.randint(0, int(torch.randint(1, 4, (), generator=generator)), (rows,), generator=generator)


def margins(generator: torch.Generator, rows: int, columns: int) -> Tensor:
    """One margin a row, where there is one negative, or one a negative."""
    shape = (rows,) if columns == 3 else (rows, columns - 2)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def candidate_scores(generator: torch.Generator, rows: int, columns: int) -> Tensor:
    """One score a candidate."""
    return torch.randn(rows, columns - 1, generator=generator, dtype=torch.float64)


def vectors(generator: torch.Generator, rows: int, columns: int) -> Tensor:
    """A teacher's embedding a row."""
    return torch.randn(rows, DIM, generator=generator, dtype=torch.float64)


def column_vectors(generator: torch.Generator, rows: int, columns: int) -> Tensor:
    """A teacher's embedding a row and column."""
    return torch.randn(rows, columns, DIM, generator=generator, dtype=torch.float64)


class Fake(nn.Module):
    """A model whose embeddings stand in its features, as a losses' constructor and forward pass want it."""

    def __init__(self, key: str = "sentence_embedding", dim: int = DIM) -> None:
        super().__init__()
        self.key = key
        self.dim = dim
        self.device = torch.device("cpu")
        self.max_seq_length = 8
        self.tokenizer = _TOKENIZER

    def __getitem__(self, index: int) -> nn.Module:
        return nn.Identity()

    def get_sentence_embedding_dimension(self) -> int:
        """The classic name."""
        return self.dim

    def get_embedding_dimension(self) -> int:
        """The newer name."""
        return self.dim

    def forward(self, features: dict[str, Any]) -> dict[str, Any]:
        """Hand the embeddings on."""
        return {**features, "sentence_embedding": features[self.key]}


def _ranking(**arguments: Any) -> Callable[[Any], dict[str, Any]]:
    return lambda library: arguments


_EXTRA = ("query_to_query", "doc_to_query", "doc_to_doc")
_DIRECTIONS = [("query_to_doc", *some) for count in range(4) for some in combinations(_EXTRA, count)]
_RANKING = [
    *({"directions": directions} for directions in _DIRECTIONS),
    {"directions": ("query_to_doc", "doc_to_query"), "partition_mode": "per_direction"},
    *(
        {"hardness_mode": mode, "hardness_strength": 3.0}
        for mode in ("in_batch_negatives", "hard_negatives", "all_negatives")
    ),
    {"scale": 1.5, "similarity_fct": similarity.dot_score},
    {"scale": 2.0, "similarity_fct": similarity.euclidean_sim},
    {
        "directions": _DIRECTIONS[-1],
        "hardness_mode": "all_negatives",
        "hardness_strength": 1.0,
    },
]
_GIST = [
    {},
    {"margin": 0.1},
    {"margin": 0.1, "margin_strategy": "relative", "temperature": 0.05},
    {"contrast_anchors": False},
    {"contrast_anchors": False, "contrast_positives": False, "temperature": 0.2},
]
_DISTANCES = (("euclidean_distance", 5), ("euclidean_distance", 0.5), ("cosine_distance", 0.3))
_BATCH_TRIPLETS = (
    "BatchAllTripletLoss",
    "BatchHardTripletLoss",
    "BatchHardSoftMarginTripletLoss",
    "BatchSemiHardTripletLoss",
)


def _batch_triplet(name: str, distance: str, margin: float | None) -> Case:
    def arguments(library: Any) -> dict[str, Any]:
        chosen = {"distance_metric": getattr(library.BatchHardTripletLossDistanceFunction, distance)}
        return chosen if margin is None else chosen | {"margin": margin}

    return Case(name, arguments, (1,), classes, f"{distance} {margin}")


PLAIN = [
    Case("CosineSimilarityLoss", labels=scores),
    Case(
        "CosineSimilarityLoss",
        lambda library: {"loss_fct": nn.L1Loss(), "cos_score_transformation": nn.Sigmoid()},
        labels=scores,
        about="L1 of a sigmoid",
    ),
    *(
        Case(
            "MultipleNegativesRankingLoss",
            _ranking(**arguments),
            (2, 3, 4),
            about=shown(arguments.values()),
        )
        for arguments in _RANKING
    ),
    Case("MultipleNegativesSymmetricRankingLoss", _ranking(scale=7.0), (2, 3)),
    *(
        Case("TripletLoss", lambda library, m=metric: {
            "distance_metric": getattr(library.TripletDistanceMetric, m), "triplet_margin": 0.7
        }, (3,), about=metric)
        for metric in ("COSINE", "EUCLIDEAN", "MANHATTAN")
    ),
    Case("TripletLoss", columns=(3,), about="as it comes"),
    *(
        Case(name, lambda library, m=metric: {
            "distance_metric": getattr(library.SiameseDistanceMetric, m), "margin": 1.1
        }, labels=binary, about=metric)
        for name in ("ContrastiveLoss", "OnlineContrastiveLoss")
        for metric in ("EUCLIDEAN", "MANHATTAN", "COSINE_DISTANCE")
    ),
    Case("ContrastiveLoss", lambda library: {"size_average": False}, labels=binary, about="sum"),
    Case("OnlineContrastiveLoss", labels=binary, about="as it comes"),
    Case("CoSENTLoss", labels=scores),
    Case(
        "CoSENTLoss",
        lambda library: {"scale": 3.0, "similarity_fct": similarity.pairwise_dot_score},
        labels=scores,
        about="dot",
    ),
    Case("AnglELoss", labels=scores),
    Case("AnglELoss", lambda library: {"scale": 5.0}, (3, 4), scores, "with negatives"),
    Case("AnglELoss", columns=(3, 4), about="without labels"),
    Case("MSELoss", columns=(1, 2, 3), labels=vectors),
    Case("MSELoss", columns=(1, 2, 3), labels=column_vectors, about="one a column"),
    Case("MarginMSELoss", columns=(3, 4, 5), labels=margins),
    Case("MarginMSELoss", columns=(3, 4), labels=candidate_scores, about="scores"),
    Case(
        "MarginMSELoss",
        lambda library: {"similarity_fct": similarity.pairwise_cos_sim},
        (3, 4),
        margins,
        "cosine",
    ),
    Case("DistillKLDivLoss", columns=(3, 4), labels=candidate_scores),
    Case(
        "DistillKLDivLoss",
        lambda library: {"student_temperature": 0.5, "teacher_temperature": 2.0},
        (3, 5),
        candidate_scores,
        "two temperatures",
    ),
    *(
        _batch_triplet(name, distance, None if "Soft" in name else margin)
        for name in _BATCH_TRIPLETS
        for distance, margin in _DISTANCES
    ),
    Case("MegaBatchMarginLoss", lambda library: {"use_mini_batched_version": False}),
    Case(
        "MegaBatchMarginLoss",
        lambda library: {
            "use_mini_batched_version": False, "positive_margin": 0.5, "negative_margin": -0.2
        },
        about="other margins",
    ),
    Case("ContrastiveTensionLoss", labels=binary),
    Case("ContrastiveTensionLossInBatchNegatives", columns=(1,)),
    *(Case("GISTEmbedLoss", _ranking(**arguments), (2, 3), about=str(arguments)) for arguments in _GIST),
]  # fmt: skip

CACHED = [
    *(
        Case(
            "CachedMultipleNegativesRankingLoss",
            _ranking(mini_batch_size=2, **arguments),
            (2, 3),
            about=shown(arguments.values()),
        )
        for arguments in _RANKING
    ),
    Case(
        "CachedMultipleNegativesSymmetricRankingLoss", _ranking(mini_batch_size=3, scale=7.0), (2, 3)
    ),
    *(
        Case("CachedGISTEmbedLoss", _ranking(mini_batch_size=2, **arguments), (2, 3, 4), about=str(arguments))
        for arguments in _GIST
    ),
    Case("MegaBatchMarginLoss", lambda library: {"mini_batch_size": 2}, about="mini-batched"),
]  # fmt: skip


def batch(
    case: Case, seed: int, rows: int, columns: int, *, repeat: bool = False
) -> tuple[list[Tensor], list[Tensor], Tensor | None]:
    """Random embeddings, a guide's, and labels.

    ``repeat`` makes the last two rows of every column equal, distances of zero among them.
    """
    generator = torch.Generator().manual_seed(seed)
    made = [torch.randn(rows, DIM, generator=generator, dtype=torch.float64) for _ in range(2 * columns)]
    if repeat and rows > 1:
        for column in made:
            column[-1] = column[-2]
    return made[:columns], made[columns:], case.labels(generator, rows, columns)


__all__ = ["CACHED", "DIM", "PLAIN", "Case", "Fake", "batch", "own", "shown", "upstream"]
