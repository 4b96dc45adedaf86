"""The table of contenders."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from workbench.contenders.contract import ModelPaths, Settings
from workbench.contenders.registry import CONTENDERS, contender_kind, installed_contenders, traced_contenders
from workbench.errors import UnknownNameError


@pytest.mark.parametrize("name", installed_contenders())
def test_every_contender_keeps_the_contract(bundled: Path, name: str) -> None:
    contender = contender_kind(name).open(ModelPaths(bundled, bundled), Settings())
    texts = ["one text", "another, longer text"]
    rows = contender.encode(texts)
    assert (contender.name, contender.settings) == (name, Settings())
    assert rows.shape == (2, 384)
    assert rows.dtype == np.float32
    counts = contender.token_counts(texts)
    for text, count in zip(texts, counts, strict=True):
        view = contender.token_view(text)
        assert len(view.tokens) == len(view.ids) == len(view.mask) == count.kept == count.full


@pytest.mark.parametrize("name", CONTENDERS)
def test_every_contender_has_words_for_a_menu(name: str) -> None:
    kind = CONTENDERS[name]
    assert kind.title
    assert kind.description
    assert "\n" not in kind.description


def test_the_own_three_need_nothing_and_can_be_traced() -> None:
    assert [name for name, kind in CONTENDERS.items() if not kind.needs] == ["own", "upstream", "manual"]
    assert traced_contenders() == ("own", "upstream", "manual")


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UnknownNameError) as caught:
        contender_kind("theirs")
    assert all(name in caught.value.message for name in CONTENDERS)


def test_the_table_loads_no_library() -> None:
    heavy = {"torch", "transformers", "sentence_transformers", "onnxruntime", "onnx", "openvino"}
    code = f"import workbench.contenders, sys; print({heavy!r} & set(sys.modules))"
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.strip() == "set()"


def test_settings_state_everything() -> None:
    assert len(fields(Settings)) == 10
