"""The command line of tracing: what each verb prints and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.models.tiny import write_upstream
from tests.trace.tiny_pipelines import TEXTS
from workbench.__main__ import cli

RUN = CliRunner()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return str(write_upstream(tmp_path_factory.mktemp("cli"), "bert"))


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    path = tmp_path_factory.mktemp("texts") / "texts.txt"
    path.write_text("\n".join(TEXTS), encoding="utf-8")
    return str(path)


def trace(*arguments: str):
    return RUN.invoke(cli, ["trace", *arguments])


def common(folder: str, texts: str) -> list[str]:
    return ["--model", folder, "--texts", texts, "--set", "threads=1"]


def test_record_diff_and_prove(folder: str, texts: str, tmp_path: Path) -> None:
    left, right = str(tmp_path / "left"), str(tmp_path / "right")
    assert trace("record", left, "--contender", "own", "--whole", *common(folder, texts)).exit_code == 0
    faulty = ["--contender", "manual", "--set", "pooling=cls", *common(folder, texts)]
    assert trace("record", right, *faulty).exit_code == 0
    done = trace("diff", left, right)
    assert done.exit_code == 1
    assert "stage of the fault: pooling" in done.stdout and "pooling-cls" in done.stdout
    found = json.loads(trace("diff", left, right, "--json").stdout)
    assert (found["cause"]["key"], found["verdict"]) == ("pooling-cls", "different")
    assert trace("diff", left, left).exit_code == 0
    proved = trace("prove", left, *faulty)
    assert proved.exit_code == 1 and "the gap is closed" in proved.stdout


def test_lint_writes_a_contract(folder: str, bundled: Path, tmp_path: Path) -> None:
    done = trace("lint", str(bundled), "--contract", str(tmp_path / "contract.json"))
    assert done.exit_code == 1 and "length-contradiction" in done.stdout
    assert json.loads((tmp_path / "contract.json").read_text(encoding="utf-8"))["max_length"] == 256
    assert trace("lint", str(tmp_path / "nothing")).exit_code == 2


def test_black_box_names_the_change(folder: str, texts: str, tmp_path: Path) -> None:
    from workbench.data.sentence_files import read_sentences
    from workbench.sentence_transformer import SentenceTransformer

    sentences = list(read_sentences(Path(texts), "texts.txt").texts)
    vectors = SentenceTransformer(folder, device="cpu").encode(sentences, prompt="query: ")
    np.save(tmp_path / "v.npy", vectors)
    done = trace("black-box", texts, str(tmp_path / "v.npy"), "--model", folder)
    assert done.exit_code == 0 and "prompt = 'query: '" in done.stdout


def test_the_gallery_is_listed() -> None:
    done = trace("gallery")
    assert done.exit_code == 0 and "padding-baked" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["diff", "nothing", "nothing"],
        ["record", "x", "--set", "nonsense=1"],
        ["record", "x", "--set", "max_length=many"],
        ["record", "x", "--contender", "other"],
        ["gallery", "nothing"],
    ],
    ids=lambda arguments: " ".join(arguments[:4]),
)
def test_a_refusal_ends_with_two_and_no_traceback(arguments: list[str]) -> None:
    done = trace(*arguments)
    assert done.exit_code == 2
    assert "error:" in done.output and "Traceback" not in done.output
