"""Safetensors: our header reader against the library's, corrupt files, shards, tensors, the finite scan."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError, safe_open
from safetensors.torch import save, save_file

from tests.persistence.tiny_folder import write_model
from workbench.errors import ModelFolderError
from workbench.persistence.weights import (
    MAX_HEADER_BYTES,
    load_tensors,
    read_header,
    read_headers,
    refuse_non_finite,
    weight_files,
)

DTYPES = [
    torch.bool,
    torch.uint8,
    torch.int8,
    torch.int16,
    torch.int32,
    torch.int64,
    torch.float16,
    torch.bfloat16,
    torch.float32,
    torch.float64,
    torch.float8_e4m3fn,
    torch.float8_e5m2,
    torch.uint16,
    torch.uint32,
    torch.uint64,
]
GOOD = save({"a": torch.arange(6.0).reshape(2, 3), "b": torch.ones(4), "c": torch.zeros(0, 5)})


def with_header(header: Any, data: bytes = b"", *, length: int | None = None) -> bytes:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(raw) if length is None else length) + raw + data


def entry(begin: int, end: int, *, dtype: Any = "F32", shape: Any = None) -> dict[str, Any]:
    return {
        "dtype": dtype,
        "shape": [(end - begin) // 4] if shape is None else shape,
        "data_offsets": [begin, end],
    }


def library_header(path: Path) -> dict[str, tuple[str, tuple[int, ...]]] | None:
    """What the safetensors library makes of a file; None where it refuses it."""
    try:
        with safe_open(path, framework="np") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
            return {name: (part.get_dtype(), tuple(part.get_shape())) for name, part in slices.items()}
    except SafetensorError:
        return None


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    shapes=st.lists(
        st.tuples(st.sampled_from(DTYPES), st.lists(st.integers(0, 4), max_size=4)), min_size=1, max_size=6
    )
)
def test_header_equals_the_librarys(shapes: list[tuple[torch.dtype, list[int]]], tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(
        save({f"t{n}": torch.zeros(shape, dtype=dtype) for n, (dtype, shape) in enumerate(shapes)})
    )
    ours = {name: (info.dtype, info.shape) for name, info in read_header(path).items()}
    assert ours == library_header(path)


def test_bundled_weights_equal_the_librarys(bundled: Path) -> None:
    path = bundled / "model.safetensors"
    header = read_header(path)
    assert {name: (info.dtype, info.shape) for name, info in header.items()} == library_header(path)
    tensors = load_tensors(bundled)
    with safe_open(path, framework="pt") as file:
        assert set(tensors) == set(file.keys())
        for name, tensor in tensors.items():
            assert torch.equal(tensor, file.get_tensor(name))
    refuse_non_finite(tensors, "model.safetensors")


CORRUPT = {
    "empty": b"",
    "seven bytes": b"\x00" * 7,
    "no header": with_header(b""),
    "truncated data": GOOD[:-1],
    "one byte too many": GOOD + b"\0",
    "truncated header": GOOD[:40],
    "header of 2^63": with_header({}, length=1 << 63),
    "header of 2^64-1": with_header({}, length=(1 << 64) - 1),
    "header of 200 MB claimed": with_header({}, length=200_000_000),
    "header over the limit": with_header(b"{}" + b" " * MAX_HEADER_BYTES),
    "header beyond the file by one": with_header({}, length=3),
    "list": with_header([]),
    "leading space": with_header(b" {}"),
    "broken JSON": with_header(b'{"a":'),
    "100k brackets": with_header(b'{"a":' + b"[" * 100_000),
    "not UTF-8": with_header(b'{"\xff": 1}'),
    "duplicate name": with_header(
        b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},'
        b'"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
        b"\0",
    ),
    "overlap": with_header({"a": entry(0, 8), "b": entry(4, 12)}, b"\0" * 12),
    "same bytes twice": with_header({"a": entry(0, 8), "b": entry(0, 8)}, b"\0" * 8),
    "gap": with_header({"a": entry(0, 8), "b": entry(12, 16)}, b"\0" * 16),
    "gap at the start": with_header({"a": entry(4, 8)}, b"\0" * 8),
    "bytes behind the last": with_header({"a": entry(0, 8)}, b"\0" * 12),
    "negative offset": with_header({"a": entry(-4, 4)}, b"\0" * 8),
    "backwards": with_header({"a": entry(8, 0)}, b"\0" * 8),
    "negative shape": with_header({"a": entry(0, 8, shape=[-1, -2])}, b"\0" * 8),
    "float shape": with_header({"a": entry(0, 8, shape=[2.0])}, b"\0" * 8),
    "true as shape": with_header({"a": entry(0, 4, shape=[True])}, b"\0" * 4),
    "shape that is a text": with_header({"a": entry(0, 8, shape="2")}, b"\0" * 8),
    "shape too large": with_header({"a": entry(0, 8, shape=[1 << 62, 1 << 62])}, b"\0" * 8),
    "nine dimensions": with_header({"a": entry(0, 4, shape=[1] * 9)}, b"\0" * 4),
    "shape of other size": with_header({"a": entry(0, 8, shape=[3])}, b"\0" * 8),
    "unknown dtype": with_header({"a": entry(0, 8, dtype="F128")}, b"\0" * 8),
    "dtype null": with_header({"a": entry(0, 8, dtype=None)}, b"\0" * 8),
    "dtype list": with_header({"a": entry(0, 8, dtype=["F32"])}, b"\0" * 8),
    "entry null": with_header({"a": None}),
    "entry with more keys": with_header({"a": {**entry(0, 4), "x": 1}}, b"\0" * 4),
    "three offsets": with_header({"a": {**entry(0, 4), "data_offsets": [0, 4, 4]}}, b"\0" * 4),
    "metadata not texts": with_header({"__metadata__": {"a": 1}}),
    "metadata list": with_header({"__metadata__": []}),
    "a pickle": b"\x80\x04\x95" + b"\0" * 40,
    "a zip": b"PK\x03\x04" + b"\0" * 40,
}


@pytest.mark.parametrize("kind", CORRUPT)
def test_corrupt_files(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(CORRUPT[kind])
    for read in (read_header, load_tensors):
        with pytest.raises(ModelFolderError) as refusal:
            read(path)
        assert (refusal.value.code, refusal.value.where) == ("weights-corrupt", "model.safetensors")


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    edits=st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), max_size=4),
    cut=st.integers(0, len(GOOD)),
    whole=st.booleans(),
)
def test_mutated_files_are_refused_or_read_as_the_library_does(
    edits: list[tuple[int, int]], cut: int, whole: bool, tmp_path: Path
) -> None:
    data = bytearray(GOOD)
    for position, byte in edits:
        data[position] = byte
    path = tmp_path / "model.safetensors"
    path.write_bytes(bytes(data if whole else data[:cut]))
    try:
        ours = read_header(path)
    except ModelFolderError as error:
        assert error.code == "weights-corrupt"
        return
    # Stricter than the library or the same, never laxer.
    assert {name: (info.dtype, info.shape) for name, info in ours.items()} == library_header(path)
    assert set(load_tensors(path)) == set(ours)


def write_shards(folder: Path) -> dict[str, torch.Tensor]:
    tensors = {"a": torch.rand(3, 4), "b": torch.rand(5), "c": torch.rand(2)}
    first, second = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
    save_file({"a": tensors["a"], "c": tensors["c"]}, folder / first)
    save_file({"b": tensors["b"]}, folder / second)
    write_index(folder, {"a": first, "c": first, "b": second})
    return tensors


def write_index(folder: Path, weight_map: Any, **more: Any) -> None:
    index = {"metadata": {"total_size": 1}, "weight_map": weight_map, **more}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")


def test_shards(tmp_path: Path) -> None:
    tensors = write_shards(tmp_path)
    assert [path.name[:11] for path in weight_files(tmp_path)] == ["model-00001", "model-00002"]
    loaded = load_tensors(tmp_path)
    assert set(loaded) == set(tensors)
    assert all(torch.equal(loaded[name], tensors[name]) for name in tensors)
    assert {name: info.shape for name, info in read_headers(tmp_path).items()} == {
        "a": (3, 4),
        "b": (5,),
        "c": (2,),
    }


FIRST = "model-00001-of-00002.safetensors"


@pytest.mark.parametrize(
    ("weight_map", "more", "code"),
    [
        ({"a": "../model-00001-of-00002.safetensors"}, {}, "weights-index"),
        ({"a": "/etc/passwd"}, {}, "weights-index"),
        ({"a": "pytorch_model.bin"}, {}, "weights-index"),
        ({"a": 5}, {}, "weights-index"),
        ({}, {}, "weights-index"),
        ([], {}, "weights-index"),
        (None, {}, "weights-index"),
        ({"a": FIRST}, {"extra": 1}, "weights-index"),
        ({"a": "model-00009-of-00009.safetensors"}, {}, "weights-missing"),
        ({"a": FIRST}, {}, "weights-corrupt"),
        ({"a": FIRST, "c": FIRST, "b": FIRST}, {}, "weights-corrupt"),
    ],
)
def test_bad_indexes(weight_map: Any, more: dict[str, Any], code: str, tmp_path: Path) -> None:
    write_shards(tmp_path)
    write_index(tmp_path, weight_map, **more)
    with pytest.raises(ModelFolderError) as refusal:
        load_tensors(tmp_path)
    assert refusal.value.code == code


def test_no_weights(tmp_path: Path) -> None:
    with pytest.raises(ModelFolderError, match="weights-missing"):
        weight_files(tmp_path)
    with pytest.raises(ModelFolderError, match="weights-missing"):
        read_header(tmp_path / "model.safetensors")


def test_writing_to_a_tensor_leaves_the_file_alone(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "model", marker=1.0)
    before = (folder / "model.safetensors").read_bytes()
    load_tensors(folder)["embeddings"].fill_(7)
    assert (folder / "model.safetensors").read_bytes() == before
    assert float(load_tensors(folder)["embeddings"].max()) == 1.0


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize(
    "dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.float8_e5m2]
)
@pytest.mark.parametrize("place", [0, 4_194_304, 5_000_000 - 1])
def test_one_bad_number_is_found(value: float, dtype: torch.dtype, place: int) -> None:
    weight = torch.zeros(5_000_000).to(dtype)
    weight[place] = value
    with pytest.raises(ModelFolderError) as refusal:
        refuse_non_finite({"fine": torch.ones(3), "bad": weight.reshape(2, -1)}, "model.safetensors")
    assert refusal.value.code == "weights-not-finite"
    assert "1 of 2" in refusal.value.came and "bad" in refusal.value.came


def test_extreme_but_finite_numbers_pass() -> None:
    largest = {
        str(dtype): torch.full((4,), torch.finfo(dtype).max, dtype=dtype)
        for dtype in (torch.float16, torch.bfloat16, torch.float32, torch.float64)
    }
    refuse_non_finite(
        {**largest, "ids": torch.arange(3), "empty": torch.zeros(0), "one": torch.tensor(1.0)}, ""
    )
    with pytest.raises(ModelFolderError, match="weights-not-finite"):
        refuse_non_finite({"one": torch.tensor(np.nan)}, "")


@settings(max_examples=50)
@given(st.lists(st.floats(width=32), min_size=1, max_size=30))
def test_finite_scan_equals_numpys(values: list[float]) -> None:
    tensor = torch.tensor(values, dtype=torch.float32)
    try:
        refuse_non_finite({"a": tensor}, "")
        finite = True
    except ModelFolderError:
        finite = False
    assert finite == bool(np.isfinite(tensor.numpy()).all())
