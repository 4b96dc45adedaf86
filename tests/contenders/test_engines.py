"""ONNX Runtime and OpenVINO against the pooling by hand, and what the two refuse."""

from __future__ import annotations

import os
import re
import runpy
import shutil
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.models.tiny import write_encoder
from workbench.compare.similarity_matrix import cosine_matrix
from workbench.contenders import onnx_export, registry
from workbench.contenders.contract import Contender, ModelPaths, Settings
from workbench.contenders.graph_code import graph_code
from workbench.contenders.manual import open_manual
from workbench.contenders.numpy_pooling import POOLERS
from workbench.contenders.registry import CONTENDERS, contender_kind, installed_contenders, missing_packages
from workbench.errors import MissingExtraError, WorkbenchError

TEXTS = [
    "short",
    "",
    "가나다 한국어 문장",
    "🙂🙂 emoji",
    "long words " * 300,
    "short",
    "a somewhat longer sentence",
]
ENGINES = tuple(name for name in ("onnxruntime", "openvino") if not missing_packages(name))
EACH = pytest.mark.parametrize("name", ENGINES)
NEEDS_ONE = pytest.mark.skipif(not ENGINES, reason="no optional runtime is installed")


def open_engine(name: str, folder: Path, **stated: Any) -> Contender:
    return contender_kind(name).open(ModelPaths(folder, folder), Settings(**stated))


def alike(name: str, folder: Path, **stated: Any) -> None:
    engine = open_engine(name, folder, **stated)
    manual = open_manual(ModelPaths(folder, folder), Settings(**stated))
    np.testing.assert_allclose(engine.encode(TEXTS), manual.encode(TEXTS), atol=2e-6)
    assert engine.token_counts(TEXTS) == manual.token_counts(TEXTS)
    assert engine.token_view(TEXTS[4]) == manual.token_view(TEXTS[4])


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoder(tmp_path_factory.mktemp("tiny"), "bert")


@EACH
def test_float32_equals_the_pooling_by_hand(bundled: Path, name: str) -> None:
    alike(name, bundled, batch_size=3, prompt="query: ")
    assert open_engine(name, bundled).encode([]).shape == (0, 384)


@EACH
@pytest.mark.parametrize("pooling", [*POOLERS, "+".join(POOLERS)])
def test_every_pooling_and_their_concatenation(tiny: Path, name: str, pooling: str) -> None:
    alike(name, tiny, pooling=pooling, max_length=40, batch_size=3, normalize=False)


@EACH
# A table of positions that begins at 2, relative positions, windows, padding on the left.
@pytest.mark.parametrize("family", ["roberta", "deberta-v2", "modernbert", "qwen3"])
def test_other_encoders_than_bert(tmp_path: Path, name: str, family: str) -> None:
    alike(name, write_encoder(tmp_path, family), pooling="cls+lasttoken", max_length=50, batch_size=3)


@EACH
def test_casing_is_followed(bundled: Path, name: str) -> None:
    cased, manual = (
        one.encode(["Paris", "paris"])
        for one in (
            open_engine(name, bundled, lowercase=False),
            open_manual(ModelPaths(bundled, bundled), Settings(lowercase=False)),
        )
    )
    assert np.abs(cased[0] - cased[1]).max() > 1e-3
    np.testing.assert_allclose(cased, manual, atol=2e-6)


@EACH
def test_pooling_over_padding_depends_on_the_batch(tiny: Path, name: str) -> None:
    engine = open_engine(name, tiny, use_mask=False, max_length=40)
    alone, beside = engine.encode(["short"]), engine.encode(["short", "long words " * 30])
    assert np.abs(alone[0] - beside[0]).max() > 1e-3


@pytest.mark.parametrize(
    ("name", "precision", "cosine"),
    [("onnxruntime", "int8", 0.97), ("openvino", "bfloat16", 0.9999)],
)
def test_coarse_precisions_cost_what_they_may(
    bundled: Path, name: str, precision: str, cosine: float
) -> None:
    if missing_packages(name):
        pytest.skip(f"{name} is not installed")
    exact = open_engine(name, bundled).encode(TEXTS)
    try:
        coarse = open_engine(name, bundled, precision=precision).encode(TEXTS)
    except WorkbenchError as error:
        if error.code == "precision-not-supported":
            pytest.skip("this processor has no bfloat16")
        raise
    assert cosine < (exact * coarse).sum(axis=1).min() < 1 - 1e-6


