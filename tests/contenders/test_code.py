"""The scripts of the columns: run as they stand, and safe whatever the texts hold."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models.tiny import write_upstream
from workbench.compare.similarity_matrix import cosine_matrix
from workbench.contenders.contract import ModelPaths, Settings
from workbench.contenders.manual.code import manual_code
from workbench.contenders.registry import contender_kind
from workbench.contenders.upstream.code import upstream_code
from workbench.errors import UnknownNameError

BUNDLED = "all-MiniLM-L6-v2"
TEXTS = [
    'A man says "hello" \\ to\nthe dog\'s owner.',
    "A Cat sleeps on the Sofa",
    "오늘 날씨가 좋다",
    "The weather is lovely today, so we went for a walk in the park. " * 25,
]
WRITERS = {"upstream": upstream_code, "manual": manual_code}


def printed(script: str, folder: Path) -> tuple[str, np.ndarray]:
    """Run a script and read the shape and the matrix that it prints."""
    file = folder / "script.py"
    file.write_text(script, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "script.py"], capture_output=True, text=True, check=False, cwd=folder, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    shape, _, matrix = done.stdout.partition("\n")
    numbers = [float(number) for number in re.findall(r"-?\d+\.\d*(?:e[-+]\d+)?", matrix)]
    return shape, np.array(numbers).reshape(int(len(numbers) ** 0.5), -1)


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize(
    "change",
    [
        pytest.param({}, marks=pytest.mark.full),
        {
            "pooling": "mean+cls",
            "normalize": False,
            "use_mask": False,
            "lowercase": False,
            "prompt": 'it\'s a "query": ',
            "max_length": 300,
            "batch_size": 2,
        },
    ],
    ids=["plain", "everything"],
)
def test_the_script_prints_the_numbers_of_the_column(
    bundled: Path, tmp_path: Path, name: str, change: dict[str, Any]
) -> None:
    stated = replace(Settings(), **change)
    rows = contender_kind(name).open(ModelPaths(bundled, bundled), stated).encode(TEXTS)
    shape, matrix = printed(WRITERS[name](BUNDLED, stated, TEXTS), tmp_path)
    assert shape == str(rows.shape)
    np.testing.assert_allclose(matrix, cosine_matrix(rows), atol=2e-6)


@pytest.mark.parametrize("name", WRITERS)
def test_a_folder_works_as_well(tmp_path: Path, name: str) -> None:
    folder = write_upstream(tmp_path / "it's here", "roberta", "cls", normalize=False)
    stated = replace(Settings(), pooling="cls", normalize=True, max_length=20)
    rows = contender_kind(name).open(ModelPaths(folder, folder), stated).encode(TEXTS)
    _, matrix = printed(WRITERS[name](str(folder), stated, TEXTS), tmp_path)
    np.testing.assert_allclose(matrix, cosine_matrix(rows), atol=2e-6)


def literals(script: str) -> list[str]:
    """The list of texts in a script, read without running it."""
    for node in ast.parse(script).body:
        if isinstance(node, ast.Assign) and cast("ast.Name", node.targets[0]).id == "texts":
            return cast("list[str]", ast.literal_eval(node.value))
    raise LookupError("no texts in the script")


HOSTILE = st.text(max_size=60) | st.sampled_from(
    ['"""', "'''", "\\", "\n", '"]\nimport os\n["', "{x}", "\x00", "\u2028"]
)


@given(
    st.lists(HOSTILE, max_size=5),
    HOSTILE,
    HOSTILE,
    st.sampled_from(list(WRITERS.values())),
)
@settings(max_examples=80)
def test_nothing_a_user_types_becomes_code(
    texts: list[str], prompt: str, model: str, write: Callable[[str, Settings, Sequence[str]], str]
) -> None:
    script = write(model, replace(Settings(), prompt=prompt), texts)
    assert literals(script) == texts
    # Same statements as with harmless values: what was typed is only constants.
    harmless = write("owner/name", replace(Settings(), prompt="p" if prompt else ""), ["t"] * len(texts))
    kinds = [type(node) for node in ast.walk(ast.parse(script))]
    assert sorted(map(str, kinds)) == sorted(map(str, [type(node) for node in ast.walk(ast.parse(harmless))]))


@pytest.mark.parametrize("name", WRITERS)
def test_only_what_is_needed_is_written(name: str) -> None:
    script = WRITERS[name](BUNDLED, Settings(), TEXTS)
    assert not re.search("Pooling|Normalize|do_lower_case|prompt|cuda|ones_like|sorted", script)


@pytest.mark.parametrize("name", WRITERS)
def test_a_long_list_is_cut_and_says_so(name: str) -> None:
    script = WRITERS[name](BUNDLED, Settings(), ["x" * 5000, *map(str, range(9))])
    assert literals(script) == ["0", "1", "2", "3", "4"]
    assert "# 5 of the 10 texts" in script


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("change", [{"precision": "float32)\nimport os\n("}, {"pooling": "mean\nimport os"}])
def test_a_setting_that_would_be_code_is_refused(name: str, change: dict[str, Any]) -> None:
    with pytest.raises(UnknownNameError):
        WRITERS[name](BUNDLED, replace(Settings(), **change), TEXTS)
