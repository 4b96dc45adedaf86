"""The JSON reader: a right value or a coded refusal, and no key that steers a loader."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from workbench.errors import ModelFolderError, WorkbenchError
from workbench.persistence.json_reader import MAX_DEPTH, REFUSED_KEYS, parse_json, read_json, scan_keys

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
REAL = b'{"model_type": "bert", "sizes": [1, 2.5e3, null], "nested": {"a": {"b": ["\\u00e9\\ud83d\\ude00"]}}}'


def refusal_of(data: bytes) -> str:
    with pytest.raises(ModelFolderError) as refusal:
        parse_json(data, "config.json")
    assert refusal.value.where == "config.json"
    return refusal.value.code


@given(VALUES)
def test_reads_what_the_standard_library_writes(value: Any) -> None:
    data = json.dumps(value).encode()
    assert parse_json(data, "x") == json.loads(data)
    assert parse_json(b"\xef\xbb\xbf" + data, "x") == value


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "json-broken"),
        (b"{", "json-broken"),
        (b"{} {}", "json-broken"),
        (b"{'a': 1}", "json-broken"),
        (b'{"a": 1,}', "json-broken"),
        (b'{"a": "\x00"}', "json-broken"),
        (b'["' + b"\\" * 4001, "json-broken"),
        (b"1" * 100_000, "json-broken"),
        (b"[" * 100_000, "json-too-deep"),
        (b'{"a":' * 100_000, "json-too-deep"),
        (b"[" * 33 + b"]" * 33, "json-too-deep"),
        (b'{"a": 1, "a": 1}', "json-duplicate-key"),
        (b'[{"b": {"a": 1, "\\u0061": 2}}]', "json-duplicate-key"),
        (b"[NaN]", "json-not-finite"),
        (b"[-Infinity]", "json-not-finite"),
        (b"[1e999]", "json-not-finite"),
        (b'["\xff"]', "json-not-utf8"),
        ("[1]".encode("utf-16"), "json-not-utf8"),
        (b'["\\ud800"]', "json-surrogate"),
        (b'{"a\\udfff": 1}', "json-surrogate"),
        (b'["\xed\xa0\x80"]', "json-not-utf8"),
    ],
)
def test_refused(data: bytes, code: str) -> None:
    assert refusal_of(data) == code


def test_depth_limit_is_exact() -> None:
    for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
        parse_json(opening * MAX_DEPTH + b"1" + closing * MAX_DEPTH, "x")
        assert refusal_of(opening * (MAX_DEPTH + 1) + b"1" + closing * (MAX_DEPTH + 1)) == "json-too-deep"


def test_many_open_strings_take_no_time() -> None:
    # A backtracking scanner would need minutes for this.
    assert refusal_of(b'"\\"' * 500_000) == "json-broken"


@settings(max_examples=400)
@given(
    edits=st.lists(
        st.tuples(st.integers(0, len(REAL) - 1), st.sampled_from(b'{}[]",:\\u0eN-\x00\xff\xd8')),
        min_size=1,
        max_size=4,
    ),
    cut=st.integers(0, len(REAL)),
)
@example(edits=[(0, 0)], cut=0)
def test_mutations_are_read_as_the_standard_library_does_or_refused(
    edits: list[tuple[int, int]], cut: int
) -> None:
    data = bytearray(REAL)
    for position, byte in edits:
        data[position] = byte
    mutated = bytes(data[: cut or None])
    try:
        value = parse_json(mutated, "x")
    except WorkbenchError:
        return
    assert value == json.loads(mutated)


def test_size_limits(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(b'"' + b"a" * (1 << 20) + b'"')
    with pytest.raises(ModelFolderError, match="json-too-big"):
        read_json(path)
    assert len(read_json(path, limit_bytes=2 << 20)) == 1 << 20
    tokenizer = path.rename(tmp_path / "tokenizer.json")
    assert len(read_json(tokenizer)) == 1 << 20


def test_missing_and_unreadable(tmp_path: Path) -> None:
    with pytest.raises(ModelFolderError, match="json-missing"):
        read_json(tmp_path / "config.json")
    with pytest.raises(ModelFolderError, match="json-unreadable"):
        read_json(tmp_path)
    with pytest.raises(ModelFolderError, match="json-unreadable"):
        read_json(tmp_path / "a\0b")


@pytest.mark.parametrize(
    "key", [*sorted(REFUSED_KEYS), "custom_pipelines", "_attn_implementation_internal", "custom_"]
)
@pytest.mark.parametrize(
    "nest", [lambda v: v, lambda v: [{"model_args": v}], lambda v: {"prompts": {"a": v}}]
)
@pytest.mark.parametrize("value", [True, False, "x", {}, 0])
def test_refused_keys_at_any_depth(key: str, nest: Any, value: Any) -> None:
    with pytest.raises(ModelFolderError) as refusal:
        scan_keys(nest({key: value}), "config.json")
    assert refusal.value.code == ("model-custom-code" if key == "auto_map" else "config-key-refused")


@pytest.mark.parametrize(
    "value",
    [
        {"auto_map": None, "quantization_config": None},
        {"_attn_implementation_autoset": True},
        {
            "prompts": {"custom_query": "query: "},
            "label2id": {"custom_fee": 0},
            "id2label": {"0": "auto_map"},
        },
        {"note": "trust_remote_code"},
        [],
        None,
        5,
    ],
)
def test_keys_let_pass(value: Any) -> None:
    scan_keys(value, "config.json")


def test_flag_is_let_pass_only_as_a_flag() -> None:
    with pytest.raises(ModelFolderError, match="config-key-refused"):
        scan_keys({"_attn_implementation_autoset": "someone/kernel"}, "config.json")


def test_bundled_files_pass(bundled: Path) -> None:
    for path in bundled.rglob("*.json"):
        value = read_json(path)
        assert value == json.loads(path.read_text(encoding="utf-8"))
        if path.name != "tokenizer.json":
            scan_keys(value, path.name)
