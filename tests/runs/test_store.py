"""The store: damage, migration, newer versions, disks that refuse, several writers, and its speed."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.runs.harness import ANN, BEN, QUICK, counted, open_supervisor
from workbench.errors import FolderWriteError, InvalidValueError, WorkbenchError
from workbench.runs import layout, schema
from workbench.runs.layout import new_run_id
from workbench.runs.opening import journal_mode, open_database
from workbench.runs.owner import OPERATOR, owner_hash
from workbench.runs.record import COLUMNS, Row
from workbench.runs.store import Store

NO_SPACE: Mapping[str, str] = {}


def a_row(**values: object) -> Row:
    return Row(**{
        "id": new_run_id(), "owner_hash": owner_hash(ANN), "kind": "count", "config": "{}",
        "created_at": "2026-01-01", "position": 0, **values,
    })  # type: ignore[arg-type] # fmt: skip


def in_home(home: Path, runs: int = 3) -> list[str]:
    """A home with some complete runs; their ids."""
    with open_supervisor(home, background=False) as supervisor:
        found = [supervisor.submit(ANN, "count", {"steps": 1}, name=f"n{n}") for n in range(runs)]
        for run in found:
            assert supervisor.wait(ANN, run.id, 30).state == "complete"
    return sorted(run.id for run in found)


def test_journal_and_locking(tmp_path: Path) -> None:
    assert journal_mode(False, (3, 40, 1)) == journal_mode(False, (3, 51, 2)) == "delete"
    assert journal_mode(False, (3, 51, 3)) == "wal" and journal_mode(True, (3, 52, 0)) == "delete"
    for environment, locking in ((NO_SPACE, "normal"), ({"SPACE_ID": "a/b"}, "exclusive")):
        connection = open_database(tmp_path / locking, environment).connection
        pragmas = [
            connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("locking_mode", "synchronous")
        ]
        assert pragmas == [locking, 2]
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == journal_mode(locking == "exclusive")
        connection.close()


def test_columns_are_those_of_the_table(tmp_path: Path) -> None:
    connection = open_database(tmp_path / "db", NO_SPACE).connection
    assert [row[1] for row in connection.execute("PRAGMA table_info(runs)")] == list(COLUMNS)


def damage(data: bytes, how: str, chance: random.Random) -> bytes:
    """A damaged copy of a file."""
    if how == "bits":
        flipped = bytearray(data)
        for _ in range(200):
            flipped[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        return bytes(flipped)
    return {
        "truncated": data[: len(data) // 2],
        "stump": data[:100],
        "header": b"x" * 100 + data[100:],
        "other": b"PK\x03\x04 this is something else entirely" * 40,
        "zeros": bytes(len(data)),
        "page": data[:4096] + chance.randbytes(4096) + data[8192:],
        "last page": data[:-4096] + chance.randbytes(4096),
    }[how]


@pytest.mark.parametrize(
    "how", ["bits", "truncated", "stump", "header", "other", "zeros", "page", "last page"]
)
def test_a_damaged_store_is_made_anew(how: str, home: Path) -> None:
    ids = in_home(home)
    path = layout.database(home)
    path.write_bytes(damage(path.read_bytes(), how, random.Random(1)))
    with open_supervisor(home, background=False) as runs:
        found = runs.list(ANN)
        assert sorted(run.id for run in found) == ids
        assert sorted(run.name for run in found) == ["n0", "n1", "n2"]
        assert {run.state for run in found} == {"complete"} and runs.list(BEN) == []
        assert runs.result(ANN, ids[0]) == counted(1)
        assert [notice.code for notice in runs.notices] == ["history-rebuilt"]
        run = runs.submit(ANN, "count", {"steps": 1})
        assert runs.wait(ANN, run.id, 30).state == "complete"
    assert len(list(home.glob("runs.sqlite3.corrupt-*"))) >= 1
    with open_supervisor(home, background=False) as runs:
        assert runs.notices == () and len(runs.list(ANN)) == 4


@pytest.mark.parametrize("seed", range(10))
def test_flipped_bits_never_stop_the_app(seed: int, home: Path) -> None:
    chance = random.Random(seed)
    with open_supervisor(home, background=False, starts=False) as runs:
        for number in range(3):
            runs.submit(ANN, "count", {"steps": 1}, note="x" * 200 * number)
    path = layout.database(home)
    data = bytearray(path.read_bytes())
    for _ in range(chance.choice([1, 3, 30])):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    path.write_bytes(data[: chance.choice([len(data), chance.randrange(len(data))])])
    with open_supervisor(home, background=False, starts=False) as runs:
        try:
            runs.list(OPERATOR)
            runs.tick()
        except WorkbenchError as error:
            assert error.code == "history-unreadable"


def test_a_lost_store_is_made_anew_with_what_waits(home: Path) -> None:
    ids = in_home(home, 1)
    with open_supervisor(home, background=False, starts=False) as runs:
        waiting = runs.submit(ANN, "count", {"steps": 2})
    layout.database(home).unlink()
    (layout.runs_folder(home) / ids[0] / "run.json").write_text("{}")
    (layout.runs_folder(home) / "20260101-000000-0000000a").mkdir()
    stranger = layout.runs_folder(home) / "20260101-000000-0000000b"
    stranger.symlink_to("/etc")
    with open_supervisor(home, background=False) as runs:
        assert [run.id for run in runs.list(ANN)] == [waiting.id]
        assert runs.wait(ANN, waiting.id, 30).state == "complete"
    assert stranger.is_symlink()


def test_a_newer_store_is_read_only(home: Path) -> None:
    ids = in_home(home, 1)
    connection = sqlite3.connect(layout.database(home))
    connection.execute("ALTER TABLE runs ADD COLUMN colour TEXT")
    connection.execute("PRAGMA user_version = 99")
    connection.commit()
    connection.close()
    before = layout.database(home).read_bytes()
    with open_supervisor(home, background=False) as runs:
        assert [notice.code for notice in runs.notices] == ["history-newer"]
        assert [run.id for run in runs.list(ANN)] == ids and runs.result(ANN, ids[0]) == counted(1)
        runs.tick()
        for call in (
            lambda: runs.submit(ANN, "count", {}),
            lambda: runs.annotate(ANN, ids[0], name="x"),
            lambda: runs.delete(ANN, ids[0]),
        ):
            with pytest.raises(FolderWriteError) as refusal:
                call()
            assert refusal.value.code == "history-read-only"
    assert layout.database(home).read_bytes() == before
    assert [path.name for path in layout.runs_folder(home).iterdir()] == ids


NEWER = (*schema.MIGRATIONS, ("ALTER TABLE runs ADD COLUMN colour TEXT", "UPDATE runs SET colour = 'red'"))


def test_an_older_store_is_migrated_with_a_copy(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = in_home(home)
    before = sqlite3.connect(layout.database(home)).execute("SELECT * FROM runs").fetchall()
    monkeypatch.setattr(schema, "MIGRATIONS", NEWER)
    connection = sqlite3.connect(layout.database(home), isolation_level=None)
    copy = schema.migrate(connection, layout.database(home), NEWER)
    assert copy is not None and sqlite3.connect(copy).execute("SELECT * FROM runs").fetchall() == before
    assert schema.version(connection) == len(NEWER)
    assert [
        row[0] for row in connection.execute("SELECT id FROM runs WHERE colour = 'red' ORDER BY id")
    ] == ids
    assert schema.migrate(connection, layout.database(home), NEWER) is None
    connection.close()
    with open_supervisor(home, background=False) as runs:
        assert sorted(run.id for run in runs.list(ANN)) == ids and runs.notices == ()


def test_a_migration_that_fails_changes_nothing(home: Path) -> None:
    in_home(home, 1)
    connection = sqlite3.connect(layout.database(home), isolation_level=None)
    broken = (*schema.MIGRATIONS, ("ALTER TABLE runs ADD COLUMN colour TEXT", "UPDATE nothing SET x = 1"))
    with pytest.raises(sqlite3.OperationalError):
        schema.migrate(connection, layout.database(home), broken)
    assert schema.version(connection) == len(schema.MIGRATIONS)
    assert "colour" not in [row[1] for row in connection.execute("PRAGMA table_info(runs)")]
    connection.close()


DIES = """
import os, signal, sqlite3, sys
from pathlib import Path
from tests.runs.test_store import NEWER
from workbench.runs import schema
path, point = Path(sys.argv[1]), int(sys.argv[2])
connection = sqlite3.connect(path, isolation_level=None)
seen = 0
def trace(statement):
    global seen
    seen += 1
    if seen == point:
        os.kill(os.getpid(), signal.SIGKILL)
