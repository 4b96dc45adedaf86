"""Settings that a folder implies, and those that are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.models.tiny import write_upstream
from workbench.compare.conditions import cpu_cores
from workbench.compare.settings import settings_for, validate_settings
from workbench.contenders.contract import Settings
from workbench.errors import WorkbenchError
from workbench.models.folder import CheckedModel, open_model


@pytest.fixture(scope="module")
def minilm() -> CheckedModel:
    return open_model("all-MiniLM-L6-v2")


def test_the_bundled_folder_states_mean_256_and_normalize(minilm: CheckedModel) -> None:
    expected = Settings(pooling="mean", normalize=True, max_length=256, threads=min(cpu_cores(), 8))
    assert settings_for(minilm) == expected


def test_another_folder_states_its_own(tmp_path: Path) -> None:
    import json

    folder = write_upstream(tmp_path, "bert", "cls", normalize=False)
    file = folder / "config_sentence_transformers.json"
    stated = json.loads(file.read_text()) | {"prompts": {"q": "query: "}, "default_prompt_name": "q"}
    file.write_text(json.dumps(stated))
    found = settings_for(open_model(str(folder)))
    assert (found.pooling, found.normalize, found.max_length, found.prompt) == ("cls", False, 64, "query: ")


def test_overrides_replace_what_is_implied(minilm: CheckedModel) -> None:
    found = settings_for(minilm, max_length=512, lowercase=False, threads=1)
    assert (found.max_length, found.lowercase, found.threads, found.pooling) == (512, False, 1, "mean")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"pooling": "average"}, "unknown-pooling"),
        ({"pooling": "mean+"}, "unknown-pooling"),
        ({"pooling": ""}, "unknown-pooling"),
        ({"pooling": "mean+mean"}, "pooling-repeated"),
        ({"precision": "int4"}, "unknown-precision"),
        ({"max_length": 0}, "setting-range"),
        ({"max_length": 513}, "setting-range"),
        ({"max_length": 12.5}, "setting-type"),
        ({"batch_size": 0}, "setting-range"),
        ({"batch_size": True}, "setting-type"),
        ({"batch_size": "4"}, "setting-type"),
        ({"threads": 0}, "setting-range"),
        ({"threads": 100_000}, "setting-range"),
        ({"normalize": 1}, "setting-type"),
        ({"lowercase": "no"}, "setting-type"),
        ({"prompt": None}, "setting-type"),
        ({"device": "tpu"}, "unknown-device"),
        ({"device": "cuda:²"}, "unknown-device"),
        ({"device": "cuda:99"}, "device-missing"),
        ({"colour": "red"}, "unknown-setting"),
    ],
)
def test_what_cannot_be_honoured_is_refused_with_what_can(
    minilm: CheckedModel, change: dict[str, Any], code: str
) -> None:
    with pytest.raises(WorkbenchError) as caught:
        settings_for(minilm, **change)
    assert caught.value.code == code
    assert caught.value.expected


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_a_missing_gpu_comes_with_the_cure(minilm: CheckedModel) -> None:
    with pytest.raises(WorkbenchError) as caught:
        settings_for(minilm, device="cuda")
    assert caught.value.code == "device-missing"
    assert "Choose the CPU" in caught.value.fix


ANYTHING = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.lists(st.integers())
)


@given(name=st.sampled_from([*Settings.__dataclass_fields__]), value=ANYTHING)
def test_any_value_is_taken_or_refused_with_a_code(minilm: CheckedModel, name: str, value: object) -> None:
    try:
        found = settings_for(minilm, **{name: value})
    except WorkbenchError as error:
        assert error.code
        return
    validate_settings(found, minilm)
    assert getattr(found, name) == value
