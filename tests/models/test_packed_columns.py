"""Which columns are embedded in one packed pass, and which take the padded one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.models.tiny import write_upstream
from workbench.models.packed_columns import embed_packed, packing
from workbench.sentence_transformer import SentenceTransformer

COLUMNS = (
    ["one two three", "the fox", "", "the fox"],
    ["a", "the quick brown fox jumps", "two words", "b c"],
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_upstream(tmp_path_factory.mktemp("model"), "bert")


@pytest.fixture
def model(folder: Path) -> SentenceTransformer:
    return SentenceTransformer(str(folder), device="cpu")


def columns_of(model: SentenceTransformer) -> list[dict[str, Any]]:
    return [dict(model.tokenize(texts)) for texts in COLUMNS]


def test_rows_come_back_in_their_columns_and_places(model: SentenceTransformer) -> None:
    columns = columns_of(model)
    with packing(model, True), torch.no_grad():
        packed = embed_packed(model, columns)
    assert packed is not None
    for found, column in zip(packed, columns, strict=True):
        with torch.no_grad():
            wanted = model(dict(column))["sentence_embedding"]
        torch.testing.assert_close(found, wanted, rtol=0, atol=1e-6)


def test_features_are_left_as_they_were(model: SentenceTransformer) -> None:
    columns = columns_of(model)
    before = [dict(column) for column in columns]
    with packing(model, True):
        assert embed_packed(model, columns) is not None
    assert [column.keys() for column in columns] == [column.keys() for column in before]
    assert all(one[name] is other[name] for one, other in zip(columns, before, strict=True) for name in one)


def padded_on_the_left(columns: list[dict[str, Any]]) -> None:
    for name, value in columns[0].items():
        columns[0][name] = value.flip(1)


def without_a_token(columns: list[dict[str, Any]]) -> None:
    columns[1]["attention_mask"][0] = 0


def a_hole(columns: list[dict[str, Any]]) -> None:
    columns[0]["attention_mask"][0, 1] = 0


def a_weight(columns: list[dict[str, Any]]) -> None:
    columns[0]["attention_mask"] = columns[0]["attention_mask"] * 2


def types_in_one_alone(columns: list[dict[str, Any]]) -> None:
    columns[0]["token_type_ids"] = torch.zeros_like(columns[0]["input_ids"])


def without_a_mask(columns: list[dict[str, Any]]) -> None:
    del columns[0]["attention_mask"]


def with_a_prompt(columns: list[dict[str, Any]]) -> None:
    columns[0]["prompt_length"] = 2


@pytest.mark.parametrize(
    "change",
    [
        padded_on_the_left,
        without_a_token,
        a_hole,
        a_weight,
        types_in_one_alone,
        without_a_mask,
        with_a_prompt,
    ],
    ids=lambda change: change.__name__,
)
def test_other_columns_take_the_padded_pass(
    model: SentenceTransformer, change: Callable[[list[dict[str, Any]]], None]
) -> None:
    columns = columns_of(model)
    change(columns)
    with packing(model, True):
        assert embed_packed(model, columns) is None
        assert embed_packed(model, columns_of(model)) is not None


def test_without_the_switch_nothing_is_packed(model: SentenceTransformer) -> None:
    assert embed_packed(model, columns_of(model)) is None
    with packing(model, True), packing(model, False):
        assert embed_packed(model, columns_of(model)) is None
    assert embed_packed(model, columns_of(model)) is None


@pytest.mark.parametrize("place", ["model", "encoder", "pooling"])
def test_a_hook_anywhere_is_not_gone_around(model: SentenceTransformer, place: str) -> None:
    watched: nn.Module = {"model": model, "encoder": model[0].auto_model, "pooling": model[1]}[place]
    with packing(model, True):
        handle = watched.register_forward_hook(lambda *_: None)
        assert embed_packed(model, columns_of(model)) is None
        handle.remove()
        assert embed_packed(model, columns_of(model)) is not None


def test_a_forward_of_the_users_own_is_not_gone_around(folder: Path) -> None:
    class Doubling(SentenceTransformer):
        def forward(self, features: dict[str, Any]) -> dict[str, Any]:
            out = super().forward(features)
            return out | {"sentence_embedding": 2 * out["sentence_embedding"]}

    model = Doubling(str(folder), device="cpu")
    with packing(model, True):
        assert embed_packed(model, columns_of(model)) is None


def test_dropout_that_was_set_to_zero_before_the_library_was_loaded_stays_zero(folder: Path) -> None:
    model = SentenceTransformer(str(folder), device="cpu")
    dropouts = [module for module in model.modules() if isinstance(module, nn.Dropout)]
    assert dropouts
    for module in dropouts:
        module.p = 0.0
    model.train()
    columns = columns_of(model)
    with packing(model, True), torch.no_grad():
        first, again = embed_packed(model, columns), embed_packed(model, columns)
        plain = [model(dict(column))["sentence_embedding"] for column in columns]
    assert first is not None and again is not None
    for one, other, padded in zip(first, again, plain, strict=True):
        assert torch.equal(one, other)
        torch.testing.assert_close(one, padded, rtol=0, atol=1e-6)
