"""What the Trace page does, without Gradio: values in, steps of a comparison out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np

from workbench.data.texts import check_texts
from workbench.errors import InvalidTypeError, InvalidValueError
from workbench.trace.gallery_cards import card
from workbench.trace.probe import PROBE
from workbench.ui import trace_backend as backend
from workbench.ui.columns import FIELDS, ColumnForm, form_from_values, labels_of
from workbench.ui.texts import Language, word
from workbench.ui.texts_trace_english import TRACE_ENGLISH
from workbench.ui.trace_example import EXAMPLE
from workbench.ui.trace_shown import Shown, slim

# The whole trace of a text holds every token vector of every layer.
MAX_TEXTS = 64
MAX_CHARACTERS = 20_000
MAX_FAULTS = 4
# Token vectors of a text that are kept for the page and for the file.
KEPT_ROWS = 16
STEPS = 4

SOURCES = ("example", "probe", "paste")
FAULTS = tuple(key.removeprefix("fault.") for key in TRACE_ENGLISH if key.startswith("fault."))
LEFT = ColumnForm()
RIGHT = ColumnForm(contender="manual", max_length=128)

Stage = Literal["left", "record", "right", "swap", "end"]
Open = Callable[[], backend.Live]


@dataclass(frozen=True)
class Wanted:
    """Two pipelines and the texts to send through both."""

    left: ColumnForm
    right: ColumnForm
    faults: tuple[str, ...]
    texts: tuple[str, ...]

    @property
    def names(self) -> tuple[str, str]:
        """Of the two, for the sentences."""
        left, right = labels_of((self.left, self.right), ("cpu",))
        return left, right


@dataclass(frozen=True)
class Step:
    """Where a comparison of two pipelines is.

    Attributes:
        stage: What is being done now.
        name: With which pipeline.
        done: Steps of ``STEPS`` that are over.
        shown: What is known so far.
    """

    stage: Stage
    name: str
    done: int
    shown: Shown | None = None


def wanted_of(values: Sequence[object], language: Language) -> Wanted:
    """The checked wish of the form: API callers skip what the controls enforce.

    Args:
        values: Both forms in the order of ``FIELDS``, the faults, the source of the texts, the pasted texts.
        language: Of the errors.

    Raises:
        InvalidTypeError, InvalidValueError: A value that no control offers.
    """
    width = len(FIELDS)
    if len(values) != 2 * width + 3:
        raise InvalidValueError("trace-values", f"{len(values)} values came", expected=f"{2 * width + 3}")
    faults, source, pasted = values[2 * width :]
    return Wanted(
        form_from_values(values[:width], 0),
        form_from_values(values[width : 2 * width], 1),
        checked_faults(faults),
        texts_of(source, pasted, language),
    )


def checked_faults(value: object) -> tuple[str, ...]:
    """Keys of the table of faults, each once.

    Raises:
        InvalidTypeError: No list of names.
        InvalidValueError: A fault that the table does not hold, or too many.
    """
    if value is None or value == "":
        return ()
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        raise InvalidTypeError("faults-not-a-list", "Something else came", expected="a list of faults")
    if unknown := [one for one in value if one not in FAULTS]:
        raise InvalidValueError(
            "unknown-fault", f"{unknown[0][:80]!r}", expected=f"one of {', '.join(FAULTS)}"
        )
    faults = tuple(dict.fromkeys(value))
    if len(faults) > MAX_FAULTS:
        raise InvalidValueError("too-many-faults", f"{len(faults)} faults", expected=f"at most {MAX_FAULTS}")
    return faults


def texts_of(source: object, pasted: object, language: Language) -> tuple[str, ...]:
    """The texts of the chosen source.

    Raises:
        InvalidTypeError, InvalidValueError: An unknown source, no text, too many or too long.
    """
    if source not in SOURCES:
        raise InvalidValueError(
            "unknown-source", f"{str(source)[:80]!r} came", expected=f"one of {', '.join(SOURCES)}"
        )
    if source != "paste":
        return EXAMPLE if source == "example" else PROBE
    if pasted is not None and not isinstance(pasted, str):
        raise InvalidTypeError("not-text", f"A {type(pasted).__name__} came", expected="text")
    lines = [line for line in (pasted or "").splitlines() if line.strip()]
    if not lines:
        raise InvalidValueError("nothing-pasted", word(language, "input.nothing_pasted"))
    return checked_texts(lines)


def checked_texts(texts: object) -> tuple[str, ...]:
    """Texts that may be traced.

    Raises:
        InvalidTypeError, InvalidValueError: No list of strings, none, too many, or too long together.
    """
    found = check_texts(texts, limit=MAX_TEXTS).texts
    if not found:
        raise InvalidValueError("texts-missing", "No texts", expected="at least one text to trace")
    if (length := sum(map(len, found))) > MAX_CHARACTERS:
        raise InvalidValueError(
            "texts-too-long",
            f"{length:,} characters came",
            expected=f"at most {MAX_CHARACTERS:,} in all",
            fix="Send fewer or shorter texts, or trace from Python",
        )
    return tuple(found)


def find(wanted: Wanted, cancelled: backend.Cancel) -> Iterator[Step]:
    """Compare the two pipelines of a wish."""
    left, right = wanted.names
    return trace_steps(
        (left, right),
        lambda: backend.open_side(wanted.left, left),
        lambda: backend.open_side(wanted.right, right, wanted.faults),
        wanted.texts,
        cancelled,
    )


def find_card(key: object, cancelled: backend.Cancel) -> Iterator[Step]:
    """Replay a card of the gallery.

    Raises:
        UnknownNameError: The gallery does not hold it.
    """
    name = str(key)[:80]
    chosen = card(name)

    @cache
    def both() -> tuple[backend.Live, backend.Live]:
        return backend.open_card(name)

    return trace_steps(
        ("reference", "reported"),
        lambda: both()[0],
        lambda: both()[1],
        chosen.texts,
        cancelled,
        card=name,
    )


def trace_steps(
    names: tuple[str, str],
    open_left: Open,
    open_right: Open,
    texts: tuple[str, ...],
    cancelled: backend.Cancel,
    *,
    card: str = "",
) -> Iterator[Step]:
    """Record both, compare, then prove by swapping; the stage is shown before the proof is complete.

    Args:
        names: Of both pipelines.
        open_left, open_right: Open them.
        texts: To record.
        cancelled: Asked before each run of a pipeline.
        card: Of the gallery.

    Raises:
        Cancelled: ``cancelled`` said so.
        WorkbenchError: A pipeline cannot be opened, or refuses the texts.
    """
    begun = time.monotonic()
    yield Step("left", names[0], 0)
    left = backend.stoppable(open_left(), cancelled)
    yield Step("record", names[0], 1)
    left_trace = backend.record(left, texts, floors=True)
    yield Step("right", names[1], 2)
    right = backend.stoppable(open_right(), cancelled)
    # The floor is the left one's: a pipeline in question is no measure of noise.
    right_trace = backend.record(right, texts, floors=False)
    shown = Shown(
        slim(left_trace, KEPT_ROWS),
        slim(right_trace, KEPT_ROWS),
        (backend.token_names(left, left_trace), backend.token_names(right, right_trace)),
        backend.compare_traces(left_trace, right_trace),
        card=card,
        seconds=time.monotonic() - begun,
    )
    yield Step("swap", names[1], 3, shown)
    proof = backend.prove(left_trace, right, right_trace)
    yield Step(
        "end",
        names[1],
        STEPS,
        replace(
            shown,
            faults=proof.faults,
            closed=proof.closed,
            proved=True,
            seconds=time.monotonic() - begun,
        ),
    )


def ranked(shown: Shown) -> list[int]:
    """The texts, those that differ at the first rung first, and among them those that differ most."""
    first = shown.difference.first
    differing = frozenset(first.differing_texts if first else ())
    a, b = shown.left.embeddings, shown.right.embeddings
    gaps = np.zeros(len(shown.texts))
    if a.shape == b.shape and a.size:
        gaps = np.nan_to_num(np.abs(a - b).max(axis=1), nan=np.inf)
    return sorted(range(len(shown.texts)), key=lambda index: (index not in differing, -gaps[index]))


def most_different(shown: Shown) -> int:
    """The text on which the embeddings differ most, among those that differ at the first rung."""
    return ranked(shown)[0]


def chosen_text(shown: Shown, index: object) -> int:
    """The text that the visitor chose, else the one that differs most."""
    if isinstance(index, int) and not isinstance(index, bool) and 0 <= index < len(shown.texts):
        return index
    return most_different(shown)
