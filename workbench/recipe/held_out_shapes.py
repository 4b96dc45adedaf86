"""The shape in which rows of a table can judge a model, by the roles that their columns play."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.compare.held_out import HeldOut, scored_pairs, triplets
from workbench.compare.held_out_retrieval import labelled_texts, retrieval
from workbench.data.labelled_table import LabelledTable
from workbench.data.labels import read_labels
from workbench.data.roles import Roles
from workbench.errors import InvalidValueError


def held_out_of(
    table: LabelledTable, roles: Roles, rows: Sequence[int] | None, rescale: str | None
) -> HeldOut:
    """Rows of a table in the shape that their roles make them.

    Args:
        table: The data.
        roles: Its roles.
        rows: Which rows; None for all.
        rescale: The scale of the scores.

    Raises:
        InvalidValueError: ``held-out-shape``: no shape fits.
    """
    present = {one.role for one in roles.columns if one.role}
    for needed, build in _SHAPES:
        if needed <= present:
            return build(_Columns(table, roles, rows, rescale))
    raise InvalidValueError(
        "held-out-shape",
        f"Columns as {', '.join(sorted(present)) or 'nothing'}",
        expected="scored pairs, triplets, pairs that belong together, or labelled texts",
        fix="Name the roles, or give other held-out data",
        where=table.source.name,
    )


@dataclass(frozen=True)
class _Columns:
    """Some rows of a table, by role."""

    table: LabelledTable
    roles: Roles
    rows: Sequence[int] | None
    rescale: str | None

    def texts(self, role: str) -> list[str]:
        return [value or "" for value in self._chosen(self.table.column(self.roles.of(role)[0]))]

    def labels(self, kind: str) -> list[Any]:
        found = read_labels(
            self.table, self.roles.label or "", kind, rescale=self.rescale if kind == "score" else None
        )
        return list(self._chosen(found.values))

    def _chosen(self, values: Sequence[Any]) -> Sequence[Any]:
        return values if self.rows is None else [values[row] for row in self.rows]


def _retrieval(first: str, second: str) -> Callable[[_Columns], HeldOut]:
    """Pairs that belong together: each first text looks for its second among all of them."""

    def build(columns: _Columns) -> HeldOut:
        queries, documents = columns.texts(first), columns.texts(second)
        relevant: dict[str, set[str]] = {}
        for query, document in zip(queries, documents, strict=True):
            relevant.setdefault(query, set()).add(document)
        # A text is its own id: what stands twice is one query, or one document.
        return retrieval(
            {query: query for query in relevant}, {document: document for document in documents}, relevant
        )

    return build


# Roles that have to be there → what is made of them; the first that fits.
_SHAPES: tuple[tuple[frozenset[str], Callable[[_Columns], HeldOut]], ...] = (
    (
        frozenset({"sentence1", "sentence2", "score"}),
        lambda c: scored_pairs(c.texts("sentence1"), c.texts("sentence2"), c.labels("score")),
    ),
    (
        frozenset({"sentence1", "sentence2", "label"}),
        lambda c: scored_pairs(c.texts("sentence1"), c.texts("sentence2"), c.labels("binary")),
    ),
    (
        frozenset({"query", "document", "relevance"}),
        lambda c: scored_pairs(c.texts("query"), c.texts("document"), c.labels("score")),
    ),
    (
        frozenset({"anchor", "positive", "negative"}),
        lambda c: triplets(c.texts("anchor"), c.texts("positive"), c.texts("negative")),
    ),
    (frozenset({"anchor", "positive"}), _retrieval("anchor", "positive")),
    (frozenset({"query", "document"}), _retrieval("query", "document")),
    (frozenset({"text", "label"}), lambda c: labelled_texts(c.texts("text"), c.labels("class"))),
    (frozenset({"sentence1", "sentence2"}), _retrieval("sentence1", "sentence2")),
)