connection.set_trace_callback(trace)
schema.migrate(connection, path, NEWER)
"""


def test_a_kill_during_migration_leaves_old_or_new(home: Path) -> None:
    ids = in_home(home, 2)
    path = layout.database(home)
    original = path.read_bytes()
    versions = set()
    for point in range(1, 12):
        path.write_bytes(original)
        path.with_name(f"{path.name}-journal").unlink(missing_ok=True)
        done = subprocess.run([sys.executable, "-c", DIES, str(path), str(point)], check=False)
        connection = sqlite3.connect(path)
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        columns = [row[1] for row in connection.execute("PRAGMA table_info(runs)")]
        found = schema.version(connection)
        assert ("colour" in columns) == (found == len(NEWER))
        assert [row[0] for row in connection.execute("SELECT id FROM runs ORDER BY id")] == ids
        connection.close()
        versions.add(found)
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL
    assert versions == {len(schema.MIGRATIONS), len(NEWER)}


@pytest.mark.parametrize("how", ["file", "below a file", "proc"])
def test_the_app_works_without_a_disk_for_its_history(how: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    home = {"file": tmp_path / "file", "below a file": tmp_path / "file" / "x", "proc": Path("/proc/x")}[how]
    with open_supervisor(home) as runs:
        assert [notice.code for notice in runs.notices] == ["history-off"]
        run = runs.submit(ANN, "count", {"steps": 3})
        assert runs.wait(ANN, run.id, 30).state == "complete"
        assert runs.result(ANN, run.id) == counted(3)
        makeshift = runs.folder
    assert not makeshift.exists() and (tmp_path / "file").read_text() == "x"


def test_a_store_that_cannot_be_opened_costs_nothing_of_the_runs(home: Path) -> None:
    ids = in_home(home, 1)
    kept = layout.database(home).rename(home / "aside")
    layout.database(home).mkdir()
    (layout.runs_folder(home) / ids[0] / "run.json").unlink()
    with open_supervisor(home, background=False) as runs:
        assert [notice.code for notice in runs.notices] == ["history-off"]
        assert runs.wait(ANN, runs.submit(ANN, "count", {"steps": 1}).id, 30).state == "complete"
    layout.database(home).rmdir()
    kept.rename(layout.database(home))
    with open_supervisor(home, background=False) as runs:
        assert ids[0] in [run.id for run in runs.list(ANN)] and runs.result(ANN, ids[0]) == counted(1)


FULL = """
import resource, signal, sys
from pathlib import Path
from tests.runs.harness import ANN, open_supervisor
from workbench.runs.limits import Limits
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with open_supervisor(Path(sys.argv[1]), Limits(queued_per_owner=99), background=False, starts=False) as runs:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
    for number in range(100):
        try:
            run = runs.submit(ANN, "count", {"steps": 1}, note="x" * 9000)
            print("took", run.id)
        except OSError as error:
            print(error.code)
            break
    runs.tick()
    print(len(runs.list(ANN)), [notice.code for notice in runs.notices])
