"""The meaning of the classic ``fit``, point by point; ``test_upstream_fit`` shows where it was lost since."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, SequentialSampler, WeightedRandomSampler

from tests.training.small import (
    SIZE,
    Scripted,
    cosine,
    largest_difference,
    loader_of,
    model_of,
    pairs,
    texts,
    weights,
)
from workbench import evaluation, losses
from workbench.data.input_example import InputExample
from workbench.errors import WorkbenchError


class Logged(Dataset[InputExample]):
    """Rows that note in which order they are asked for, each with a text of its own at every asking."""

    def __init__(self, rows: int) -> None:
        self.rows = pairs(rows)
        self.asked: list[int] = []
        self.given: list[str] = []

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> InputExample:
        self.asked.append(index)
        noisy = f"{self.rows[index].texts[0]} {random.random()}"
        self.given.append(noisy)
        return InputExample(texts=[noisy, self.rows[index].texts[1]], label=self.rows[index].label)


class Seen(nn.Module):
    """A loss that notes the labels it is given."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.labels: list[Any] = []

    def forward(self, sentence_features: Any, labels: Any) -> torch.Tensor:
        self.labels.append(labels)
        first, second = (self.model(dict(column))["sentence_embedding"] for column in sentence_features)
        return (first - second).square().sum()


def train(model: Any, loader: Any, loss: Any, **arguments: Any) -> Any:
    return model.fit([(loader, loss)], **{"show_progress_bar": False, "warmup_steps": 0, **arguments})


def test_1_the_schedule_counts_real_steps_and_ends_with_the_last(still: Path) -> None:
    model = model_of(still)
    result = train(model, loader_of(pairs(10)), cosine(model), epochs=2)
    rates = [rate * 1e5 for (rate,) in result.learning_rates]
    assert rates == pytest.approx([2, 10 / 6, 8 / 6, 1, 4 / 6, 2 / 6])


def test_2_fewer_rows_than_a_batch_are_learnt_from(still: Path) -> None:
    model = model_of(still)
    before = weights(model)
    train(model, loader_of(pairs(3), batch_size=16), cosine(model))
    assert largest_difference(before, weights(model)) > 1e-6


def test_3_a_built_in_evaluator_chooses_the_best_model(still: Path, tmp_path: Path) -> None:
    model = model_of(still)
    evaluator = evaluation.EmbeddingSimilarityEvaluator.from_input_examples(pairs(12, seed=5), name="dev")
    result = train(
        model, loader_of(pairs(8)), cosine(model), evaluator=evaluator, epochs=2, output_path=tmp_path / "out"
    )
    metrics = [event.metrics["dev_spearman_cosine"] for event in result.evaluations]
    assert list(result.scores) == metrics and result.best_score == max(metrics)
    saved = evaluator(model_of(tmp_path / "out"))
    assert saved["dev_spearman_cosine"] == pytest.approx(result.best_score)
    assert len(list((tmp_path / "out" / "eval").glob("*.csv"))) == 1


def test_4_a_float_evaluator_serves_with_callback_and_output_path(still: Path, tmp_path: Path) -> None:
    model = model_of(still)
    seen: list[Any] = []
    evaluator = Scripted([0.5, 0.75, 0.25])
    result = train(
        model,
        loader_of(pairs(4)),
        cosine(model),
        evaluator=evaluator,
        epochs=3,
        callback=lambda score, epoch, steps: seen.append((score, epoch, steps)),
        output_path=tmp_path / "out",
    )
    assert seen == [(0.5, 0, -1), (0.75, 1, -1), (0.25, 2, -1)]
    assert result.best_score == 0.75
    assert [event.best for event in result.evaluations] == [True, True, False]
    assert evaluator.paths == [str(tmp_path / "out" / "eval")] * 3


def test_5_no_point_is_evaluated_twice(still: Path) -> None:
    model = model_of(still)
    evaluator = Scripted()
    train(model, loader_of(pairs(16)), cosine(model), evaluator=evaluator, epochs=2, evaluation_steps=2)
    assert evaluator.calls == [(0, 2), (0, -1), (1, 2), (1, -1)]


