"""Other untuned models: each embeds the held-out data, and what is wrong with one is told, not raised."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.compare.held_out import scored_pairs
from workbench.errors import Cancelled
from workbench.recipe import other_models as module
from workbench.recipe.other_models import other_models
from workbench.sentence_transformer import SentenceTransformer

LEFT, RIGHT = ["the dog", "a cat", "one house"], ["a dog", "two cats", "the sea"]
DATA = scored_pairs(LEFT, RIGHT, [1.0, 0.5, 0.0])


def test_a_model_is_let_go_and_its_embeddings_stay(made: dict[str, Any]) -> None:
    name = made["model"]["name"]
    found = other_models([name, name], DATA, device="cpu")
    assert found.failures == {} and [one.name for one in found.models] == [name]
    expected = SentenceTransformer(name, device="cpu").encode(LEFT)
    np.testing.assert_allclose(found.models[0].encode(LEFT), expected, atol=1e-6)


def test_names_that_cannot_be_loaded_are_told(made: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{", encoding="utf-8")
    gone, broken = str(tmp_path / "gone"), str(tmp_path)
    found = other_models([gone, broken, made["model"]["name"], "\0"], DATA, device="cpu")
    assert [one.name for one in found.models] == [made["model"]["name"]]
    assert found.failures is not None
    assert list(found.failures) == [gone, broken, "\0"]
    assert "[model-folder-missing]" in found.failures[gone] and "[model-name]" in found.failures["\0"]


def test_what_nobody_foresaw_is_told_too(made: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: Any, **__: Any) -> None:
        raise RuntimeError("no memory left")

    monkeypatch.setattr(module, "embedded_now", breaks)
    found = other_models([made["model"]["name"]], DATA, device="cpu")
    assert found.models == ()
    assert found.failures == {made["model"]["name"]: "RuntimeError: no memory left [other-model-failed]"}


def test_a_cancellation_is_none_of_their_failures(made: dict[str, Any]) -> None:
    with pytest.raises(Cancelled):
        other_models([made["model"]["name"]], DATA, device="cpu", cancelled=lambda: True)
