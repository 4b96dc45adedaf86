"""The recorders of the three contenders: agreement, settings told apart, nothing left behind."""

from __future__ import annotations

import time

import numpy as np
import pytest

from tests.corpus import sentences
from tests.models.tiny import write_upstream
from tests.trace.tiny_pipelines import TEXTS
from workbench.contenders.trace_contract import STAGES
from workbench.trace.diff import diff
from workbench.trace.pipelines import contender_pipeline, pair_pipeline, record, record_pair
from workbench.trace.probe import PROBE
from workbench.trace.prove import prove

CONTENDERS = ("own", "upstream", "manual")


@pytest.fixture(
    scope="module",
    params=[
        "bert",
        *(pytest.param(name, marks=pytest.mark.full) for name in ("xlm-roberta", "mpnet", "modernbert")),
    ],
)
def folder(request, tmp_path_factory):
    return str(write_upstream(tmp_path_factory.mktemp("trace"), request.param))


@pytest.fixture(scope="module")
def traces(folder):
    return {name: record(contender_pipeline(name, folder, threads=1), TEXTS) for name in CONTENDERS}


@pytest.mark.parametrize("other", CONTENDERS[1:])
def test_contenders_agree_at_every_stage(traces, other) -> None:
    found = diff(traces["own"], traces[other])
    assert found.verdict in ("identical", "float noise"), found.first
    assert {rung.stage for rung in found.rungs} == set(STAGES) - {"provenance", "precision"}
    assert any(rung.name == "layer 2" for rung in found.rungs)


@pytest.mark.parametrize("name", CONTENDERS)
def test_recording_changes_nothing(folder, name) -> None:
    pipeline = contender_pipeline(name, folder, threads=1)
    one = pipeline.record(TEXTS)
    hooks = [
        module for module in pipeline.encoder.modules() if module._forward_hooks or module._forward_pre_hooks
    ]
    assert not hooks and "forward" not in pipeline.encoder.__dict__
    assert np.array_equal(one.embeddings, pipeline.record(TEXTS).embeddings)


@pytest.mark.parametrize("name", CONTENDERS)
@pytest.mark.parametrize(
    ("changes", "causes"),
    [
        ({"pooling": "cls"}, ["pooling-cls"]),
        ({"max_length": 16, "normalize": False}, ["max_length-shorter", "normalize-missing"]),
        ({"prompt": "query: ", "use_mask": False}, ["prompt-extra", "pooling-over-padding"]),
        ({"precision": "bfloat16"}, ["precision"]),
    ],
    ids=["pooling", "length", "prompt", "precision"],
)
def test_other_settings_are_named_and_proved(folder, traces, name, changes, causes) -> None:
    proof = prove(traces["own"], contender_pipeline(name, folder, batch_size=3, threads=1, **changes))
    assert [fault.cause.key for fault in proof.faults] == causes
    assert proof.closed


def test_a_pair_with_a_users_pooling_is_recorded(traces, folder) -> None:
    from transformers import AutoModel, AutoTokenizer

    from workbench.models.folder import open_model

    encoder = open_model(folder).encoder
    tokenizer, model = AutoTokenizer.from_pretrained(encoder), AutoModel.from_pretrained(encoder).eval()

    def mean(hidden, mask):
        return (hidden * mask.unsqueeze(-1)).sum(1) / mask.sum(1, keepdim=True)

    assert diff(traces["own"], record_pair(tokenizer, model, mean, TEXTS, max_length=64)).cause is None
    trace = record_pair(tokenizer, model, lambda hidden, mask: hidden[:, 0], TEXTS, max_length=64)
    found = diff(traces["own"], trace)
    assert found.cause is not None and found.cause.key == "pooling-cls"


@pytest.mark.parametrize("name", ["onnxruntime", "openvino"])
def test_an_engine_without_stages_is_refused_before_it_is_opened(tmp_path, name) -> None:
    with pytest.raises(ValueError, match=r"hidden states only.*own, upstream, manual.*contender-not-traced"):
        contender_pipeline(name, tmp_path)


def test_int8_is_not_traced(folder) -> None:
    with pytest.raises(ValueError, match="trace-int8"):
        record(contender_pipeline("own", folder, precision="int8", threads=1), TEXTS)


def test_a_slow_tokenizer_is_refused() -> None:
    with pytest.raises(ValueError, match="tokenizer-not-fast"):
        pair_pipeline(object(), object(), lambda hidden, mask: hidden)


@pytest.mark.parametrize("name", CONTENDERS)
def test_no_texts_are_refused(folder, name) -> None:
    with pytest.raises(ValueError, match="texts-missing"):
        record(contender_pipeline(name, folder, threads=1), [])


def test_a_static_embedding_has_no_stages(tmp_path) -> None:
    from tests.models.tiny import word_piece
    from workbench.models.static_embedding import StaticEmbedding
    from workbench.sentence_transformer import SentenceTransformer

    first = StaticEmbedding(word_piece(), embedding_dim=8)
    SentenceTransformer(modules=[first], device="cpu").save(tmp_path / "static")
    for name in ("own", "upstream"):
        with pytest.raises(ValueError, match="trace-no-encoder"):
            record(contender_pipeline(name, str(tmp_path / "static")), ["a"])


@pytest.mark.full
def test_a_hundred_texts_of_the_bundled_model_are_recorded_and_compared_in_ten_seconds() -> None:
    texts = sentences(100)
    left, right = (
        contender_pipeline("own", "all-MiniLM-L6-v2"),
        contender_pipeline("manual", "all-MiniLM-L6-v2"),
    )
    left.record(texts[:2])
    began = time.process_time()
    found = diff(record(left, texts), record(right, texts, floors=False))
    # Of processor time on two cores: a shared machine must not fail it.
    assert time.process_time() - began < 20
    assert found.verdict in ("identical", "float noise")


def test_the_probe_set_has_what_pipelines_trip_over() -> None:
    assert len(PROBE) == len(set(PROBE))
    assert "" in PROBE and any(len(text.split()) > 256 for text in PROBE)
    for part in ("é", "e\u0301", "한", "中", "😀", "[SEP]", "   ", "query: ", "NASA", "\u200b"):
        assert any(part in text for text in PROBE), part
