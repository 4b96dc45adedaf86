"""Models on disk that the tests of the three trainers share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.training.small import write_model


@pytest.fixture(scope="session")
def still(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model without dropout."""
    return write_model(tmp_path_factory.mktemp("still"))


@pytest.fixture(scope="session")
def dropping(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model with dropout."""
    return write_model(tmp_path_factory.mktemp("dropping"), dropout=0.1)
