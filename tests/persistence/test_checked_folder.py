"""Admitting folders: links, pickles, odd files, changes under way, and the copy that everybody loads from."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.persistence.fake_hub import COMMIT, FakeHub, git_hash
from tests.persistence.tiny_folder import names, write_model
from workbench.errors import WorkbenchError
from workbench.persistence import private_copy
from workbench.persistence.admitted import AdmittedFolder
from workbench.persistence.checked_folder import admit
from workbench.persistence.source import BUNDLED
from workbench.persistence.weights import load_tensors, read_header


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model", marker=1.0)


def code_of(folder: Path | str, **more: object) -> str:
    with pytest.raises(WorkbenchError) as refusal:
        admit(folder, **more)  # type: ignore[arg-type]
    return refusal.value.code


def test_bundled(bundled: Path) -> None:
    admitted = admit(BUNDLED)
    assert (admitted.kind, admitted.revision, admitted.notices) == ("bundled", "", ())
    assert names(admitted.path) == set(admitted.files) < names(bundled)
    for name, record in admitted.files.items():
        data = (admitted.path / name).read_bytes()
        assert data == (bundled / name).read_bytes()
        assert (record.size, record.sha256) == (len(data), hashlib.sha256(data).hexdigest())


def test_a_revision_without_use_is_told(folder: Path) -> None:
    assert admit(folder).notices == ()
    assert "not used" in admit(folder, revision="main").notices[0]


def test_equal_bytes_share_one_copy(folder: Path, tmp_path: Path) -> None:
    first = admit(folder)
    other = admit(write_model(tmp_path / "other", marker=1.0))
    assert (first.name, other.name) == (str(folder), str(tmp_path / "other"))
    assert (first.path, first.sha256, first.files) == (other.path, other.sha256, other.files)
    different = admit(write_model(tmp_path / "different", marker=2.0))
    assert different.path != first.path and different.sha256 != first.sha256
    assert first.path.parent.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o222 == 0 for path in first.path.rglob("*") if path.is_file())


def test_an_unchanged_folder_is_not_read_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = admit(folder)
    opened: list[object] = []
    monkeypatch.setattr(private_copy, "_open", lambda file: opened.append(file))
    assert admit(folder) == first
    assert not opened


def test_a_changed_folder_is_read_again(folder: Path) -> None:
    first = admit(folder)
    config = folder / "config.json"
    before = config.stat()
    # Same size, and the time set back: only the inode's own clock tells.
    config.write_text(config.read_text().replace("1.0", "9.0"))
    os.utime(config, ns=(before.st_atime_ns, before.st_mtime_ns))
    second = admit(folder)
    assert second.sha256 != first.sha256
    assert json.loads((second.path / "config.json").read_text())["marker"] == 9.0
    # The old copy stays what it was, for those who loaded it.
    assert json.loads((first.path / "config.json").read_text())["marker"] == 1.0


def test_a_copy_that_was_removed_is_made_again(folder: Path) -> None:
    first = admit(folder)
    private_copy.scratch.shutil.rmtree(first.path)
    assert names(admit(folder).path) == set(first.files)


def link_out(folder: Path, name: str) -> None:
    outside = folder.parent / "outside"
    outside.mkdir(exist_ok=True)
    (folder / name).rename(outside / "target")
    (folder / name).symlink_to(outside / "target")


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "1_Pooling/config.json"])
def test_links_out_of_the_folder(name: str, folder: Path) -> None:
    link_out(folder, name)
    assert code_of(folder) == "model-link-refused"


def test_linked_module_folder(folder: Path, tmp_path: Path) -> None:
    link_out(folder, "1_Pooling")
    assert code_of(folder) == "model-link-refused"


def test_a_link_to_a_link_out(folder: Path) -> None:
    link_out(folder, "tokenizer.json")
    (folder / "vocab.txt").symlink_to("tokenizer.json")
    (folder / "tokenizer.json").rename(folder / "kept")
    assert code_of(folder) in ("model-link-refused", "model-file-unreadable")


def test_a_neighbour_with_the_same_start(folder: Path) -> None:
    neighbour = folder.with_name(folder.name + "-secret")
    neighbour.mkdir()
    (folder / "config.json").rename(neighbour / "config.json")
    (folder / "config.json").symlink_to(neighbour / "config.json")
    assert code_of(folder) == "model-link-refused"


def test_links_inside_the_folder_and_to_it(folder: Path, tmp_path: Path) -> None:
    (folder / "config.json").rename(folder / "blob")
    (folder / "config.json").symlink_to("blob")
    (tmp_path / "link").symlink_to(folder)
    admitted = admit(tmp_path / "link")
    assert not (admitted.path / "config.json").is_symlink()
    assert json.loads((admitted.path / "config.json").read_text())["marker"] == 1.0


def test_dangling_link(folder: Path) -> None:
    (folder / "vocab.txt").symlink_to("gone")
    assert code_of(folder) == "model-file-unreadable"


def test_links_that_are_not_needed_are_not_followed(folder: Path, tmp_path: Path) -> None:
    (folder / "checkpoints").symlink_to("/")
    (folder / "loop").symlink_to("loop")
    (folder / "notes.txt").symlink_to("/etc/hostname")
    assert names(admit(folder).path) == {*names(folder)} - {"notes.txt"}


def make_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("name", ["config.json", "1_Pooling/config.json"])
def test_a_pipe_does_not_hang(name: str, folder: Path) -> None:
    make_pipe(folder / name)
    assert code_of(folder) == "model-file-kind"


def test_a_folder_with_a_files_name(folder: Path) -> None:
    make_folder(folder / "1_Pooling" / "config.json")
    assert code_of(folder) == "model-file-kind"


def test_other_folders_are_not_entered(folder: Path) -> None:
    for name in ("onnx", "checkpoint-100", ".git", "10_Dense", "1_Pooling/deeper"):
        (folder / name).mkdir()
        (folder / name / "config.json").write_text("not even JSON")
    admitted = admit(folder)
    assert "onnx/config.json" not in admitted.files and "1_Pooling/deeper/config.json" not in admitted.files
    assert any("onnx/" in notice and ".git" not in notice for notice in admitted.notices)


class Canary:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return os.mkdir, (str(self.marker),)


PICKLES = [
    "pytorch_model.bin",
    "1_Pooling/pytorch_model.bin",
    "optimizer.pt",
    "vocab.pkl",
    "model.ckpt",
    "weights.npy",
    "training_args.bin",
    "tf_model.h5",
    "flax_model.msgpack",
    "modeling_x.py",
    "PYTORCH_MODEL.BIN",
]
WATCHER = """
import os, sys
from workbench.persistence.checked_folder import admit
folder, opened, events = sys.argv[1], [], []