"""


@pytest.mark.parametrize("limit", [100, 30_000, 60_000])
def test_a_full_disk_is_told_and_costs_nothing(limit: int, home: Path) -> None:
    # A limit on the size of files stands in for a full disk: writes fail in the same calls.
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(home), str(limit)], capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    told = [line.split()[1] for line in lines if line.startswith("took")]
    assert "disk-full" in lines, done.stdout
    assert bool(told) == (limit > 30_000)
    assert lines[-1].startswith(f"{len(told)} ")
    with open_supervisor(home, background=False, starts=False) as runs:
        assert sorted(run.id for run in runs.list(ANN)) == sorted(told)


WRITER = """
import sys
from pathlib import Path
from tests.runs.test_store import a_row
from workbench.runs.opening import open_database
from workbench.runs.store import Store
store = Store(open_database(Path(sys.argv[1]), {}))
for number in range(50):
    store.change(store.add(a_row()).id, "cancelled")
"""


def test_several_writers_never_meet_a_lock(home: Path) -> None:
    path = home / "runs.sqlite3"
    Store(open_database(path, NO_SPACE)).close()
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    assert [writer.communicate()[1] for writer in writers] == [""] * 4
    store = Store(open_database(path, NO_SPACE))
    assert store.count("cancelled") == 200
    assert sorted(row.position for row in store.page(None, limit=1000)) == list(range(1, 201))
    store.close()


def test_changes_follow_the_table_of_steps(home: Path) -> None:
    store = Store(open_database(None))
    row = store.add(a_row())
    with pytest.raises(InvalidValueError, match="run-transition"):
        store.change(row.id, "complete", step=5)
    assert store.get(row.id) == row
    with pytest.raises(ValueError, match="not columns"):
        store.change(row.id, **{"name = 'x' --": 1})
    with pytest.raises(InvalidValueError, match="run-gone"):
        store.change("20260101-000000-00000000", name="x")


def test_ten_thousand_runs_are_listed_quickly(home: Path) -> None:
    store = Store(open_database(home / "runs.sqlite3", NO_SPACE))
    rows = [
        a_row(
            created_at=f"{n:06d}",
            position=n,
            owner_hash=owner_hash((ANN, BEN)[n % 2]),
            state="complete",
            key=str(n),
        )
        for n in range(10_000)
    ]
    assert store.adopt(rows) == 10_000
    store.close()
    with open_supervisor(home, QUICK, background=False, starts=False) as runs:
        for access, text, owner in ((ANN, "", 0), (OPERATOR, "count", None), (BEN, "", 1)):
            times = []
            for _ in range(3):
                begun = time.perf_counter()
                page = runs.list(access, text=text, limit=100)
                times.append(time.perf_counter() - begun)
            expected = [row for row in reversed(rows) if owner is None or int(row.created_at) % 2 == owner][
                :100
            ]
            assert [run.id for run in page] == [row.id for row in expected]
            assert min(times) < 0.2
        assert len(runs.list(ANN, limit=100, offset=4950)) == 50
