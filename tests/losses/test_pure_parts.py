"""The pure part of every loss against upstream's, value and gradient, in float64."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.losses.cases import CACHED, PLAIN, Case, Fake, batch, own, upstream

TOLERANCE = 1e-10


def leaves(columns: list[Tensor]) -> list[Tensor]:
    return [column.clone().requires_grad_() for column in columns]


def features(columns: list[Tensor], guides: list[Tensor]) -> list[dict[str, Tensor]]:
    ids = torch.ones(len(columns[0]), 1, dtype=torch.long)
    return [
        {"input_ids": ids, "attention_mask": ids, "sentence_embedding": column, "guide": guide}
        for column, guide in zip(columns, guides, strict=True)
    ]


def models() -> tuple[Fake, Fake]:
    return Fake(), Fake("guide")


def gradients(value: Tensor, columns: list[Tensor]) -> list[Tensor]:
    value.backward()
    return [torch.zeros_like(column) if column.grad is None else column.grad for column in columns]


def of_upstream(
    case: Case, columns: list[Tensor], guides: list[Tensor], labels: Tensor | None
) -> tuple[Tensor, list[Tensor]]:
    loss: Any = case.build(upstream, *models())
    loss.double()
    given_columns = leaves(columns)
    value = loss(features(given_columns, guides), labels)
    return value, gradients(value, given_columns)


def of_own(
    case: Case, columns: list[Tensor], guides: list[Tensor], labels: Tensor | None, through_model: bool
) -> tuple[Tensor, list[Tensor]]:
    loss: Any = case.build(own, *models())
    loss.double()
    given_columns = leaves(columns)
    if through_model:
        value = loss(features(given_columns, guides), labels)
    else:
        twice = given_columns * 2 if "InBatchNegatives" in case.name else given_columns
        targets = guides if hasattr(loss, "targets") else labels
        value = loss.compute_loss_from_embeddings(twice, targets)
    return value, gradients(value, given_columns)


def merged(grad: Tensor) -> Tensor:
    """Add the gradients of the last two rows, which are equal."""
    return torch.cat([grad[:-2], grad[-2:].sum(dim=0, keepdim=True)])


@pytest.mark.parametrize("case", PLAIN + CACHED, ids=str)
@settings(max_examples=20)
@given(data=st.data(), seed=st.integers(0, 2**32), rows=st.integers(1, 9), repeat=st.booleans())
def test_value_and_gradient_equal_upstreams(
    case: Case, data: st.DataObject, seed: int, rows: int, repeat: bool
) -> None:
    columns, guides, labels = batch(case, seed, rows, data.draw(st.sampled_from(case.columns)), repeat=repeat)
    value, theirs = of_upstream(case, columns, guides, labels)
    for through_model in (False, True):
        our_value, ours = of_own(case, columns, guides, labels, through_model)
        torch.testing.assert_close(our_value, value, rtol=TOLERANCE, atol=TOLERANCE)
        for our_grad, grad in zip(ours, theirs, strict=True):
            if repeat and rows > 1 and "BatchHard" in case.name:
                # Equal rows are equally far from a third: which of them the hardest one is stays open.
                our_grad, grad = merged(our_grad), merged(grad)
            # Between equal rows |u|² - 2uv + |v|² may be 1e-16 instead of 0: its root has a slope of 1e8.
            limit = 1e-6 if repeat and "euclidean_distance" in case.about else TOLERANCE
            torch.testing.assert_close(our_grad, grad, rtol=limit, atol=limit)


def test_every_loss_is_compared() -> None:
    elsewhere = {
        "SoftmaxLoss",
        "DenoisingAutoEncoderLoss",
        "MatryoshkaLoss",
        "AdaptiveLayerLoss",
        "Matryoshka2dLoss",
    }
    assert {case.name for case in PLAIN + CACHED} | elsewhere == set(own.LOSSES)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("case", PLAIN + CACHED, ids=str)
def test_half_precision_embeddings_give_a_near_value_and_finite_gradients(
    case: Case, dtype: torch.dtype
) -> None:
    columns, guides, labels = batch(case, 4, 8, case.columns[-1])
    rough = [column.to(dtype) for column in columns]
    # The value in float64 of the rounded embeddings, so that only the arithmetic differs.
    exact, _ = of_own(case, [column.double() for column in rough], guides, labels, False)
    loss: Any = case.build(own, *models())
    given_columns = leaves(rough)
    twice = given_columns * 2 if "InBatchNegatives" in case.name else given_columns
    value = loss.compute_loss_from_embeddings(twice, guides if hasattr(loss, "targets") else labels)
    torch.testing.assert_close(value.double(), exact, rtol=0.05, atol=0.05)
    assert all(bool(grad.isfinite().all()) for grad in gradients(value, given_columns))


@pytest.mark.parametrize("case", PLAIN + CACHED, ids=str)
def test_autocast_does_not_reach_the_pure_part(case: Case) -> None:
    columns, guides, labels = batch(case, 4, 8, case.columns[-1])
    single = [column.float() for column in columns]
    teachers = labels.float() if labels is not None and labels.is_floating_point() else labels
    targets = [guide.float() for guide in guides] if "GIST" in case.name else teachers
    loss: Any = case.build(own, *models())
    twice = single * 2 if "InBatchNegatives" in case.name else single
    value = loss.compute_loss_from_embeddings(twice, targets)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = loss.compute_loss_from_embeddings(twice, targets)
    torch.testing.assert_close(mixed, value, rtol=1e-6, atol=1e-6)
