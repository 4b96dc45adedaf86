"""The config of a training: closed, the same in YAML, refused with the key that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import InvalidValueError
from workbench.recipe.config import (
    DataConfig,
    LossConfig,
    TrainingConfig,
    checked_config,
    config_from_yaml,
    config_to_yaml,
    read_config,
)


@settings(max_examples=25)
@given(
    st.builds(
        TrainingConfig,
        data=st.builds(
            DataConfig,
            source=st.text(min_size=1, max_size=20),
            roles=st.dictionaries(st.text(max_size=5), st.sampled_from(["anchor", "positive"]), max_size=2),
            rescale=st.sampled_from([None, "0-5"]),
        ),
        loss=st.builds(
            LossConfig,
            arguments=st.dictionaries(
                st.text(min_size=1, max_size=5),
                st.one_of(st.booleans(), st.integers(-9, 9), st.floats(0, 1), st.just([1, 2])),
                max_size=2,
            ),
            inner=st.sampled_from([None, LossConfig()]),
        ),
        epochs=st.integers(1, 9),
        learning_rate=st.floats(1e-9, 1),
        warmup=st.floats(0, 100),
        seed=st.integers(0, 2**32 - 1),
    )
)
def test_a_config_reads_back_from_its_yaml(config: TrainingConfig) -> None:
    assert config_from_yaml(config_to_yaml(config)) == config


def test_what_is_left_out_keeps_its_default() -> None:
    assert config_from_yaml("epochs: 3\nlearning_rate: 2e-5") == TrainingConfig(epochs=3)
    assert config_from_yaml("") == TrainingConfig()


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("epoch: 3", "config-invalid", "epochs"),
        ("epochs: 0", "config-invalid", "epochs"),
        ("epochs: many", "config-invalid", "epochs"),
        ("data: {sorce: x}", "config-invalid", "source"),
        ("loss: {inner: {nme: x}}", "config-invalid", "name"),
        ("trainer: mine", "config-invalid", "trainer"),
        ("learning_rate: .nan", "config-invalid", "learning_rate"),
        ("[1, 2]", "config-invalid", "the whole"),
        ("epochs: [", "yaml-broken", "line 1"),
        ("epochs: &x 1\nseed: *x", "yaml-alias", "alias"),
        ("epochs: !!python/object/apply:os.getpid []", "yaml-broken", "python"),
        ("x" * 100_001, "yaml-too-long", "100,001"),
    ],
)
def test_what_is_wrong_is_named(text: str, code: str, told: str) -> None:
    with pytest.raises(InvalidValueError, match=told) as caught:
        config_from_yaml(text)
    assert caught.value.code == code


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidValueError, match=r"run\.yaml"):
        read_config(path)


@pytest.mark.parametrize(
    ("warmup", "steps", "expected"), [(0.1, 100, 10), (0.0, 100, 0), (5, 100, 5), (0.25, 10, 3)]
)
def test_warmup_is_a_share_below_one_and_steps_from_one_on(warmup: float, steps: int, expected: int) -> None:
    assert TrainingConfig(warmup=warmup).warmup_steps(steps) == expected


def test_a_config_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        checked_config({}).epochs = 2  # type: ignore[misc]