@pytest.mark.parametrize("workers", [0, 1])
def test_6_order_sampler_and_drop_last_are_the_loaders(still: Path, workers: int) -> None:
    model = model_of(still)
    rows = Logged(10)
    loader = DataLoader(rows, batch_size=4, num_workers=workers)
    result = train(model, loader, cosine(model), epochs=2)
    assert result.global_step == 6
    if not workers:
        assert rows.asked == [*range(10), *range(10)]


def test_6_a_sampler_and_drop_last(still: Path) -> None:
    model = model_of(still)
    rows = Logged(10)
    loader = DataLoader(
        rows, batch_size=4, sampler=WeightedRandomSampler([0.0] * 9 + [1.0], 10), drop_last=True
    )
    train(model, loader, cosine(model))
    assert rows.asked == [9] * 8
    batches = [[7, 1], [3]]
    rows.asked.clear()
    train(model, DataLoader(rows, batch_sampler=batches), cosine(model))
    assert rows.asked == [7, 1, 3]


def test_6_every_epoch_is_shuffled_anew(still: Path) -> None:
    model = model_of(still)
    rows = Logged(12)
    loader = DataLoader(rows, batch_size=4, shuffle=True)
    train(model, loader, cosine(model), epochs=2, seed=3)
    first, second = rows.asked[:12], rows.asked[12:]
    assert sorted(first) == sorted(second) == list(range(12))
    assert first != second != list(range(12))


def test_7_a_stochastic_set_is_read_anew_every_epoch(still: Path) -> None:
    model = model_of(still)
    rows = Logged(2)
    train(model, DataLoader(rows, batch_size=2), cosine(model), epochs=4)
    assert len(set(rows.given)) == 8


@pytest.mark.parametrize("zero", [0, 0.0])
def test_8_zero_labels_reach_the_loss(still: Path, zero: float) -> None:
    model = model_of(still)
    loss = Seen(model)
    train(model, loader_of([InputExample(texts=row.texts, label=zero) for row in pairs(4)]), loss)
    (labels,) = loss.labels
    assert labels.tolist() == [0] * 4
    assert labels.dtype == (torch.int64 if isinstance(zero, int) else torch.float32)


def test_8_rows_with_other_numbers_of_texts_are_refused(still: Path) -> None:
    model = model_of(still)
    rows = [*pairs(5), InputExample(texts=["one", "two", "three"], label=0.5)]
    with pytest.raises(WorkbenchError, match=r"row 5: 3.*\[texts-differ\]"):
        train(model, loader_of(rows), cosine(model))


