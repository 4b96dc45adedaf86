"""A BERT family encoder's ``config.json`` read without the Transformers library, where it is a plain one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.models.packed_bert import ACTIVATIONS, MODEL_TYPES
from workbench.persistence.json_reader import read_json, scan_keys

# What the library's classes of this family declare, beside what is read below.
_DECLARED = frozenset(
    "add_cross_attention architectures attention_probs_dropout_prob bos_token_id chunk_size_feed_forward "
    "classifier_dropout dtype embedding_size eos_token_id hidden_act hidden_dropout_prob hidden_size "
    "id2label initializer_range intermediate_size is_decoder is_encoder_decoder label2id layer_norm_eps "
    "max_position_embeddings model_type num_attention_heads num_hidden_layers output_attentions "
    "output_hidden_states pad_token_id problem_type return_dict summary_activation summary_last_dropout "
    "summary_type summary_use_proj tie_word_embeddings torch_dtype transformers_version type_vocab_size "
    "use_cache vocab_size _name_or_path _num_labels _attn_implementation_autoset".split()
)
# Known to do nothing in these classes; any other key is left to the library's own reading.
_WITHOUT_EFFECT = frozenset(
    "cls_token_id gradient_checkpointing position_embedding_type sep_token_id directionality "
    "pooler_fc_size pooler_num_attention_heads "
    "pooler_num_fc_layers pooler_size_per_head pooler_type output_past".split()
)
_SIZES: dict[str, tuple[int, int]] = {
    "vocab_size": (1, 1_000_000),
    "hidden_size": (8, 4096),
    "num_hidden_layers": (1, 64),
    "num_attention_heads": (1, 128),
    "intermediate_size": (8, 65_536),
    "max_position_embeddings": (8, 131_072),
    "type_vocab_size": (1, 64),
    "pad_token_id": (0, 1_000_000),
}
_SHARES = ("hidden_dropout_prob", "attention_probs_dropout_prob")


@dataclass(frozen=True)
class BertConfig:
    """What a packed pass reads of a configuration, under the library's names."""

    model_type: str
    hidden_act: str
    vocab_size: int
    hidden_size: int
    embedding_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    max_position_embeddings: int
    type_vocab_size: int
    pad_token_id: int
    layer_norm_eps: float
    hidden_dropout_prob: float
    attention_probs_dropout_prob: float


def read_bert_config(folder: Path) -> tuple[BertConfig, list[str]] | None:
    """Read ``config.json`` of an admitted folder; None where it is not a plain one of this family.

    Nothing is refused here: what this does not take, ``encoder_config`` reads with all its checks.

    Returns:
        The configuration, and the notices that ``encoder_config`` gives for it.
    """
    raw = read_json(folder / "config.json")
    if not isinstance(raw, dict) or not _one_of(raw.get("model_type"), MODEL_TYPES):
        return None
    scan_keys(raw, "config.json")
    ignored = sorted(set(raw) - _DECLARED)
    if not set(ignored) <= _WITHOUT_EFFECT or not _plain(raw):
        return None
    config = BertConfig(
        model_type=raw["model_type"],
        hidden_act=raw["hidden_act"],
        embedding_size=raw["embedding_size"] if raw["model_type"] == "electra" else raw["hidden_size"],
        layer_norm_eps=raw["layer_norm_eps"],
        **{name: raw[name] for name in (*_SIZES, *_SHARES)},
    )
    return config, [f"config.json: ignored unknown key {key!r}" for key in ignored]


def _plain(raw: dict[str, Any]) -> bool:
    """Whether every property is stated, in range, and none asks for more than an encoder."""
    sizes = all(_within(raw.get(name), low, high) for name, (low, high) in _SIZES.items())
    return (
        sizes
        and raw["hidden_size"] % raw["num_attention_heads"] == 0
        and raw["pad_token_id"] < raw["vocab_size"]
        and _one_of(raw.get("hidden_act"), ACTIVATIONS)
        and _within(raw.get("embedding_size", raw["hidden_size"]), 8, 4096)
        and (raw["model_type"] != "electra" or "embedding_size" in raw)
        and all(isinstance(raw.get(name), float | int) and 0 <= raw[name] < 1 for name in _SHARES)
        and isinstance(raw.get("layer_norm_eps"), float)
        and 0 < raw["layer_norm_eps"] < 1
        and raw.get("position_embedding_type", "absolute") == "absolute"
        and not any(
            raw.get(name)
            for name in (
                "add_cross_attention",
                "is_decoder",
                "is_encoder_decoder",
                "output_hidden_states",
                "output_attentions",
                "chunk_size_feed_forward",
            )
        )
        and raw.get("return_dict", True) is True
    )


def _one_of(value: object, known: Collection[str]) -> bool:
    # A file may hold anything in place of a name.
    return isinstance(value, str) and value in known


def _within(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
