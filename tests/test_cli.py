"""The command line: what it prints, what it writes, and how it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sentence_transformers import SentenceTransformer as Upstream
from typer.testing import CliRunner, Result

from workbench.__main__ import cli

SENTENCES = (
    "A man is eating food.",
    "The girl is carrying a baby.",
    "한국어 문장입니다.",
    "",
    "A cheetah chases prey.",
)
KEPT = tuple(sentence for sentence in SENTENCES if sentence)
ROOT = Path(__file__).resolve().parent.parent


def run(*arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(cli, list(arguments), input=stdin)


@pytest.fixture(autouse=True)
def progress_bars_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """``compare`` switches the libraries' bars off for its process, which is this one here."""
    monkeypatch.setenv("TQDM_DISABLE", "1")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "sentences.txt"
    path.write_text("\n".join(SENTENCES), encoding="utf-8")
    return path


def refusal(*arguments: str, stdin: str = "") -> str:
    """The message of a run that must end with 2 and print nothing else."""
    result = run(*arguments, stdin=stdin)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    return result.stderr


def test_help_is_there_for_every_command_and_needs_no_library() -> None:
    code = (
        "import sys; from workbench.__main__ import cli\n"
        "try: cli([*sys.argv[1:], '--help'])\n"
        "except SystemExit as end: assert not end.code\n"
        "assert not {'torch', 'gradio', 'transformers', 'pandas', 'pyarrow'} & set(sys.modules)"
    )
    for arguments in ([], ["compare"], ["encode"], ["app"]):
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert "Usage" in done.stdout


