"""Every script in ``examples/``, run as it stands on a few rows."""

from __future__ import annotations

import ast
import runpy
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
SMALL = ["--rows", "16"]
ARGUMENTS: dict[str, list[str]] = {
    "classic": [],
    "plain_loop": [],
    "scored_pairs": SMALL,
    "question_answer_pairs": SMALL,
    "labelled_sentences": SMALL,
    "korean_pairs": SMALL,
    "distillation": SMALL,
    "matryoshka": SMALL,
}


def test_every_example_is_run() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(ARGUMENTS)


# Those that everyone reads first; the others in the long form.
FIRST = ("classic", "plain_loop", "scored_pairs")


@pytest.mark.parametrize(
    "name", [name if name in FIRST else pytest.param(name, marks=pytest.mark.full) for name in ARGUMENTS]
)
def test_the_example_runs(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = EXAMPLES / f"{name}.py"
    monkeypatch.setattr(sys, "argv", [str(path), *ARGUMENTS[name]])
    monkeypatch.setenv("TQDM_DISABLE", "1")
    runpy.run_path(str(path), run_name="__main__")
    assert capsys.readouterr().out


def test_the_classic_script_imports_from_here_as_it_did_from_upstream() -> None:
    tree = ast.parse((EXAMPLES / "classic.py").read_text(encoding="utf-8"))
    imported = {
        alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == "workbench"
        for alias in node.names
    }
    assert imported == {"InputExample", "SentenceTransformer", "evaluation", "losses", "models"}
