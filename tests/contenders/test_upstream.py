"""The upstream contender against plain sentence-transformers and plain Transformers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling
from transformers import AutoModel, AutoTokenizer

from tests.models.tiny import AWKWARD, write_upstream
from workbench.contenders.contract import ModelPaths, Settings
from workbench.contenders.upstream.encode import UpstreamContender, open_upstream
from workbench.errors import InvalidValueError, UnknownNameError

FOLDER = Settings()
CASED_TOKENS = ("[CLS]", "[UNK]", "launched", "the", "[UNK]", "on", "[UNK]", "!", "[SEP]")
MIXED = [
    "A man is playing the guitar.",
    "short",
    "",
    "Marie Launched the É Rocket on Mars!",
    "The weather is lovely today, so we went for a walk in the park. " * 30,
    "[SEP] in a text",
    "오늘 날씨가 좋다",
]


@pytest.fixture(scope="module")
def paths(bundled: Path) -> ModelPaths:
    return ModelPaths(bundled, bundled)


@pytest.fixture(scope="module")
def plain(bundled: Path) -> SentenceTransformer:
    return SentenceTransformer(str(bundled), device="cpu")


@pytest.fixture(scope="module")
def opened(paths: ModelPaths) -> UpstreamContender:
    return open_upstream(paths, FOLDER)


def plain_encode(model: SentenceTransformer, texts: list[str], **options: Any) -> np.ndarray:
    torch.set_num_threads(1)
    return np.asarray(model.encode(texts, show_progress_bar=False, **options))


def test_with_the_folders_settings_it_is_plain_sentence_transformers(
    opened: UpstreamContender, plain: SentenceTransformer
) -> None:
    assert np.array_equal(opened.encode(MIXED), plain_encode(plain, MIXED))


@pytest.mark.parametrize("model_type", ["roberta", "mpnet", "qwen3"])
def test_so_it_is_for_other_architectures(tmp_path: Path, model_type: str) -> None:
    folder = write_upstream(tmp_path, model_type)
    contender = open_upstream(ModelPaths(folder, folder), replace(FOLDER, max_length=64))
    expected = plain_encode(SentenceTransformer(str(folder), device="cpu"), AWKWARD)
    assert np.array_equal(contender.encode(AWKWARD), expected)


def test_prompt_and_batch_size_are_those_of_encode(paths: ModelPaths, plain: SentenceTransformer) -> None:
    contender = open_upstream(paths, replace(FOLDER, prompt="query: ", batch_size=2))
    expected = plain_encode(plain, MIXED, prompt="query: ", batch_size=2)
    assert np.array_equal(contender.encode(MIXED), expected)
    assert not np.allclose(expected, plain_encode(plain, MIXED), atol=1e-3)


@pytest.mark.parametrize("pooling", ["cls", "max", "weightedmean", "mean+cls"])
def test_another_pooling_is_another_pooling_module(
    paths: ModelPaths, plain: SentenceTransformer, pooling: str
) -> None:
    contender = open_upstream(paths, replace(FOLDER, pooling=pooling))
    parts = [plain[0], Pooling(384, tuple(pooling.split("+"))), Normalize()]
    expected = plain_encode(SentenceTransformer(modules=parts, device="cpu"), MIXED)
    assert np.array_equal(contender.encode(MIXED), expected)


def test_without_mask_it_is_the_mean_over_all_hidden_states(paths: ModelPaths) -> None:
    contender = open_upstream(paths, replace(FOLDER, use_mask=False, normalize=False))
    tokenizer = AutoTokenizer.from_pretrained(paths.encoder)
    model = AutoModel.from_pretrained(paths.encoder, dtype=torch.float32).eval()
    batch = tokenizer(MIXED, padding=True, truncation=True, max_length=256, return_tensors="pt")
    with torch.inference_mode():
        expected = model(**batch).last_hidden_state.mean(dim=1).numpy()
    np.testing.assert_allclose(contender.encode(MIXED), expected, atol=1e-6)


def test_normalize_false_keeps_the_lengths(paths: ModelPaths, opened: UpstreamContender) -> None:
    raw = open_upstream(paths, replace(FOLDER, normalize=False)).encode(MIXED)
    lengths = np.linalg.norm(raw, axis=1, keepdims=True)
    assert lengths.min() > 1.5
    np.testing.assert_allclose(raw / lengths, opened.encode(MIXED), atol=1e-6)


def test_normalize_true_adds_what_the_folder_lacks(tmp_path: Path) -> None:
    folder = write_upstream(tmp_path, "bert", normalize=False)
    rows = open_upstream(ModelPaths(folder, folder), replace(FOLDER, max_length=64)).encode(MIXED)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-6)


def test_max_length_cuts_there(paths: ModelPaths) -> None:
    contender = open_upstream(paths, replace(FOLDER, max_length=16))
    counts = contender.token_counts(MIXED)
    assert counts[4].kept == 16
    assert counts[4].full > 256
    assert len(contender.token_view(MIXED[4]).ids) == 16
    assert (counts[2].kept, counts[2].full) == (2, 2)


def test_lowercase_false_makes_unknown_tokens_of_capitals(paths: ModelPaths) -> None:
    text = "NASA launched the Webb on Tuesday!"
    cased = open_upstream(paths, replace(FOLDER, lowercase=False))
    assert cased.token_view(text).tokens == CASED_TOKENS
    assert cased.token_counts([text])[0].unknown == 3
    assert open_upstream(paths, replace(FOLDER, lowercase=True)).token_counts([text])[0].unknown == 0


def test_precision_changes_the_encoder_and_not_the_result_type(
    paths: ModelPaths, opened: UpstreamContender
) -> None:
    contender = open_upstream(paths, replace(FOLDER, precision="bfloat16"))
    assert next(contender.model.parameters()).dtype == torch.bfloat16
    rows = contender.encode(MIXED)
    assert rows.dtype == np.float32
    assert 1e-5 < np.abs(rows - opened.encode(MIXED)).max() < 2e-2


def test_no_texts_give_no_rows_of_the_right_width(opened: UpstreamContender) -> None:
    assert opened.encode([]).shape == (0, 384)
    assert opened.token_counts([]) == []


def test_threads_are_put_back(paths: ModelPaths) -> None:
    before = torch.get_num_threads()
    seen: list[int] = []
    contender = open_upstream(paths, replace(FOLDER, threads=before + 1))
    contender.model.register_forward_pre_hook(lambda *_: seen.append(torch.get_num_threads()))
    contender.encode(["a text"])
    assert seen == [before + 1]
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"max_length": 1}, "max-length"),
        ({"max_length": 513}, "max-length"),
        ({"pooling": "average"}, "unknown-pooling"),
        ({"pooling": ""}, "unknown-pooling"),
        ({"precision": "int8"}, "unknown-precision"),
    ],
)
def test_a_setting_it_cannot_honour_is_refused(paths: ModelPaths, change: dict[str, Any], code: str) -> None:
    with pytest.raises((InvalidValueError, UnknownNameError)) as caught:
        open_upstream(paths, replace(FOLDER, **change))
    assert caught.value.code == code
    assert caught.value.expected


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_a_missing_gpu_is_told(paths: ModelPaths) -> None:
    with pytest.raises(InvalidValueError, match="device-missing"):
        open_upstream(paths, replace(FOLDER, device="cuda"))


def test_roberta_has_fewer_positions_than_its_config_says(tmp_path: Path) -> None:
    folder = write_upstream(tmp_path, "roberta")
    with pytest.raises(InvalidValueError, match="2 to 64 tokens"):
        open_upstream(ModelPaths(folder, folder), replace(FOLDER, max_length=65))


def dense_folder(folder: Path) -> Path:
    """Transformer, mean pooling, a Dense layer from 32 to 16, Normalize."""
    from sentence_transformers.sentence_transformer.modules import Dense

    base = SentenceTransformer(str(write_upstream(folder, "bert", normalize=False)), device="cpu")
    torch.manual_seed(0)
    parts = [base[0], base[1], Dense(32, 16), Normalize()]
    SentenceTransformer(modules=parts, device="cpu").save(str(folder / "dense"))
    return folder / "dense"


def test_a_dense_layer_is_applied_and_guards_its_width(tmp_path: Path) -> None:
    folder = dense_folder(tmp_path)
    paths = ModelPaths(folder, folder)
    settings = replace(FOLDER, max_length=64)
    expected = plain_encode(SentenceTransformer(str(folder), device="cpu"), MIXED)
    assert np.array_equal(open_upstream(paths, settings).encode(MIXED), expected)
    with pytest.raises(InvalidValueError, match="pooling-width"):
        open_upstream(paths, replace(settings, pooling="cls+mean"))


def static_folder(folder: Path) -> Path:
    """A static embedding table over a small WordPiece vocabulary."""
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    from tests.models.tiny import word_piece

    torch.manual_seed(0)
    parts = [StaticEmbedding(word_piece(), embedding_dim=24)]
    SentenceTransformer(modules=parts, device="cpu").save(str(folder))
    return folder


def test_a_static_embedding_opens_with_no_pooling_to_set(tmp_path: Path) -> None:
    folder = static_folder(tmp_path / "static")
    paths = ModelPaths(folder, folder)
    settings = Settings(pooling="", normalize=False, max_length=0)
    texts = ["the quick brown fox", "Köln", "lazy dog"]
    contender = open_upstream(paths, settings)
    expected = plain_encode(SentenceTransformer(str(folder), device="cpu"), texts)
    assert np.array_equal(contender.encode(texts), expected)
    view = contender.token_view(texts[0])
    assert len(view.tokens) == len(view.ids) == len(view.mask) == contender.token_counts(texts)[0].kept
    cut = open_upstream(paths, replace(settings, max_length=2))
    assert (cut.token_counts(texts)[0].kept, cut.token_counts(texts)[0].full) == (2, len(view.ids))
    with pytest.raises(InvalidValueError, match="pooling-not-settable"):
        open_upstream(paths, replace(settings, pooling="cls"))
