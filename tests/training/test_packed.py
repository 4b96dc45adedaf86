"""A training in one pass without padding is the plain training up to rounding, and as repeatable."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.models.tiny import write_upstream
from tests.training.small import cosine, largest_difference, loader_of, model_of, pairs, texts, weights
from workbench import losses
from workbench.data.input_example import InputExample
from workbench.models import packed_columns
from workbench.sentence_transformer import SentenceTransformer
from workbench.training import TrainingResult

QUIET = {"show_progress_bar": False, "warmup_steps": 0}


def awkward_pairs() -> list[InputExample]:
    """Mixed lengths, texts past the limit, an empty one, one that stands in both columns, repeated rows."""
    rows = pairs(34)
    long = " ".join(texts(40, seed=3))
    rows[1] = InputExample(texts=[long, "short"], label=0.5)
    rows[2] = InputExample(texts=["", "nothing on the other side"], label=0.0)
    rows[5] = InputExample(texts=["the fox", "the fox"], label=1.0)
    return [*rows, *rows[4:7]]


def awkward_triples() -> list[InputExample]:
    columns = [texts(30, seed, words=9) for seed in (1, 2, 3)]
    columns[1][3], columns[2][8] = "", " ".join(texts(50, seed=9))
    return [InputExample(texts=list(row)) for row in zip(*columns, strict=True)]


def trained(
    model: SentenceTransformer, rows: list[InputExample], loss: nn.Module, **arguments: Any
) -> tuple[TrainingResult, dict[str, torch.Tensor]]:
    result = model.fit(
        [(loader_of(rows, arguments.pop("batch_size", 4)), loss)], seed=1, **{**QUIET, **arguments}
    )
    return result, weights(model)


def assert_one_training(one: tuple[TrainingResult, Any], other: tuple[TrainingResult, Any]) -> None:
    for left, right in zip(one[0].steps, other[0].steps, strict=True):
        assert left.losses == pytest.approx(right.losses, abs=1e-5)
        assert left.gradient_norms == pytest.approx(right.gradient_norms, rel=1e-3, abs=1e-5)
        assert left.tokens == right.tokens
    # A key's bias moves no attention: its gradient is rounding, which Adam makes large.
    parts: list[dict[str, Any]] = [{}, {}, {}, {}]
    for place, (_, state) in enumerate((one, other)):
        for name, tensor in state.items():
            parts[place + 2 * name.endswith("key.bias")][name] = tensor
    assert largest_difference(parts[0], parts[1]) <= 1e-5
    assert largest_difference(parts[2], parts[3]) <= 1e-4


@pytest.mark.parametrize(
    ("rows", "kind"),
    [(awkward_pairs(), cosine), (awkward_triples(), losses.MultipleNegativesRankingLoss)],
    ids=["pairs", "triples"],
)
def test_200_steps_equal_the_plain_ones(still: Path, rows: list[InputExample], kind: Any) -> None:
    runs = []
    for packed in (True, False):
        model = model_of(still)
        model.max_seq_length = 24
        before = weights(model)
        runs.append(trained(model, rows, kind(model), epochs=20, steps_per_epoch=10, packed=packed))
        assert runs[-1][0].conditions.packed is packed and len(runs[-1][0].steps) == 200
        assert largest_difference(before, runs[-1][1]) > 1e-3
    assert_one_training(*runs)


@pytest.mark.full
@pytest.mark.parametrize("kind", [losses.CosineSimilarityLoss, losses.MultipleNegativesRankingLoss])
def test_200_steps_of_the_bundled_model(bundled: Path, kind: Any) -> None:
    rows = awkward_pairs() * 4
    runs = []
    for packed in (True, False):
        model = SentenceTransformer(str(bundled), device="cpu")
        # Some texts are past the limit: a short one keeps the steps short.
        model.max_seq_length = 32
        for module in model[0].auto_model.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0
        runs.append(
            trained(model, rows, kind(model), batch_size=8, epochs=20, steps_per_epoch=10, packed=packed)
        )
    assert_one_training(*runs)


def test_with_dropout_a_seed_gives_one_training_bit_for_bit(dropping: Path) -> None:
    runs = []
    for _ in range(2):
        model = model_of(dropping)
        runs.append(trained(model, awkward_pairs(), cosine(model), epochs=2))
    (result, state), (again, same) = runs
    assert result.conditions.packed and result.losses == again.losses
    assert largest_difference(state, same) == 0.0
    model = model_of(dropping)
    other, _ = trained(model, awkward_pairs(), cosine(model), epochs=2, packed=False)
    assert other.losses != result.losses


@pytest.mark.parametrize("accumulated", [1, 2])
def test_a_stop_and_a_resume_end_in_the_same_bits(dropping: Path, tmp_path: Path, accumulated: int) -> None:
    settings = {"epochs": 2, "gradient_accumulation_steps": accumulated, "checkpoint_save_steps": 100}
    whole_model = model_of(dropping)
    whole, state = trained(
        whole_model, pairs(24), cosine(whole_model), checkpoint_path=tmp_path / "whole", **settings
    )
    asked = iter(range(100))
    stopping = model_of(dropping)
    stopped, _ = trained(
        stopping,
        pairs(24),
        cosine(stopping),
        checkpoint_path=tmp_path / "cut",
        stop=lambda: next(asked) >= 3,
        **settings,
    )
    assert stopped.status == "cancelled"
    resumed_model = model_of(dropping)
    resumed, end = trained(
        resumed_model,
        pairs(24),
        cosine(resumed_model),
        checkpoint_path=tmp_path / "cut",
        resume_from_checkpoint=True,
        **settings,
    )
    assert resumed.conditions.packed and resumed.losses == whole.losses
    assert largest_difference(state, end) == 0.0


def test_bf16_stays_near_and_finite(still: Path) -> None:
    runs = []
    for precision in ("fp32", "bf16"):
        model = model_of(still)
        runs.append(trained(model, pairs(24), cosine(model), precision=precision)[0])
    assert all(run.conditions.packed for run in runs)
    assert runs[0].losses != runs[1].losses
    for (exact,), (half,) in zip(runs[0].losses, runs[1].losses, strict=True):
        assert half == pytest.approx(exact, abs=0.02)


def test_an_encoder_without_a_packed_pass_is_trained_padded_and_says_so(tmp_path: Path) -> None:
    model = model_of(write_upstream(tmp_path, "mpnet"))
    result, _ = trained(model, pairs(8), cosine(model))
    assert not result.conditions.packed
    assert any("mpnet has no packed pass" in notice for notice in result.notices)
    asked_for, _ = trained(model, pairs(8), cosine(model), packed=False)
    assert not any("packed" in notice or "padded" in notice for notice in asked_for.notices)


def test_a_hook_keeps_the_padded_pass(still: Path) -> None:
    model = model_of(still)
    seen: list[Any] = []
    handle = model[1].register_forward_hook(lambda *given: seen.append(given))
    result, _ = trained(model, pairs(8), cosine(model))
    handle.remove()
    assert len(seen) == 4 and not result.conditions.packed


def test_the_switch_is_back_after_a_training_that_failed(still: Path) -> None:
    model = model_of(still)
    table = model[0].auto_model.get_input_embeddings()

    def failing(*_: Any) -> Any:
        assert packed_columns._SWITCH in vars(model) and model.packs_columns
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(
            model,
            pairs(8),
            cosine(model),
            progress=lambda event: failing() if hasattr(event, "losses") and hasattr(event, "step") else None,
        )
    assert not model.packs_columns and not table.sparse
