"""Translations with the teacher's embeddings: against upstream, files, the cache, and resuming."""

from __future__ import annotations

import gzip
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sentence_transformers.sentence_transformer.datasets import ParallelSentencesDataset as UpstreamDataset
from torch.utils.data import DataLoader

from workbench.datasets import ParallelSentencesDataset
from workbench.errors import WorkbenchError


class Teacher:
    def __init__(self) -> None:
        self.seen: list[str] = []

    def encode(self, sentences: list[str], **kwargs: Any) -> np.ndarray:
        assert kwargs["convert_to_numpy"] is True
        self.seen += sentences
        return np.array([[len(text), sum(map(ord, text))] for text in sentences], dtype=np.float32)


def table(rows: int, name: str = "s") -> list[list[str]]:
    return [[f"{name}{row}", f"{name}{row} de", f"{name}{row} ko"] for row in range(rows)]


def made(*sets: tuple[list[list[str]], int], seed: int = 0, cached: bool = True) -> ParallelSentencesDataset:
    data = ParallelSentencesDataset(None, Teacher(), 4, cached, seed=seed)
    for rows, weight in sets:
        data.add_dataset(rows, weight=weight)
    return data


def drawn(data: Any, count: int) -> list[tuple[str, tuple[float, ...]]]:
    return [(example.texts[0], tuple(example.label)) for example in (data[0] for _ in range(count))]


@settings(max_examples=25)
@given(
    first=st.integers(1, 8),
    second=st.integers(1, 8),
    weights=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    seed=st.integers(0, 99),
)
def test_the_first_round_holds_what_upstreams_does(
    first: int, second: int, weights: tuple[int, int], seed: int
) -> None:
    theirs = UpstreamDataset(None, Teacher())  # type: ignore[arg-type]
    ours = made((table(first, "a"), weights[0]), (table(second, "b"), weights[1]), seed=seed)
    for rows, weight in zip((table(first, "a"), table(second, "b")), weights, strict=True):
        theirs.add_dataset(rows, weight=weight)
    assert len(ours) == len(theirs)
    # As far as each set is through once, nothing of it has been shuffled.
    if weights[0] > first or weights[1] > second:
        return
    count = 3 * sum(weights)
    random.seed(seed)
    assert Counter(drawn(ours, count)) == Counter(drawn(theirs, count))


def test_the_label_is_the_embedding_of_the_source() -> None:
    data = made((table(5), 5))
    expected = {
        text: tuple(Teacher().encode([row[0]], convert_to_numpy=True)[0]) for row in table(5) for text in row
    }
    assert dict(drawn(data, 15)) == expected


def test_a_source_is_embedded_once_where_the_cache_is_on() -> None:
    data = made((table(5), 5))
    drawn(data, 60)
    assert sorted(data.teacher_model.seen) == sorted(row[0] for row in table(5))  # type: ignore[attr-defined]
    again = made((table(5), 5), cached=False)
    drawn(again, 60)
    assert len(again.teacher_model.seen) == 20  # type: ignore[attr-defined]
    assert again.embedding_cache == {}


def test_rows_of_one_source_are_joined_and_long_ones_left_out() -> None:
    data = ParallelSentencesDataset(None, Teacher())
    data.add_dataset([["a", "b"], ["a", "c", "b"], ["long", "x" * 129], ["d"]])
    assert len(data) == 4
    # Targets are drawn at random: of so many draws none is missed.
    assert {text for text, _ in drawn(data, 100)} == {"a", "b", "c", "d"}
    few = ParallelSentencesDataset(None, Teacher())
    few.add_dataset(table(9), max_sentences=2)
    assert len(few) == 6


def test_a_file_gives_what_upstream_reads(tmp_path: Path) -> None:
    path = tmp_path / "pairs.tsv"
    path.write_text(
        "hello\thallo\t안녕\n" + "too long\t" + "x" * 200 + "\nyes\tja\n\nno\tnein\n", encoding="utf-8"
    )
    for options in ({}, {"max_sentences": 2}, {"max_sentence_length": 0}, {"weight": 3}):
        ours, theirs = ParallelSentencesDataset(None, Teacher()), UpstreamDataset(None, Teacher())  # type: ignore[arg-type]
        ours.load_data(path, **options)
        theirs.load_data(str(path), **options)
        # Upstream keeps the empty line as a sentence.
        own = {text for entries, _ in ours._sets for _, targets in entries for text in targets}
        assert own == {text for _, targets in theirs.datasets[0] for text in targets} - {""}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (gzip.compress(b"a\tb\n"), "file-compressed"),
        (b"PK\x03\x04aaaa", "file-compressed"),
        (b"a\tb\n\xff\xfe\n", "file-not-utf8"),
        (b"", "parallel-sentences-none"),
        (b"x" * 4_000_001, "line-too-long"),
        (None, "file-not-readable"),
    ],
    ids=["gzip", "zip", "latin", "empty", "one line", "absent"],
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes | None, code: str) -> None:
    path = tmp_path / "pairs.tsv.gz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WorkbenchError) as caught:
        ParallelSentencesDataset(None, Teacher()).load_data(path)
    assert caught.value.code == code


def test_what_cannot_be_used_is_refused() -> None:
    data = ParallelSentencesDataset(None, Teacher())
    for rows, code in [
        ([], "parallel-sentences-none"),
        (["ab"], "parallel-row-not-texts"),
        ([["a", None]], "parallel-row-not-texts"),
        ([[]], "parallel-row-not-texts"),
    ]:
        with pytest.raises(WorkbenchError) as caught:
            data.add_dataset(rows)  # type: ignore[arg-type]
        assert caught.value.code == code
    with pytest.raises(WorkbenchError, match="dataset-empty"):
        data[0]
    with pytest.raises(WorkbenchError, match="count-out-of-range"):
        data.add_dataset(table(2), weight=0)


@settings(max_examples=20)
@given(before=st.integers(0, 70), after=st.integers(1, 40), seed=st.integers(0, 99))
def test_it_is_taken_up_at_any_item(before: int, after: int, seed: int) -> None:
    sets = ((table(5, "a"), 3), (table(4, "b"), 7))
    data = made(*sets, seed=seed)
    drawn(data, before)
    state = json.loads(json.dumps(data.state_dict()))
    expected = drawn(data, after)
    other = made(*sets, seed=seed + 1)
    drawn(other, 3)
    other.load_state_dict(state)
    assert drawn(other, after) == expected
    with pytest.raises(WorkbenchError, match="sampler-state-mismatch"):
        made((table(2), 1)).load_state_dict(state)


def test_a_loader_reads_it_in_one_process() -> None:
    data = made((table(6), 6))
    loader = DataLoader(data, batch_size=6, collate_fn=lambda rows: [row.texts[0] for row in rows])
    assert sorted(text for batch in loader for text in batch) == sorted(
        text for row in table(6) for text in row
    )
    with pytest.raises(RuntimeError, match="dataset-in-workers"):
        list(DataLoader(data, batch_size=2, num_workers=1, collate_fn=list))
