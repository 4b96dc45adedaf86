"""Taking the folder of the runs: one supervisor at a time, and a makeshift where the disk refuses."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from workbench.errors import WorkbenchError
from workbench.runs import layout
from workbench.runs.files import get_json, put_json
from workbench.runs.opening import Notice, Opened, history_off, open_database
from workbench.runs.record import Row, row_from
from workbench.runs.store import Store


@dataclass(frozen=True)
class Home:
    """A folder of runs that is ours for now.

    Args:
        folder: It.
        store: Its rows.
        lock: Held while the supervisor lives; None in a makeshift folder.
        notices: For the banner.
    """

    folder: Path
    store: Store
    lock: FileLock | None
    notices: tuple[Notice, ...]

    def release(self) -> None:
        """Let another supervisor have it."""
        self.store.close()
        if self.lock is None:
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            self.lock.release()


def take(folder: Path, environment: Mapping[str, str]) -> Home:
    """Lock the folder, open its rows, and put right what a kill or a damaged file left.

    Raises:
        WorkbenchError: ``supervisor-elsewhere``: another process has it.
    """
    try:
        layout.runs_folder(folder).mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = FileLock(layout.supervisor_lock(folder), thread_local=False)
        lock.acquire(timeout=0)
    except Timeout:
        raise WorkbenchError(
            "supervisor-elsewhere", "another app has these runs open", fix="Use that one, or close it"
        ) from None
    except (OSError, NotImplementedError) as error:
        return _makeshift(str(error))
    try:
        opened = open_database(layout.database(folder), environment)
        return _put_right(folder, opened, lock)
    except BaseException:
        lock.release()
        raise


def mirror(folder: Path, row: Row) -> None:
    """Write the ``run.json`` of a row, from which a lost store is made anew.

    Raises:
        FolderWriteError: ``disk-full``, ``not-writable``.
    """
    run = layout.run_folder(folder, row.id)
    # The store is synced; these are needed where it is damaged, and survive a kill without that.
    put_json(run / layout.RECORD, row.__dict__, sync=False)


def remove(folder: Path, store: Store, run_id: str) -> None:
    """Delete a run and its folder; begun once, it is finished at the next start at the latest."""
    run, doomed = layout.run_folder(folder, run_id), layout.deleted_folder(folder, run_id)
    with suppress(FileNotFoundError):
        run.rename(doomed)
    store.delete(run_id)
    shutil.rmtree(doomed, ignore_errors=True)


def _put_right(folder: Path, opened: Opened, lock: FileLock) -> Home:
    store = Store(opened)
    if opened.kept and not opened.read_only:
        for run_id in layout.deleted_ids(folder):
            remove(folder, store, run_id)
        if store.fresh:
            store.adopt(sorted(_found_rows(folder), key=lambda row: row.position))
        _drop_unborn(folder, store)
    return Home(folder, store, lock, store.notices)


def _found_rows(folder: Path) -> list[Row]:
    found = []
    for path in layout.runs_folder(folder).iterdir():
        if layout.is_run_id(path.name) and not path.is_symlink():
            row = row_from(get_json(path / layout.RECORD))
            if row is not None and row.id == path.name:
                found.append(row)
    return found


def _drop_unborn(folder: Path, store: Store) -> None:
    """Remove folders of runs that were killed while they were handed in, before anyone was told of them."""
    for path in layout.runs_folder(folder).iterdir():
        unborn = layout.is_run_id(path.name) and not (path / layout.RECORD).exists()
        if unborn and store.get(path.name) is None:
            shutil.rmtree(path, ignore_errors=True)


def _makeshift(why: str) -> Home:
    try:
        folder = Path(tempfile.mkdtemp(prefix="workbench-runs-"))
        layout.runs_folder(folder).mkdir()
    except OSError:
        # Nothing at all can be written: the app opens, and starting a run says why it cannot.
        folder = Path(tempfile.gettempdir()) / "workbench-runs-unwritable"
    return Home(folder, Store(open_database(None)), None, (history_off(why),))
