"""What a loss refuses: columns, shapes, labels and arguments that would train on the wrong thing silently."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.losses.cases import CACHED, DIM, PLAIN, Case, Fake, own
from workbench import losses
from workbench.errors import WorkbenchError
from workbench.losses.needs import DataNeeds, nothing_to_learn

CASES = {case.name: case for case in PLAIN + CACHED}
# Read their labels; the others let them pass.
LABELLED = sorted(name for name, kind in losses.LOSSES.items()
                  if getattr(kind, "needs", None) and not isinstance(kind.needs, property)
                  and kind.needs.labels != "none")  # fmt: skip


def build(name: str) -> Any:
    if name == "SoftmaxLoss":
        return losses.SoftmaxLoss(Fake(), DIM, 3)
    return CASES[name].build(own, Fake(), Fake("guide"))


def columns(count: int, rows: int = 4) -> list[Tensor]:
    return [torch.randn(rows, DIM) for _ in range(count)]


def code(call: Callable[[], Any]) -> str:
    with pytest.raises(WorkbenchError) as caught:
        call()
    assert caught.value.message.endswith(f"[{caught.value.code}]")
    return caught.value.code


@pytest.mark.parametrize("case", CASES.values(), ids=str)
def test_a_wrong_number_of_columns_is_refused(case: Case) -> None:
    loss = build(case.name)
    least, most = loss.needs.least_columns, loss.needs.most_columns
    wrong = [least - 1] if most is None else [least - 1, most + 1]
    for count in wrong:
        given_columns = columns(count)
        targets = given_columns if hasattr(loss, "targets") else torch.zeros(4)
        assert (
            code(lambda c=given_columns, t=targets: loss.compute_loss_from_embeddings(c, t)) == "loss-columns"
        )
    assert code(lambda: loss([], torch.zeros(4))) == "loss-columns"


@pytest.mark.parametrize("name", LABELLED)
def test_missing_and_surplus_labels_are_refused(name: str) -> None:
    loss = build(name)
    count = loss.needs.least_columns
    assert code(lambda: loss.compute_loss_from_embeddings(columns(count), None)) == "labels-missing"
    for shape in ((5,), (4, 7), (0,)):
        assert code(lambda s=shape: loss.compute_loss_from_embeddings(columns(count), torch.zeros(s))) in (
            "labels-count",
            "teacher-shape",
        )
    assert code(lambda: loss.compute_loss_from_embeddings(columns(count), [0, 1, 0, 1])) == "labels-type"


@pytest.mark.parametrize("name", [name for name in LABELLED if losses.LOSSES[name].needs.labels == "binary"])
@settings(max_examples=20)
@given(wrong=st.sampled_from([7, -1, 2, 0.5, float("nan"), float("inf")]), row=st.integers(0, 3))
def test_labels_that_are_not_binary_are_refused(name: str, wrong: float, row: int) -> None:
    labels = torch.tensor([0.0, 1.0, 0.0, 1.0])
    labels[row] = wrong
    assert code(lambda: build(name).compute_loss_from_embeddings(columns(2), labels)) == "label-not-binary"


@pytest.mark.parametrize("name", [name for name in LABELLED if losses.LOSSES[name].needs.labels == "class"])
def test_labels_that_are_no_classes_are_refused(name: str) -> None:
    loss = build(name)
    count = loss.needs.least_columns
    for labels in (torch.tensor([0.0, 1.0, 0.0, 1.0]), torch.tensor([0.5, 1.0, 0.0, 1.0])):
        assert (
            code(lambda t=labels: loss.compute_loss_from_embeddings(columns(count), t)) == "label-not-a-class"
        )


@pytest.mark.parametrize("wrong", [3, -1, 1000])
def test_a_class_that_the_classifier_has_not_is_refused_with_its_row(wrong: int) -> None:
    loss = losses.SoftmaxLoss(Fake(), DIM, 3)
    assert loss.needs.label_range == (0, 2)
    labels = torch.tensor([0, 1, wrong, 2])
    with pytest.raises(WorkbenchError, match=f"row 2: {wrong}") as caught:
        loss.compute_loss_from_embeddings(columns(2), labels)
    assert caught.value.code == "label-out-of-range"


def test_columns_of_different_rows_or_dimensions_are_refused() -> None:
    loss = losses.MultipleNegativesRankingLoss(Fake())
    for other in (torch.randn(5, DIM), torch.randn(4, DIM + 1)):
        assert code(lambda t=other: loss.compute_loss_from_embeddings([*columns(1), t])) == "loss-shapes"
    assert code(lambda: loss.compute_loss_from_embeddings(columns(2, rows=0))) == "loss-empty-batch"


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda m: losses.MultipleNegativesRankingLoss(m, scale=0), "argument-not-positive"),
        (lambda m: losses.MultipleNegativesRankingLoss(m, scale=float("nan")), "argument-not-positive"),
        (lambda m: losses.MultipleNegativesRankingLoss(m, directions=("doc_to_query",)), "direction-missing"),
        (lambda m: losses.MultipleNegativesRankingLoss(m, directions=()), "direction-missing"),
        (lambda m: losses.MultipleNegativesRankingLoss(m, directions=("query_to_doc", "up")), "unknown-name"),
        (lambda m: losses.MultipleNegativesRankingLoss(m, partition_mode="each"), "unknown-name"),
        (lambda m: losses.MultipleNegativesRankingLoss(m, hardness_mode="hard"), "unknown-name"),
        (lambda m: losses.MultipleNegativesRankingLoss(m, hardness_strength=-1.0), "argument-negative"),
        (
            lambda m: losses.MultipleNegativesRankingLoss(
                m, directions=("query_to_doc", "doc_to_doc"), partition_mode="per_direction"
            ),
            "direction-without-positive",
        ),
        (lambda m: losses.CachedMultipleNegativesRankingLoss(m, mini_batch_size=0), "count-out-of-range"),
        (lambda m: losses.MegaBatchMarginLoss(m, mini_batch_num_tokens=0), "count-out-of-range"),
        (lambda m: losses.GISTEmbedLoss(m, m, temperature=0), "argument-not-positive"),
        (lambda m: losses.GISTEmbedLoss(m, m, margin_strategy="wide"), "unknown-name"),
        (lambda m: losses.DistillKLDivLoss(m, temperature=0), "argument-not-positive"),
        (lambda m: losses.DistillKLDivLoss(m, teacher_temperature=float("inf")), "argument-not-positive"),
        (lambda m: losses.ContrastiveTensionLossInBatchNegatives(m, scale=-1), "argument-not-positive"),
        (lambda m: losses.MSELoss(m, projection_dim=0), "count-out-of-range"),
        (lambda m: losses.SoftmaxLoss(m, DIM), "count-out-of-range"),
        (lambda m: losses.SoftmaxLoss(m, DIM, 1), "too-few-classes"),
        (lambda m: losses.SoftmaxLoss(m, num_labels=3), "argument-missing"),
        (lambda m: losses.SoftmaxLoss(m, DIM, 3, embedding_dimension=DIM), "argument-missing"),
        (lambda m: losses.SoftmaxLoss(m, DIM, 3, False, False, False), "nothing-concatenated"),
        (lambda m: losses.MatryoshkaLoss(m, losses.CoSENTLoss(m), []), "matryoshka-dims"),
        (lambda m: losses.MatryoshkaLoss(m, losses.CoSENTLoss(m), [2, 4], [1.0]), "matryoshka-dims"),
        (lambda m: losses.MatryoshkaLoss(m, losses.CoSENTLoss(m), [DIM + 1]), "count-out-of-range"),
        (lambda m: losses.MatryoshkaLoss(m, losses.CoSENTLoss(m), [2], None, 0), "count-out-of-range"),
        (lambda m: losses.MatryoshkaLoss(m, losses.CoSENTLoss(Fake()), [2]), "loss-of-another-model"),
        (lambda m: losses.MatryoshkaLoss(m, losses.ContrastiveTensionLoss(m), [2]), "loss-not-wrappable"),
        (lambda m: losses.AdaptiveLayerLoss(m, losses.CoSENTLoss(m)), "no-encoder"),
        (lambda m: losses.DenoisingAutoEncoderLoss(m), "no-encoder"),
    ],
)  # fmt: skip
def test_arguments_that_make_no_sense_are_refused(make: Callable[[Any], Any], expected: str) -> None:
    assert code(lambda: make(Fake())) == expected


def test_a_teacher_or_classifier_of_another_dimension_is_refused() -> None:
    assert code(
        lambda: losses.MSELoss(Fake()).compute_loss_from_embeddings(columns(1), torch.zeros(4, 3))
    ) == ("teacher-shape")
    softmax = losses.SoftmaxLoss(Fake(), DIM + 1, 3)
    assert code(lambda: softmax.compute_loss_from_embeddings(columns(2), torch.zeros(4).long())) == (
        "embedding-dimension"
    )
    model = Fake(dim=8)
    matryoshka = losses.MatryoshkaLoss(model, losses.CoSENTLoss(model), [8])
    assert code(lambda: matryoshka.compute_loss_from_embeddings(columns(2), torch.zeros(4))) == (
        "embedding-dimension"
    )


def test_a_guide_with_other_rows_is_refused() -> None:
    loss = losses.GISTEmbedLoss(Fake(), Fake("guide"))
    assert code(lambda: loss.compute_loss_from_embeddings(columns(2), columns(2, rows=3))) == "guide-shape"


def test_a_model_without_sentence_embeddings_is_refused() -> None:
    loss = losses.CoSENTLoss(torch.nn.Identity())
    assert code(lambda: loss([{"input_ids": torch.ones(2, 1)}] * 2, torch.ones(2))) == "feature-missing"


def test_needs_of_every_loss_are_stated() -> None:
    for name, kind in losses.LOSSES.items():
        assert isinstance(kind.needs, property if name in losses.WRAPPERS else DataNeeds), name
    model = Fake()
    inner = losses.ContrastiveLoss(model)
    assert losses.MatryoshkaLoss(model, inner, [2]).needs is inner.needs
    scaled = losses.CosineSimilarityLoss(model, cos_score_transformation=torch.nn.Sigmoid())
    assert losses.CosineSimilarityLoss(model).needs.label_range == (-1.0, 1.0)
    assert scaled.needs.label_range is None
    needs = DataNeeds(("text", "copy?", "more*"))
    assert (needs.least_columns, needs.most_columns) == (1, None)
    assert DataNeeds(("text", "copy?")).most_columns == 2
    assert DataNeeds(("anchor", "negative+")).least_columns == 2


def test_every_public_name_is_exported() -> None:
    assert set(losses.LOSSES) < set(losses.__all__)
    assert all(losses.LOSSES[name] is getattr(losses, name) for name in losses.LOSSES)


@settings(max_examples=60)
@given(labels=st.lists(st.integers(0, 3), min_size=1, max_size=6))
def test_a_batch_that_teaches_nothing_is_told_where_the_gradient_is_zero(labels: list[int]) -> None:
    rows = len(labels)
    # All rows far apart and unlike in length, so that no gradient vanishes by chance.
    embeddings = torch.eye(6, dtype=torch.float64)[:rows] * torch.arange(1, rows + 1)[:, None]
    embeddings.requires_grad_()
    triplets = losses.BatchAllTripletLoss(Fake())
    triplets.compute_loss_from_embeddings([embeddings], torch.tensor(labels)).backward()
    reason = nothing_to_learn(triplets.needs, 1, labels, rows)
    assert embeddings.grad is not None
    assert (reason is None) == bool(embeddings.grad.any())


@pytest.mark.parametrize(("rows", "count"), [(1, 2), (1, 3), (2, 2)])
def test_a_row_alone_has_no_negatives(rows: int, count: int) -> None:
    # Seeded: now and then a draw has a negative so far away that its gradient vanishes too.
    torch.manual_seed(0)
    loss = losses.MultipleNegativesRankingLoss(Fake())
    made = [torch.randn(rows, DIM, requires_grad=True) for _ in range(count)]
    loss.compute_loss_from_embeddings(made).backward()
    quiet = all(column.grad is None or float(column.grad.abs().max()) < 1e-6 for column in made)
    assert quiet == (nothing_to_learn(loss.needs, count, [], rows) is not None)
