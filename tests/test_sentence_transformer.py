"""The class users see, against upstream on the bundled model: values, order, arguments, folders."""

from __future__ import annotations

import logging
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sentence_transformers import SentenceTransformer as Upstream

from tests.corpus import sentences
from tests.models.tiny import AWKWARD, write_upstream
from workbench.errors import InvalidTypeError, InvalidValueError, UnknownNameError
from workbench.models.dense import Dense
from workbench.models.pooling import Pooling
from workbench.models.transformer import Transformer
from workbench.sentence_transformer import SentenceTransformer

LONG = "The committee met again and spoke about the harbour. " * 60


@pytest.fixture(scope="module")
def ours() -> SentenceTransformer:
    return SentenceTransformer("all-MiniLM-L6-v2", device="cpu")


@pytest.fixture(scope="module")
def theirs(bundled: Path) -> Upstream:
    return Upstream(str(bundled), device="cpu", local_files_only=True)


@pytest.fixture(scope="module")
def corpus(pytestconfig: pytest.Config) -> list[str]:
    """The long form takes 2,000 sentences, the short one a quarter of them."""
    return [*sentences(2000 if pytestconfig.getoption("--full") else 500), *AWKWARD, LONG]


@pytest.fixture(scope="module")
def expected(theirs: Upstream, corpus: list[str]) -> np.ndarray:
    return theirs.encode(corpus, batch_size=32)


def test_real_sentences_equal_upstreams(
    ours: SentenceTransformer, corpus: list[str], expected: np.ndarray
) -> None:
    assert sum(len(text) > 1200 for text in corpus) > 3, "the corpus has no long texts"
    assert np.abs(ours.encode(corpus, batch_size=32) - expected).max() <= 1e-6


@pytest.mark.full
@pytest.mark.parametrize("batch_size", [None, 1, 7, 64, 5000])
def test_any_batch_size_and_order_equal_upstreams(
    ours: SentenceTransformer, corpus: list[str], expected: np.ndarray, batch_size: int | None
) -> None:
    order = list(range(len(corpus)))
    random.Random(batch_size or 0).shuffle(order)
    # One batch of all texts pads every one to 256 tokens: a part of the corpus shows the same.
    order = order[:400] if batch_size == 5000 else order
    got = ours.encode([corpus[index] for index in order], batch_size=batch_size)
    assert np.abs(got - expected[order]).max() <= 1e-6


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.sampled_from([*AWKWARD, LONG]), min_size=1, max_size=12), st.integers(1, 8))
def test_any_mix_of_awkward_texts_equals_upstream(
    ours: SentenceTransformer, theirs: Upstream, texts: list[str], batch_size: int
) -> None:
    assert np.abs(ours.encode(texts, batch_size=batch_size) - theirs.encode(texts)).max() <= 1e-6


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.text(alphabet=st.characters(categories=None), max_size=80), max_size=6))
def test_any_unicode_gives_finite_unit_rows(ours: SentenceTransformer, texts: list[str]) -> None:
    rows = ours.encode(texts)
    assert rows.shape == (len(texts), 384) and rows.dtype == np.float32
    assert np.isfinite(rows).all()
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)


def test_shapes(ours: SentenceTransformer) -> None:
    assert ours.encode("one text").shape == (384,)
    empty = ours.encode([])
    assert empty.shape == (0, 384) and empty.dtype == np.float32
    assert ours.encode([], truncate_dim=64, precision="binary").shape == (0, 64)
    assert ours.get_sentence_embedding_dimension() == 384


@pytest.mark.parametrize("precision", ["float32", "int8", "uint8", "binary", "ubinary"])
@pytest.mark.parametrize("truncate_dim", [None, 64])
@pytest.mark.parametrize("normalize", [False, True])
def test_precision_truncation_and_normalisation_equal_upstreams(
    ours: SentenceTransformer, theirs: Upstream, precision: str, truncate_dim: int | None, normalize: bool
) -> None:
    texts = sentences(12)
    arguments = {"precision": precision, "truncate_dim": truncate_dim, "normalize_embeddings": normalize}
    got, want = ours.encode(texts, **arguments), theirs.encode(texts, **arguments)
    assert (got.dtype, got.shape) == (want.dtype, want.shape)
    if precision == "float32":
        assert np.abs(got - want).max() <= 1e-6
    else:
        # A value on the edge of a bucket may fall to either side of it by float noise.
        assert (np.unpackbits(got.view(np.uint8)) != np.unpackbits(want.view(np.uint8))).mean() < 1e-3


def test_output_values_equal_upstreams(ours: SentenceTransformer, theirs: Upstream) -> None:
    texts = ["short", "a somewhat longer sentence about harbours", LONG]
    for got, want in zip(
        ours.encode(texts, output_value="token_embeddings"),
        theirs.encode(texts, output_value="token_embeddings"),
        strict=True,
    ):
        assert got.shape == want.shape and torch.allclose(got, want, atol=1e-5)
    features = ours.encode("short", output_value=None)
    assert torch.allclose(
        features["sentence_embedding"], theirs.encode("short", convert_to_tensor=True), atol=1e-6
    )


