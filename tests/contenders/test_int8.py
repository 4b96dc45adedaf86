"""int8 as a setting: whom it changes, and who refuses it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.models.tiny import write_encoder
from workbench import SentenceTransformer
from workbench.contenders.contract import ModelPaths, Settings
from workbench.contenders.own.code import own_code
from workbench.contenders.registry import contender_kind
from workbench.errors import UnknownNameError, WorkbenchError

TEXTS = ["short", "", "가나다 한국어 문장", "long words " * 100]
INT8 = Settings(precision="int8", max_length=256)


def test_own_computes_in_int8(bundled: Path) -> None:
    paths = ModelPaths(bundled, bundled)
    exact, whole = (
        contender_kind("own").open(paths, replace(INT8, precision=precision)).encode(TEXTS)
        for precision in ("float32", "int8")
    )
    assert 0.98 < (exact * whole).sum(axis=1).min() < 1 - 1e-5
    same = SentenceTransformer(str(bundled), device="cpu").encode(TEXTS, compute="int8")
    np.testing.assert_allclose(whole, same, atol=2e-3)


def test_the_script_of_own_asks_for_int8() -> None:
    script = own_code("all-MiniLM-L6-v2", INT8, TEXTS)
    assert "compute='int8'" in script and "torch.int8" not in script
    assert "compute" not in own_code("all-MiniLM-L6-v2", Settings(), TEXTS)


@pytest.mark.parametrize("name", ["upstream", "manual"])
def test_the_libraries_refuse_it(bundled: Path, name: str) -> None:
    kind = contender_kind(name)
    for refused in (
        lambda: kind.open(ModelPaths(bundled, bundled), INT8),
        lambda: kind.code("all-MiniLM-L6-v2", INT8, TEXTS),
    ):
        with pytest.raises(UnknownNameError) as caught:
            refused()
        assert caught.value.code == "unknown-precision"
        assert "float32, bfloat16, float16" in caught.value.message


def test_own_refuses_it_where_its_texts_cannot_run_packed(tmp_path: Path) -> None:
    folder = write_encoder(tmp_path, "deberta-v2")
    opened = contender_kind("own").open(ModelPaths(folder, folder), replace(INT8, max_length=40))
    with pytest.raises(WorkbenchError) as caught:
        opened.encode(TEXTS)
    assert caught.value.code == "compute-not-supported"
