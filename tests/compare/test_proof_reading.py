"""A proof read back from its JSON is the proof that was written."""

from __future__ import annotations

import json

import numpy as np
import pytest

from workbench.compare.held_out import scored_pairs
from workbench.compare.judged_models import JudgedModel
from workbench.compare.leaks import find_leaks
from workbench.compare.proof import prove
from workbench.compare.proof_html import proof_html, sections
from workbench.compare.proof_reading import proof_from_dict
from workbench.compare.proof_report import proof_dict, proof_json
from workbench.compare.proof_results import ProofSettings
from workbench.errors import DataFileError


def _model(name, noise, seed=None):
    def encode(texts):
        rng = np.random.default_rng(7)
        base = np.stack([np.random.default_rng(len(text)).normal(size=8) for text in texts])
        return base + noise * rng.normal(size=base.shape)

    return JudgedModel(name, encode, seed=seed, identity={"run": name})


@pytest.fixture(scope="module")
def proof():
    left = ["a" * (i + 1) for i in range(40)]
    right = ["b" * (i % 7 + 1) for i in range(40)]
    data = scored_pairs(left, right, [float(i % 5) for i in range(40)])
    return prove(
        data,
        _model("base", 2.0),
        [_model("tuned", 0.0, 1), _model("tuned", 0.1, 2)],
        others=[_model("other", 1.0)],
        leak=find_leaks(data, [("x", "y")]),
        settings=ProofSettings(resamples=200),
    )


def test_a_proof_comes_back_as_it_was(proof):
    back = proof_from_dict(json.loads(proof_json(proof)))
    assert proof_dict(back) == proof_dict(proof)
    assert back.verdict.outcome == proof.verdict.outcome
    assert proof_html(back) == proof_html(proof)
    assert [one.name for one in sections(back)][:3] == ["baselines", "differences", "scores"]


def test_a_proof_without_values_comes_back_with_its_reasons(proof):
    data = scored_pairs(["a", "b", "c"], ["d", "e", "f"], [1.0, 1.0, 1.0])
    written = prove(
        data,
        _model("base", 1.0),
        [_model("tuned", 0.0, 1)],
        general={},
        settings=ProofSettings(resamples=200),
    )
    back = proof_from_dict(json.loads(proof_json(written)))
    assert proof_dict(back) == proof_dict(written)
    assert proof_html(back) == proof_html(written)


@pytest.mark.parametrize("broken", [{}, {"format": "other"}, {"format": "workbench-proof", "version": 1}])
def test_what_is_no_proof_is_refused(broken):
    with pytest.raises(DataFileError) as found:
        proof_from_dict(broken)
    assert found.value.code == "proof-format"


def test_a_part_of_the_wrong_kind_is_refused(proof):
    data = json.loads(proof_json(proof))
    data["scores"] = 3
    with pytest.raises(DataFileError):
        proof_from_dict(data)
