"""Held-out texts that the training has seen, word for word or nearly so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from workbench.data.normalise import normalised
from workbench.data.rows import each_row, row_texts
from workbench.errors import InvalidValueError

# Characters of the pieces that are compared; a text has one on either side of it.
_NGRAM = 4
# Held-out and training texts compared at a time: at most so many overlaps are in memory.
_HELD_OUT_BLOCK, _TRAIN_BLOCK = 256, 20_000


@dataclass(frozen=True)
class LeakPair:
    """A held-out text and the training text that is nearest to it.

    Attributes:
        held_out: Row of the held-out data.
        train: Row of the training data; the first, where several are as near.
        held_out_text: Its text.
        train_text: Its text.
        similarity: Share of character 4-grams that both have among those that one has (Jaccard), 0 to 1.
        kind: ``exact``: equal but for Unicode form, case, punctuation and white space.
    """

    held_out: int
    train: int
    held_out_text: str
    train_text: str
    similarity: float
    kind: Literal["exact", "near"]


@dataclass(frozen=True)
class LeakReport:
    """What of the held-out data stands in the training data.

    Attributes:
        pairs: One for each held-out text with a leak, exact ones first, then by falling similarity.
        exact: Distinct held-out texts that stand in the training data.
        near: Distinct held-out texts that nearly do.
        texts: Distinct held-out texts.
        rows: Held-out rows with at least one such text, rising.
        held_out_rows: Held-out rows.
        threshold: Least similarity of what is called near.
    """

    pairs: tuple[LeakPair, ...]
    exact: int
    near: int
    texts: int
    rows: tuple[int, ...]
    held_out_rows: int
    threshold: float

    @property
    def share(self) -> float:
        """Share of the held-out rows with a leak, 0 to 1; 0 without rows."""
        return len(self.rows) / self.held_out_rows if self.held_out_rows else 0.0


@dataclass(frozen=True)
class _Texts:
    """Distinct normalised texts: the form, the first row and wording, and all rows of each."""

    forms: list[str]
    first: list[tuple[int, str]]
    rows: list[list[int]]


def find_leaks(train: Any, held_out: Any, *, threshold: float = 0.6) -> LeakReport:
    """Look for held-out texts in the training data.

    Every distinct held-out text is compared with every distinct training text; memory is bounded by blocks,
    and the vocabulary by the held-out texts.

    Args:
        train: A list of texts or of ``InputExample``, or any data set with a length.
        held_out: The same.
        threshold: Least similarity of near-duplicates, above 0; 1 finds equal sets of 4-grams only. "The
            pump is leaking" and "The pumps is leaking" have 0.68, "How do I reset the pump" and "… the lamp"
            0.63: a near one is to be looked at, it is no proof.

    Raises:
        InvalidValueError: A threshold outside (0, 1].
        InvalidTypeError: A row without a text.
    """
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 < threshold <= 1:
        raise InvalidValueError(
            "threshold-out-of-range",
            f"{threshold!r}",
            expected="a number above 0, up to 1",
            where="threshold",
        )
    seen, judged = _distinct(train), _distinct(held_out)
    places = {form: number for number, form in enumerate(seen.forms)}
    exact = {number: places[form] for number, form in enumerate(judged.forms) if form in places}
    rest = [number for number in range(len(judged.forms)) if number not in exact]
    near = _nearest([judged.forms[number] for number in rest], seen.forms, threshold)
    found = [(1.0, number, place, "exact") for number, place in exact.items()]
    found += [(similarity, rest[number], place, "near") for number, (place, similarity) in near.items()]
    found.sort(key=lambda leak: (leak[3], -leak[0], leak[1]))
    return LeakReport(
        pairs=tuple(_pair(judged, seen, *leak) for leak in found),
        exact=len(exact),
        near=len(near),
        texts=len(judged.forms),
        rows=tuple(sorted({row for leak in found for row in judged.rows[leak[1]]})),
        held_out_rows=len(held_out),
        threshold=threshold,
    )


def _distinct(dataset: Any) -> _Texts:
    known: dict[str, int] = {}
    found = _Texts([], [], [])
    for row, value in enumerate(each_row(dataset)):
        for text in row_texts(value):
            form = normalised(text)
            number = known.setdefault(form, len(known))
            if number == len(found.forms):
                found.forms.append(form)
                found.first.append((row, text))
                found.rows.append([])
            found.rows[number].append(row)
    return found


def _pair(judged: _Texts, seen: _Texts, similarity: float, number: int, place: int, kind: Any) -> LeakPair:
    (held_out, held_out_text), (train, train_text) = judged.first[number], seen.first[place]
    return LeakPair(held_out, train, held_out_text, train_text, similarity, kind)


def _nearest(judged: list[str], seen: list[str], threshold: float) -> dict[int, tuple[int, float]]:
    """Judged text → (the nearest seen text, similarity), for those that reach the threshold."""
    # Imported here: importing it takes longer than most checks.
    from sklearn.feature_extraction.text import CountVectorizer

    if not judged or not seen:
        return {}
    pieces = CountVectorizer(analyzer=_ngrams, binary=True, dtype=np.int32)
    ours = pieces.fit_transform(judged)
    size = np.diff(ours.indptr)
    best = np.zeros(len(judged))
    where = np.zeros(len(judged), dtype=np.int64)
    for start in range(0, len(seen), _TRAIN_BLOCK):
        part = seen[start : start + _TRAIN_BLOCK]
        theirs = pieces.transform(part).T.tocsr()
        # Their 4-grams that no held-out text has count too.
        total = np.array([len(set(_ngrams(form))) for form in part])
        for first in range(0, len(judged), _HELD_OUT_BLOCK):
            rows = slice(first, first + _HELD_OUT_BLOCK)
            value, column = _best_of_rows((ours[rows] @ theirs).tocsr(), size[rows], total)
            better = value > best[rows]
            best[rows][better] = value[better]
            where[rows][better] = column[better] + start
    return {
        int(number): (int(where[number]), float(best[number])) for number in np.flatnonzero(best >= threshold)
    }


def _best_of_rows(
    both: Any, size: NDArray[np.int64], total: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The largest ``both / (size + total - both)`` of each row and its lowest column; 0 without overlap."""
    row = np.repeat(np.arange(both.shape[0]), np.diff(both.indptr))
    jaccard = both.data / (size[row] + total[both.indices] - both.data)
    value = np.zeros(both.shape[0])
    np.maximum.at(value, row, jaccard)
    column = np.full(both.shape[0], both.shape[1], dtype=np.int64)
    top = jaccard == value[row]
    np.minimum.at(column, row[top], both.indices[top])
    return value, column


def _ngrams(form: str) -> list[str]:
    padded = f" {form} "
    return [padded[start : start + _NGRAM] for start in range(max(1, len(padded) - _NGRAM + 1))]
