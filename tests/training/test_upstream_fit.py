"""Upstream 6.2's ``fit`` on the points of ``test_classic_semantics``: where it parts from the classic one.

Each test states what 6.2 does and fails once upstream mends it. Then the line in the table goes.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from sentence_transformers import InputExample, SentenceTransformer
from sentence_transformers.sentence_transformer import losses
from sentence_transformers.sentence_transformer.evaluation import SentenceEvaluator
from torch import nn
from torch.utils.data import DataLoader, Dataset

from tests.training.small import largest_difference, pairs, weights


@pytest.fixture(autouse=True)
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Upstream writes into the working folder."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def model(still: Path) -> Any:
    return SentenceTransformer(str(still), device="cpu")


def examples(count: int) -> list[Any]:
    return [InputExample(texts=row.texts, label=row.label) for row in pairs(count)]


def fit(model: Any, rows: Any, loss: Any = None, batch_size: int = 4, **arguments: Any) -> None:
    loader = DataLoader(rows, batch_size=batch_size)
    loss = loss or losses.CosineSimilarityLoss(model)
    model.fit([(loader, loss)], **{"warmup_steps": 0, "show_progress_bar": False, **arguments})


class Watched(torch.optim.AdamW):
    """Notes its learning rate at every step."""

    rates: list[float] = []

    def step(self, closure: Any = None) -> Any:
        self.rates.append(float(self.param_groups[0]["lr"]))
        return super().step(closure)


class Judge(SentenceEvaluator):
    """Gives a dict of today, or a float as in 2.x, and counts its calls."""

    def __init__(self, *, floats: bool = False) -> None:
        super().__init__()
        self.calls = 0
        self.floats = floats
        if not floats:
            self.primary_metric = "score"

    def __call__(self, model: Any, output_path: Any = None, epoch: int = -1, steps: int = -1) -> Any:
        self.calls += 1
        return float(self.calls) if self.floats else {"score": float(self.calls)}


class Seen(nn.Module):
    """Notes what it is given."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.labels: list[Any] = []
        self.firsts: list[str] = []

    def forward(self, sentence_features: Any, labels: Any) -> torch.Tensor:
        columns = list(sentence_features)
        self.labels.append(labels)
        self.firsts += self.model.tokenizer.batch_decode(columns[0]["input_ids"], skip_special_tokens=True)
        one, two = (self.model(dict(column))["sentence_embedding"] for column in columns[:2])
        return (one - two).square().sum()


def test_1_the_schedule_ends_early(model: Any) -> None:
    Watched.rates = []
    fit(model, examples(10), epochs=2, optimizer_class=Watched)
    assert [rate * 1e5 for rate in Watched.rates] == pytest.approx([2, 1.5, 1, 0.5, 0, 0])


def test_2_fewer_rows_than_a_batch_teach_nothing(model: Any) -> None:
    before = weights(model)
    fit(model, examples(3), batch_size=16)
    assert largest_difference(before, weights(model)) == 0


def test_5_the_end_of_an_epoch_is_evaluated_twice(model: Any) -> None:
    evaluator = Judge()
    fit(model, examples(16), evaluator=evaluator, evaluation_steps=4)
    assert evaluator.calls == 2


@pytest.mark.full
def test_3_old_fit_refuses_its_own_evaluators(model: Any) -> None:
    evaluator = Judge()
    with pytest.raises(TypeError, match="'>' not supported"):
        model.old_fit(
            [(DataLoader(examples(4), batch_size=4), losses.CosineSimilarityLoss(model))],
            evaluator=evaluator,
            show_progress_bar=False,
        )


@pytest.mark.full
def test_4_a_float_evaluator_breaks_a_callback(model: Any) -> None:
    with pytest.raises(TypeError, match="endswith"):
        fit(model, examples(4), evaluator=Judge(floats=True), callback=lambda *_: None)


@pytest.mark.full
def test_6_the_order_of_the_rows_is_not_kept(model: Any) -> None:
    loss = Seen(model)
    fit(model, examples(16), loss)
    expected = Seen(model)
    for start in range(0, 16, 4):
        expected(model.smart_batching_collate(examples(16)[start : start + 4])[0], None)
    assert sorted(loss.firsts) == sorted(expected.firsts) and loss.firsts != expected.firsts


@pytest.mark.full
def test_7_a_stochastic_set_is_frozen(model: Any) -> None:
    class Noisy(Dataset[Any]):
        def __len__(self) -> int:
            return 1

        def __getitem__(self, index: int) -> Any:
            # Upstream goes on past the length until this is raised.
            if index:
                raise IndexError
            return InputExample(texts=[str(random.random()), "b"], label=0.5)

    loss = Seen(model)
    fit(model, Noisy(), loss, batch_size=1, epochs=4)
    assert len(loss.firsts) == 4 and len(set(loss.firsts)) == 1


@pytest.mark.full
def test_8_zero_labels_are_lost_and_texts_cut(model: Any) -> None:
    loss = Seen(model)
    rows = [InputExample(texts=row.texts, label=0) for row in pairs(3)]
    fit(model, [*rows, InputExample(texts=["one", "two", "three"], label=0)], loss)
    assert loss.labels == [None]


@pytest.mark.full
def test_9_a_collate_function_is_replaced_for_good_and_a_folder_appears(model: Any, tmp_path: Path) -> None:
    def collate(batch: Any) -> Any:
        raise AssertionError("never called")

    loader = DataLoader(examples(4), batch_size=4, collate_fn=collate)
    model.fit([(loader, losses.CosineSimilarityLoss(model))], show_progress_bar=False)
    assert loader.collate_fn is not collate
    assert (tmp_path / "checkpoints").is_dir()


@pytest.mark.full
def test_10_steps_per_epoch_is_ignored(model: Any) -> None:
    loss = Seen(model)
    fit(model, examples(20), loss, epochs=2, steps_per_epoch=2)
    assert len(loss.labels) == 10


@pytest.mark.full
def test_10_the_callback_gets_a_float_epoch_and_the_global_step(model: Any) -> None:
    calls: list[tuple[Any, ...]] = []
    note: Callable[..., Any] = lambda *given: calls.append(given[1:])  # noqa: E731
    fit(model, examples(8), epochs=2, evaluator=Judge(), callback=note)
    assert calls == [(1.0, 2), (2.0, 4)] and all(isinstance(epoch, float) for epoch, _ in calls)
