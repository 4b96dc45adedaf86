"""The manual contender against the upstream library, setting by setting."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling as UpstreamPooling

from tests.models.tiny import AWKWARD, write_upstream
from workbench.contenders.contract import ModelPaths, Settings
from workbench.contenders.manual.encode import ManualContender, open_manual
from workbench.contenders.manual.pooling import POOLERS, pool
from workbench.contenders.upstream.encode import open_upstream
from workbench.errors import InvalidValueError, ModelFolderError, UnknownNameError

FOLDER = Settings()
CASED_TOKENS = ("[CLS]", "[UNK]", "launched", "the", "[UNK]", "on", "[UNK]", "!", "[SEP]")
MIXED = [
    "A man is playing the guitar.",
    "short",
    "",
    "Marie Launched the É Rocket on Mars!",
    "The weather is lovely today, so we went for a walk in the park. " * 30,
    "오늘 날씨가 좋다",
]


@pytest.fixture(scope="module")
def paths(bundled: Path) -> ModelPaths:
    return ModelPaths(bundled, bundled)


@pytest.fixture(scope="module")
def opened(paths: ModelPaths) -> ManualContender:
    return open_manual(paths, FOLDER)


@pytest.fixture(scope="module")
def reference(bundled: Path) -> np.ndarray:
    return np.asarray(SentenceTransformer(str(bundled), device="cpu").encode(MIXED, show_progress_bar=False))


def test_at_256_tokens_it_is_sentence_transformers(opened: ManualContender, reference: np.ndarray) -> None:
    np.testing.assert_allclose(opened.encode(MIXED), reference, atol=1e-6)


@pytest.mark.parametrize(
    "change",
    [
        {"max_length": 512},
        {"pooling": "cls"},
        {"use_mask": False},
        {"normalize": False},
        {"lowercase": False},
        {"prompt": "query: "},
    ],
)
def test_every_setting_shows(paths: ModelPaths, reference: np.ndarray, change: dict[str, Any]) -> None:
    rows = open_manual(paths, replace(FOLDER, **change)).encode(MIXED)
    assert np.abs(rows - reference).max() > 1e-2


@pytest.mark.parametrize("model_type", ["roberta", "mpnet", "modernbert", "qwen3"])
@pytest.mark.parametrize("pooling", ["mean", "cls", "weightedmean+lasttoken+max+mean_sqrt_len_tokens"])
def test_it_equals_upstream_on_other_encoders_and_poolings(
    tmp_path: Path, model_type: str, pooling: str
) -> None:
    folder = write_upstream(tmp_path, model_type)
    both = ModelPaths(folder, folder)
    stated = replace(FOLDER, max_length=48, pooling=pooling, batch_size=5)
    manual, upstream = open_manual(both, stated), open_upstream(both, stated)
    np.testing.assert_allclose(manual.encode(AWKWARD), upstream.encode(AWKWARD), atol=2e-6)
    assert manual.token_counts(AWKWARD) == upstream.token_counts(AWKWARD)
    for text in AWKWARD:
        assert manual.token_view(text) == upstream.token_view(text)


@given(data=st.data())
@settings(max_examples=60)
def test_pooling_equals_upstreams_module(data: st.DataObject) -> None:
    texts, tokens, dim = (data.draw(st.integers(1, high)) for high in (4, 6, 5))
    seed = data.draw(st.integers(0, 2**16))
    modes = data.draw(st.lists(st.sampled_from(list(POOLERS)), min_size=1, max_size=3, unique=True))
    lengths = data.draw(st.lists(st.integers(1, tokens), min_size=texts, max_size=texts))
    left = data.draw(st.booleans())
    hidden = torch.randn(texts, tokens, dim, generator=torch.Generator().manual_seed(seed))
    mask = torch.tensor([[1] * length + [0] * (tokens - length) for length in lengths])
    mask = mask.flip(1) if left else mask
    upstream = UpstreamPooling(dim, tuple(modes))
    expected = upstream({"token_embeddings": hidden, "attention_mask": mask})["sentence_embedding"]
    torch.testing.assert_close(pool(hidden, mask, tuple(modes)), expected, atol=1e-5, rtol=1e-5)


@given(st.lists(st.text(max_size=40), max_size=9), st.integers(1, 4))
@settings(max_examples=15)
def test_rows_come_back_in_the_order_given(tiny: ManualContender, texts: list[str], batch_size: int) -> None:
    stated = replace(tiny.settings, batch_size=batch_size)
    contender = ManualContender(tiny.tokenizer, tiny.model, ("mean",), stated)
    rows = contender.encode(texts)
    assert rows.shape == (len(texts), 32)
    for text, row in zip(texts, rows, strict=True):
        np.testing.assert_allclose(row, tiny.encode([text])[0], atol=3e-6)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> ManualContender:
    folder = write_upstream(tmp_path_factory.mktemp("tiny"), "bert")
    return open_manual(ModelPaths(folder, folder), replace(FOLDER, max_length=64))


def test_lowercase_false_makes_unknown_tokens_of_capitals(paths: ModelPaths) -> None:
    cased = open_manual(paths, replace(FOLDER, lowercase=False))
    view = cased.token_view("NASA launched the Webb on Tuesday!")
    assert view.tokens == CASED_TOKENS


def test_lowercase_is_refused_where_the_tokenizer_does_not_obey(tmp_path: Path) -> None:
    folder = write_upstream(tmp_path, "xlm-roberta")
    with pytest.raises(InvalidValueError, match="lowercase-not-settable"):
        open_manual(ModelPaths(folder, folder), replace(FOLDER, max_length=64, lowercase=True))


def test_an_encoder_in_a_sub_folder_is_found(tmp_path: Path) -> None:
    folder = write_upstream(tmp_path, "bert")
    contender = open_manual(ModelPaths(folder, tmp_path / "encoder"), replace(FOLDER, max_length=64))
    expected = SentenceTransformer(str(folder), device="cpu").encode(MIXED, show_progress_bar=False)
    np.testing.assert_allclose(contender.encode(MIXED), expected, atol=1e-6)


def test_a_folder_without_encoder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFolderError) as caught:
        open_manual(ModelPaths(tmp_path, tmp_path), FOLDER)
    assert caught.value.code == "no-encoder"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"max_length": 1}, "max-length"),
        ({"max_length": 513}, "max-length"),
        ({"pooling": "average"}, "unknown-pooling"),
        ({"precision": "int8"}, "unknown-precision"),
    ],
)
def test_a_setting_it_cannot_honour_is_refused(paths: ModelPaths, change: dict[str, Any], code: str) -> None:
    with pytest.raises((InvalidValueError, UnknownNameError)) as caught:
        open_manual(paths, replace(FOLDER, **change))
    assert caught.value.code == code
    assert caught.value.expected


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_a_missing_gpu_is_told(paths: ModelPaths) -> None:
    with pytest.raises(InvalidValueError, match="device-missing"):
        open_manual(paths, replace(FOLDER, device="cuda:1"))


def test_threads_are_put_back(paths: ModelPaths) -> None:
    before = torch.get_num_threads()
    seen: list[int] = []
    contender = open_manual(paths, replace(FOLDER, threads=before + 1))
    contender.model.register_forward_pre_hook(lambda *_: seen.append(torch.get_num_threads()))
    contender.encode(["a text"])
    assert seen == [before + 1]
    assert torch.get_num_threads() == before
