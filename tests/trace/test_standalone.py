"""The one-file recorder: it imports nothing of the package, and its traces compare with recorded ones."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.trace.tiny_pipelines import LIMIT, PROMPT, TEXTS, parts, sound
from workbench.trace import standalone_recorder
from workbench.trace.diff import diff
from workbench.trace.pipelines import manual_pipeline, record
from workbench.trace.portable import load_trace


def test_it_needs_nothing_of_this_package() -> None:
    source = Path(standalone_recorder.__file__).read_text(encoding="utf-8")
    named = {
        (alias.name if isinstance(node, ast.Import) else str(node.module)).split(".")[0]
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    allowed = {"torch", "transformers", "numpy", "safetensors"}
    assert named - allowed <= set(sys.stdlib_module_names)


@pytest.mark.parametrize("model", ["bert", "xlm-roberta"])
def test_its_trace_agrees_and_shows_a_fault(tmp_path: Path, model: str, monkeypatch) -> None:
    folder = tmp_path / "model"
    for part in parts(model):
        part.save_pretrained(folder)
    (tmp_path / "texts.json").write_text(json.dumps(TEXTS), encoding="utf-8")
    common = [
        "x",
        str(folder),
        str(tmp_path / "t"),
        "--texts",
        str(tmp_path / "texts.json"),
        "--prompt",
        PROMPT,
    ]
    left = record(manual_pipeline(sound(model), "left"), TEXTS)
    monkeypatch.setattr(sys, "argv", [*common, "--max-length", str(LIMIT)])
    standalone_recorder.main()
    found = diff(left, load_trace(tmp_path / "t"))
    assert found.verdict in ("identical", "float noise"), found.first
    assert len(found.rungs) >= 15
    monkeypatch.setattr(sys, "argv", [*common, "--max-length", str(LIMIT), "--pooling", "cls"])
    standalone_recorder.main()
    found = diff(left, load_trace(tmp_path / "t"))
    assert found.cause is not None and found.cause.key == "pooling-cls"


def test_it_runs_as_a_script_from_anywhere(tmp_path: Path) -> None:
    copy = tmp_path / "recorder.py"
    copy.write_text(Path(standalone_recorder.__file__).read_text(encoding="utf-8"), encoding="utf-8")
    done = subprocess.run([sys.executable, str(copy), "--help"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 and "--max-length" in done.stdout