@EACH
@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"pooling": "best"}, "unknown-pooling"),
        ({"precision": "float16"}, "unknown-precision"),
        ({"device": "cuda"}, "engine-setting"),
        ({"max_length": 513}, "max-length"),
        ({"max_length": 1}, "max-length"),
    ],
)
def test_what_it_cannot_follow_is_refused(bundled: Path, name: str, asked: dict[str, Any], code: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        open_engine(name, bundled, **asked)
    assert caught.value.code == code


@EACH
def test_an_encoder_that_cannot_be_exported_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        open_engine(name, write_encoder(tmp_path, "gemma3_text"), max_length=40)
    assert caught.value.code == "onnx-export-failed"


@EACH
def test_a_folder_without_an_encoder_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        open_engine(name, tmp_path)
    assert caught.value.code == "no-encoder"


@NEEDS_ONE
def test_a_graph_that_is_not_the_encoder_is_refused(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(tiny, tmp_path / "copy"))
    real = onnx_export._exported

    def other_answers(*given: Any) -> Any:
        found = real(*given)
        return replace(found, probe_hidden=found.probe_hidden[:, ::-1])

    monkeypatch.setattr(onnx_export, "_exported", other_answers)
    with pytest.raises(WorkbenchError) as caught:
        open_engine(ENGINES[0], folder, max_length=40)
    assert caught.value.code == "graph-differs"


@NEEDS_ONE
def test_a_second_opening_exports_nothing_and_other_weights_do(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(tiny, tmp_path / "copy"))
    made: list[Path] = []
    real = onnx_export._exported

    def counted(*given: Any) -> Any:
        made.append(given[0])
        return real(*given)

    monkeypatch.setattr(onnx_export, "_exported", counted)
    rows = [
        open_engine(name, folder, max_length=40, pooling=pooling).encode(TEXTS)
        for name in ENGINES
        for pooling in ("mean", "cls")
    ]
    assert len(made) == 1
    write_encoder(folder, "bert", seed=1)
    other = open_engine(ENGINES[0], folder, max_length=40).encode(TEXTS)
    assert len(made) == 2 and np.abs(other - rows[0]).max() > 1e-3


@NEEDS_ONE
def test_few_files_are_kept(tmp_path: Path) -> None:
    engines = []
    for seed in range(onnx_export._MOST_FILES + 1):
        folder = write_encoder(tmp_path / str(seed), "bert", seed)
        engines.append(open_engine(ENGINES[0], folder, max_length=40))
    assert len(onnx_export._FILES) == onnx_export._MOST_FILES
    kept = {one.path.parent for one in onnx_export._FILES.values()}
    assert set(Path(onnx_export._SCRATCH[0].name).iterdir()) == kept
    # The one whose file has gone works on.
    assert np.isfinite(engines[0].encode(TEXTS)).all()


@EACH
@pytest.mark.parametrize(
    "change",
    [
        pytest.param({}, marks=pytest.mark.full),
        pytest.param({"precision": "coarse"}, marks=pytest.mark.full),
        {
            "pooling": "mean+cls",
            "normalize": False,
            "use_mask": False,
            "lowercase": False,
            "prompt": 'it\'s a "query": ',
            "batch_size": 2,
        },
    ],
    ids=["plain", "coarse", "everything"],
)
def test_the_script_prints_the_numbers_of_the_column(
    bundled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, change: dict[str, Any]
) -> None:
    if change.get("precision") == "coarse":
        change = {"precision": {"onnxruntime": "int8", "openvino": "bfloat16"}[name]}
    texts = ['He says "hi" \\ to\nme', "A Cat", "오늘 날씨가 좋다", "The weather is lovely. " * 20]
    stated = Settings(**change)
    try:
        rows = contender_kind(name).open(ModelPaths(bundled, bundled), stated).encode(texts)
    except WorkbenchError as error:
        if error.code == "precision-not-supported":
            pytest.skip("this processor has no bfloat16")
        raise
    file = tmp_path / "script.py"
    file.write_text(contender_kind(name).code("all-MiniLM-L6-v2", stated, texts), encoding="utf-8")
    capsys.readouterr()
    # It sets how numpy prints.
    with np.printoptions(), warnings.catch_warnings(action="ignore"):
        runpy.run_path(str(file))
    shape, _, matrix = capsys.readouterr().out.partition("\n")
    numbers = [float(number) for number in re.findall(r"-?\d+\.\d*(?:e[-+]\d+)?", matrix)]
    assert shape == str(rows.shape)
    np.testing.assert_allclose(
        np.array(numbers).reshape(len(texts), -1),
        cosine_matrix(rows),
        atol=2e-6 if stated.precision == "float32" else 1e-4,
    )


def test_the_script_checks_the_export_in_float32_only() -> None:
    exact, coarse = (
        graph_code("E", [], [], "m", Settings(precision=precision), []) for precision in ("float32", "int8")
    )
    assert "assert" in exact and "assert" not in coarse


@pytest.mark.parametrize("name", [name for name, kind in CONTENDERS.items() if kind.needs])
def test_absence_is_told_with_its_cure(monkeypatch: pytest.MonkeyPatch, bundled: Path, name: str) -> None:
    real = registry.find_spec
    monkeypatch.setattr(registry, "find_spec", lambda package: None if package == name else real(package))
    assert missing_packages(name)[0] == name
    assert name not in installed_contenders()
    assert {"own", "upstream", "manual"} <= set(installed_contenders())
    with pytest.raises(MissingExtraError) as caught:
        open_engine(name, bundled)
    assert caught.value.code == "contender-not-installed"
    assert f"pip install {name}" in caught.value.message


@pytest.mark.skipif("openvino" not in ENGINES, reason="openvino is not installed")
def test_openvino_reports_nothing(tmp_path: Path) -> None:
    code = "from workbench.contenders.openvino_engine.encode import quiet_openvino; quiet_openvino().Core()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    # It keeps the id under which it reports here.
    assert not (tmp_path / "intel").exists()


@pytest.mark.skipif("openvino" not in ENGINES, reason="openvino is not installed")
def test_openvino_let_go_of_in_a_thread_leaves_signals_alone(bundled: Path) -> None:
    code = f"""
import faulthandler, gc, signal, subprocess, sys, threading
from pathlib import Path
from workbench.contenders.contract import ModelPaths, Settings
from workbench.contenders.openvino_engine.encode import open_openvino

faulthandler.enable()  # it too gives the thread a stack for signals, as every test run does
signal.signal(signal.SIGCHLD, lambda *_: None)
folder = Path({str(bundled)!r})
held = [open_openvino(ModelPaths(folder, folder), Settings())]
held[0].encode(["short"])

def let_go():
    held.clear()
    gc.collect()

thread = threading.Thread(target=let_go)
thread.start()
thread.join()
subprocess.run([sys.executable, "-c", ""], check=True)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
