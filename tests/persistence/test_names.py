"""The table of admitted files: what is let in, what is never opened, and the limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import ModelFolderError
from workbench.persistence.names import (
    JSON_BYTES,
    MODEL_BYTES,
    check_sizes,
    check_weights,
    listed,
    select,
    shown,
    size_limit,
)

# The file list of sentence-transformers/all-MiniLM-L6-v2 on the Hub.
REAL = [
    ".gitattributes",
    "1_Pooling/config.json",
    "README.md",
    "config.json",
    "config_sentence_transformers.json",
    "data_config.json",
    "model.safetensors",
    "modules.json",
    "onnx/model.onnx",
    "onnx/model_O1.onnx",
    "openvino/openvino_model.bin",
    "openvino/openvino_model.xml",
    "pytorch_model.bin",
    "rust_model.ot",
    "sentence_bert_config.json",
    "special_tokens_map.json",
    "tf_model.h5",
    "tokenizer.json",
    "tokenizer_config.json",
    "train_script.py",
    "vocab.txt",
]


def test_real_list() -> None:
    selection = select(REAL)
    assert set(selection.admitted) == {
        "1_Pooling/config.json",
        "README.md",
        "config.json",
        "config_sentence_transformers.json",
        "model.safetensors",
        "modules.json",
        "sentence_bert_config.json",
        "special_tokens_map.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "vocab.txt",
    }
    assert set(selection.never_opened) == {
        "openvino/openvino_model.bin",
        "pytorch_model.bin",
        "rust_model.ot",
        "tf_model.h5",
        "train_script.py",
    }
    assert selection.other == ("onnx/", "openvino/")
    check_weights(selection, REAL)
    assert "train_script.py" in selection.notices[0]


@pytest.mark.parametrize(
    "name",
    [
        "../config.json",
        "/config.json",
        "1_Pooling/../config.json",
        "1_Pooling/deeper/config.json",
        "1_Pooling/modules.json",
        "10_Pooling/config.json",
        "1_Pooling1/config.json",
        "１_Pooling/config.json",
        "config.json\n",
        "config.json/",
        "Config.json",
        "adapter_model.safetensors",
        "model-1-of-2.safetensors",
        "pytorch_model.bin",
        "modeling.py",
    ],
)
def test_outside_the_table(name: str) -> None:
    assert size_limit(name) is None
    assert not select([name]).admitted


@given(st.text(max_size=40))
def test_any_name_is_shown_in_one_printable_line(name: str) -> None:
    assert shown(name).isprintable()
    # What is admitted is plain ASCII without a way out of the folder.
    if size_limit(name) is not None:
        assert name.isascii() and ".." not in name and not name.startswith("/")


def test_shards_give_way_to_the_single_file() -> None:
    both = ["model-00001-of-00002.safetensors", "model.safetensors", "model.safetensors.index.json"]
    assert select(both).admitted == ("model.safetensors",)
    sharded = ["model-00001-of-00002.safetensors", "model.safetensors.index.json"]
    assert select(sharded).admitted == tuple(sharded)
    # Each folder for itself.
    assert "model-00001-of-00002.safetensors" in select([*sharded, "2_Dense/model.safetensors"]).admitted


@pytest.mark.parametrize(
    ("sizes", "code"),
    [
        ({f"{n % 10}_{'A' * (1 + n // 10)}/config.json": 1 for n in range(65)}, "model-too-many-files"),
        ({"config.json": JSON_BYTES + 1}, "model-file-too-big"),
        ({"model.safetensors": MODEL_BYTES, "README.md": 1}, "model-too-big"),
    ],
)
def test_limits(sizes: dict[str, int], code: str) -> None:
    with pytest.raises(ModelFolderError) as refusal:
        check_sizes(sizes, MODEL_BYTES)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("every", "code"),
    [
        (["config.json", "pytorch_model.bin"], "weights-pickle-only"),
        (["config.json", "pytorch_model-00001-of-00002.bin"], "weights-pickle-only"),
        (["0_Transformer/pytorch_model.bin", "config.json"], "weights-pickle-only"),
        (["model.safetensors", "2_Dense/pytorch_model.bin"], "weights-pickle-only"),
        (["2_Dense/model.safetensors", "pytorch_model.bin"], "weights-pickle-only"),
        (["config.json"], "weights-missing"),
        (["config.json", "training_args.bin"], "weights-missing"),
        (["adapter_config.json", "adapter_model.safetensors"], "model-is-adapter"),
        ([], "weights-missing"),
    ],
)
def test_weights_refused(every: list[str], code: str) -> None:
    with pytest.raises(ModelFolderError) as refusal:
        check_weights(select(every), every)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    "every",
    [
        ["model.safetensors", "pytorch_model.bin"],
        ["0_Transformer/model.safetensors"],
        ["0_StaticEmbedding/model.safetensors", "modules.json"],
        ["model.safetensors", "2_Dense/model.safetensors", "2_Dense/pytorch_model.bin"],
        ["model.safetensors", "training_args.bin", "checkpoint/optimizer.pt"],
        ["model-00001-of-00001.safetensors", "model.safetensors.index.json"],
    ],
)
def test_weights_accepted(every: list[str]) -> None:
    check_weights(select(every), every)


def test_long_lists_are_counted() -> None:
    assert listed([str(n) for n in range(10)], limit=3) == "0, 1, 2 and 7 more"
