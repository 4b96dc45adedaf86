"""The rules that no linter knows: cheap import, no data that runs, small files that say what they hold."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = sorted((ROOT / "workbench").rglob("*.py"))
ALL = sorted(
    path
    for path in [
        *ROOT.glob("*.py"),
        *PACKAGE,
        *(ROOT / "tests").rglob("*.py"),
        *(ROOT / "benchmarks").rglob("*.py"),
    ]
)
MAX_LINES = 500

HEAVY = (
    "torch",
    "gradio",
    "transformers",
    "sentence_transformers",
    "plotly",
    "pandas",
    "scipy",
    "sklearn",
    "pyarrow",
)
# Modules whose reading runs what the data says.
RUNS_DATA = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
CALLS = {"eval", "exec", "compile", "__import__"}
ATTRIBUTES = {"import_module", "read_pickle", "to_pickle"}


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(module: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, node.module or ""


def runs_data(module: ast.Module) -> Iterator[str]:
    """Every place that could turn data into running code."""
    for line, name in imported(module):
        if name.split(".")[0] in RUNS_DATA:
            yield f"line {line}: import {name}"
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS:
            yield f"line {node.lineno}: {node.func.id}()"
        elif isinstance(node, ast.Attribute):
            whole = ast.unparse(node)
            if node.attr in ATTRIBUTES or whole == "torch.load":
                yield f"line {node.lineno}: {whole}"
        elif isinstance(node, ast.keyword) and node.arg in {"allow_pickle", "trust_remote_code"}:
            if not (isinstance(node.value, ast.Constant) and node.value.value is False):
                yield f"line {node.value.lineno}: {node.arg} is not False"
        elif isinstance(node, ast.ImportFrom) and {alias.name for alias in node.names} & ATTRIBUTES:
            yield f"line {node.lineno}: from {node.module} import {', '.join(a.name for a in node.names)}"


def loaded_after(statement: str) -> set[str]:
    """Top-level modules in ``sys.modules`` after a statement in a fresh interpreter."""
    code = f"{statement}\nimport json, sys\nprint(json.dumps([name.split('.')[0] for name in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "statement",
    [
        "import workbench",
        "import workbench.errors, workbench.contenders.contract",
        "import workbench.cli",
        "import workbench.__main__",
    ],
)
def test_importing_is_cheap(statement: str) -> None:
    assert not loaded_after(statement) & set(HEAVY)


def test_the_check_of_cheap_imports_sees_a_heavy_one() -> None:
    assert "pyarrow" in loaded_after("import pyarrow")


@pytest.mark.parametrize("path", PACKAGE, ids=relative)
def test_nothing_turns_data_into_code(path: Path) -> None:
    found = list(runs_data(tree(path)))
    if relative(path) == "workbench/__init__.py":
        # Its table of public names is a literal; one call reads it.
        assert [place for place in found if "importlib.import_module" not in place] == []
        assert len(found) == 1
    else:
        assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from joblib import load",
        "x = eval(y)",
        "torch.load(p)",
        "importlib.import_module(n)",
        "from importlib import import_module",
        "pd.read_pickle(p)",
        "np.load(p, allow_pickle=True)",
        "AutoModel.from_pretrained(p, trust_remote_code=flag)",
    ],
)
def test_the_check_of_running_data_sees_each_kind(line: str) -> None:
    assert list(runs_data(ast.parse(line)))


@pytest.mark.parametrize(
    "line", ["model.eval()", "np.load(p, allow_pickle=False)", "json.loads(x)", "re.compile(x)"]
)
def test_the_check_of_running_data_lets_harmless_lines_pass(line: str) -> None:
    assert not list(runs_data(ast.parse(line)))


@pytest.mark.parametrize("path", ALL, ids=relative)
def test_a_file_says_what_it_holds_and_stays_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text)), "the first statement is not a docstring"
    assert text.startswith(('"""', 'r"""')), "the docstring does not stand on the first line"
    assert len(text.splitlines()) <= MAX_LINES


@pytest.mark.parametrize("path", PACKAGE, ids=relative)
def test_upstream_is_imported_by_its_contender_alone(path: Path) -> None:
    if relative(path).startswith("workbench/contenders/upstream/"):
        return
    assert not [line for line, name in imported(tree(path)) if name.split(".")[0] == "sentence_transformers"]


def test_the_map_of_the_house_is_true() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\bworkbench/[\w./-]*\w/?", text))
    assert len(named) >= 10
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
