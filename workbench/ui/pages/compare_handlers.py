"""What the Compare page does, without Gradio: values in, values out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from workbench.compare.neighbours import nearest
from workbench.compare.results import Column
from workbench.contenders.contract import Settings
from workbench.errors import InvalidTypeError, InvalidValueError, WorkbenchError
from workbench.ui import backend
from workbench.ui.columns import (
    FIELDS,
    MAX_COLUMNS,
    ColumnForm,
    column_of,
    form_from_values,
    labels_of,
    overrides_of,
)
from workbench.ui.pages.compare_view import Section, sections_after
from workbench.ui.sentences import Chosen
from workbench.ui.snapshot import Snapshot, fold
from workbench.ui.widgets.opened_sentence import Opened, OpenedColumn

DEVICES = ("cpu", "gpu", "both")
# Timing rounds cost as much as the comparison itself: many texts are timed only when asked for.
_TIMED_TEXTS = 64
_ROUNDS = 5
_WANTED_ROUNDS = 15
_NEIGHBOURS = 5


@dataclass(frozen=True)
class Plan:
    """The columns to compare, and those that cannot be.

    Attributes:
        requested: Every column, in the order of the page.
        runnable: Those whose settings are known.
        failures: Label → why a column cannot run.
        clipped: Columns were left out because there were more than the page holds.
    """

    requested: tuple[Column, ...]
    runnable: tuple[Column, ...]
    failures: dict[str, WorkbenchError]
    clipped: bool = False


def forms_of(values: Sequence[object], active: object) -> tuple[tuple[ColumnForm, ...], tuple[bool, ...]]:
    """The checked forms of all slots and which are in use, from the flat values of the sidebar.

    Raises:
        InvalidTypeError: The flags are no list of booleans.
        InvalidValueError: Wrong number of values, no column in use, or a value that no control offers.
    """
    if not isinstance(active, list | tuple) or not all(isinstance(one, bool) for one in active):
        raise InvalidTypeError("active-columns", "Something else came", expected="a list of true and false")
    width = len(FIELDS)
    if len(active) != MAX_COLUMNS or len(values) != MAX_COLUMNS * width:
        raise InvalidValueError(
            "column-count", f"{len(active)} flags, {len(values)} values", expected=f"{MAX_COLUMNS} columns"
        )
    if not any(active):
        raise InvalidValueError("no-column", "No column is in use", fix="Add one")
    # A slot out of use keeps what was typed last, which may be anything.
    forms = tuple(
        form_from_values(values[slot * width : (slot + 1) * width], slot) if active[slot] else ColumnForm()
        for slot in range(MAX_COLUMNS)
    )
    return forms, tuple(active)


def devices_of(choice: object, gpu: str | None) -> tuple[str, ...]:
    """The torch devices behind CPU, GPU or both; the CPU alone where there is no GPU.

    Raises:
        InvalidValueError: No such choice.
    """
    if choice not in DEVICES:
        raise InvalidValueError(
            "unknown-device", f"{str(choice)[:40]!r} came", expected=f"one of {', '.join(DEVICES)}"
        )
    if gpu is None or choice == "cpu":
        return ("cpu",)
    return ("cuda",) if choice == "gpu" else ("cpu", "cuda")


def plan_columns(forms: Sequence[ColumnForm], devices: Sequence[str]) -> Plan:
    """Name the columns and state every setting; a model that cannot be read fails its column alone."""
    placed = [(form, device) for form in forms for device in devices]
    labels = labels_of(forms, devices)
    requested: list[Column] = []
    runnable: list[Column] = []
    failures: dict[str, WorkbenchError] = {}
    for (form, device), label in list(zip(placed, labels, strict=True))[:MAX_COLUMNS]:
        try:
            column = column_of(form, label, device, backend.DEFAULT_MODEL, backend.settings_for)
            runnable.append(column)
        except WorkbenchError as error:
            failures[label] = error
            # What the form states is known even where the model's own settings are not.
            stated = Settings(**overrides_of(form), device=device)
            column = Column(label, form.contender, form.model or backend.DEFAULT_MODEL, stated)
        requested.append(column)
    return Plan(tuple(requested), tuple(runnable), failures, clipped=len(placed) > MAX_COLUMNS)


@dataclass(frozen=True)
class Timing:
    """How often and how long the columns are timed; no round leaves it out."""

    rounds: int
    budget_seconds: float


def timing_for(texts: int, wanted: bool) -> Timing:
    """A few quick rounds beside every small comparison; as many as are needed where they are asked for."""
    if wanted:
        return Timing(_WANTED_ROUNDS, 30.0)
    return Timing(_ROUNDS if texts <= _TIMED_TEXTS else 0, 3.0)


def snapshots(
    plan: Plan, texts: Sequence[str], timing: Timing, cancelled: Callable[[], bool]
) -> Iterator[tuple[Snapshot, tuple[Section, ...]]]:
    """The comparison as it grows, each time with the sections that changed; the first is the empty page."""
    snapshot = Snapshot(
        texts=tuple(texts), requested=plan.requested, failures=MappingProxyType(dict(plan.failures))
    )
    yield snapshot, ("failures", "verdict", "coverage", "board", "sentences", "progress")
    if not plan.runnable:
        return
    for event in backend.compare(
        plan.runnable,
        texts,
        speed_rounds=timing.rounds,
        speed_budget_seconds=timing.budget_seconds,
        cancelled=cancelled,
    ):
        snapshot = fold(snapshot, event)
        if plan.failures:
            together = MappingProxyType({**plan.failures, **snapshot.failures})
            snapshot = replace(snapshot, failures=together)
        yield snapshot, sections_after(event)


def open_text(snapshot: Snapshot, index: object) -> Opened:
    """One sentence with what every column made of it.

    Raises:
        InvalidValueError: Nothing has been compared, or there is no such sentence.
    """
    if isinstance(index, bool) or not isinstance(index, int | float) or not float(index).is_integer():
        raise InvalidValueError(
            "text-index", f"{str(index)[:40]!r} came", expected="the number of a sentence"
        )
    place = int(index)
    if not 0 <= place < len(snapshot.texts) or not snapshot.columns:
        raise InvalidValueError(
            "text-index",
            f"Sentence {place + 1}",
            expected=f"1 to {len(snapshot.texts)}",
            fix="Press Compare first",
        )
    text = snapshot.texts[place]
    columns = []
    for column in snapshot.columns:
        found = nearest(column.embeddings, place, _NEIGHBOURS)
        columns.append(
            OpenedColumn(
                label=column.column.label,
                colour=snapshot.colour(column.column.label),
                view=backend.token_view(column.column, text),
                count=column.token_counts[place],
                vector=column.embeddings[place],
                neighbours=tuple((one.index, one.cosine) for one in found),
            )
        )
    return Opened(place, text, tuple(columns))


def most_telling_text(snapshot: Snapshot) -> int:
    """The text on which the two most different columns differ most; the first where all agree."""
    comparable = [one for one in snapshot.agreements if one.differing_texts and math.isfinite(one.max_abs)]
    if not comparable:
        return 0
    widest = max(comparable, key=lambda one: one.max_abs)
    left, right = snapshot.column(widest.left), snapshot.column(widest.right)
    if left is None or right is None:
        return 0
    return int(np.abs(left.embeddings - right.embeddings).max(axis=1).argmax())


def pair_name(pair: tuple[str, str]) -> str:
    """A pair of columns as the menu of the difference map shows it."""
    return f"{pair[0]} \u2212 {pair[1]}"


def pair_named(snapshot: Snapshot, name: object) -> tuple[str, str] | None:
    """The pair of a menu entry; None where it is not, or no longer, among the columns."""
    return next((pair for pair in snapshot.pairs() if pair_name(pair) == name), None)


def as_chosen(source: object, pasted: object, path: object, column: object) -> Chosen:
    """The sidebar's data controls, checked for type: API callers may send anything.

    Raises:
        InvalidTypeError: Something that is no text.
    """
    for value in (source, pasted, path, column):
        if value is not None and not isinstance(value, str):
            raise InvalidTypeError("not-text", f"A {type(value).__name__} came", expected="text")
    return Chosen(str(source or ""), str(pasted or ""), str(path or ""), str(column or ""))
