"""What is known of a comparison at one moment: the events so far, folded into one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from workbench.compare.results import (
    Agreement,
    Column,
    ColumnFailed,
    Comparison,
    Conditions,
    Coverage,
    EncodedColumn,
    Event,
    NoiseFloor,
    Progress,
    Speed,
)
from workbench.errors import WorkbenchError


@dataclass(frozen=True)
class Snapshot:
    """A comparison while it grows; every field that has not arrived is empty.

    Attributes:
        texts: What is compared.
        requested: The columns asked for: their order is that of the page, their place their colour.
        progress: The last progress event; None before the first and after the end.
        comparison: The whole, once the run has ended.
    """

    texts: tuple[str, ...] = ()
    requested: tuple[Column, ...] = ()
    columns: tuple[EncodedColumn, ...] = ()
    failures: Mapping[str, WorkbenchError] = field(default_factory=lambda: MappingProxyType({}))
    noise_floor: NoiseFloor | None = None
    agreements: tuple[Agreement, ...] = ()
    coverage: tuple[Coverage, ...] = ()
    speeds: tuple[Speed, ...] = ()
    conditions: Conditions | None = None
    progress: Progress | None = None
    comparison: Comparison | None = None

    def colour(self, label: str) -> int:
        """Place of a column among those asked for: its colour everywhere on the page."""
        return next((place for place, column in enumerate(self.requested) if column.label == label), 0)

    def column(self, label: str) -> EncodedColumn | None:
        """The encoded column of a label, if it has arrived."""
        return next((column for column in self.columns if column.column.label == label), None)

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Every two columns that have arrived, in the order of the page."""
        labels = [column.column.label for column in self.columns]
        return tuple((left, right) for i, left in enumerate(labels) for right in labels[i + 1 :])

    def agreement(self, left: str, right: str) -> Agreement | None:
        """The agreement of two columns, whichever way round it was computed."""
        wanted = {left, right}
        return next((found for found in self.agreements if {found.left, found.right} == wanted), None)


def fold(snapshot: Snapshot, event: Event) -> Snapshot:
    """The snapshot after one more event."""
    if isinstance(event, Progress):
        return replace(snapshot, progress=event)
    if isinstance(event, EncodedColumn):
        known = {column.column.label: column for column in (*snapshot.columns, event)}
        order = [column.label for column in snapshot.requested if column.label in known]
        return replace(snapshot, columns=tuple(known[label] for label in order))
    if isinstance(event, ColumnFailed):
        return replace(snapshot, failures=MappingProxyType({**snapshot.failures, event.label: event.error}))
    if isinstance(event, Coverage):
        kept = tuple(one for one in snapshot.coverage if one.label != event.label)
        return replace(snapshot, coverage=(*kept, event))
    if isinstance(event, NoiseFloor):
        return replace(snapshot, noise_floor=event)
    if isinstance(event, Comparison):
        return _whole(snapshot, event)
    return _tuples(snapshot, event)


def _tuples(snapshot: Snapshot, event: tuple[Agreement, ...] | tuple[Speed, ...]) -> Snapshot:
    speeds = tuple(one for one in event if isinstance(one, Speed))
    agreements = tuple(one for one in event if isinstance(one, Agreement))
    return replace(snapshot, speeds=speeds or snapshot.speeds, agreements=agreements or snapshot.agreements)


def _whole(snapshot: Snapshot, event: Comparison) -> Snapshot:
    known = {column.column.label: column for column in event.columns}
    order = [column.label for column in snapshot.requested if column.label in known]
    return replace(
        snapshot,
        texts=event.texts,
        columns=tuple(known[label] for label in order),
        failures=event.failures,
        noise_floor=event.noise_floor,
        agreements=event.agreements,
        coverage=event.coverage,
        speeds=event.speeds,
        conditions=event.conditions,
        progress=None,
        comparison=event,
    )
