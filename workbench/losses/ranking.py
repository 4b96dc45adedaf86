"""The kernel of the ranking losses: every row's own document against all others of the batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from workbench.errors import InvalidValueError
from workbench.losses.checks import one_of, positive
from workbench.losses.precision import precise
from workbench.util.similarity import cos_sim

Direction = Literal["query_to_doc", "query_to_query", "doc_to_query", "doc_to_doc"]
PartitionMode = Literal["joint", "per_direction"]
HardnessMode = Literal["in_batch_negatives", "hard_negatives", "all_negatives"]

_DIRECTIONS = ("query_to_doc", "query_to_query", "doc_to_query", "doc_to_doc")
_HARDNESS = (None, "in_batch_negatives", "hard_negatives", "all_negatives")
_WHERE = "ranking loss"


@dataclass(frozen=True)
class Ranking:
    """What is compared with what, and how sharply.

    Attributes:
        scale: Factor of the similarities, the inverse of a temperature.
        similarity_fct: ``(n, dim)`` and ``(m, dim)`` to ``(n, m)``.
        directions: What a row's positive is held against: ``query_to_doc`` (the query with all documents;
            always there), ``query_to_query`` (with the other queries), ``doc_to_query`` (its document with
            all queries), ``doc_to_doc`` (its document with the documents of the others).
        partition_mode: ``joint``: one sum over all directions; ``per_direction``: one each, then the mean.
        hardness_mode: Which negatives of ``query_to_doc`` count the more the more similar they are: those of
            the other rows, a row's own hard negatives, or both. None for no such weight.
        hardness_strength: How much more: their logit grows by this times their similarity.

    Raises:
        InvalidValueError: A scale that is not positive, a negative strength, no ``query_to_doc``, or
            ``per_direction`` with a direction that does not contain the positive.
        UnknownNameError: A direction or mode that does not exist.
    """

    scale: float = 20.0
    similarity_fct: Callable[[Tensor, Tensor], Tensor] = cos_sim
    directions: tuple[Direction, ...] = ("query_to_doc",)
    partition_mode: PartitionMode = "joint"
    hardness_mode: HardnessMode | None = None
    hardness_strength: float = 0.0

    def __post_init__(self) -> None:
        positive(self.scale, "scale", _WHERE)
        for direction in self.directions:
            one_of(direction, _DIRECTIONS, "directions", _WHERE)
        one_of(self.partition_mode, ("joint", "per_direction"), "partition_mode", _WHERE)
        one_of(self.hardness_mode, _HARDNESS, "hardness_mode", _WHERE)
        if "query_to_doc" not in self.directions:
            raise InvalidValueError(
                "direction-missing",
                f"directions are {self.directions}",
                expected="'query_to_doc' among them: it holds the positive",
                where=_WHERE,
            )
        alone = sorted({"query_to_query", "doc_to_doc"} & set(self.directions))
        if self.partition_mode == "per_direction" and alone:
            raise InvalidValueError(
                "direction-without-positive",
                f"partition_mode is 'per_direction' with {', '.join(alone)}",
                expected="only directions that hold the positive: query_to_doc, doc_to_query",
                fix="Use partition_mode='joint'",
                where=_WHERE,
            )
        if not 0 <= self.hardness_strength < float("inf"):
            raise InvalidValueError(
                "argument-negative",
                f"hardness_strength is {self.hardness_strength!r}",
                expected="0 or more",
                where=_WHERE,
            )

    def row_losses(self, queries: Tensor, documents: list[Tensor], own: Tensor) -> Tensor:
        """``-log(exp(s_positive) / Σ exp(s))`` of some rows.

        Args:
            queries: Shape ``(n, dim)``.
            documents: The positives, then a column of hard negatives each. Shape ``(n, dim)`` each.
            own: Which rows. Shape ``(rows,)``.

        Returns:
            Shape ``(rows,)``.
        """
        candidates = torch.cat(documents)
        row = torch.arange(len(own), device=own.device)
        is_own = own[:, None] == torch.arange(len(queries), device=own.device)
        own_documents = is_own.repeat(1, len(documents))

        similarities = precise(self.similarity_fct, queries[own], candidates)
        logits = similarities * self.scale + self._penalties(similarities.detach(), own_documents)
        log_sums = [logits]
        if "query_to_query" in self.directions:
            others = precise(self.similarity_fct, queries[own], queries) * self.scale
            log_sums.append(others.masked_fill(is_own, -torch.inf))
        if "doc_to_query" in self.directions:
            log_sums.append(precise(self.similarity_fct, queries, documents[0][own]).T * self.scale)
        if "doc_to_doc" in self.directions:
            others = precise(self.similarity_fct, candidates, documents[0][own]).T * self.scale
            log_sums.append(others.masked_fill(own_documents, -torch.inf))
        if self.partition_mode == "joint":
            partition = torch.logsumexp(torch.cat(log_sums, dim=1), dim=1)
        else:
            partition = torch.stack([torch.logsumexp(part, dim=1) for part in log_sums]).mean(dim=0)
        return partition - logits[row, own]

    def _penalties(self, similarities: Tensor, own_documents: Tensor) -> Tensor:
        """What is added to the logits of hard negatives. Shapes as the logits of ``query_to_doc``."""
        if self.hardness_mode is None:
            return similarities.new_zeros(())
        column = torch.arange(similarities.shape[1], device=similarities.device)
        is_hard = own_documents & (column >= len(column) - self._hard_columns(own_documents))
        chosen = {
            "hard_negatives": is_hard,
            "in_batch_negatives": ~own_documents,
            "all_negatives": is_hard | ~own_documents,
        }[self.hardness_mode]
        return self.hardness_strength * similarities * chosen

    @staticmethod
    def _hard_columns(own_documents: Tensor) -> int:
        """How many of the columns are hard negatives: all but the first document of each row."""
        documents = int(own_documents[0].sum())
        return own_documents.shape[1] // documents * (documents - 1)
