"""The measured floor: of made-up pipelines, and of the real ones over whatever texts come."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.compare.columns import FakeContender
from workbench.compare.agreement import agree
from workbench.compare.noise_floor import MARGIN, column_floor, noise_floor, sample
from workbench.compare.results import Column, EncodedColumn
from workbench.contenders.contract import Contender, ModelPaths, Settings
from workbench.contenders.registry import contender_kind
from workbench.errors import Cancelled


@given(st.lists(st.text(max_size=30), min_size=1, max_size=80))
def test_the_sample_is_small_and_holds_both_ends(texts: list[str]) -> None:
    rows = sample(texts)
    assert len(rows) == len(set(rows)) == min(len(texts), 32)
    lengths = [len(texts[row]) for row in rows]
    assert min(lengths) == min(map(len, texts))
    assert max(lengths) == max(map(len, texts))


def test_what_depends_on_the_batch_is_measured() -> None:
    texts = ["a", "bb", "ccc", "dddd"]
    contender = FakeContender(noise=1e-3)
    # Together 4 texts a call, alone 1, in threes 3 and 1.
    assert column_floor(contender, texts, contender.encode(texts)) == pytest.approx(3e-3, rel=1e-3)


def test_no_floor_is_zero() -> None:
    contender = FakeContender()
    rows = contender.encode(["a", "b"])
    assert column_floor(contender, ["a", "b"], rows) == pytest.approx(2**-20 * np.abs(rows).max())
    for precision, step in (("bfloat16", 2**-8), ("int8", 2**-7)):
        coarse = FakeContender(settings=Settings(precision=precision))
        assert column_floor(coarse, ["a", "b"], rows) == pytest.approx(step * np.abs(rows).max())


def test_it_stays_small_with_many_texts() -> None:
    log: list[tuple[str, int]] = []
    contender = FakeContender(log=log)
    texts = [f"text {index}" for index in range(500)]
    rows = contender.encode(texts)
    log.clear()
    column_floor(contender, texts, rows)
    assert sum(count for _, count in log) == 64
    assert {count for _, count in log} == {1, 2, 3}


def test_it_can_be_cancelled() -> None:
    contender = FakeContender()
    with pytest.raises(Cancelled):
        column_floor(contender, ["a"], contender.encode(["a"]), lambda: True)


def test_pooling_over_padding_is_a_fault_and_not_noise(bundled: Path) -> None:
    texts = ["short", "a rather longer text than the other one, so that there is padding"]
    for name in ("upstream", "manual"):
        opened = contender_kind(name).open(ModelPaths(bundled, bundled), Settings(use_mask=False))
        rows = opened.encode(texts)
        assert np.abs(rows[0] - opened.encode(texts[:1])[0]).max() > 1e-2
        assert column_floor(opened, texts, rows) < 1e-6


def test_floors_are_put_together() -> None:
    found = noise_floor({"a": 1e-7, "b": 3e-7})
    assert (found.max_abs, found.margin, dict(found.per_column)) == (3e-7, MARGIN, {"a": 1e-7, "b": 3e-7})
    assert noise_floor({}).max_abs == 0.0


@pytest.fixture(scope="module")
def same_pipeline(bundled: Path) -> tuple[Contender, Contender]:
    """One pipeline, batched in two ways."""
    paths = ModelPaths(bundled, bundled)
    stated = Settings(max_length=48)
    return (
        contender_kind("manual").open(paths, stated),
        contender_kind("manual").open(paths, replace(stated, batch_size=3)),
    )


WORDS = st.lists(st.sampled_from(["Sea", "harbour", "the", "42", "날씨", "é", "zürich", "!?"]), max_size=20)


@given(
    texts=st.lists(WORDS.map(" ".join), min_size=1, max_size=7), shuffled=st.randoms(use_true_random=False)
)
@settings(max_examples=12)
def test_one_pipeline_in_other_batches_and_order_is_never_called_different(
    same_pipeline: tuple[Contender, Contender], texts: list[str], shuffled: object
) -> None:
    one, other = same_pipeline
    order = list(range(len(texts)))
    shuffled.shuffle(order)  # type: ignore[attr-defined]
    first = one.encode(texts)
    second = np.empty_like(first)
    second[order] = other.encode([texts[index] for index in order])
    columns = [
        EncodedColumn(
            Column(label, "manual", "m", opened.settings), rows, tuple(opened.token_counts(texts)), "", 0.0
        )
        for label, opened, rows in (("one", one, first), ("other", other, second))
    ]
    floors = {"one": column_floor(one, texts, first), "other": column_floor(other, texts, second)}
    assert agree(*columns, noise_floor(floors)).verdict in ("identical", "float noise")
