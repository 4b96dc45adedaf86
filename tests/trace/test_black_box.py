"""Black box: vectors made by a changed recipe lead back to the change; files of vectors are read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.models.tiny import write_encoder, write_upstream
from tests.trace.tiny_pipelines import TEXTS
from workbench.compare.settings import settings_for
from workbench.contenders.contract import ModelPaths
from workbench.contenders.upstream import open_upstream
from workbench.errors import DataFileError
from workbench.models.dense import Dense
from workbench.models.folder import open_model
from workbench.models.normalize import Normalize
from workbench.models.pooling import Pooling
from workbench.models.transformer import Transformer
from workbench.sentence_transformer import SentenceTransformer
from workbench.trace.black_box import search_black_box
from workbench.trace.vector_files import read_vectors


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_upstream(tmp_path_factory.mktemp("box"), "bert")


def upstream_vectors(folder, **changes):
    model = open_model(str(folder))
    return open_upstream(ModelPaths(model.root, model.encoder), settings_for(model, **changes)).encode(TEXTS)


CHANGES = [
    {},
    {"pooling": "cls"},
    {"normalize": False},
    {"prompt": "query: "},
    {"lowercase": False},
    {"max_length": 24},
    {"pooling": "max", "normalize": False},
    {"prompt": "query: ", "pooling": "lasttoken"},
]
_NAMES = {"lowercase": ("case", "kept")}


@pytest.mark.parametrize("changes", CHANGES, ids=lambda c: "+".join(c) or "none")
def test_the_smallest_set_of_changes_is_found(folder, changes) -> None:
    found = search_black_box(TEXTS, upstream_vectors(folder, **changes), str(folder), max_lengths=(24, 16))
    expected = dict(_NAMES.get(name, (name, value)) for name, value in changes.items())
    assert found.reproduced
    assert dict(found.best.changes) == expected
    assert all(name in found.sentence for name in expected)


def test_a_skipped_dense_layer_is_found(tmp_path: Path) -> None:
    encoder = Transformer(write_encoder(tmp_path / "encoder", "bert"))
    parts = [encoder, Pooling(32), Dense(32, 32), Normalize()]
    SentenceTransformer(modules=parts, device="cpu").save(tmp_path / "model")
    without = SentenceTransformer(modules=[encoder, Pooling(32), Normalize()], device="cpu")
    found = search_black_box(TEXTS, without.encode(TEXTS), str(tmp_path / "model"))
    assert found.reproduced and dict(found.best.changes) == {"modules": "skipped"}


def test_vectors_of_another_model_are_not_explained_away(folder) -> None:
    vectors = np.random.default_rng(0).normal(size=(len(TEXTS), 32))
    found = search_black_box(TEXTS, vectors, str(folder), max_lengths=())
    assert not found.reproduced and "No recipe" in found.sentence


def test_vectors_that_do_not_fit_are_refused(folder) -> None:
    with pytest.raises(ValueError, match="vectors-mismatch"):
        search_black_box(TEXTS, np.zeros((2, 32)), str(folder))
    with pytest.raises(ValueError, match="vectors-not-finite"):
        search_black_box(["a"], np.full((1, 32), np.nan), str(folder))


def test_each_format_gives_the_same_vectors(tmp_path: Path) -> None:
    rows = np.arange(6, dtype=np.float32).reshape(3, 2) / 4
    np.save(tmp_path / "v.npy", rows)
    (tmp_path / "v.csv").write_text("a,b\n" + "\n".join(f"{a},{b}" for a, b in rows), encoding="utf-8")
    (tmp_path / "v.json").write_text(json.dumps(rows.tolist()), encoding="utf-8")
    answer = {"data": [{"embedding": row} for row in rows.tolist()]}
    (tmp_path / "answer.json").write_text(json.dumps(answer), encoding="utf-8")
    lines = "\n".join(json.dumps({"embedding": row}) for row in rows.tolist())
    (tmp_path / "v.jsonl").write_text(lines, encoding="utf-8")
    pq.write_table(pa.table({"text": ["a", "b", "c"], "embedding": rows.tolist()}), tmp_path / "v.parquet")
    for name in ("v.npy", "v.csv", "v.json", "answer.json", "v.jsonl", "v.parquet"):
        assert np.array_equal(read_vectors(tmp_path / name), rows), name


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("v.txt", b"1,2", "vectors-format"),
        ("v.npy", b"\x93NUMPY broken", "vectors-broken"),
        ("v.csv", b"1,2\n3", "vectors-broken"),
        ("v.csv", b"1,nan\n3,4", "vectors-not-finite"),
        ("v.csv", b"", "vectors-shape"),
        ("v.json", b"{}", "vectors-broken"),
        ("v.json", b"[" * 5000, "vectors-broken"),
        ("v.parquet", b"PAR1", "vectors-broken"),
    ],
)
def test_a_broken_file_of_vectors_is_refused(tmp_path: Path, name: str, content: bytes, code: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataFileError) as caught:
        read_vectors(tmp_path / name)
    assert caught.value.code == code


def test_a_pickle_inside_npy_is_never_opened(tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(DataFileError):
        read_vectors(tmp_path / "v.npy")
