"""Every fault of a model folder is refused with its code, never loaded with wrong numbers (M1-M22)."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer as Upstream

from tests.models.tiny import AWKWARD, write_encoder, write_upstream
from workbench.errors import ModelFolderError, WorkbenchError
from workbench.models.folder import open_model
from workbench.sentence_transformer import SentenceTransformer


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_upstream(tmp_path_factory.mktemp("good"), "bert")


@pytest.fixture
def folder(good: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(good, tmp_path / "model"))


def edit(path: Path, change: Callable[[Any], Any]) -> None:
    """Rewrite a JSON file; the change may return a new value or alter the old one in place."""
    value = json.loads(path.read_text())
    changed = change(value)
    path.write_text(json.dumps(value if changed is None else changed))


def put(**values: Any) -> Callable[[Any], Any]:
    return lambda old: {**old, **values}


def code_of(folder: Path) -> str:
    with pytest.raises(ModelFolderError) as caught:
        open_model(folder)
    assert caught.value.came and caught.value.where, "an error must say what came, and where"
    return caught.value.code


def test_the_good_folder_is_described(good: Path) -> None:
    model = open_model(good)
    assert (model.pooling, model.normalize, model.max_length, model.extra_modules) == ("mean", True, 64, ())
    assert model.position_limit == 64
    assert set(model.admitted.files) >= {"modules.json", "config.json", "model.safetensors", "tokenizer.json"}


def test_the_bundled_model_is_described() -> None:
    model = open_model("all-MiniLM-L6-v2")
    assert (model.pooling, model.normalize, model.max_length, model.position_limit) == (
        "mean",
        True,
        256,
        512,
    )


@pytest.mark.parametrize(
    "bad",
    [
        "os.path.join",
        "modeling_x.X",
        "sentence_transformers.models.CLIPModel",
        "sentence_transformers.losses.CosineSimilarityLoss",
        "sentence_transformers.sentence_transformer.modules.router.Router",
        "transformers.BertModel",
        "workbench.models.pooling.Pooling",
        "sentence_transformers.models.Pooling\u200b",
    ],
)
def test_a_foreign_type_is_refused_and_nothing_is_imported(folder: Path, bad: str) -> None:
    open_model(folder)
    before = set(sys.modules)
    edit(folder / "modules.json", lambda entries: entries[1].update(type=bad))
    assert code_of(folder) == "module-type-not-admitted"
    assert set(sys.modules) == before


@pytest.mark.parametrize("bad", [None, 5, "x" * 500, ["a"], True])
def test_a_type_that_is_no_name(folder: Path, bad: object) -> None:
    edit(folder / "modules.json", lambda entries: entries[1].update(type=bad))
    assert code_of(folder) == "config-schema"


def test_an_empty_type(folder: Path) -> None:
    edit(folder / "modules.json", lambda entries: entries[1].update(type=""))
    assert code_of(folder) == "module-type-not-admitted"


@pytest.mark.parametrize(
    "bad", ["../..", "/etc", "C:\\x", "1_Pooling\x00", "1_Pooling\n", 5, None, "1_Pooling/../.."]
)
def test_a_path_that_leaves_the_folder(folder: Path, bad: object) -> None:
    edit(folder / "modules.json", lambda entries: entries[1].update(path=bad))
    assert code_of(folder) == "config-schema"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda entries: {}, "modules-json-shape"),
        (lambda entries: [], "modules-json-shape"),
        (lambda entries: "text", "modules-json-shape"),
        (lambda entries: entries * 700, "modules-json-shape"),
        (lambda entries: [5], "config-schema"),
        (lambda entries: entries[::-1], "modules-json-order"),
        (lambda entries: entries[:1], "modules-json-order"),
        (lambda entries: entries[1:], "modules-json-order"),
        (lambda entries: [{**entry, "name": "0"} for entry in entries], "modules-json-duplicate"),
        (lambda entries: [entries[0], {**entries[1], "kwargs": ["task"]}], "config-schema"),
        (lambda entries: [{**entries[0], "extra": 1}, *entries[1:]], "config-schema"),
    ],
)
def test_modules_json_of_another_shape(folder: Path, change: Callable[[Any], Any], code: str) -> None:
    edit(folder / "modules.json", change)
    assert code_of(folder) == code


@pytest.mark.parametrize("text", ["{", "[" * 100_000, '[{"idx":0,"idx":1}]', "[NaN]", "", "\xff"])
def test_modules_json_that_is_no_json(folder: Path, text: str) -> None:
    (folder / "modules.json").write_bytes(text.encode("latin-1"))
    assert code_of(folder).startswith("json-")


def change_weights(folder: Path, change: Callable[[dict[str, torch.Tensor]], Any]) -> None:
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_weights_that_are_not_finite(folder: Path, value: float) -> None:
    def poison(tensors: dict[str, torch.Tensor]) -> None:
        tensors["encoder.layer.1.output.dense.weight"][3, 5] = value

    change_weights(folder, poison)
    assert code_of(folder) == "weights-not-finite"


def test_half_the_tensors_missing_are_named(folder: Path) -> None:
    def halve(tensors: dict[str, torch.Tensor]) -> None:
        for name in sorted(tensors)[::2]:
            del tensors[name]

    change_weights(folder, halve)
    assert code_of(folder) == "weights-missing"


def test_one_small_tensor_missing_is_named(folder: Path) -> None:
    change_weights(folder, lambda tensors: tensors.pop("encoder.layer.0.attention.self.key.bias"))
    with pytest.raises(ModelFolderError, match=r"encoder\.layer\.0\.attention\.self\.key\.bias") as caught:
        open_model(folder)
    assert caught.value.code == "weights-missing"


def test_tensors_without_a_place(folder: Path) -> None:
    change_weights(folder, lambda tensors: tensors.update({"encoder.layer.9.x": torch.zeros(3)}))
    assert code_of(folder) == "weights-unexpected"


@pytest.mark.parametrize(
    ("key", "value"),
    [("hidden_size", 64), ("vocab_size", 10), ("intermediate_size", 24), ("num_hidden_layers", 1)],
)
def test_weights_that_disagree_with_the_config(folder: Path, key: str, value: int) -> None:
    edit(folder / "config.json", put(**{key: value}))
    assert code_of(folder) in (
        "weights-size-mismatch",
        "weights-shape-mismatch",
        "weights-unexpected",
        "weights-missing",
        "tokenizer-vocabulary-too-large",
    )


def test_a_vocabulary_beyond_the_matrix(folder: Path) -> None:
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    words = tokenizer["model"]["vocab"]
    words["beyond"] = max(words.values()) + 1
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    assert code_of(folder) == "tokenizer-vocabulary-too-large"


@pytest.mark.parametrize(
    "keys",
    [
        {"auto_map": {"AutoModel": "modeling_x.X"}},
        {"trust_remote_code": True},
        {"_attn_implementation_internal": "someone/kernel"},
        {"attn_implementation": "someone/kernel"},
        {"quantization_config": {"quant_method": "bitsandbytes"}},
        {"tokenizer_name_or_path": "someone/else"},
        {"id2label": {"0": {"auto_map": "x"}}},
        {"device_map": "auto"},
        {"gguf_file": "x.gguf"},
        {"_secret": 1},
    ],
)
def test_keys_that_steer_a_loader(folder: Path, keys: dict[str, Any]) -> None:
    edit(folder / "config.json", put(**keys))
    assert code_of(folder) in ("config-key-refused", "model-custom-code")


@pytest.mark.parametrize(
    "name", ["tokenizer_config.json", "config_sentence_transformers.json", "1_Pooling/config.json"]
)
@pytest.mark.parametrize("key", ["auto_map", "trust_remote_code", "custom_code"])
def test_such_keys_in_any_file(folder: Path, name: str, key: str) -> None:
    edit(folder / name, put(**{key: {"x": "y"}}))
    assert code_of(folder) in ("config-key-refused", "model-custom-code")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("num_hidden_layers", 20_000),
        ("num_hidden_layers", 0),
        ("num_hidden_layers", "2"),
        ("num_hidden_layers", True),
        ("vocab_size", 2_000_000_000),
        ("vocab_size", 10**30),
        ("hidden_size", 200_000),
        ("num_attention_heads", 0),
        ("num_attention_heads", 5),
        ("max_position_embeddings", 10**9),
        ("intermediate_size", 10**9),
        ("hidden_act", "os.system"),
        ("model_type", "t5"),
        ("model_type", None),
        ("model_type", ["bert"]),
    ],
)
def test_configs_out_of_range_are_refused_before_anything_is_built(
    folder: Path, key: str, value: object
) -> None:
    edit(folder / "config.json", put(**{key: value}))
    assert code_of(folder) in (
        "config-out-of-range",
        "config-invalid",
        "config-unknown-activation",
        "architecture-not-admitted",
    )


def test_a_missing_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    assert code_of(folder) == "tokenizer-missing"


def test_a_tokenizer_class_of_someone_else(folder: Path) -> None:
    edit(folder / "tokenizer_config.json", put(tokenizer_class="EvilTokenizer"))
    assert code_of(folder) == "tokenizer-class-not-admitted"


@pytest.mark.parametrize("value", [-1, 0, "x", 10**9, 1.5, True])
def test_a_length_out_of_range(folder: Path, value: object) -> None:
    edit(folder / "sentence_bert_config.json", put(max_seq_length=value))
    assert code_of(folder) == "config-schema"


def test_a_length_beyond_the_positions(folder: Path) -> None:
    edit(folder / "sentence_bert_config.json", put(max_seq_length=65))
    with pytest.raises(WorkbenchError) as caught:
        open_model(folder)
    assert caught.value.code == "max-length-out-of-range"


def test_loader_arguments_in_the_transformer_config(folder: Path) -> None:
    edit(folder / "sentence_bert_config.json", put(model_args={"device_map": "auto"}))
    assert code_of(folder) == "config-schema"


def test_a_plain_encoder_is_told_to_be_mean_pooled(tmp_path: Path) -> None:
    model = open_model(write_encoder(tmp_path / "plain", "bert"))
    assert (model.pooling, model.normalize) == ("mean", False)
    assert any("mean pooling is assumed" in notice for notice in model.notices)


@pytest.mark.parametrize(
    "config",
    [
        {"word_embedding_dimension": 99, "pooling_mode_mean_tokens": True},
        {"word_embedding_dimension": 32, "pooling_mode_mean_tokens": False, "pooling_mode_cls_token": False},
        {"embedding_dimension": 32, "pooling_mode": "bogus"},
        {"embedding_dimension": "32", "pooling_mode": "mean"},
        {"embedding_dimension": 32, "pooling_mode": "mean", "surprise": 1},
        [],
    ],
)
def test_pooling_that_does_not_fit(folder: Path, config: object) -> None:
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(config))
    assert code_of(folder) in ("config-schema", "module-dimension-mismatch")


def test_a_missing_pooling_config(folder: Path) -> None:
    (folder / "1_Pooling" / "config.json").unlink()
    assert code_of(folder) == "module-config-missing"


def add_dense(folder: Path, **config: Any) -> None:
    values = {
        "in_features": 32,
        "out_features": 8,
        "bias": True,
        "activation_function": "torch.nn.modules.activation.Tanh",
    }
    (folder / "2_Dense").mkdir()
    (folder / "2_Dense" / "config.json").write_text(json.dumps({**values, **config}))
    weights = {"linear.weight": torch.zeros(8, 32), "linear.bias": torch.zeros(8)}
    save_file(weights, folder / "2_Dense" / "model.safetensors")
    entry = {"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"}
    edit(folder / "modules.json", lambda entries: [*entries[:2], entry])


def test_a_dense_module_is_admitted(folder: Path) -> None:
    add_dense(folder)
    assert open_model(folder).extra_modules == ("Dense",)


@pytest.mark.parametrize(
    "name", ["os.system", "torch.nn.modules.activation.Softmax2d", "torch.hub.load", "Tanh"]
)
def test_an_activation_outside_the_table(folder: Path, name: str) -> None:
    add_dense(folder, activation_function=name)
    assert code_of(folder) == "config-schema"


def test_a_dense_module_of_another_width(folder: Path) -> None:
    add_dense(folder, in_features=31)
    assert code_of(folder) in ("weights-shape-mismatch", "module-dimension-mismatch")


@pytest.mark.parametrize(
    "values",
    [
        {"similarity_fn_name": "bogus"},
        {"prompts": ["a"]},
        {"prompts": {"a": 5}},
        {"default_prompt_name": "absent"},
        {"truncate_dim": 0},
    ],
)
def test_model_settings_outside_the_schema(folder: Path, values: dict[str, Any]) -> None:
    edit(folder / "config_sentence_transformers.json", put(**values))
    assert code_of(folder) in ("config-schema", "prompt-unknown")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_weights_are_converted_and_told(folder: Path, dtype: torch.dtype) -> None:
    change_weights(folder, lambda t: t.update({name: value.to(dtype) for name, value in t.items()}))
    model = open_model(folder)
    assert any("converted to float32" in notice for notice in model.notices)
    loaded = SentenceTransformer(folder, device="cpu")
    assert next(loaded.parameters()).dtype == torch.float32


def classic(folder: Path) -> Path:
    """Turn a folder of today into one as 2.x wrote it: an encoder in 0_Transformer, no Normalize folder."""
    encoder = folder / "0_Transformer"
    encoder.mkdir()
    for name in ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"):
        shutil.move(folder / name, encoder / name)
    (folder / "sentence_bert_config.json").unlink()
    (encoder / "sentence_bert_config.json").write_text('{"max_seq_length": 32, "do_lower_case": false}')
    (folder / "1_Pooling" / "config.json").write_text(
        json.dumps(
            {
                "word_embedding_dimension": 32,
                "pooling_mode_cls_token": False,
                "pooling_mode_mean_tokens": True,
                "pooling_mode_max_tokens": False,
                "pooling_mode_mean_sqrt_len_tokens": False,
            }
        )
    )
    (folder / "config_sentence_transformers.json").write_text(
        '{"__version__": {"sentence_transformers": "2.0.0"}}'
    )
    shutil.rmtree(folder / "2_Normalize", ignore_errors=True)
    names = [("0_Transformer", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    entries = [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{name}"}
        for i, (path, name) in enumerate(names)
    ]
    (folder / "modules.json").write_text(json.dumps(entries))
    return folder


def test_a_classic_folder_equals_upstreams_reading(folder: Path) -> None:
    classic(folder)
    model = open_model(folder)
    assert (model.encoder, model.max_length) == (model.root / "0_Transformer", 32)
    ours, theirs = SentenceTransformer(folder, device="cpu"), Upstream(str(folder), device="cpu")
    assert np.abs(ours.encode(AWKWARD) - theirs.encode(AWKWARD)).max() <= 1e-6


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_FILES = [
    "modules.json",
    "config.json",
    "sentence_bert_config.json",
    "1_Pooling/config.json",
    "config_sentence_transformers.json",
    "tokenizer_config.json",
]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_mutated_folder_loads_right_or_is_refused(
    good: Path, tmp_path_factory: Any, data: st.DataObject
) -> None:
    folder = Path(shutil.copytree(good, tmp_path_factory.mktemp("mutant") / "model"))
    name = data.draw(st.sampled_from(_FILES))
    value = json.loads((folder / name).read_text())
    target = data.draw(st.sampled_from(value)) if isinstance(value, list) else value
    key = data.draw(st.sampled_from(sorted(target)) | st.text(min_size=1, max_size=10))
    target[key] = data.draw(_VALUES)
    (folder / name).write_text(json.dumps(value))
    try:
        rows = SentenceTransformer(folder, device="cpu").encode(["the quick brown fox", ""])
    except WorkbenchError:
        return
    assert np.isfinite(rows).all()
