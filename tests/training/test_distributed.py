"""Two processes, each with its slice of the same batches, against one process with all of them."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training import two_processes
from tests.training.two_processes import CROSS_ROW, train
from workbench.losses import LOSSES

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def both(still: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    folder = tmp_path_factory.mktemp("processes")
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    environment = {**os.environ, "PYTHONPATH": path, "GLOO_SOCKET_IFNAME": "lo"}
    running = [
        subprocess.Popen(
            [sys.executable, str(two_processes.__file__), str(rank), str(folder), str(still)],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=(folder / f"{rank}.err").open("w"),
        )
        for rank in range(2)
    ]
    try:
        for rank, process in enumerate(running):
            assert process.wait(timeout=280) == 0, (folder / f"{rank}.err").read_text()[-3000:]
    finally:
        for process in running:
            process.kill()
    return [np.load(folder / f"{rank}.npz") for rank in range(2)]


@pytest.mark.parametrize("name", CROSS_ROW)
def test_two_processes_train_as_one(name: str, both: list[Any], still: Path) -> None:
    alone = train(still, name, None)
    assert len(alone["losses"]) == 2 and alone["losses"].min() > 0
    for results in both:
        for key, expected in alone.items():
            # Half the rows make other sums than all of them: losses were seen up to 3e-6 apart. A norm is
            # that of a gradient before it is shortened, up to 20 long.
            limit = 1e-4 if key == "norms" else 1e-5
            np.testing.assert_allclose(results[f"{name}/{key}"], expected, rtol=1e-6, atol=limit)


def test_both_have_the_same_weights_bit_for_bit(both: list[Any]) -> None:
    first, second = both
    assert set(first) == set(second)
    for key in first:
        if "norms" not in key:
            np.testing.assert_array_equal(first[key], second[key])


def test_a_stop_in_one_ends_both_and_the_resume_is_exact(both: list[Any]) -> None:
    for results in both:
        assert int(results["steps"]) == 1
        whole = {k: results[k] for k in results if k.startswith("MultipleNegativesRankingLoss/")}
        for key, expected in whole.items():
            np.testing.assert_array_equal(
                results[key.replace("MultipleNegativesRankingLoss", "resumed")], expected
            )


def test_every_loss_that_can_gather_is_trained() -> None:
    can = {
        name for name, kind in LOSSES.items() if "gather_across_devices" in inspect.signature(kind).parameters
    }
    assert can == set(CROSS_ROW)
