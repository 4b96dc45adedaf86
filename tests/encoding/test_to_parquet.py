"""More texts than fit into memory: a chunk at a time into a file that appears when it is whole."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.models.tiny import AWKWARD, write_upstream
from workbench.data.sentence_files import stream_sentences
from workbench.errors import InvalidTypeError, InvalidValueError
from workbench.sentence_transformer import SentenceTransformer


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> SentenceTransformer:
    return SentenceTransformer(str(write_upstream(tmp_path_factory.mktemp("s") / "m", "bert")), device="cpu")


def read(path: Path) -> tuple[list[str], np.ndarray[Any, Any]]:
    table = pq.read_table(path)
    return table["text"].to_pylist(), np.array(table["embedding"].to_pylist(), dtype=np.float32)


@pytest.mark.parametrize("chunk", [1, 7, 1000])
def test_equals_one_call_whatever_the_chunks(model: SentenceTransformer, tmp_path: Path, chunk: int) -> None:
    texts = [*AWKWARD, *AWKWARD[:5]]
    report = model.encode_to_parquet(iter(texts), tmp_path / "v.parquet", chunk_texts=chunk, prompt="a: ")
    got, rows = read(tmp_path / "v.parquet")
    assert got == texts
    assert np.abs(rows - model.encode(texts, prompt="a: ")).max() <= 1e-6
    whole = model.encode_report
    assert whole is not None and report.packed and report.padding == 1.0
    assert (report.texts, report.truncated, report.tokens) == (whole.texts, whole.truncated, whole.tokens)
    assert pq.read_schema(tmp_path / "v.parquet").metadata[b"prompt"] == b"a: "


def test_no_texts_give_an_empty_table(model: SentenceTransformer, tmp_path: Path) -> None:
    assert model.encode_to_parquet([], tmp_path / "v.parquet").texts == 0
    assert pq.read_table(tmp_path / "v.parquet").num_rows == 0


def test_binary_rows(model: SentenceTransformer, tmp_path: Path) -> None:
    model.encode_to_parquet(AWKWARD, tmp_path / "v.parquet", precision="ubinary")
    stored = pq.read_table(tmp_path / "v.parquet")["embedding"].to_pylist()
    assert np.array_equal(np.array(stored, dtype=np.uint8), model.encode(AWKWARD, precision="ubinary"))


def test_a_broken_source_leaves_what_was_there(model: SentenceTransformer, tmp_path: Path) -> None:
    target = tmp_path / "v.parquet"
    model.encode_to_parquet(["before"], target)

    def broken() -> Iterator[Any]:
        yield from AWKWARD
        yield 5

    with pytest.raises(InvalidTypeError):
        model.encode_to_parquet(broken(), target, chunk_texts=4)
    assert read(target)[0] == ["before"] and [path.name for path in tmp_path.iterdir()] == ["v.parquet"]


def test_refusals(model: SentenceTransformer, tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="precision-needs-all-rows"):
        model.encode_to_parquet([], tmp_path / "v.parquet", precision="int8")
    with pytest.raises(InvalidValueError, match="out-not-parquet"):
        model.encode_to_parquet([], tmp_path / "v.csv")
    with pytest.raises(InvalidValueError, match="chunk-size-out-of-range"):
        model.encode_to_parquet([], tmp_path / "v.parquet", chunk_texts=0)


def test_from_a_file_to_a_file(model: SentenceTransformer, tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text("id,text\n1,one fox\n2, \n3,two dogs\n4,three\n")
    notices: list[str] = []
    texts = stream_sentences(source, "in.csv", column="text", limit=2, told=notices.append)
    assert model.encode_to_parquet(texts, tmp_path / "v.parquet").texts == 2
    assert read(tmp_path / "v.parquet")[0] == ["one fox", "two dogs"]
    assert notices == ["Left out 1 rows without a visible character."]


GROWTH = """
import resource, sys
from workbench import SentenceTransformer
model = SentenceTransformer(sys.argv[1], device="cpu")
peaks = []
for count in (20_000, 200_000):
    model.encode_to_parquet((f"fox {n}" for n in range(count)), sys.argv[2], chunk_texts=4096)
    peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
print(*peaks)
"""


@pytest.mark.full
def test_memory_does_not_grow_with_the_texts(tmp_path: Path) -> None:
    folder = write_upstream(tmp_path / "m", "bert")
    done = subprocess.run(
        [sys.executable, "-c", GROWTH, str(folder), str(tmp_path / "v.parquet")],
        capture_output=True,
        text=True,
        check=True,
    )
    few, many = map(float, done.stdout.splitlines()[-1].split())
    assert many - few < 40, (few, many)
