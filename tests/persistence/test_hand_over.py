"""A model of the app's own opens under a name made for it, wherever it lies, and under no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.errors import ModelSourceError
from workbench.persistence.source import hand_over, is_handed_over, resolve


def test_a_folder_outside_the_root_opens_by_its_name_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, outside = tmp_path / "root", tmp_path / "runs" / "model"
    root.mkdir()
    outside.mkdir(parents=True)
    monkeypatch.setenv("WORKBENCH_MODELS_ROOT", str(root))
    name = hand_over(outside)
    found = resolve(name)
    assert (found.kind, found.folder) == ("folder", outside.resolve())
    assert hand_over(outside) == name
    assert is_handed_over(name)
    with pytest.raises(ModelSourceError) as refused:
        resolve(str(outside))
    assert refused.value.code == "model-path-refused"


def test_it_opens_on_a_space_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_ID", "owner/space")
    assert resolve(hand_over(tmp_path)).folder == tmp_path.resolve()


def test_a_name_that_was_never_made_is_a_name_like_any_other(tmp_path: Path) -> None:
    name = hand_over(tmp_path)
    other = name[:-1] + ("0" if name[-1] != "0" else "1")
    assert not is_handed_over(other)
    assert resolve(other).kind == "hub"


def test_names_do_not_tell_the_folder(tmp_path: Path) -> None:
    assert tmp_path.name not in hand_over(tmp_path)
    (tmp_path / "second").mkdir()
    assert hand_over(tmp_path / "second") != hand_over(tmp_path)
