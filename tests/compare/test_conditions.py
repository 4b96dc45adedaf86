"""What a report says about the machine."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pytest
import torch

from workbench.compare.conditions import conditions, cpu_cores, cpu_name, gpu_name


def test_versions_and_date_are_those_of_now() -> None:
    found = conditions()
    assert found.versions["sentence-transformers"] == version("sentence-transformers")
    assert found.versions["torch"] == version("torch")
    assert found.python == platform.python_version()
    age = datetime.now(UTC) - datetime.fromisoformat(found.date_utc)
    assert 0 <= age.total_seconds() < 60
    assert found.cores == cpu_cores()


@pytest.mark.parametrize(("stated", "cores"), [("2", 2), ("16", 16)])
def test_a_space_states_its_cores(monkeypatch: pytest.MonkeyPatch, stated: str, cores: int) -> None:
    monkeypatch.setenv("CPU_CORES", stated)
    assert cpu_cores() == cores


@pytest.mark.parametrize("stated", ["", "0", "two", "-1", "²"])
def test_nonsense_is_not_believed(monkeypatch: pytest.MonkeyPatch, stated: str) -> None:
    monkeypatch.delenv("CPU_CORES", raising=False)
    real = cpu_cores()
    monkeypatch.setenv("CPU_CORES", stated)
    assert cpu_cores() == real >= 1


def test_the_processor_is_named(tmp_path: Path) -> None:
    listing = tmp_path / "cpuinfo"
    listing.write_text("processor\t: 0\nmodel name\t: Some CPU @ 3 GHz\nmodel name\t: other\n")
    assert cpu_name(listing) == "Some CPU @ 3 GHz"
    assert cpu_name(tmp_path / "missing")


def test_a_gpu_is_named_only_where_there_is_one() -> None:
    assert (gpu_name() is None) == (not torch.cuda.is_available())
