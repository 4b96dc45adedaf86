"""The vocabulary's gradient by rows is the whole one, as long, as much shortened, and nobody's for long."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn

from workbench.training.optimizers import build_optimizer
from workbench.training.row_gradients import RowGradients, row_gradients

ROWS, DIM = 50, 4


class Small(nn.Module):
    """A vocabulary and a linear layer; ``tied`` reads the vocabulary a second time, as a decoder does."""

    def __init__(self, tied: bool = False) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.table = nn.Embedding(ROWS, DIM, padding_idx=0)
        self.linear = nn.Linear(DIM, DIM)
        self.tied = tied

    def get_input_embeddings(self) -> nn.Module:
        """As the library names it."""
        return self.table

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """One number."""
        out = self.linear(self.table(ids)).pow(2).sum()
        return out + (self.table.weight.sum() if self.tied else 0.0)


def steps(model: Small, gradients: RowGradients, optimizer: Any, max_norm: float, micro: int) -> list[float]:
    generator = torch.Generator().manual_seed(1)
    norms = []
    for _ in range(30):
        for _ in range(micro):
            with gradients.collected():
                loss = model(torch.randint(0, ROWS // 3, (3, 5), generator=generator))
            loss.backward()
        with gradients.clipped(model.parameters(), max_norm) as norm:
            norms.append(float(norm))
            optimizer.step()
            optimizer.zero_grad()
    return norms


@pytest.mark.parametrize("micro", [1, 2])
@pytest.mark.parametrize("max_norm", [0.5, math.inf])
@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("kind", [torch.optim.AdamW, torch.optim.SGD])
def test_training_by_rows_is_the_plain_training(kind: Any, tied: bool, max_norm: float, micro: int) -> None:
    ends, lengths, states = [], [], []
    for by_rows in (True, False):
        model = Small(tied)
        optimizer = build_optimizer(model, kind, {"lr": 1e-2}, weight_decay=0.1)
        gradients = row_gradients(model, model.parameters()) if by_rows else RowGradients(None)
        lengths.append(steps(model, gradients, optimizer, max_norm, micro))
        ends.append(model.table.weight.detach())
        states.append(optimizer.state_dict()["state"])
    assert lengths[0] == pytest.approx(lengths[1], rel=1e-4)
    torch.testing.assert_close(ends[0], ends[1], rtol=0, atol=1e-5)
    # Rows that no batch has read decay, bit for bit as in the plain training.
    assert torch.equal(ends[0][ROWS // 3 :], ends[1][ROWS // 3 :])
    assert not torch.equal(ends[0][1], Small().table.weight[1])
    assert states[0].keys() == states[1].keys()


def test_the_optimizer_sees_a_whole_gradient_and_the_next_step_none_of_it() -> None:
    model = Small()
    gradients = row_gradients(model, model.parameters())
    for ids in ([1, 2, 2], [4]):
        with gradients.collected():
            loss = model(torch.tensor([ids]))
        loss.backward()
        assert model.table.weight.grad is not None and model.table.weight.grad.is_sparse
        with gradients.clipped(model.parameters(), math.inf):
            whole = model.table.weight.grad
            assert whole.shape == (ROWS, DIM) and not whole.is_sparse
            assert whole.any(dim=1).nonzero().flatten().tolist() == sorted(set(ids))
        model.zero_grad()
        assert not whole.any()
    assert not model.table.sparse


@pytest.mark.parametrize("why", ["frozen", "hook", "after-accumulation", "not trained", "max_norm"])
def test_gradients_stay_as_they_come_where_someone_looks_or_nothing_is_gained(why: str) -> None:
    model = Small()
    parameters = list(model.parameters())
    if why == "frozen":
        model.table.weight.requires_grad_(False)
        parameters = [parameter for parameter in parameters if parameter.requires_grad]
    elif why == "hook":
        model.table.weight.register_hook(lambda gradient: gradient)
    elif why == "after-accumulation":
        model.table.weight.register_post_accumulate_grad_hook(lambda parameter: None)
    elif why == "not trained":
        parameters = list(model.linear.parameters())
    else:
        model.table.max_norm = 1.0
    gradients = row_gradients(model, parameters)
    with gradients.collected():
        assert not model.table.sparse


def test_adamw_takes_one_pass_unless_the_user_chose_a_form() -> None:
    def chosen(kind: Any, **arguments: Any) -> Any:
        return build_optimizer(Small(), kind, {"lr": 1e-3, **arguments}, 0.01).defaults

    class Mine(torch.optim.AdamW):
        pass

    assert chosen(torch.optim.AdamW)["fused"] is True
    assert chosen(torch.optim.AdamW, foreach=True)["fused"] is None
    assert chosen(torch.optim.AdamW, fused=False)["fused"] is False
    assert chosen(Mine)["fused"] is None
    assert "fused" not in chosen(torch.optim.RMSprop)
