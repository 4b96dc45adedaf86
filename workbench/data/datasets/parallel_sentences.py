"""Sentences and their translations with the teacher's embedding of the source as label."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Dataset

from workbench.data.datasets.one_process import require_one_process
from workbench.data.datasets.parallel_file import parallel_lines
from workbench.data.epochs import Epochs
from workbench.data.input_example import InputExample
from workbench.errors import InvalidTypeError, InvalidValueError, ShapeMismatchError
from workbench.util.checks import require_count

_Entry = tuple[str, tuple[str, ...]]
"""A source and its targets: itself and its translations, each once."""


class Teacher(Protocol):
    """Whatever turns a list of texts into embeddings, ``(texts, dim)``."""

    def encode(self, *args: Any, **kwargs: Any) -> Any: ...


class ParallelSentencesDataset(Dataset[InputExample]):
    """``InputExample(texts=[sentence], label=embedding)``: what the teacher makes of the source sentence.

    The student learns to put a sentence and its translations where the teacher puts the source. Items are
    drawn, whatever number is asked for: round after round takes ``weight`` sources of each added set, in
    their order, shuffled anew when a set is through, and gives their targets in a shuffled order.

    Args:
        student_model: Not looked at; old code hands it over.
        teacher_model: Makes the embeddings.
        batch_size: Sources the teacher embeds at a time.
        use_embedding_cache: Keep every embedding: four bytes × dim a source.
        seed: None takes torch's own seed when it is first needed.

    Attributes:
        embedding_cache: Source sentence → embedding.

    Source: sentence-transformers' class of this name; Reimers and Gurevych, Making Monolingual Sentence
    Embeddings Multilingual, https://arxiv.org/abs/2004.09813.
    """

    def __init__(
        self,
        student_model: object,
        teacher_model: Teacher,
        batch_size: int = 8,
        use_embedding_cache: bool = True,
        *,
        seed: int | None = None,
    ) -> None:
        self.student_model = student_model
        self.teacher_model = teacher_model
        self.batch_size = require_count(batch_size, "batch_size")
        self.use_embedding_cache = use_embedding_cache
        self.embedding_cache: dict[str, NDArray[Any]] = {}
        self.num_sentences = 0
        self._epochs = Epochs(seed)
        self._sets: list[tuple[list[_Entry], int]] = []
        self._served = 0
        self._stream: Iterator[InputExample] | None = None

    def load_data(
        self,
        filepath: str | Path,
        weight: int = 100,
        max_sentences: int | None = None,
        max_sentence_length: int | None = 128,
    ) -> None:
        """Add a UTF-8 text file: a source a line, its translations behind tabs.

        Args:
            filepath: The file, not compressed.
            weight: Sources taken a round.
            max_sentences: Lines to read at most; None or 0 for all.
            max_sentence_length: Pass over lines with a sentence of more characters; None or 0 for no limit.

        Raises:
            DataFileError: The file is compressed, no UTF-8, or cannot be opened.
            InvalidValueError: No line is left.
        """
        lines = (line for line in parallel_lines(Path(filepath)) if _fits(line, max_sentence_length))
        self.add_dataset(islice(lines, max_sentences or None), weight, max_sentences, max_sentence_length)

    def add_dataset(
        self,
        parallel_sentences: Iterable[Sequence[str]],
        weight: int = 100,
        max_sentences: int | None = None,
        max_sentence_length: int | None = 128,
    ) -> None:
        """Add rows of a source and its translations; rows of one source are joined.

        Args:
            parallel_sentences: The rows.
            weight: Sources taken a round.
            max_sentences: Distinct sources to take at most; None or 0 for all.
            max_sentence_length: Pass over rows with a sentence of more characters; None or 0 for no limit.

        Raises:
            InvalidTypeError: A row is no list of strings.
            InvalidValueError: No row is left, or the weight is below 1.
        """
        weight = require_count(weight, "weight")
        found: dict[str, dict[str, None]] = {}
        for number, row in enumerate(parallel_sentences):
            _check(row, number)
            if not _fits(row, max_sentence_length):
                continue
            found.setdefault(row[0], {}).update(dict.fromkeys(row))
            if max_sentences and len(found) >= max_sentences:
                break
        if not found:
            raise InvalidValueError(
                "parallel-sentences-none",
                "no row is left",
                expected=f"rows whose sentences have at most {max_sentence_length} characters",
                fix="Raise max_sentence_length, or look whether the sentences are separated by tabs",
                where="ParallelSentencesDataset",
            )
        self._sets.append(([(source, tuple(targets)) for source, targets in found.items()], weight))
        self.num_sentences += sum(map(len, found.values()))
        # What was drawn before knows nothing of this set.
        self._restart(0)

    def __len__(self) -> int:
        """Sentences of all sets, sources included."""
        return self.num_sentences

    def __getitem__(self, item: int) -> InputExample:
        require_one_process("ParallelSentencesDataset")
        if self._stream is None:
            self._stream = self._items(self._served)
        example = next(self._stream, None)
        if example is None:
            raise InvalidValueError(
                "dataset-empty",
                "no parallel sentences were added",
                fix="Call load_data or add_dataset first",
                where="ParallelSentencesDataset",
            )
        self._served += 1
        return example

    def state_dict(self) -> dict[str, Any]:
        """What is needed to go on with the next item, over the same sets; JSON can hold it."""
        return {"seed": self._epochs.seed, "served": self._served, "num_sentences": self.num_sentences}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on with the item that was next when the state was taken; the way there is drawn, not embedded.

        Raises:
            InvalidValueError: It is no such state, or one of other sets.
        """
        if state.get("num_sentences") != self.num_sentences:
            raise InvalidValueError(
                "sampler-state-mismatch",
                f"the state is of {state.get('num_sentences')!r} sentences, here are {self.num_sentences}",
                fix="Add the same data as in the run that is resumed",
                where="ParallelSentencesDataset.load_state_dict",
            )
        # The items drawn so far stand where a sampler has its epoch.
        self._epochs.load_state_dict({"seed": state.get("seed"), "epoch": state.get("served")})
        self._restart(self._epochs.epoch)

    def _restart(self, served: int) -> None:
        self._epochs.set_epoch(0)
        self._served, self._stream = served, None

    def _items(self, skipped: int) -> Iterator[InputExample]:
        for pairs in self._rounds():
            if skipped >= len(pairs):
                skipped -= len(pairs)
                continue
            pairs, skipped = pairs[skipped:], 0
            embeddings = self._embeddings([source for source, _ in pairs])
            for source, target in pairs:
                yield InputExample(texts=[target], label=embeddings[source])

    def _rounds(self) -> Iterator[list[tuple[str, str]]]:
        """The pairs of source and target of one round after another, without end."""
        numbers = self._epochs.peek()
        walks = [(_walk(entries, numbers), weight) for entries, weight in self._sets]
        while walks:
            taken = [entry for walk, weight in walks for entry in islice(walk, weight)]
            pairs = [(source, target) for source, targets in taken for target in targets]
            yield [pairs[place] for place in numbers.permutation(len(pairs))]

    def _embeddings(self, sources: Sequence[str]) -> Mapping[str, NDArray[Any]]:
        known = self.embedding_cache if self.use_embedding_cache else {}
        new = [source for source in dict.fromkeys(sources) if source not in known]
        if new:
            rows = np.asarray(
                self.teacher_model.encode(
                    new, batch_size=self.batch_size, show_progress_bar=False, convert_to_numpy=True
                )
            )
            if rows.ndim != 2 or len(rows) != len(new):
                raise ShapeMismatchError(
                    "teacher-embeddings",
                    f"shape {rows.shape} for {len(new)} texts",
                    expected="one embedding a text",
                    where="teacher_model.encode",
                )
            known.update(zip(new, rows, strict=True))
        return known


def _walk(entries: Sequence[_Entry], numbers: np.random.Generator) -> Iterator[_Entry]:
    """The entries in their order, then in a new order each time they are through."""
    order = list(range(len(entries)))
    while True:
        yield from (entries[place] for place in order)
        order = [order[place] for place in numbers.permutation(len(order))]


def _fits(row: Sequence[str], limit: int | None) -> bool:
    return not limit or max(map(len, row)) <= limit


def _check(row: object, number: int) -> None:
    if not isinstance(row, list | tuple) or not row or not all(isinstance(part, str) for part in row):
        raise InvalidTypeError(
            "parallel-row-not-texts",
            f"{repr(row)[:60]}",
            expected="a list of strings: a source and its translations",
            where=f"parallel_sentences[{number}]",
        )
