"""Two processes, each with some rows of a batch, against one process with all of them."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.losses import two_processes
from tests.losses.two_processes import CROSS_ROW, compute
from workbench.losses import LOSSES
from workbench.losses.gather import RowShare, row_share

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    folder = tmp_path_factory.mktemp("processes")
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    environment = {**os.environ, "PYTHONPATH": path, "GLOO_SOCKET_IFNAME": "lo"}
    script = str(two_processes.__file__)
    running = [
        subprocess.Popen(
            [sys.executable, script, str(rank), str(folder)],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        for process in running:
            _, errors = process.communicate(timeout=240)
            assert process.returncode == 0, errors
    finally:
        for process in running:
            process.kill()
    return [np.load(folder / f"{rank}.npz") for rank in range(2)]


@pytest.mark.parametrize("name", CROSS_ROW)
def test_two_processes_give_the_result_of_one(name: str, both: list[Any]) -> None:
    value, grads = compute(name, slice(None), gather=False)
    assert any(grad.any() for grad in grads.values())
    for key, expected in {**grads, "value": value}.items():
        for results in both:
            np.testing.assert_allclose(results[f"{name}/{key}"], expected.numpy(), rtol=1e-9, atol=1e-9)


def test_every_loss_that_can_gather_is_compared() -> None:
    can = {
        name for name, kind in LOSSES.items() if "gather_across_devices" in inspect.signature(kind).parameters
    }
    assert can == set(CROSS_ROW)


def test_without_a_process_group_there_is_one_share() -> None:
    rows = torch.randn(3, 2)
    share = row_share(rows, True)
    assert share == RowShare((3,), 0)
    assert share.gather(rows) is rows
    assert (share.first, share.rows, share.total, share.weight) == (0, 3, 3, 1 / 3)
    second = RowShare((4, 3), 1)
    assert (second.first, second.rows, second.total, second.weight) == (4, 3, 7, 2 / 7)
