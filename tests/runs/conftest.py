"""A home in memory, for tests of order and number: how slowly a disk syncs is none of their question."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runs.harness import memory_folder


@pytest.fixture
def home() -> Iterator[Path]:
    """An empty folder in memory, where the system has such."""
    folder = Path(tempfile.mkdtemp(prefix="tests-runs-", dir=memory_folder()))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
