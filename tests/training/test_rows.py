"""Bad data and bad settings are refused with a code before the first step changes anything."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Subset

from tests.training.small import SIZE, cosine, largest_difference, loader_of, model_of, pairs, texts, weights
from workbench import losses
from workbench.data.input_example import InputExample
from workbench.errors import TrainingError, WorkbenchError
from workbench.losses.needs import DataNeeds
from workbench.training.collate import label_tensor
from workbench.training.rows import check_labels

NAN = float("nan")


def labelled(labels: list[Any], columns: int = 2) -> list[InputExample]:
    source = texts(len(labels) * columns)
    return [
        InputExample(texts=source[n * columns : (n + 1) * columns], label=label)
        for n, label in enumerate(labels)
    ]


def softmax(model: Any) -> nn.Module:
    return losses.SoftmaxLoss(model, SIZE, 3)


REFUSED: dict[str, tuple[Any, list[InputExample], str, str]] = {
    "R1 NaN": (cosine, labelled([0.5, NAN, 0.1]), "label-not-finite", "row 1: nan"),
    "R1 infinity": (cosine, labelled([0.5, 0.2, math.inf]), "label-not-finite", "row 2: inf"),
    "R1 in a vector": (
        losses.MSELoss,
        labelled([[0.0] * SIZE, [NAN] * SIZE], 1),
        "label-not-finite",
        "1 of 2",
    ),
    "R3 a scale of 5": (cosine, labelled([0.0, 4.8, 2.5]), "label-out-of-range", "label / 5"),
    "R3 percent": (cosine, labelled([0, 77, 31]), "label-out-of-range", "label / 100"),
    "R4 class too high": (softmax, labelled([0, 1, 3]), "label-out-of-range", "row 2: 3"),
    "R4 class below 0": (softmax, labelled([0, -1, 2]), "label-out-of-range", "row 1: -1"),
    "R4 class as a float": (softmax, labelled([0, 1.0, 2]), "label-not-a-class", "row 1: 1.0"),
    "R4 class as a text": (softmax, labelled([0, "1", 2]), "label-not-a-number", "row 1: '1'"),
    "R4 contrastive 7": (losses.ContrastiveLoss, labelled([0, 7, 1]), "label-not-binary", "row 1: 7"),
    "R4 contrastive half": (losses.OnlineContrastiveLoss, labelled([0, 0.5]), "label-not-binary", "0.5"),
    "label None": (cosine, labelled([0.5, None, 0.5]), "label-missing", "row 1: None"),
    "R5 too many columns": (cosine, labelled([0.5, 0.5], 3), "loss-columns", "3 text columns"),
    "R5 too few columns": (
        losses.TripletLoss,
        labelled([0, 0], 2),
        "loss-columns",
        "anchor, positive, negative",
    ),
    "R6 all rows equal": (
        losses.MultipleNegativesRankingLoss,
        [InputExample(texts=["a", "b"])] * 6,
        "nothing-to-learn",
        "all 6 rows have the same texts",
    ),
    "R6 every label unique": (
        losses.BatchAllTripletLoss,
        labelled([0, 1, 2, 3], 1),
        "nothing-to-learn",
        "no two rows",
    ),
    "R6 one label": (losses.BatchHardTripletLoss, labelled([1, 1, 1], 1), "nothing-to-learn", "share one"),
    "R7 one row": (losses.MultipleNegativesRankingLoss, labelled([0]), "nothing-to-learn", "one row"),
    "R8 texts differ": (
        losses.MultipleNegativesRankingLoss,
        [*labelled([0, 0]), *labelled([0], 3)],
        "texts-differ",
        "row 2: 3",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("whole", [True, False], ids=["a list", "at its batch"])
def test_bad_rows_are_refused(still: Path, name: str, whole: bool) -> None:
    build, rows, code, part = REFUSED[name]
    if not whole and "R6 all rows" in name:
        pytest.skip("texts of a batch are not compared: duplicates are the sampler's affair")
    model = model_of(still)
    before = weights(model)
    loader = loader_of(rows, 8) if whole else DataLoader(Rows(rows), batch_size=8)
    with pytest.raises(WorkbenchError) as caught:
        model.fit([(loader, build(model))], show_progress_bar=False, warmup_steps=0)
    assert caught.value.code == code and part in caught.value.message
    if code != "nothing-to-learn" or whole:
        assert largest_difference(before, weights(model)) == 0


class Rows(Dataset[InputExample]):
    """Rows that cannot be looked at before they come."""

    def __init__(self, rows: list[InputExample]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> InputExample:
        return self.rows[index]


def test_r2_training_stops_at_the_first_loss_that_is_not_finite(still: Path, tmp_path: Path) -> None:
    model = model_of(still)
    before: list[dict[str, Tensor]] = []

    class Breaking(nn.Module):
        def __init__(self, inner: Any) -> None:
            super().__init__()
            self.inner, self.calls = inner, 0

        def forward(self, sentence_features: Any, labels: Any) -> Tensor:
            before.append(weights(model))
            self.calls += 1
            loss: Tensor = self.inner(sentence_features, labels)
            return loss * (NAN if self.calls == 6 else 1)

    with pytest.raises(TrainingError) as caught:
        model.fit(
            [(loader_of(pairs(16)), Breaking(cosine(model)))],
            epochs=2,
            warmup_steps=0,
            show_progress_bar=False,
            checkpoint_path=tmp_path / "checkpoints",
            checkpoint_save_steps=2,
            output_path=tmp_path / "out",
        )
    assert caught.value.code == "loss-not-finite"
    assert caught.value.where == "objective 0 (Breaking), epoch 1, step 2"
    assert largest_difference(before[-1], weights(model)) == 0
    kept = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert kept == ["step-000002", "step-000004"]
    assert not (tmp_path / "out").exists()


def test_r2_a_rate_of_a_million_stops(still: Path, tmp_path: Path) -> None:
    model = model_of(still)
    with pytest.raises(TrainingError, match=r"\[(loss|gradient|weights)-not-finite\]"):
        model.fit(
            [(loader_of(pairs(40)), cosine(model))],
            epochs=20,
            scheduler="constantlr",
            optimizer_class=torch.optim.SGD,
            optimizer_params={"lr": 1e30},
            max_grad_norm=None,
            output_path=tmp_path / "out",
            show_progress_bar=False,
        )
    assert not (tmp_path / "out").exists()


def test_r2_weights_that_overflow_in_the_last_step_are_not_saved(still: Path, tmp_path: Path) -> None:
    model = model_of(still)
    with pytest.raises(TrainingError, match="weights-not-finite"):
        model.fit(
            [(loader_of(pairs(4)), cosine(model))],
            scheduler="constantlr",
            optimizer_class=torch.optim.SGD,
            optimizer_params={"lr": 1e38},
            max_grad_norm=1e6,
            weight_decay=1e6,
            checkpoint_path=tmp_path / "checkpoints",
            output_path=tmp_path / "out",
            show_progress_bar=False,
        )
    assert not (tmp_path / "out").exists() and not (tmp_path / "checkpoints").exists()


def test_r6_a_batch_size_of_one_has_no_negatives_and_a_last_row_is_told(still: Path) -> None:
    model = model_of(still)
    loss = losses.MultipleNegativesRankingLoss(model)
    with pytest.raises(WorkbenchError, match=r"one row has no negatives.*\[nothing-to-learn\]"):
        model.fit([(loader_of(pairs(4), 1), loss)], show_progress_bar=False)
    result = model.fit([(loader_of(pairs(5), 4), loss)], show_progress_bar=False, warmup_steps=0)
    assert any("some batches taught nothing" in notice for notice in result.notices)
    # With a negative of its own, a lone row teaches.
    triplets = labelled([0, 0], 3)
    model.fit([(loader_of(triplets, 1), loss)], show_progress_bar=False, warmup_steps=0)


def test_r6_an_epoch_of_batches_without_a_pair_is_refused(still: Path) -> None:
    model = model_of(still)
    rows = labelled([0, 1, 0, 1], 1)
    with pytest.raises(TrainingError, match="none of 2 batches could teach"):
        model.fit(
            [(loader_of(rows, 2), losses.BatchAllTripletLoss(model))], show_progress_bar=False, warmup_steps=0
        )


def test_r7_too_few_rows_for_a_batch_and_no_rows(still: Path) -> None:
    model = model_of(still)
    with pytest.raises(WorkbenchError, match=r"3 rows, batches of 4.*\[no-batches\]"):
        model.fit([(loader_of(pairs(3), drop_last=True), cosine(model))])
    with pytest.raises(WorkbenchError, match="training-set-empty"):
        model.fit([(DataLoader([], batch_size=4), cosine(model))])  # type: ignore[arg-type]
    result = model.fit([(loader_of(pairs(1)), cosine(model))], show_progress_bar=False)
    assert any("one row" in notice for notice in result.notices)
    empty = torch.utils.data.DataLoader(Rows([]), batch_size=2)
    with pytest.raises(WorkbenchError, match="no-batches"):
        model.fit([(empty, cosine(model))], steps_per_epoch=2, show_progress_bar=False)


BAD_SETTINGS: dict[str, dict[str, Any]] = {
    "epochs-out-of-range": {"epochs": 0},
    "epochs-out-of-range ": {"epochs": -1},
    "warmup-steps-out-of-range": {"warmup_steps": -1},
    "gradient-accumulation-steps-out-of-range": {"gradient_accumulation_steps": 0},
    "early-stopping-patience-out-of-range": {"early_stopping_patience": 0},
    "max-grad-norm-out-of-range": {"max_grad_norm": 0},
    "weight-decay-out-of-range": {"weight_decay": NAN},
    "scheduler-unknown": {"scheduler": "linear"},
    "precision-unknown": {"precision": "int8"},
    "precision-needs-a-gpu": {"precision": "fp16"},
    "reporter-unknown": {"report_to": ["paper"]},
    "reporter-missing": {"report_to": ["mlflow"]},
    "argument-type": {"epochs": 1.5},
    "argument-type ": {"report_to": "tensorboard"},
    "argument-type  ": {"callback": 3},
}


@pytest.mark.parametrize("code", BAD_SETTINGS)
def test_r7_bad_settings_are_refused(still: Path, code: str) -> None:
    model = model_of(still)
    with pytest.raises(WorkbenchError) as caught:
        model.fit([(loader_of(pairs(4)), cosine(model))], **BAD_SETTINGS[code])
    assert caught.value.code == code.strip()


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (lambda model: [], "objectives-empty"),
        (lambda model: [loader_of(pairs(2))], "objectives-not-pairs"),
        (lambda model: [(cosine(model), loader_of(pairs(2)))], "objectives-not-pairs"),
        (lambda model: [(iter([1, 2]), cosine(model))], "loader-without-length"),
        (lambda model: [([[1, 2]], cosine(model))], "batch-not-understood"),
        (lambda model: [(loader_of(pairs(2)), nn.Linear(2, 2, bias=False).requires_grad_(False))], "nothing"),
    ],
    ids=["none", "no pairs", "turned round", "no length", "no batch", "frozen"],
)
def test_what_is_no_objective_is_refused(still: Path, given: Any, code: str) -> None:
    model = model_of(still)
    with pytest.raises(WorkbenchError, match=code):
        model.fit(given(model), show_progress_bar=False)


def test_a_subset_is_looked_at_as_a_whole(still: Path) -> None:
    model = model_of(still)
    rows = labelled([0.5, 7.0, 0.5, 0.5])
    part: Any = Subset(rows, [0, 2, 3])  # type: ignore[arg-type]
    model.fit([(DataLoader(part), cosine(model))], show_progress_bar=False)
    part = Subset(rows, [3, 1])  # type: ignore[arg-type]
    with pytest.raises(WorkbenchError, match=r"row 1: 7\.0"):
        model.fit([(DataLoader(part), cosine(model))], show_progress_bar=False)


KINDS = ("score", "binary", "class", "margins", "scores", "vector")
anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 9),
    st.floats(),
    st.text(max_size=2),
    st.lists(st.floats(-2, 2), min_size=1, max_size=3),
    st.floats(0, 1).map(np.float32),
    st.integers(0, 3).map(np.int64),
)


@settings(max_examples=60)
@given(st.sampled_from(KINDS), st.lists(anything, min_size=1, max_size=5), st.booleans())
def test_r4_labels_give_a_tensor_or_a_coded_error(kind: Any, labels: list[Any], ranged: bool) -> None:
    needs = DataNeeds(("text",), kind, (0.0, 1.0) if ranged else None)
    try:
        check_labels(labels, needs, "a loss")
        tensor = label_tensor(labels)
    except WorkbenchError as error:
        assert error.code.startswith("label")
        return
    assert tensor is not None and len(tensor) == len(labels) and bool(torch.isfinite(tensor.float()).all())
    if kind == "binary":
        assert set(tensor.tolist()) <= {0, 1}
    if ranged and tensor.ndim == 1:
        assert float(tensor.min()) >= 0 and float(tensor.max()) <= 1


def test_labels_keep_their_kind() -> None:
    kinds: list[tuple[list[Any], Any]] = [
        ([1, 0], torch.int64),
        ([True, False], torch.int64),
        ([0.5, 1], torch.float32),
        ([np.float64(0.5), 1.0], torch.float32),
        ([[0.5, 1.0], [2, 3]], torch.float32),
        ([np.zeros(3), np.ones(3)], torch.float32),
        ([torch.ones(2), torch.zeros(2)], torch.float32),
        ([torch.tensor(1), torch.tensor(0)], torch.int64),
    ]
    for labels, kind in kinds:
        tensor = label_tensor(labels)
        assert tensor is not None and tensor.dtype == kind
        assert tensor.tolist() == [np.asarray(label).tolist() for label in labels]
    assert label_tensor([None, None]) is None


def test_a_text_is_tokenised_once_a_batch(still: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of(still)
    asked: list[str] = []
    plain = type(model[0]).tokenize_texts

    def counting(module: Any, given: Any) -> Any:
        asked.extend(given)
        return plain(module, given)

    monkeypatch.setattr(type(model[0]), "tokenize_texts", counting)
    rows = [InputExample(texts=[a, b], label=1) for a, b in itertools.product("xyz", "xy")]
    features, labels = model.smart_batching_collate(rows)
    assert asked == ["x", "y", "z"] and labels is not None and labels.dtype == torch.int64
    for column, side in zip(features, zip(*(row.texts for row in rows), strict=True), strict=True):
        expected = model.tokenize(list(side))
        assert all(torch.equal(column[name], expected[name]) for name in expected)