def test_kinds_of_container(ours: SentenceTransformer) -> None:
    rows = ours.encode(["a", "b"])
    tensor = ours.encode(["a", "b"], convert_to_tensor=True)
    parts = ours.encode(["a", "b"], convert_to_numpy=False)
    assert isinstance(tensor, torch.Tensor) and isinstance(parts, list)
    assert np.array_equal(rows, tensor.numpy()) and np.array_equal(rows, torch.stack(parts).numpy())


def test_prompts_equal_upstreams(bundled: Path) -> None:
    prompts = {"query": "query: ", "passage": "passage: "}
    ours = SentenceTransformer("all-MiniLM-L6-v2", device="cpu", prompts=prompts)
    theirs = Upstream(str(bundled), device="cpu", prompts={**prompts, "document": "passage: "})
    texts = ["harbour fees", LONG]
    for got, want in (
        (ours.encode(texts, prompt="x: "), theirs.encode(texts, prompt="x: ")),
        (ours.encode(texts, prompt_name="query"), theirs.encode(texts, prompt_name="query")),
        (ours.encode_query(texts), theirs.encode_query(texts)),
        (ours.encode_document(texts), theirs.encode_document(texts)),
    ):
        assert np.abs(got - want).max() <= 1e-6
    assert not np.allclose(ours.encode(texts), ours.encode_query(texts), atol=1e-3)
    with pytest.raises(UnknownNameError, match="'query', 'passage'"):
        ours.encode(texts, prompt_name="bogus")


def test_include_prompt_false_equals_upstream(tmp_path: Path) -> None:
    folder = write_upstream(tmp_path, "bert")
    ours, theirs = SentenceTransformer(folder, device="cpu"), Upstream(str(folder), device="cpu")
    ours[1] = Pooling(32, pooling_mode="mean", include_prompt=False)
    theirs[1].include_prompt = False
    texts = ["the fox", "the lazy dog jumps over the quick brown fox"]
    got, want = ours.encode(texts, prompt="the quick "), theirs.encode(texts, prompt="the quick ")
    assert np.abs(got - want).max() <= 1e-6
    assert not np.allclose(got, ours.encode(texts), atol=1e-3)


def test_several_processes_equal_one(ours: SentenceTransformer) -> None:
    texts = [*sentences(60), *AWKWARD, LONG]
    got = ours.encode(texts, device=["cpu", "cpu"], normalize_embeddings=True, chunk_size=16)
    assert np.abs(got - ours.encode(texts, normalize_embeddings=True)).max() <= 1e-6
    assert ours.encode_report is not None and len(texts) - 1 in ours.encode_report.truncated
    assert ours.encode([], device=["cpu", "cpu"]).shape == (0, 384)


def test_truncation_is_counted_and_said(ours: SentenceTransformer, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="workbench"):
        ours.encode(["short", LONG, "", LONG, "a\ud800"])
    report = ours.encode_report
    assert report is not None
    assert report.truncated == (1, 3)
    assert (report.texts, report.unique, report.empty, report.replaced_surrogates) == (5, 4, 1, 1)
    assert "2 of 5 texts are longer than 256 tokens" in caplog.text