def test_9_the_collate_function_stays_and_nothing_appears_beside(
    still: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    model = model_of(still)
    loader = loader_of(pairs(4))
    before = loader.collate_fn
    train(model, loader, cosine(model))
    assert loader.collate_fn is before
    assert list(tmp_path.iterdir()) == []


def test_9_a_collate_function_of_the_users_is_called(still: Path) -> None:
    model = model_of(still)
    calls = []

    def collate(batch: list[InputExample]) -> Any:
        calls.append(len(batch))
        return model.smart_batching_collate(batch)

    loader = loader_of(pairs(6), collate_fn=collate)
    train(model, loader, cosine(model))
    assert calls == [4, 2] and loader.collate_fn is collate


def test_10_steps_per_epoch_holds_for_every_epoch(still: Path) -> None:
    model = model_of(still)
    rows = Logged(10)
    calls: list[tuple[Any, ...]] = []
    result = train(
        model,
        DataLoader(rows, batch_size=2, sampler=SequentialSampler(rows)),
        cosine(model),
        epochs=2,
        steps_per_epoch=3,
        evaluator=Scripted(),
        evaluation_steps=2,
        callback=lambda *given: calls.append(given),
    )
    # The pass goes on where the epoch before left it, and a new one begins where it is through.
    assert rows.asked == [*range(10), 0, 1]
    assert result.global_step == 6
    assert [given[1:] for given in calls] == [(0, 2), (0, -1), (1, 2), (1, -1)]
    assert all(type(value) is int for given in calls for value in given[1:])


def test_11_the_loss_has_parameters_that_are_trained(still: Path) -> None:
    model = model_of(still)
    loss = losses.SoftmaxLoss(model, SIZE, 3)
    before = loss.classifier.weight.detach().clone()
    rows = [InputExample(texts=row.texts, label=n % 3) for n, row in enumerate(pairs(8))]
    train(model, loader_of(rows), loss)
    assert (loss.classifier.weight - before).abs().max() > 1e-6


def test_objectives_take_turns_each_with_its_own_optimizer_step(still: Path) -> None:
    model = model_of(still)
    first, second = Logged(12), Logged(6)
    order: list[str] = []

    class Named(Seen):
        def forward(self, sentence_features: Any, labels: Any) -> torch.Tensor:
            order.append(self.name)
            return super().forward(sentence_features, labels)

    one, two = Named(model), Named(model)
    one.name, two.name = "one", "two"  # type: ignore[assignment]
    result = model.fit(
        [
            (DataLoader(first, batch_size=3), one),
            (DataLoader(second, batch_size=3), two),
        ],
        epochs=2,
        warmup_steps=0,
        show_progress_bar=False,
    )
    # The smallest loader decides: 2 steps an epoch; the longer one goes on in the second.
    assert order == ["one", "two"] * 4
    assert first.asked == list(range(12)) and second.asked == [*range(6), *range(6)]
    assert [len(step) for step in result.losses] == [2] * 4
    assert [rate * 1e5 for rate, _ in result.learning_rates] == pytest.approx([2, 1.5, 1, 0.5])


def test_without_an_evaluator_the_last_model_is_saved(still: Path, tmp_path: Path) -> None:
    model = model_of(still)
    result = train(model, loader_of(pairs(4)), cosine(model), output_path=tmp_path / "out")
    assert result.output_path == tmp_path / "out"
    assert largest_difference(weights(model), weights(model_of(tmp_path / "out"))) == 0


def test_an_undefined_score_is_never_the_best(still: Path, tmp_path: Path) -> None:
    model = model_of(still)
    seen: list[Any] = []
    result = train(
        model,
        loader_of(pairs(4)),
        cosine(model),
        epochs=4,
        evaluator=Scripted([float("nan"), {"a": None, "b": 9.0}, {"a": -0.5, "b": 0.0}, float("inf")], "a"),
        callback=lambda score, *_: seen.append(score),
        output_path=tmp_path / "out",
    )
    assert seen == [None, None, -0.5, None]
    assert [event.best for event in result.evaluations] == [False, False, True, False]
    assert result.best_score == -0.5


def test_where_no_score_was_defined_the_last_model_is_saved_and_told(still: Path, tmp_path: Path) -> None:
    model = model_of(still)
    result = train(
        model, loader_of(pairs(4)), cosine(model), evaluator=Scripted([None]), output_path=tmp_path / "out"
    )
    assert (
        result.output_path == tmp_path / "out" and "No evaluation gave a defined score" in result.notices[0]
    )


def test_a_model_is_left_in_the_mode_it_came_in_and_random_numbers_go_on(still: Path) -> None:
    model = model_of(still)

    def drawing(model: Any, **given: Any) -> float:
        assert not model.training
        random.random(), torch.rand(3), model.encode(texts(2))
        return 1.0

    def run(evaluator: Any) -> Any:
        copy = model_of(still)
        for module in copy.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.3
        rows = loader_of(pairs(12), shuffle=True)
        return train(
            copy, rows, cosine(copy), evaluator=evaluator, evaluation_steps=1, epochs=2, seed=9
        ).losses

    assert run(None) == run(drawing)
    train(model, loader_of(pairs(4)), cosine(model))
    assert not model.training


def test_the_default_warm_up_is_kept_and_told(still: Path) -> None:
    model = model_of(still)
    result = model.fit([(loader_of(pairs(8)), cosine(model))], show_progress_bar=False)
    assert [rate for (rate,) in result.learning_rates] == pytest.approx([0, 2e-9])
    assert "never reaches its full value" in result.notices[0]
