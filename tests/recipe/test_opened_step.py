"""One step of fit, opened: what is shown is what fit does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from workbench.recipe.config import TrainingConfig, checked_config
from workbench.recipe.loss_shares import loss_shares
from workbench.recipe.opened_step import OpenedStep, open_step
from workbench.recipe.prepare import prepare
from workbench.recipe.step_code import PART_NAMES, part_codes
from workbench.recipe.train import fit_prepared
from workbench.sentence_transformer import SentenceTransformer

ANCHORS = {"sentence1": "anchor", "sentence2": "positive", "score": "ignore"}


def config_of(made: dict[str, Any], **changes: Any) -> TrainingConfig:
    if "Ranking" in str(changes.get("loss")):
        changes["data"] = {**made["data"], "roles": ANCHORS}
    return checked_config({**made, "dropout": True, **changes})


@pytest.fixture(scope="module")
def opened(made: dict[str, Any]) -> OpenedStep:
    return open_step(config_of(made))


@pytest.mark.parametrize("loss", ["CosineSimilarityLoss", "MultipleNegativesRankingLoss", "CoSENTLoss"])
def test_its_loss_is_that_of_fits_first_step(made: dict[str, Any], tmp_path: Any, loss: str) -> None:
    settings = {"loss": {"name": loss}, "evaluator": "none", "max_steps": 2, "checkpoint_steps": 0}
    # A packed batch draws its dropout in another order; without dropout both are one step.
    still = config_of(made, **settings, dropout=False)
    packed = fit_prepared(prepare(still), tmp_path / "packed").steps[0]
    assert open_step(still).loss == pytest.approx(packed.losses[0], rel=1e-5)
    config = config_of(made, **settings)
    first = fit_prepared(prepare(config), tmp_path / "run", packed=False).steps[0]
    opened = open_step(config)
    assert opened.loss == first.losses[0]
    assert opened.gradient_norm == pytest.approx(first.gradient_norms[0], rel=1e-6)
    if loss != "CoSENTLoss":
        assert sum(pair.loss_share or 0 for pair in opened.pairs) == pytest.approx(opened.loss, rel=1e-5)
    else:
        assert all(pair.loss_share is None and pair.pull >= 0 for pair in opened.pairs)


def test_it_shows_the_batch_its_tokens_and_vectors(opened: OpenedStep, made: dict[str, Any]) -> None:
    model = SentenceTransformer(made["model"]["name"], device="cpu")
    assert len(opened.examples) == 16 and len(opened.tokens) == 2
    for column, shown in enumerate(opened.tokens):
        batch = model.tokenize([example.texts[column] for example in opened.examples])
        for row, tokens in enumerate(shown):
            assert tokens.ids == tuple(batch["input_ids"][row].tolist())
            assert tokens.mask == tuple(batch["attention_mask"][row].tolist())
            names = model.tokenizer.backend_tokenizer
            assert [names.token_to_id(token) for token in tokens.tokens] == list(tokens.ids)
    width = len(opened.tokens[0][0].ids)
    assert opened.token_embeddings_shape == (16, width, 32) and opened.pooled_shape == (16, 32)
    assert np.shape(opened.pooled) == (3, 6)


def test_a_pair_shows_its_cosine_before_in_and_after_the_step(
    opened: OpenedStep, made: dict[str, Any]
) -> None:
    model = SentenceTransformer(made["model"]["name"], device="cpu")
    columns = [model.encode([example.texts[column] for example in opened.examples]) for column in (0, 1)]
    cosines = (columns[0] * columns[1]).sum(axis=1)
    np.testing.assert_allclose([pair.before for pair in opened.pairs], cosines, atol=1e-5)
    losses = [(pair.similarity - pair.label) ** 2 for pair in opened.pairs]
    assert np.mean(losses) == pytest.approx(opened.loss, rel=1e-4)
    # One step against the gradient: without dropout the same pairs come nearer to their labels.
    before = np.mean([(pair.before - pair.label) ** 2 for pair in opened.pairs])
    after = np.mean([(pair.after - pair.label) ** 2 for pair in opened.pairs])
    assert after < before and opened.learning_rate == 2e-5


def test_gradient_norms_by_layer_add_up_to_the_whole(opened: OpenedStep) -> None:
    assert list(opened.layer_norms)[:3] == ["embeddings", "layer 0", "layer 1"]
    total = sum(norm**2 for norm in opened.layer_norms.values()) ** 0.5
    assert total == pytest.approx(opened.gradient_norm, rel=1e-5)


def test_the_loss_holds_the_model_and_every_part_has_its_code(opened: OpenedStep) -> None:
    assert opened.loss_model_is_model
    assert [part.name for part in opened.parts] == list(PART_NAMES)
    assert all(part.code.classic and part.code.plain for part in opened.parts)
    assert opened.formula == "mean over rows of (t(cos(u, v)) - label)²"
    assert opened.notices == ("The warm-up is left out: its first step has a learning rate of 0.",)


def test_the_classic_line_is_that_of_the_loss_and_of_the_settings(made: dict[str, Any]) -> None:
    def lines(**changes: Any) -> str:
        codes = part_codes(prepare(config_of(made, evaluator="none", **changes)))
        return "\n".join(codes[name].classic for name in PART_NAMES)

    article = lines(model={**made["model"], "max_seq_length": 20}, batch_size=8, learning_rate=1e-3)
    assert "train_loss = losses.CosineSimilarityLoss(model)  # loss.model is model" in article
    assert "InputExample(texts=[sentence1, sentence2], label=score)" in article
    for stated in ("batch_size=8)", "max_seq_length=20)", "max_grad_norm=1)", "{'lr': 0.001}"):
        assert stated in article
    ranking = {
        "name": "MultipleNegativesRankingLoss",
        "arguments": {"scale": 30, "similarity_fct": "dot_score"},
    }
    expected = "losses.MultipleNegativesRankingLoss(model, scale=30, similarity_fct=util.dot_score)"
    assert expected in lines(loss=ranking) and "CosineSimilarityLoss" not in lines(loss=ranking)
    assert "InputExample(texts=[anchor, positive])" in lines(loss=ranking)
    wrapped = {"name": "MatryoshkaLoss", "inner": {"name": "CoSENTLoss"}}
    assert "losses.MatryoshkaLoss(model, loss=losses.CoSENTLoss(model), matryoshka_dims=[32])" in lines(
        loss=wrapped
    )


@pytest.mark.parametrize(
    "loss",
    [
        {"name": "CosineSimilarityLoss"},
        {"name": "MultipleNegativesRankingLoss", "arguments": {"scale": 7}},
        {"name": "CoSENTLoss"},
    ],
    ids=lambda loss: loss["name"],
)
def test_the_plain_lines_give_the_same_loss(made: dict[str, Any], loss: dict[str, Any]) -> None:
    prepared = prepare(config_of(made, loss=loss, evaluator="none"))
    codes = part_codes(prepared)
    vectors, labels = list(torch.randn(2, 6, 32)), torch.rand(6)
    names = {"torch": torch, "F": torch.nn.functional, "vectors": vectors, "labels": labels}
    exec(f"{codes['similarity'].plain}\n{codes['loss'].plain}", names)  # noqa: S102
    own: Any = prepared.loss
    if "Ranking" in loss["name"]:
        expected = own.ranking.row_losses(vectors[0], vectors[1:], torch.arange(6)).mean()
    else:
        expected = own.compute_loss_from_embeddings(vectors, labels)
    torch.testing.assert_close(names["loss"], expected)


def test_a_loss_without_plain_lines_shows_its_formula(made: dict[str, Any]) -> None:
    prepared = prepare(config_of(made, loss={"name": "AnglELoss"}, evaluator="none"))
    plain = part_codes(prepared)["loss"].plain
    assert plain.startswith("# loss: ") and "exp" in plain
    assert "mse_loss" not in plain


@pytest.mark.parametrize(
    "changes",
    [
        {"loss": {"name": "CachedMultipleNegativesRankingLoss", "arguments": {"mini_batch_size": 4}}},
        {"gradient_accumulation_steps": 2, "warmup": 0},
        {"loss": {"name": "MatryoshkaLoss", "inner": {"name": "CosineSimilarityLoss"}}, "warmup": 0},
    ],
    ids=["in pieces", "several batches", "a wrapper"],
)
def test_other_steps_are_opened_as_far_as_they_go(made: dict[str, Any], changes: dict[str, Any]) -> None:
    opened = open_step(config_of(made, **changes))
    assert np.isfinite(opened.loss) and opened.layer_norms and opened.loss_model_is_model
    assert opened.pairs or opened.notices


def test_a_step_leaves_no_hook_behind(made: dict[str, Any]) -> None:
    from workbench.recipe.step_hooks import watched_step

    prepared = prepare(config_of(made))
    before = prepared.model.smart_batching_collate
    with watched_step(prepared.model, prepared.loss):
        assert prepared.model.smart_batching_collate != before
    assert prepared.model.smart_batching_collate == before
    assert not any(module._forward_hooks for module in prepared.loss.modules())
    assert not any(parameter._post_accumulate_grad_hooks for parameter in prepared.loss.parameters())


def test_a_loss_that_is_no_sum_over_rows_has_no_shares() -> None:
    from workbench import losses

    rows = [torch.eye(3), torch.eye(3).roll(1, 0)]
    loss = losses.CoSENTLoss(torch.nn.Identity())  # type: ignore[arg-type]
    assert loss_shares(loss, rows, torch.tensor([0.0, 0.5, 1.0]), 1.0) is None
