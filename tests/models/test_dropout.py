"""Dropout against upstream's: the same components fall out of the same random state."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from sentence_transformers.sentence_transformer.modules import Dropout as UpstreamDropout
from sentence_transformers.util import import_from_string

from tests.models.module_parity import assert_parity, read_config, write_config
from workbench.errors import InvalidTypeError, InvalidValueError, UnknownNameError, WorkbenchError
from workbench.models.dropout import Dropout, DropoutConfig


def features(dtype: torch.dtype = torch.float32) -> dict[str, Any]:
    return {"sentence_embedding": torch.randn(5, 9, generator=torch.Generator().manual_seed(0)).to(dtype)}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("dropout", [0.0, 0.2, 0.5, 1.0])
def test_equals_upstream_to_the_bit(dropout: float, dtype: torch.dtype) -> None:
    assert_parity(Dropout(dropout), UpstreamDropout(dropout), features(dtype))


def test_it_acts_in_training_alone() -> None:
    module = Dropout(0.5)
    given = features()["sentence_embedding"]
    assert (module.train()({"sentence_embedding": given})["sentence_embedding"] == 0).any()
    assert torch.equal(module.eval()({"sentence_embedding": given})["sentence_embedding"], given)


def test_a_config_reads_the_same_on_both_sides(tmp_path: Path) -> None:
    ours = Dropout(0.3)
    theirs = UpstreamDropout.load(write_config(tmp_path, ours.get_config()))
    assert_parity(ours, theirs, features())
    theirs.save(str(tmp_path))
    back = Dropout.from_config(DropoutConfig.model_validate(read_config(tmp_path)))
    assert_parity(back, theirs, features())


def test_the_legacy_type_is_upstreams_class() -> None:
    assert import_from_string(Dropout.legacy_type) is UpstreamDropout


@pytest.mark.parametrize(
    ("dropout", "error"),
    [
        (-0.1, InvalidValueError),
        (1.1, InvalidValueError),
        (float("nan"), InvalidValueError),
        ("0.2", InvalidTypeError),
        (True, InvalidTypeError),
    ],
)
def test_misuse_is_told(dropout: Any, error: type[WorkbenchError]) -> None:
    with pytest.raises(error):
        Dropout(dropout)
    with pytest.raises(ValidationError):
        DropoutConfig.model_validate({"dropout": dropout})


def test_an_extra_key_is_refused() -> None:
    with pytest.raises(ValidationError):
        DropoutConfig.model_validate({"dropout": 0.2, "inplace": True})


def test_a_missing_embedding_is_told() -> None:
    with pytest.raises(UnknownNameError, match="sentence_embedding"):
        Dropout()({})
