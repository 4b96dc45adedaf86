"""Every loss through a tiny BERT against upstream's: value and gradient of every parameter, in float64."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from sentence_transformers import SentenceTransformer as UpstreamTransformer
from sentence_transformers.sentence_transformer import losses as upstream
from torch import Tensor

from tests.losses.cases import shown
from tests.models.tiny import CORPUS, write_upstream
from workbench import losses as own
from workbench.sentence_transformer import SentenceTransformer

TOLERANCE = 1e-10
DIM = 32
WORDS = " ".join(CORPUS).split()
ROWS = 7
Models = dict[str, Any]


@dataclass(frozen=True)
class Run:
    """How to build a loss with either library, its text columns, and its labels."""

    about: str
    build: Callable[[Any, Models], Any]
    columns: int
    labels: Callable[[torch.Generator], Tensor | None] = lambda generator: None


def plain(name: str, columns: int, labels: Any = None, **arguments: Any) -> Run:
    return Run(
        shown([name, *arguments.values()]),
        lambda library, models: getattr(library, name)(models["model"], **arguments),
        columns,
        labels or (lambda generator: None),
    )


def guided(name: str, guide: str, columns: int, **arguments: Any) -> Run:
    return Run(
        f"{name} {guide}",
        lambda library, models: getattr(library, name)(models["model"], models[guide], **arguments),
        columns,
    )


def around(outer: str, inner: Run, *dims: Any, **arguments: Any) -> Run:
    return Run(
        shown([outer, inner.about, *arguments.values()]),
        lambda library, models: getattr(library, outer)(
            models["model"], inner.build(library, models), *dims, **arguments
        ),
        inner.columns,
        inner.labels,
    )


def scores(generator: torch.Generator) -> Tensor:
    return torch.randint(0, 9, (ROWS,), generator=generator) / 8


def binary(generator: torch.Generator) -> Tensor:
    return torch.randint(0, 2, (ROWS,), generator=generator)


def classes(generator: torch.Generator) -> Tensor:
    return torch.randint(0, 3, (ROWS,), generator=generator)


def margins(generator: torch.Generator) -> Tensor:
    return torch.randn(ROWS, generator=generator, dtype=torch.float64)


def candidates(generator: torch.Generator) -> Tensor:
    return torch.randn(ROWS, 3, generator=generator, dtype=torch.float64)


def vectors(generator: torch.Generator, dim: int = DIM) -> Tensor:
    return torch.randn(ROWS, dim, generator=generator, dtype=torch.float64)


RANKING = plain("MultipleNegativesRankingLoss", 3)
CACHED = plain("CachedMultipleNegativesRankingLoss", 3, mini_batch_size=3)
COSENT = plain("CoSENTLoss", 2, scores)
MSE = plain("MSELoss", 2, vectors)
GIST = guided("GISTEmbedLoss", "guide", 2)
DIMS = [8, 32, 16]
RUNS = [
    plain("CosineSimilarityLoss", 2, scores),
    plain("SoftmaxLoss", 2, classes, num_labels=3, embedding_dimension=DIM),
    plain(
        "SoftmaxLoss",
        2,
        classes,
        num_labels=5,
        embedding_dimension=DIM,
        concatenation_sent_rep=False,
        concatenation_sent_multiplication=True,
    ),
    RANKING,
    plain("MultipleNegativesRankingLoss", 2, directions=("query_to_doc", "doc_to_query", "doc_to_doc")),
    plain("MultipleNegativesSymmetricRankingLoss", 2),
    CACHED,
    plain("CachedMultipleNegativesRankingLoss", 2, mini_batch_size=32, mini_batch_num_tokens=40),
    plain("CachedMultipleNegativesSymmetricRankingLoss", 3, mini_batch_size=2),
    GIST,
    guided("GISTEmbedLoss", "other guide", 3, margin=0.05),
    guided("CachedGISTEmbedLoss", "guide", 3, mini_batch_size=3),
    guided("CachedGISTEmbedLoss", "other guide", 2, mini_batch_size=4),
    plain("MegaBatchMarginLoss", 2, mini_batch_size=3),
    plain("MegaBatchMarginLoss", 2, use_mini_batched_version=False),
    plain("TripletLoss", 3),
    plain("ContrastiveLoss", 2, binary),
    plain("OnlineContrastiveLoss", 2, binary),
    COSENT,
    plain("AnglELoss", 2, scores),
    plain("AnglELoss", 4, scores),
    MSE,
    plain("MSELoss", 1, lambda generator: vectors(generator, 12), projection_dim=12),
    plain("MarginMSELoss", 3, margins),
    plain("DistillKLDivLoss", 4, candidates),
    plain("BatchAllTripletLoss", 1, classes),
    plain("BatchHardTripletLoss", 1, classes),
    plain("BatchHardSoftMarginTripletLoss", 1, classes),
    plain("BatchSemiHardTripletLoss", 1, classes),
    plain("ContrastiveTensionLoss", 2, binary),
    plain("ContrastiveTensionLoss", 2),
    plain("ContrastiveTensionLossInBatchNegatives", 1),
    plain("DenoisingAutoEncoderLoss", 2),
    Run(
        "DenoisingAutoEncoderLoss with a decoder of its own",
        lambda library, models: library.DenoisingAutoEncoderLoss(
            models["model"], str(models["folder"]), tie_encoder_decoder=False
        ),
        2,
    ),
    Run(
        "DenoisingAutoEncoderLoss with a named decoder, tied",
        lambda library, models: library.DenoisingAutoEncoderLoss(models["model"], str(models["folder"])),
        2,
    ),
    *(
        around("MatryoshkaLoss", inner, DIMS)
        for inner in (RANKING, CACHED, COSENT, MSE, GIST, plain("BatchAllTripletLoss", 1, classes))
    ),
    around("MatryoshkaLoss", RANKING, DIMS, matryoshka_weights=[0.3, 2.0, 1.0], n_dims_per_step=2),
    around("MatryoshkaLoss", CACHED, DIMS, n_dims_per_step=1),
    *(
        around("AdaptiveLayerLoss", inner)
        for inner in (RANKING, COSENT, GIST, plain("BatchAllTripletLoss", 1, classes))
    ),
    around(
        "AdaptiveLayerLoss", RANKING, n_layers_per_step=-1, layer_weighting="log", prior_layers_weight=0.7
    ),
    around("AdaptiveLayerLoss", COSENT, n_layers_per_step=-1, layer_weighting="linear", kl_temperature=0.0),
    around("AdaptiveLayerLoss", COSENT, layer_weighting=lambda layer: layer + 0.5, last_layer_weight=0.2),
    around("AdaptiveLayerLoss", COSENT, kl_div_weight=0.1, kl_temperature=2.0),
    around("Matryoshka2dLoss", RANKING, DIMS),
    around("Matryoshka2dLoss", COSENT, DIMS, n_layers_per_step=-1, n_dims_per_step=-1),
]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {name: write_upstream(tmp_path_factory.mktemp(name.replace(" ", "-")), "bert", normalize=False)
            for name in ("model", "other guide")}  # fmt: skip


def load(kind: Any, folders: dict[str, Path]) -> Models:
    models = {name: kind(str(folder), device="cpu").double() for name, folder in folders.items()}
    models["guide"] = copy.deepcopy(models["model"])
    with torch.no_grad():
        for number, parameter in enumerate(models["guide"].parameters()):
            generator = torch.Generator().manual_seed(number)
            parameter += 0.2 * torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype)
    return {**models, "folder": folders["model"]}


def texts(generator: torch.Generator, columns: int, equal: bool = False) -> list[list[str]]:
    def sentence() -> str:
        length = int(torch.randint(3, 9, (), generator=generator))
        return " ".join(WORDS[int(i)] for i in torch.randint(0, len(WORDS), (length,), generator=generator))

    drawn = [[sentence() for _ in range(ROWS)] for _ in range(columns)]
    if equal:
        drawn[1][0] = drawn[0][0]
    return drawn


def gradients(model: Any, loss: Any) -> dict[str, Tensor]:
    """Gradients by name: of the encoder, and of what the loss has beside it."""
    grads = {f"encoder.{name}": parameter.grad for name, parameter in model[0].auto_model.named_parameters()}
    for name in ("classifier", "projection", "decoder", "model1"):
        extra = getattr(loss, name, None)
        if extra is not None:
            module = extra[0].auto_model if name == "model1" else extra
            grads |= {f"{name}.{key}": parameter.grad for key, parameter in module.named_parameters()}
    if hasattr(loss, "logit_scale"):
        grads["logit_scale"] = loss.logit_scale.grad
    return {name: grad for name, grad in grads.items() if grad is not None}


def run(library: Any, models: Models, case: Run, start: Any = None) -> tuple[Any, Tensor, dict[str, Tensor]]:
    torch.manual_seed(5)
    loss = case.build(library, models).double().eval()
    for name in ("classifier", "projection", "decoder"):
        if start is not None and getattr(start, name, None) is not None:
            getattr(loss, name).load_state_dict(getattr(start, name).state_dict())
    generator = torch.Generator().manual_seed(3)
    # Elsewhere a text equal to its partner makes ties, which rounding decides in upstream.
    drawn = texts(
        generator, case.columns, equal=case.about.startswith("ContrastiveTensionLoss") and case.columns == 2
    )
    batches = [models["model"].tokenize(column) for column in drawn]
    random.seed(11)
    value = loss(batches, case.labels(generator))
    value.backward()
    return loss, value.detach(), gradients(models["model"], loss)


@pytest.mark.parametrize("case", RUNS, ids=lambda case: case.about)
def test_value_and_every_gradient_equal_upstreams(case: Run, folders: dict[str, Path]) -> None:
    theirs, value, grads = run(upstream, load(UpstreamTransformer, folders), case)
    _, our_value, our_grads = run(own, load(SentenceTransformer, folders), case, theirs)
    torch.testing.assert_close(our_value, value, rtol=TOLERANCE, atol=TOLERANCE)
    norm = float(torch.stack([grad.norm() for grad in grads.values()]).norm())
    assert norm > 1e-6, "a loss without a gradient shows nothing"
    assert {name for name in grads if grads[name].any()} <= our_grads.keys()
    for name, grad in our_grads.items():
        reference = grads.get(name, torch.zeros_like(grad))
        assert float((grad - reference).abs().max()) <= TOLERANCE * norm, name


@pytest.mark.parametrize(
    "case", [RANKING, COSENT, plain("CosineSimilarityLoss", 2, scores)], ids=lambda case: case.about
)
def test_the_bundled_model_in_float32(case: Run, bundled: Path) -> None:
    models = [
        {"model": kind(str(bundled), device="cpu")} for kind in (UpstreamTransformer, SentenceTransformer)
    ]
    results = []
    for library, chosen in zip((upstream, own), models, strict=True):
        loss = case.build(library, chosen).eval()
        generator = torch.Generator().manual_seed(3)
        batches = [chosen["model"].tokenize(column) for column in texts(generator, case.columns)]
        value = loss(batches, case.labels(generator))
        value.backward()
        results.append((value.detach(), gradients(chosen["model"], loss)))
    (value, grads), (our_value, our_grads) = results
    assert abs(float(our_value - value)) <= 1e-6 * max(1.0, float(value))
    norm = float(torch.stack([grad.norm() for grad in grads.values()]).norm())
    # Rounding alone puts either library's whole gradient 1.5e-6 of its length off the one in float64.
    assert all(float((our_grads[name] - grad).abs().max()) <= 1e-6 * norm for name, grad in grads.items())
