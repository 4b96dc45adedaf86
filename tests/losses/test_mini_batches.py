"""Mini-batches: the whole batch's value and gradient, with dropout, in every kind of features."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from tests.models.tiny import CORPUS, library_tokenizer, write_upstream
from workbench import losses
from workbench.errors import WorkbenchError
from workbench.losses.columns import embed
from workbench.losses.mini_batches import MiniBatches
from workbench.models.static_embedding import StaticEmbedding
from workbench.sentence_transformer import SentenceTransformer

TEXTS = [word * (1 + index % 3) for index, word in enumerate(" ".join(CORPUS).split()[:11])]
TEXTS[3] = " ".join(CORPUS[:2])


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> SentenceTransformer:
    folder = write_upstream(tmp_path_factory.mktemp("model"), "bert")
    return SentenceTransformer(folder, device="cpu").double()


def static() -> SentenceTransformer:
    torch.manual_seed(0)
    module = StaticEmbedding(library_tokenizer("bert"), embedding_dim=8)
    return SentenceTransformer(modules=[module], device="cpu").double()


def value_and_gradients(loss: nn.Module, columns: list[dict[str, Tensor]]) -> tuple[Tensor, list[Tensor]]:
    loss.zero_grad()
    value: Tensor = loss(columns, None)
    value.backward()
    return value.detach(), [p.grad.clone() for p in loss.parameters() if p.grad is not None]


def assert_equal(first: tuple[Tensor, list[Tensor]], second: tuple[Tensor, list[Tensor]]) -> None:
    torch.testing.assert_close(first[0], second[0], rtol=1e-12, atol=1e-12)
    assert len(first[1]) == len(second[1]) > 0
    assert any(bool(grad.any()) for grad in first[1])
    for one, other in zip(first[1], second[1], strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)


@settings(max_examples=15)
@given(size=st.integers(1, 13), tokens=st.none() | st.integers(1, 60), fixed=st.booleans())
def test_mini_batches_equal_the_whole_batch(
    model: SentenceTransformer, size: int, tokens: int | None, fixed: bool
) -> None:
    chosen = static() if fixed else model.eval()
    columns = [chosen.tokenize(TEXTS), chosen.tokenize(TEXTS[::-1])]
    before = [set(column) for column in columns]
    whole = value_and_gradients(losses.MultipleNegativesRankingLoss(chosen), columns)
    budget = None if fixed else tokens
    cached = losses.CachedMultipleNegativesRankingLoss(
        chosen, mini_batch_size=size, mini_batch_num_tokens=budget
    )
    assert_equal(whole, value_and_gradients(cached, columns))
    assert [set(column) for column in columns] == before, "the caller's features were written into"


def test_dropout_repeats_in_the_backward_pass(model: SentenceTransformer) -> None:
    model.train()
    assert any(isinstance(module, nn.Dropout) and module.p > 0 for module in model.modules())
    columns = [model.tokenize(TEXTS), model.tokenize(TEXTS[::-1])]
    cached = losses.CachedMultipleNegativesRankingLoss(model, mini_batch_size=4)
    torch.manual_seed(3)
    found = value_and_gradients(cached, columns)
    after = torch.rand(1)
    # The same mini-batches, their activations kept.
    model.zero_grad()
    torch.manual_seed(3)
    embeddings = [
        torch.cat([embed(model, part) for part in cached.mini_batches.parts(column)]) for column in columns
    ]
    value = losses.MultipleNegativesRankingLoss(model).compute_loss_from_embeddings(embeddings)
    value.backward()
    kept = value.detach(), [p.grad.clone() for p in model.parameters() if p.grad is not None]
    assert_equal(kept, found)
    assert torch.equal(after, torch.rand(1)), "the second pass drew from the caller's random state"
    model.eval()


def test_no_pass_sees_more_rows_than_a_mini_batch(model: SentenceTransformer) -> None:
    seen: list[int] = []
    hook = model.register_forward_pre_hook(lambda _, args: seen.append(len(args[0]["input_ids"])))
    columns = [model.tokenize(TEXTS), model.tokenize(TEXTS[::-1])]
    value_and_gradients(losses.MegaBatchMarginLoss(model, mini_batch_size=4), columns)
    hook.remove()
    assert sorted(seen) == [3] * 4 + [4] * 8, "every mini-batch of both columns, twice"


@settings(max_examples=40)
@given(lengths=st.lists(st.integers(1, 9), min_size=1, max_size=12), tokens=st.integers(1, 20))
def test_a_token_budget_is_kept(lengths: list[int], tokens: int) -> None:
    width = max(lengths)
    mask = (torch.arange(width) < torch.tensor(lengths)[:, None]).long()
    parts = list(MiniBatches(tokens=tokens).parts({"input_ids": mask.cumsum(1), "attention_mask": mask}))
    assert torch.cat([part["attention_mask"].sum(1) for part in parts]).tolist() == lengths
    for part, following in zip(parts, [*parts[1:], None], strict=True):
        held = int(part["attention_mask"].sum())
        assert held <= tokens or len(part["input_ids"]) == 1
        if following is not None:
            assert held + int(following["attention_mask"][0].sum()) > tokens
        assert part["input_ids"].shape[1] == int(part["attention_mask"].sum(1).max())


def test_padding_on_the_left_stays() -> None:
    mask = torch.tensor([[0, 0, 1, 0], [0, 1, 1, 0]])
    features: dict[str, Any] = {"input_ids": mask * 5, "attention_mask": mask, "prompt_length": 1}
    (part,) = MiniBatches().parts(features)
    assert part["input_ids"].tolist() == [[0, 0, 5], [0, 5, 5]]
    assert part["prompt_length"] == 1
    (part,) = MiniBatches().parts({"input_ids": mask * 0, "attention_mask": mask * 0})
    assert part["input_ids"].shape == (2, 1)


def test_tokens_that_cannot_be_counted_are_refused() -> None:
    with pytest.raises(WorkbenchError) as caught:
        list(MiniBatches(tokens=4).parts(static().tokenize(TEXTS)))
    assert caught.value.code == "tokens-not-counted"


def test_without_gradients_the_value_is_the_same(model: SentenceTransformer) -> None:
    columns = [model.tokenize(TEXTS), model.tokenize(TEXTS[::-1])]
    loss = losses.CachedMultipleNegativesRankingLoss(model, mini_batch_size=3)
    with torch.no_grad():
        value = loss(columns)
    assert not value.requires_grad
    torch.testing.assert_close(value, loss(columns).detach(), rtol=0, atol=0)


def test_adaptive_layers_refuse_mini_batches(model: SentenceTransformer) -> None:
    with pytest.raises(WorkbenchError) as caught:
        losses.AdaptiveLayerLoss(model, losses.CachedMultipleNegativesRankingLoss(model))
    assert caught.value.code == "loss-by-mini-batches"


def test_a_written_folder_is_left_alone(tmp_path: Path, model: SentenceTransformer) -> None:
    losses.AdaptiveLayerLoss(model, losses.CoSENTLoss(model))(
        [model.tokenize(TEXTS), model.tokenize(TEXTS)], torch.arange(len(TEXTS))
    )
    assert not model[0].auto_model.config.output_hidden_states
