"""ONNX Runtime against the pooling by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
pytest.importorskip("onnx", reason="onnx is not installed")

from workbench.contenders.contract import ModelPaths, Settings
from workbench.contenders.manual import open_manual
from workbench.contenders.onnxruntime_engine.encode import OnnxRuntimeContender, open_onnxruntime
from workbench.errors import InvalidValueError

TEXTS = [
    "short",
    "",
    "가나다 한국어 문장",
    "🙂🙂 emoji",
    "long words " * 300,
    "short",
    "a somewhat longer sentence",
]


@pytest.fixture(scope="module")
def engine(bundled: Path) -> OnnxRuntimeContender:
    return open_onnxruntime(ModelPaths(bundled, bundled), Settings(batch_size=3))


def test_float32_equals_the_pooling_by_hand(bundled: Path, engine: OnnxRuntimeContender) -> None:
    manual = open_manual(ModelPaths(bundled, bundled), Settings(batch_size=3))
    assert np.abs(engine.encode(TEXTS) - manual.encode(TEXTS)).max() < 1e-5
    assert engine.token_counts(TEXTS) == manual.token_counts(TEXTS)
    assert engine.token_view(TEXTS[4]) == manual.token_view(TEXTS[4])
    assert engine.encode([]).shape == (0, 384)


@pytest.mark.parametrize(
    "asked", [{"pooling": "cls"}, {"precision": "bfloat16"}, {"device": "cuda"}, {"lowercase": False}]
)
def test_what_it_cannot_follow_is_refused(bundled: Path, asked: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError) as caught:
        open_onnxruntime(ModelPaths(bundled, bundled), Settings(**asked))
    assert caught.value.code == "onnxruntime-setting"
