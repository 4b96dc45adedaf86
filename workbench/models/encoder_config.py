"""Reading an encoder's config.json: no key steers a loader, and sizes are bounded before building."""

from __future__ import annotations

import dataclasses
import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import ModelFolderError
from workbench.models.architectures import architecture
from workbench.persistence.json_reader import read_json, scan_keys

if TYPE_CHECKING:
    from transformers import PretrainedConfig

# Attribute of the built config → smallest and largest value. ``attribute_map`` gives every
# architecture these names, whatever its file calls them.
_RANGES: dict[str, tuple[int, int]] = {
    "num_hidden_layers": (1, 64),
    "hidden_size": (8, 4096),
    "num_attention_heads": (1, 128),
    "vocab_size": (1, 1_000_000),
    "intermediate_size": (8, 65_536),
    "max_position_embeddings": (8, 131_072),
    "type_vocab_size": (0, 64),
}
# Raw keys under which any architecture counts its layers: some configs build a list of that
# length in their constructor, so this must be known before one is called.
_LAYER_KEYS = ("num_hidden_layers", "n_layers", "n_layer", "num_layers")
# Keys that name arguments of from_pretrained: never a property of a model.
_LOADER_KEYS = frozenset(
    "adapter_kwargs cache_dir code_revision config_file_name device_map distributed_config force_download "
    "from_flax from_tf gguf_file kernel_config local_files_only low_cpu_mem_usage max_memory proxies "
    "revision state_dict subfolder token tp_plan tp_size use_auth_token use_kernels variant".split()
)
# Harmless keys that no config class declares.
_BOOKKEEPING = frozenset(
    "architectures model_type transformers_version torch_dtype dtype _name_or_path id2label label2id "
    "return_dict output_hidden_states output_attentions problem_type is_encoder_decoder use_cache "
    "_num_labels _sliding_window_pattern _attn_implementation_autoset".split()
)
_MAX_INT = 2**31


def read_encoder_config(folder: Path) -> tuple[PretrainedConfig, list[str]]:
    """Read ``config.json`` of an encoder.

    Args:
        folder: The admitted copy.

    Returns:
        The library's config object, and notices on keys that were left out.

    Raises:
        ModelFolderError: Unknown architecture, a key that steers a loader, or a size out of range.
    """
    path = folder / "config.json"
    raw = read_json(path)
    if not isinstance(raw, dict):
        raise ModelFolderError(
            "config-not-an-object",
            f"A {type(raw).__name__} came",
            expected="a JSON object",
            where="config.json",
        )
    scan_keys(raw, "config.json")
    architecture(raw.get("model_type"), "config.json")
    _refuse_loader_keys(raw)
    _check_raw_sizes(raw)
    known, unknown = _split_keys(raw)
    config = _build(known)
    _check_ranges(config)
    notices = [f"config.json: ignored unknown key {key!r}" for key in sorted(unknown)]
    return config, notices


def _refuse_loader_keys(raw: dict[str, Any]) -> None:
    bad = sorted(
        key for key in raw if key in _LOADER_KEYS or (key.startswith("_") and key not in _BOOKKEEPING)
    )
    if bad:
        raise ModelFolderError(
            "config-key-refused",
            f"The key {bad[0]!r} steers how a model is loaded",
            expected="only properties of the model",
            fix=f"Remove {', '.join(repr(key) for key in bad)} from config.json",
            where="config.json",
        )


def _check_raw_sizes(raw: dict[str, Any]) -> None:
    for key, value in raw.items():
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _MAX_INT:
            raise _out_of_range(key, value, -_MAX_INT, _MAX_INT)
    for key in _LAYER_KEYS:
        if key in raw:
            _check_range(key, raw[key], *_RANGES["num_hidden_layers"])


def _split_keys(raw: dict[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """Keep what the architecture's config class declares; the rest is told, not passed on."""
    from transformers import CONFIG_MAPPING

    config_class = CONFIG_MAPPING[raw["model_type"]]
    declared = set(inspect.signature(config_class.__init__).parameters) | set(config_class.attribute_map)
    if dataclasses.is_dataclass(config_class):
        declared |= {field.name for field in dataclasses.fields(config_class)}
    declared |= _BOOKKEEPING
    unknown = {key for key in raw if key not in declared}
    return {key: value for key, value in raw.items() if key not in unknown}, unknown


def _build(known: dict[str, Any]) -> PretrainedConfig:
    from transformers import CONFIG_MAPPING

    config_class = CONFIG_MAPPING[known["model_type"]]
    # The loading type is stated by the caller, never by the file.
    values = {key: value for key, value in known.items() if key not in ("torch_dtype", "dtype")}
    try:
        config: PretrainedConfig = config_class.from_dict(values)
    except Exception as error:
        # The library validates with several exception classes of its own.
        raise ModelFolderError(
            "config-invalid",
            f"The configuration was refused: {str(error)[:300]}",
            expected=f"a valid {known['model_type']} configuration",
            fix="Take config.json from the original model",
            where="config.json",
        ) from error
    return config


def _check_ranges(config: PretrainedConfig) -> None:
    for name, (low, high) in _RANGES.items():
        value = getattr(config, name, None)
        # xlnet-like configs use -1 for "no limit"; none of them is admitted.
        if value is not None:
            _check_range(name, value, low, high)
    heads, hidden = config.num_attention_heads, config.hidden_size
    # Gemma3 and Qwen3 state the size of a head: there the division need not come out even.
    if getattr(config, "head_dim", None) is None and hidden % heads:
        raise ModelFolderError(
            "config-out-of-range",
            f"hidden_size {hidden} with num_attention_heads {heads}",
            expected="heads that divide the hidden size",
            fix="Take config.json from the original model",
            where="config.json",
        )
    from transformers.activations import ACT2FN

    activation = getattr(config, "hidden_act", None)
    if activation is not None and activation not in ACT2FN:
        raise ModelFolderError(
            "config-unknown-activation",
            f"hidden_act is {str(activation)[:60]!r}",
            expected="an activation that Transformers knows by name",
            where="config.json",
        )


def _check_range(key: str, value: object, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise _out_of_range(key, value, low, high)


def _out_of_range(key: str, value: object, low: int, high: int) -> ModelFolderError:
    return ModelFolderError(
        "config-out-of-range",
        f"{key} is {str(value)[:40]}",
        expected=f"an integer from {low:,} to {high:,}",
        fix="Take config.json from the original model",
        where="config.json",
    )
