"""Models, losses and loaders from plain values."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import nn

from tests.models.tiny import write_upstream
from workbench import InputExample, SentenceTransformer, losses, models
from workbench.data import desk
from workbench.errors import WorkbenchError
from workbench.recipe.build_loader import build_loader, index_batches
from workbench.recipe.build_loss import build_loss, halvings, loss_arguments
from workbench.recipe.build_model import build_model
from workbench.recipe.config import LossConfig, ModelConfig
from workbench.recipe.prepare import loss_needs
from workbench.util import similarity


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a tiny BERT."""
    return str(write_upstream(tmp_path_factory.mktemp("tiny"), "bert"))


def kinds(model: SentenceTransformer) -> list[str]:
    return [type(module).__name__ for module in model]


def test_a_model_is_taken_as_it_is(tiny: str) -> None:
    assert kinds(build_model(ModelConfig(name=tiny))) == kinds(SentenceTransformer(tiny))


def test_modules_are_put_where_the_config_says(tiny: str) -> None:
    config = ModelConfig(name=tiny, pooling="cls+mean", dense=7, normalize=True, max_seq_length=9)
    model = build_model(config)
    assert kinds(model) == ["Transformer", "Pooling", "Dense", "Normalize"]
    assert model[1].get_pooling_mode_str() == "cls+mean"
    assert model.max_seq_length == 9
    assert model.encode("some text").shape == (7,)
    assert "Normalize" not in kinds(build_model(ModelConfig(name=tiny, normalize=False)))


def test_without_dropout_two_passes_in_train_mode_are_equal(tiny: str) -> None:
    model = build_model(ModelConfig(name=tiny), dropout=False).train()
    batch = model.tokenize(["one sentence", "another one"])
    first, second = (model(dict(batch))["sentence_embedding"] for _ in range(2))
    assert torch.equal(first, second)
    noisy = build_model(ModelConfig(name=tiny)).train()
    first, second = (noisy(dict(batch))["sentence_embedding"] for _ in range(2))
    assert not torch.equal(first, second)


@pytest.mark.parametrize("name", sorted(losses.LOSSES))
def test_every_loss_can_be_built_from_its_name(name: str, tiny: str) -> None:
    model = build_model(ModelConfig(name=tiny))
    arguments: dict[str, Any] = {"guide": tiny} if "GIST" in name else {}
    loss = build_loss(LossConfig(name=name, arguments=arguments), model, num_labels=3)
    assert type(loss) is losses.LOSSES[name]
    expected: Any = loss.needs
    found = loss_needs(LossConfig(name=name))
    # How many classes there are is known once it is built.
    assert (found.columns, found.labels) == (expected.columns, expected.labels)


def test_names_stand_for_functions(tiny: str) -> None:
    model = build_model(ModelConfig(name=tiny))
    given = {"similarity_fct": "dot_score", "scale": 3.0}
    named: Any = build_loss(LossConfig(name="MultipleNegativesRankingLoss", arguments=given), model)
    direct = losses.MultipleNegativesRankingLoss(model, scale=3.0, similarity_fct=similarity.dot_score)
    columns = [torch.randn(5, 4, generator=torch.Generator().manual_seed(seed)) for seed in (1, 2)]
    assert torch.equal(
        named.compute_loss_from_embeddings(columns, None), direct.compute_loss_from_embeddings(columns, None)
    )
    triplet: Any = build_loss(LossConfig(name="TripletLoss", arguments={"distance_metric": "COSINE"}), model)
    assert triplet.distance_metric is losses.TripletDistanceMetric.COSINE
    nested: Any = build_loss(LossConfig(name="MatryoshkaLoss", inner=LossConfig(name="CoSENTLoss")), model)
    assert isinstance(nested.loss, losses.CoSENTLoss)


@pytest.mark.parametrize(
    ("config", "code"),
    [
        (LossConfig(name="NoLoss"), "loss-unknown"),
        (LossConfig(name="CoSENTLoss", arguments={"margin": 1}), "loss-argument-unknown"),
        (LossConfig(name="CoSENTLoss", arguments={"similarity_fct": "os.system"}), "loss-function-unknown"),
        (LossConfig(name="CoSENTLoss", inner=LossConfig()), "loss-inner"),
        (LossConfig(name="MatryoshkaLoss", inner=LossConfig(name="AdaptiveLayerLoss")), "loss-inner"),
        (LossConfig(name="GISTEmbedLoss"), "loss-guide-missing"),
        (
            LossConfig(name="DenoisingAutoEncoderLoss", arguments={"decoder_name_or_path": "/etc"}),
            "loss-argument-unknown",
        ),
        (LossConfig(name="ContrastiveLoss", arguments={"loss_fct": "x"}), "loss-argument-unknown"),
    ],
)
def test_what_no_loss_takes_is_refused(config: LossConfig, code: str, tiny: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        build_loss(config, build_model(ModelConfig(name=tiny)))
    assert caught.value.code == code


def test_arguments_that_are_objects_are_not_offered() -> None:
    assert loss_arguments("CosineSimilarityLoss") == ()
    assert "scale" in loss_arguments("CoSENTLoss")


def test_halvings() -> None:
    assert halvings(384) == [384, 192, 96, 48]
    assert halvings(100) == [100, 50]
    assert halvings(33) == [33]


LOADERS = {
    "plain": ("CosineSimilarityLoss", lambda: desk.scored_pairs("train")[:40]),
    "no duplicates": ("MultipleNegativesRankingLoss", lambda: desk.positive_pairs("train")[:40]),
    "by label": (
        "BatchHardTripletLoss",
        lambda: [InputExample(texts=[one.text], label=one.label) for one in desk.labelled_sentences("train")],
    ),
}


@pytest.mark.parametrize("kind", LOADERS)
def test_index_batches_are_the_batches_of_the_loader_over_several_epochs(kind: str) -> None:
    loss, rows = LOADERS[kind]
    examples = rows()
    needs = loss_needs(LossConfig(name=loss))
    loader = build_loader(examples, needs, 8, seed=3)
    loader.collate_fn = list
    seen = [[example.texts for example in batch] for _ in range(2) for batch in loader]
    indexes = index_batches(examples, needs, 8, seed=3, epochs=2)
    assert seen == [[examples[row].texts for row in batch] for batch in indexes]
    assert seen != [
        [examples[row].texts for row in batch]
        for batch in index_batches(examples, needs, 8, seed=4, epochs=2)
    ]


def test_batches_with_negatives_hold_no_text_twice() -> None:
    examples = desk.question_article_pairs("train")
    needs = loss_needs(LossConfig(name="MultipleNegativesRankingLoss"))
    for batch in index_batches(examples, needs, 32, seed=0, epochs=1):
        texts = [text for row in batch for text in examples[row].texts]
        assert len(set(texts)) == len(texts)


def test_building_does_not_change_the_loaded_model(tiny: str) -> None:
    loaded = SentenceTransformer(tiny)
    before = copy.deepcopy(loaded.state_dict())
    build_model(ModelConfig(name=tiny, dense=5))
    assert all(torch.equal(value, before[name]) for name, value in loaded.state_dict().items())
    assert isinstance(loaded[1], models.Pooling)
    assert isinstance(loaded, nn.Sequential)
