"""Every loss with the model switched to packed columns: the same value and gradients, packed or padded."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.losses.test_through_model import RUNS, TOLERANCE, Run, gradients, load, texts
from tests.models.tiny import write_upstream
from workbench import losses as own
from workbench.losses import columns as loss_columns
from workbench.models.packed_columns import embed_packed, packing
from workbench.sentence_transformer import SentenceTransformer

# The losses that do not embed whole columns with one model: by mini-batches, layer by layer, with two models,
# or beside a decoder.
PADDED = {
    "AdaptiveLayerLoss",
    "CachedGISTEmbedLoss",
    "CachedMultipleNegativesRankingLoss",
    "CachedMultipleNegativesSymmetricRankingLoss",
    "ContrastiveTensionLoss",
    "ContrastiveTensionLossInBatchNegatives",
    "DenoisingAutoEncoderLoss",
    "Matryoshka2dLoss",
}


def packs(case: Run) -> bool:
    name = case.about.split()[0]
    if name == "MatryoshkaLoss":
        # It embeds as the loss in it does.
        return not case.about.split()[1].startswith("Cached")
    if name == "MegaBatchMarginLoss":
        return "False" in case.about
    return name not in PADDED


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {
        name: write_upstream(tmp_path_factory.mktemp(name.replace(" ", "-")), "bert", normalize=False)
        for name in ("model", "other guide")
    }


def step(folders: dict[str, Path], case: Run, on: bool, served: list[bool]) -> tuple[Any, Any]:
    models = load(SentenceTransformer, folders)
    torch.manual_seed(5)
    loss = case.build(own, models).double().eval()
    generator = torch.Generator().manual_seed(3)
    drawn = texts(
        generator, case.columns, equal=case.about.startswith("ContrastiveTensionLoss") and case.columns == 2
    )
    batches = [models["model"].tokenize(column) for column in drawn]
    random.seed(11)

    def listening(model: Any, columns: Any) -> Any:
        found = embed_packed(model, columns)
        served.append(found is not None)
        return found

    with pytest.MonkeyPatch.context() as patch, packing(models["model"], on):
        patch.setattr(loss_columns, "embed_packed", listening)
        value = loss(batches, case.labels(generator))
        value.backward()
    return value.detach(), gradients(models["model"], loss)


@pytest.mark.parametrize("case", RUNS, ids=lambda case: case.about)
def test_value_and_gradients_are_those_of_the_padded_pass(case: Run, folders: dict[str, Path]) -> None:
    served: list[bool] = []
    value, grads = step(folders, case, False, [])
    packed_value, packed_grads = step(folders, case, True, served)
    assert any(served) == packs(case)
    torch.testing.assert_close(packed_value, value, rtol=TOLERANCE, atol=TOLERANCE)
    norm = float(torch.stack([grad.norm() for grad in grads.values()]).norm())
    assert norm > 1e-6
    nonzero = {name for name, grad in grads.items() if grad.any()}
    assert nonzero <= packed_grads.keys()
    for name, grad in packed_grads.items():
        reference = grads.get(name, torch.zeros_like(grad))
        assert float((grad - reference).abs().max()) <= TOLERANCE * norm, name


def test_every_loss_of_the_table_is_tried() -> None:
    assert {case.about.split()[0] for case in RUNS} == set(own.LOSSES)
    assert set(own.LOSSES) >= PADDED
