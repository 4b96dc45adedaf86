"""The endpoints of tracing: JSON with verdict, proof and fix; refusals with their codes."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.trace.tiny_pipelines import TEXTS
from tests.ui import tiny_traces
from workbench.ui import trace_backend as backend
from workbench.ui.trace_api import lint_api, trace_api


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setattr(backend, "open_side", tiny_traces.open_side)


def test_two_pipelines_are_told_apart():
    answer = trace_api({"contender": "manual", "max_length": 128}, None, TEXTS, ["cls-pooling"])
    json.dumps(answer, allow_nan=False)
    assert [fault["stage"] for fault in answer["faults"]] == ["truncation", "pooling"]
    assert answer["closed"] and answer["faults"][0]["cause"]["fix"]
    agreed = trace_api({"contender": "manual"}, {"contender": "own"}, TEXTS)
    assert agreed["difference"]["verdict"] in ("identical", "float noise") and agreed["faults"] == []


@pytest.mark.parametrize(
    ("values", "code"),
    [
        (("own",), "pipeline-not-an-object"),
        (({"pool": "cls"},), "unknown-field"),
        (({"contender": "theirs"},), "unknown-choice"),
        (({}, {"model": "missing"}, TEXTS), "model-missing"),
        (({}, None, []), "texts-missing"),
        (({}, None, "text"), "texts-not-a-list"),
        (({}, None, ["x"] * 65), "too-many-texts"),
        (({}, None, TEXTS, ["nothing"]), "unknown-fault"),
    ],
)
def test_refusals_carry_their_code(values, code):
    assert trace_api(*values)["error"]["code"] == code


def test_the_bundled_folder_is_looked_over():
    answer = lint_api()
    assert answer["model"] == "all-MiniLM-L6-v2"
    assert {"length-contradiction", "padding-baked"} <= {one["code"] for one in answer["findings"]}
    assert answer["contract"]["max_length"] == 256
    json.dumps(answer, allow_nan=False)


@pytest.mark.parametrize("name", ["/etc", "../..", "./nowhere", "a b c", "x" * 301, 5])
def test_no_other_folder_is_read(monkeypatch, tmp_path, name):
    monkeypatch.setenv("WORKBENCH_MODELS_ROOT", str(tmp_path))
    assert lint_api(name)["error"]["code"] != "internal"


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_ANY, _ANY.filter(lambda value: value is not None), st.just(["x"]), _ANY)
def test_any_json_is_answered_or_refused_with_a_code(right, left, texts, faults):
    answer = trace_api(right, left, texts, faults)
    assert "error" not in answer or answer["error"]["code"] != "internal"
