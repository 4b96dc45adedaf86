"""Peak memory from a child process: plausible, apart from its parent, and without secrets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from workbench.compare.memory import child_environment, peak_memory_mb
from workbench.contenders.contract import ModelPaths, Settings
from workbench.errors import UnknownNameError, WorkbenchError


@pytest.mark.full
def test_the_peak_is_the_childs_and_not_the_parents(bundled: Path) -> None:
    # Linux hands the parent's ru_maxrss on to a child: with that, these 1,500 MB would be its answer.
    ballast = np.ones(1_500_000_000, dtype=np.uint8)
    peak = peak_memory_mb("manual", ModelPaths(bundled, bundled), Settings(), ["a text"])
    assert 250 < peak < 1500
    assert len(ballast) > 0


def test_a_child_that_fails_is_told(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError) as caught:
        peak_memory_mb("manual", ModelPaths(tmp_path, tmp_path), Settings(), ["a text"])
    assert caught.value.code == "memory-child-failed"
    assert "no-encoder" in caught.value.message


def test_a_child_that_takes_too_long_is_ended(bundled: Path) -> None:
    with pytest.raises(WorkbenchError) as caught:
        peak_memory_mb("manual", ModelPaths(bundled, bundled), Settings(), ["t"], timeout_seconds=0.2)
    assert caught.value.code == "memory-timeout"


def test_an_unknown_contender_starts_no_child(bundled: Path) -> None:
    with pytest.raises(UnknownNameError):
        peak_memory_mb("theirs", ModelPaths(bundled, bundled), Settings(), ["t"])


def test_the_child_gets_no_secret_and_no_network() -> None:
    secrets = {
        "HF_TOKEN": "x",
        "my_secret": "x",
        "AWS_ACCESS_KEY_ID": "x",
        "OPENAI_API_KEY": "x",
        "DB_PASSWORD": "x",
    }
    kept = child_environment({**secrets, "PATH": "/bin", "PYTHONPATH": "/there", "OMP_NUM_THREADS": "1"})
    assert kept.keys() == {"PATH", "PYTHONPATH", "OMP_NUM_THREADS", "HF_HUB_OFFLINE"}
    assert kept["HF_HUB_OFFLINE"] == "1"
    assert kept["PYTHONPATH"].endswith(":/there")