@pytest.mark.parametrize("size", [100_000, pytest.param(1_000_000, marks=pytest.mark.full)])
@pytest.mark.parametrize("unit", ["x", "word ", "한국", "é,"])
def test_huge_texts_equal_upstream(ours: SentenceTransformer, theirs: Upstream, unit: str, size: int) -> None:
    text = unit * (size // len(unit))
    assert np.abs(ours.encode([text]) - theirs.encode([text])).max() <= 1e-6


@pytest.mark.parametrize("value", [0, -1, 385, 1.5, "4", True])
def test_truncate_dim_out_of_range(ours: SentenceTransformer, value: object) -> None:
    with pytest.raises(InvalidValueError) as caught:
        ours.encode(["a"], truncate_dim=value)
    assert caught.value.code == "truncate-dim-out-of-range"


@pytest.mark.parametrize("value", [0, -1, 1.5, "4", True])
def test_batch_size_out_of_range(ours: SentenceTransformer, value: object) -> None:
    with pytest.raises(InvalidValueError) as caught:
        ours.encode(["a"], batch_size=value)
    assert caught.value.code == "batch-size-out-of-range"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"precision": "int4"}, "precision-unknown"),
        ({"output_value": "pooled"}, "output-value-unknown"),
        ({"device": []}, "devices-empty"),
        ({"device": ["cpu"], "output_value": None}, "devices-need-sentence-embeddings"),
    ],
)
def test_unknown_arguments(ours: SentenceTransformer, arguments: dict[str, object], code: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        ours.encode(["a"], **arguments)
    assert caught.value.code == code


@pytest.mark.parametrize("bad", [[None], [["a", "b"]], [1], [b"x"], {"a"}])
def test_no_pair_or_missing_value_is_encoded(ours: SentenceTransformer, bad: object) -> None:
    with pytest.raises(InvalidTypeError):
        ours.encode(bad)


@pytest.mark.parametrize("value", [0, 2, -5, 513, "x", 1e9, True])
def test_max_seq_length_out_of_range(value: object) -> None:
    model = SentenceTransformer("all-MiniLM-L6-v2", device="cpu")
    with pytest.raises(InvalidValueError) as caught:
        model.max_seq_length = value
    assert caught.value.code == "max-length-out-of-range"


def test_max_seq_length_equals_upstreams(theirs: Upstream, bundled: Path) -> None:
    model = SentenceTransformer("all-MiniLM-L6-v2", device="cpu")
    assert model.max_seq_length == theirs.max_seq_length == 256
    other = Upstream(str(bundled), device="cpu")
    model.max_seq_length = other.max_seq_length = 512
    assert np.abs(model.encode([LONG]) - other.encode([LONG])).max() <= 1e-6


def test_do_lower_case_equals_upstreams(tmp_path: Path, bundled: Path) -> None:
    from sentence_transformers.sentence_transformer import modules as upstream

    text = ["The QUICK Brown Fox", "ÀÉÎ"]
    ours = Transformer(bundled, do_lower_case=True)
    theirs = upstream.Transformer(str(bundled), do_lower_case=True)
    assert torch.equal(ours.tokenize(text)["input_ids"], theirs.preprocess(text)["input_ids"])


def test_similarity(ours: SentenceTransformer, theirs: Upstream) -> None:
    rows = ours.encode(sentences(5))
    assert torch.allclose(ours.similarity(rows, rows), theirs.similarity(rows, rows), atol=1e-6)
    assert torch.allclose(
        ours.similarity_pairwise(rows, rows[::-1].copy()), theirs.similarity_pairwise(rows, rows[::-1].copy())
    )


def test_saved_model_loads_in_upstream_and_back(
    ours: SentenceTransformer, theirs: Upstream, tmp_path: Path
) -> None:
    texts = [*sentences(20), *AWKWARD, LONG]
    ours.save(tmp_path / "ours")
    again, there = (
        SentenceTransformer(tmp_path / "ours", device="cpu"),
        Upstream(str(tmp_path / "ours"), device="cpu"),
    )
    assert np.array_equal(again.encode(texts), ours.encode(texts))
    assert np.abs(there.encode(texts) - again.encode(texts)).max() <= 1e-6
    mine, upstreams = ours.state_dict(), there.state_dict()
    assert all(
        torch.equal(value, upstreams[name.replace("0.auto_model", "0.model")]) for name, value in mine.items()
    )
    theirs.save(str(tmp_path / "theirs"))
    back = SentenceTransformer(tmp_path / "theirs", device="cpu")
    assert np.array_equal(
        Upstream(str(tmp_path / "theirs"), device="cpu").encode(texts), theirs.encode(texts)
    )
    assert np.abs(back.encode(texts) - theirs.encode(texts)).max() <= 1e-6
    assert (back.max_seq_length, there.max_seq_length) == (256, 256)


def test_saved_settings_come_back(tmp_path: Path) -> None:
    model = SentenceTransformer(
        "all-MiniLM-L6-v2",
        device="cpu",
        prompts={"query": "query: "},
        default_prompt_name="query",
        similarity_fn_name="dot",
        truncate_dim=128,
    )
    model.save(tmp_path / "m")
    again, there = (
        SentenceTransformer(tmp_path / "m", device="cpu"),
        Upstream(str(tmp_path / "m"), device="cpu"),
    )
    for loaded in (again, there):
        assert loaded.prompts["query"] == "query: "
        assert (loaded.default_prompt_name, loaded.truncate_dim) == ("query", 128)
    assert again.similarity_fn_name.value == there.similarity_fn_name == "dot"
    assert np.abs(again.encode(["a"]) - there.encode(["a"])).max() <= 1e-6


def test_dense_model_round_trip(tmp_path: Path) -> None:
    base = SentenceTransformer(write_upstream(tmp_path, "bert", normalize=False), device="cpu")
    torch.manual_seed(1)
    model = SentenceTransformer(modules=[*base, Dense(32, 16)], device="cpu")
    model.save(tmp_path / "dense")
    again, there = (
        SentenceTransformer(tmp_path / "dense", device="cpu"),
        Upstream(str(tmp_path / "dense"), device="cpu"),
    )
    assert model.encode(AWKWARD).shape == (len(AWKWARD), 16)
    assert np.array_equal(again.encode(AWKWARD), model.encode(AWKWARD))
    assert np.abs(there.encode(AWKWARD) - model.encode(AWKWARD)).max() <= 1e-6


def test_a_module_of_ones_own_cannot_be_saved(tmp_path: Path) -> None:
    base = SentenceTransformer("all-MiniLM-L6-v2", device="cpu")
    model = SentenceTransformer(modules=[*base, torch.nn.Identity()], device="cpu")
    with pytest.raises(InvalidTypeError) as caught:
        model.save(tmp_path / "m")
    assert caught.value.code == "module-not-savable"
    assert not (tmp_path / "m").exists()


def test_either_name_or_modules() -> None:
    with pytest.raises(InvalidValueError):
        SentenceTransformer()
    with pytest.raises(InvalidValueError):
        SentenceTransformer("all-MiniLM-L6-v2", modules=[])