def watch(event, args):
    if event == "open" and isinstance(args[0], (str, bytes, os.PathLike)):
        opened.append(os.path.abspath(os.fsdecode(args[0])))
    elif event in ("pickle.find_class", "subprocess.Popen", "os.system", "os.exec", "socket.connect"):
        events.append(event)

sys.addaudithook(watch)
try:
    print("admitted", *admit(folder).notices)
except Exception as error:
    print("refused", error.code)
inside = sorted(os.path.relpath(path, folder) for path in set(opened) if path.startswith(folder + os.sep))
print("opened", *inside)
print("events", *events)
"""


def watch(folder: Path) -> tuple[str, list[str], list[str]]:
    """Admit in a process that records what it opens."""
    done = subprocess.run(
        [sys.executable, "-c", WATCHER, str(folder)], capture_output=True, text=True, check=True
    )
    outcome, opened, events = done.stdout.strip("\n").split("\n")
    return outcome, opened.split()[1:], events.split()[1:]


def test_hostile_pickles_beside_good_weights_are_never_opened(folder: Path, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    for name in PICKLES:
        (folder / name).write_bytes(pickle.dumps(Canary(marker)))
    # The canary sings when it is read.
    pickle.loads((folder / "vocab.pkl").read_bytes())  # noqa: S301 (the test's own data)
    marker.rmdir()
    (folder / "1_Pooling" / "pytorch_model.bin").unlink()
    outcome, opened, events = watch(folder)
    assert outcome.startswith("admitted Left out and never opened")
    assert all(name in outcome for name in ("modeling_x.py", "optimizer.pt", "pytorch_model.bin"))
    assert set(opened) == {
        "1_Pooling/config.json",
        "config.json",
        "model.safetensors",
        "modules.json",
        "sentence_bert_config.json",
        "tokenizer.json",
    }
    assert events == [] and not marker.exists()


@pytest.mark.parametrize("name", ["pytorch_model.bin", "1_Pooling/pytorch_model.bin"])
def test_weights_that_are_only_a_pickle(name: str, folder: Path, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    (folder / name).write_bytes(pickle.dumps(Canary(marker)))
    if name == "pytorch_model.bin":
        (folder / "model.safetensors").unlink()
    outcome, opened, events = watch(folder)
    assert outcome == "refused weights-pickle-only"
    assert opened == [] and events == [] and not marker.exists()
    with pytest.raises(WorkbenchError, match="save_pretrained"):
        admit(folder)


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("modules.json", b"{", "json-broken"),
        ("modules.json", b"[" * 100_000, "json-too-deep"),
        ("config.json", b'{"a": 1, "a": 2}', "json-duplicate-key"),
        ("config.json", b'{"a": NaN}', "json-not-finite"),
        ("config.json", b" " * 2_000_000, "model-file-too-big"),
        ("config.json", b'{"auto_map": {"AutoModel": "x.Y"}}', "model-custom-code"),
        ("config.json", b'{"text_config": {"trust_remote_code": true}}', "config-key-refused"),
        ("1_Pooling/config.json", b'{"custom_x": 1}', "config-key-refused"),
        ("tokenizer_config.json", b'{"auto_map": {}}', "model-custom-code"),
        ("sentence_bert_config.json", b'{"model_args": {"weights_only": false}}', "config-key-refused"),
        ("tokenizer.json", b"\xff", "json-not-utf8"),
        ("tokenizer.json", b'{"vocab": {"a": 0, "a": 1}}', "json-duplicate-key"),
    ],
)
def test_json_in_the_folder(name: str, data: bytes, code: str, folder: Path) -> None:
    (folder / name).write_bytes(data)
    with pytest.raises(WorkbenchError) as refusal:
        admit(folder)
    assert (refusal.value.code, refusal.value.where) == (code, name)
    # A refused copy is not kept, so a second try is refused too.
    assert code_of(folder) == code


def test_nothing_refused_stays_on_disk(folder: Path) -> None:
    store = admit(folder).path.parent
    before = sorted(store.iterdir())
    (folder / "config.json").write_bytes(b"{")
    code_of(folder)
    assert sorted(store.iterdir()) == before


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(
        ["config.json", "modules.json", "tokenizer.json", "1_Pooling/config.json", "model.safetensors"]
    ),
    edits=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=5),
    cut=st.booleans(),
)
def test_mutated_folders(
    name: str, edits: list[tuple[int, int]], cut: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = write_model(tmp_path_factory.mktemp("mutated") / "model")
    data = bytearray((folder / name).read_bytes())
    for position, byte in edits:
        data[position % len(data)] = byte
    (folder / name).write_bytes(bytes(data[: len(data) // 2] if cut else data))
    try:
        admitted = admit(folder)
        header = read_header(admitted.path / "model.safetensors")
        assert set(load_tensors(admitted.path)) == set(header)
    except WorkbenchError:
        return
    assert (admitted.path / name).read_bytes() == (folder / name).read_bytes()


def test_too_many(folder: Path) -> None:
    for digit in range(10):
        for length in range(1, 7):
            module = folder / f"{digit}_{'A' * length}"
            module.mkdir()
            (module / "config.json").write_text("{}")
    assert code_of(folder) == "model-too-many-files"


def test_too_big(folder: Path) -> None:
    assert code_of(folder, limit_bytes=100) == "model-too-big"
    with (folder / "model.safetensors").open("ab") as file:
        file.truncate((4 << 30) + 1)  # Sparse: claims four gigabytes, holds none.
    assert code_of(folder) == "model-file-too-big"


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    assert code_of(tmp_path) == "weights-missing"
    assert code_of(tmp_path / "gone") == "model-folder-missing"


def test_a_change_while_it_is_copied(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = private_copy._open

    def open_and_change(file: private_copy.FoundFile) -> int:
        handle = real(file)
        if file.name == "config.json":
            with (folder / "config.json").open("a") as changed:
                changed.write(" ")
        return handle

    monkeypatch.setattr(private_copy, "_open", open_and_change)
    assert code_of(folder) == "model-folder-changed"


def test_a_file_swapped_for_a_link_before_it_is_opened(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = private_copy._open
    secret = folder.parent / "secret"
    secret.write_text('{"secret": 1}')

    def swap_and_open(file: private_copy.FoundFile) -> int:
        if file.name == "config.json" and not (folder / "config.json").is_symlink():
            (folder / "config.json").unlink()
            (folder / "config.json").symlink_to(secret)
        return real(file)

    monkeypatch.setattr(private_copy, "_open", swap_and_open)
    assert code_of(folder) in ("model-file-unreadable", "model-folder-changed")


def test_disk_full(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = admit(folder).path.parent
    before = sorted(store.iterdir())
    (folder / "config.json").write_text('{"other": 1}')

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(private_copy.Path, "chmod", full)
        assert code_of(folder) == "disk-full"
    assert sorted(store.iterdir()) == before
    monkeypatch.setattr(private_copy, "check_free_space", lambda *_: full())
    assert code_of(folder) == "disk-full"


def test_many_threads_get_one_copy(folder: Path) -> None:
    found: list[AdmittedFolder] = []
    threads = [threading.Thread(target=lambda: found.append(admit(folder))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and len({admitted.path for admitted in found}) == 1


def test_on_a_space(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_ID", "someone/space")
    assert code_of(folder) == "model-path-refused"
    assert admit(folder, root=folder.parent).kind == "folder"
    assert admit(BUNDLED).kind == "bundled"


@pytest.fixture
def online(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import close_session, constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    close_session()


@pytest.mark.usefixtures("online")
def test_from_the_hub(folder: Path, tmp_path: Path) -> None:
    (folder / "train_script.py").write_text("raise SystemExit")
    hub, cache = FakeHub(folder), tmp_path / "cache"
    admitted = admit("owner/model", endpoint=hub.endpoint, cache_dir=cache)
    hub.close()
    assert (admitted.kind, admitted.revision) == ("hub", COMMIT)
    assert names(admitted.path) == names(folder) - {"train_script.py"}
    assert "train_script.py" in admitted.notices[0]
    assert not any(path.is_symlink() for path in admitted.path.rglob("*"))
    # The same bytes as the folder's own: one hash, one copy.
    assert admitted.sha256 == admit(folder).sha256
    offline = admit("owner/model", cache_dir=cache, local_files_only=True)
    assert offline.path == admitted.path


@pytest.mark.usefixtures("online")
def test_a_damaged_file_in_the_cache(folder: Path, tmp_path: Path) -> None:
    hub, cache = FakeHub(folder), tmp_path / "cache"
    admit("owner/model", endpoint=hub.endpoint, cache_dir=cache)
    (blob,) = (path for path in (cache / "models--owner--model" / "blobs").iterdir() if len(path.name) == 64)
    data = bytearray(blob.read_bytes())
    data[-1] ^= 1
    blob.write_bytes(data)
    assert code_of("owner/model", endpoint=hub.endpoint, cache_dir=cache) == "hub-file-corrupt"
    hub.close()


@pytest.mark.usefixtures("online")
def test_links_of_the_cache(folder: Path, tmp_path: Path) -> None:
    hub, cache = FakeHub(folder), tmp_path / "cache"
    admitted = admit("owner/model", endpoint=hub.endpoint, cache_dir=cache)
    hub.close()
    snapshot = cache / "models--owner--model" / "snapshots" / COMMIT
    # As a folder, its links lead out of it.
    assert code_of(snapshot) == "model-link-refused"
    # Newer versions of huggingface_hub keep large blobs once for all models.
    name = git_hash((folder / "config.json").read_bytes())
    blob = cache / "models--owner--model" / "blobs" / name
    shared = cache / "blobs" / "ab" / "shared"
    shared.parent.mkdir(parents=True)
    blob.rename(shared)
    blob.symlink_to(shared)
    assert admit("owner/model", cache_dir=cache, local_files_only=True).sha256 == admitted.sha256
    # A link to anywhere else is refused, another model's folder included.
    other = cache / "models--other--model" / "blobs" / "x"
    other.parent.mkdir(parents=True)
    shared.rename(other)
    blob.unlink()
    blob.symlink_to(other)
    assert code_of("owner/model", cache_dir=cache, local_files_only=True) == "model-link-refused"


def test_what_upstream_saves_is_admitted(bundled: Path, tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    upstream = SentenceTransformer(str(bundled), device="cpu", local_files_only=True)
    upstream.save_pretrained(str(tmp_path / "saved"))
    admitted = admit(tmp_path / "saved")
    assert names(admitted.path) == names(tmp_path / "saved")
    assert admitted.notices == ()
