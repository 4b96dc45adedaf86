"""The endpoint for machines: the comparison as JSON, errors with their codes, never another exception."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.ui import api
from workbench.ui.api import compare_api

_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


def test_three_columns_by_default(made_up_backend):
    answer = compare_api(["one", "two"])
    assert [column["label"] for column in answer["columns"]] == ["own", "upstream", "manual"]
    assert [row["verdict"] for row in answer["agreements"]] == ["identical"] * 3
    assert answer["speeds"] == []
    assert "embeddings" not in answer["columns"][0]
    json.dumps(answer, allow_nan=False)


def test_columns_speed_and_embeddings_on_demand(made_up_backend):
    wanted = [{"contender": "own"}, {"contender": "manual", "pooling": "cls", "max_length": 64}]
    answer = compare_api(["one", "two"], wanted, True, True)
    assert answer["columns"][1]["settings"]["max_length"] == 64
    assert answer["agreements"][0]["verdict"] == "different"
    assert len(answer["speeds"]) == 2
    assert len(answer["columns"][0]["embeddings"]) == 2


@pytest.mark.parametrize(
    ("texts", "columns", "code"),
    [
        ([None], None, "text-not-a-string"),
        ("one text", None, "texts-not-a-list"),
        (["x"] * 1001, None, "too-many-texts"),
        (["x"], [], "column-count"),
        (["x"], [{}] * 7, "column-count"),
        (["x"], "own", "columns-not-a-list"),
        (["x"], [{"contender": "theirs"}], "unknown-choice"),
        (["x"], [{"pool": "mean"}], "unknown-field"),
        (["x"], [{"model": "missing"}], "model-folder-missing"),
    ],
)
def test_refusals_carry_their_code(made_up_backend, texts, columns, code):
    assert compare_api(texts, columns)["error"]["code"] == code


def test_a_fault_of_ours_tells_no_detail(made_up_backend, monkeypatch):
    monkeypatch.setattr(api.backend, "compare", lambda *_, **__: 1 / 0)
    error = compare_api(["x"])["error"]
    assert error["code"] == "internal"
    assert "division" not in error["message"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(_ANY, _ANY)
def test_anything_at_all_is_answered(made_up_backend, texts, columns):
    answer = compare_api(texts, columns)
    json.dumps(answer, allow_nan=False)
    assert ("error" in answer) != ("columns" in answer)