def test_the_module_and_app_py_are_the_same_command_line() -> None:
    for start in (["-m", "workbench", "app"], ["app.py"]):
        done = subprocess.run([sys.executable, *start, "--help"], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "--port" in done.stdout


# -- encode -----------------------------------------------------------------------------------------


def test_encode_writes_what_upstream_computes(file: Path, tmp_path: Path, bundled: Path) -> None:
    out = tmp_path / "vectors.parquet"
    result = run("encode", str(file), "--out", str(out))
    assert result.exit_code == 0, result.stderr
    assert "4 embeddings in" in result.stderr
    assert "Left out 1 rows" in result.stderr
    table = pq.read_table(out)
    assert table.schema.field("text").type == pa.string()
    assert table.schema.field("embedding").type == pa.list_(pa.float32())
    assert tuple(table["text"].to_pylist()) == KEPT
    expected = Upstream(str(bundled), device="cpu").encode(list(KEPT))
    np.testing.assert_allclose(np.array(table["embedding"].to_pylist()), expected, atol=1e-6)
    assert table.schema.metadata[b"model"] == b"all-MiniLM-L6-v2"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sentences.txt", "vectors.parquet"]


def test_encode_takes_a_prompt_and_a_precision(tmp_path: Path, bundled: Path) -> None:
    out = tmp_path / "vectors.parquet"
    result = run(
        "encode", "-", "--out", str(out), "--prompt", "query: ", "--precision", "binary", stdin="one\ntwo\n"
    )
    assert result.exit_code == 0, result.stderr
    table = pq.read_table(out)
    assert table["text"].to_pylist() == ["one", "two"]
    expected = Upstream(str(bundled), device="cpu").encode(
        ["one", "two"], prompt="query: ", precision="binary"
    )
    assert table.schema.field("embedding").type == pa.list_(pa.int8())
    np.testing.assert_array_equal(np.array(table["embedding"].to_pylist(), np.int8), expected)


def test_encode_tells_of_cut_texts(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    # A warning of the library; without handlers of its own the command line shows it on stderr.
    assert run("encode", "-", "--out", str(tmp_path / "v.parquet"), stdin="word " * 400).exit_code == 0
    assert any("1 of 1 texts are longer than 256 tokens" in message for message in caplog.messages)


def test_encode_reads_the_named_column(tmp_path: Path) -> None:
    table = tmp_path / "pairs.csv"
    table.write_text("left,right\none,uno\ntwo,due\n")
    out = tmp_path / "v.parquet"
    assert "column-unclear" in refusal("encode", str(table), "--out", str(out))
    assert not out.exists()
    assert run("encode", str(table), "--out", str(out), "--column", "right", "--limit", "1").exit_code == 0
    assert pq.read_table(out)["text"].to_pylist() == ["uno"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["encode", "missing.txt", "--out", "v.parquet"], "file-not-readable"),
        (["encode", "missing.xlsx", "--out", "v.parquet"], "file-type-unknown"),
        (["encode", "-", "--out", "v.csv"], "out-not-parquet"),
        (["encode", "-", "--out", "missing/v.parquet"], "not-writable"),
        (["encode", "-", "--out", "v.parquet", "--precision", "int4"], "precision-unknown"),
        (["encode", "-", "--out", "v.parquet", "--batch-size", "0"], "batch-size-out-of-range"),
        (["encode", "-", "--out", "v.parquet", "--model", "./nowhere"], "model-folder-missing"),
        (["compare", "-", "--contender", "theirs"], "unknown-contender"),
        (["compare", "-", "--pooling", "median"], "unknown-pooling"),
        (["compare", "-", "--max-length", "100000"], "setting-range"),
        (["compare", "-", "--set", "manual"], "set-not-understood"),
        (["compare", "-", "--set", "manual=1"], "set-not-understood"),
        (["compare", "-", "--set", "theirs.pooling=cls"], "set-column-unknown"),
        (["compare", "-", "--set", "own.color=red"], "set-setting-unknown"),
        (["compare", "-", "--set", "own.max_length=many"], "set-value"),
        (["compare", "-", "--set", "own.normalize=maybe"], "set-value"),
    ],
)
def test_a_refusal_goes_to_stderr_and_ends_with_two(
    arguments: list[str], code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert f"[{code}]" in refusal(*arguments, stdin="one\n")
    assert list(tmp_path.iterdir()) == []


def test_an_empty_stdin_is_refused() -> None:
    assert "[file-empty]" in refusal("compare", "-")


# -- compare ----------------------------------------------------------------------------------------


def test_compare_says_that_the_three_agree(file: Path) -> None:
    result = run("compare", str(file), "--rounds", "1")
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    for pair in ("own · upstream", "own · manual", "upstream · manual"):
        row = next(line for line in lines if line.startswith(pair))
        assert "identical" in row or "float noise" in row
    assert any(line.startswith("Noise floor") for line in lines)
    header = next(line for line in lines if line.startswith("column "))
    assert "sentences/s" in header
    row = next(line for line in lines if line.startswith("manual "))
    assert "384" in row and "0/4" in row and "cpu" in row


def test_compare_names_the_setting_that_differs(file: Path) -> None:
    result = run(
        "compare", str(file), "--rounds", "0", "--contender", "own", "--contender", "own",
        "--set", "own-2.pooling=cls",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    row = next(line for line in result.stdout.splitlines() if line.startswith("own · own-2"))
    assert "different" in row and "ooling" in row and "cls" in row


def test_compare_as_json_holds_every_setting_and_the_verdicts(file: Path) -> None:
    result = run(
        "compare", str(file), "--json", "--rounds", "1", "--contender", "own", "--contender", "manual",
        "--max-length", "128", "--no-normalize", "--prompt", "query: ", "--batch-size", "2", "--threads", "1",
        "--set", "manual.lowercase=no", "--set", "manual.use_mask=no", "--set", "manual.normalize=yes",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["texts"] == list(KEPT)
    own, manual = (column["settings"] for column in report["columns"])
    common = {"max_length": 128, "prompt": "query: ", "batch_size": 2, "threads": 1, "pooling": "mean"}
    assert common.items() <= own.items() and common.items() <= manual.items()
    assert (own["normalize"], own["lowercase"], own["use_mask"]) == (False, None, True)
    assert (manual["normalize"], manual["lowercase"], manual["use_mask"]) == (True, False, False)
    (agreement,) = report["agreements"]
    assert agreement["verdict"] == "different"
    assert [speed["label"] for speed in report["speeds"]] == ["own", "manual"]


def test_a_contender_that_is_not_installed_is_told_before_any_work(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.contenders import registry

    monkeypatch.setattr(registry, "find_spec", lambda package: None)
    result = run("compare", str(file), "--contender", "own", "--contender", "onnxruntime")
    assert result.exit_code == 2
    assert "contender-not-installed" in result.stderr and "pip install onnxruntime onnx" in result.stderr
    assert not result.stdout


def test_a_column_that_fails_is_told_and_the_rest_is_shown(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.contenders import registry
    from workbench.errors import MissingExtraError

    def missing(*_: object) -> object:
        raise MissingExtraError("upstream-missing", "It is not installed", fix="pip install it")

    broken = registry.ContenderKind("t", "d", missing, registry.CONTENDERS["upstream"].code)  # type: ignore[arg-type]
    monkeypatch.setitem(registry.CONTENDERS, "upstream", broken)
    result = run("compare", str(file), "--rounds", "0", "--prompt", "so that none is open yet: ")
    assert result.exit_code == 2
    assert "column upstream" in result.stderr and "upstream-missing" in result.stderr
    assert "own · manual" in result.stdout
