"""BERT's tokenizer straight from ``tokenizer.json``, where the library would build the same one."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.persistence.json_reader import read_json

_CLASSES = ("BertTokenizer", "BertTokenizerFast")
_SPECIAL = {
    "unk_token": "[UNK]",
    "sep_token": "[SEP]",
    "pad_token": "[PAD]",
    "cls_token": "[CLS]",
    "mask_token": "[MASK]",
}
# Keys of tokenizer_config.json that say no more than the checks below, or nothing.
_KNOWN = frozenset(_SPECIAL) | frozenset(
    "do_lower_case tokenize_chinese_chars strip_accents tokenizer_class model_max_length name_or_path "
    "do_basic_tokenize never_split special_tokens_map_file tokenizer_file added_tokens_decoder padding_side "
    "truncation_side clean_up_tokenization_spaces backend model_input_names extra_special_tokens".split()
)


@dataclass
class BareTokenizer:
    """The attributes of the library's tokenizer that tokenising texts needs, under the same names.

    Attributes:
        backend_tokenizer: A ``tokenizers.Tokenizer``, without truncation and padding.
        model_max_length: As ``tokenizer_config.json`` says; 10**30 where it does not.
        padding_side, truncation_side: ``"left"`` or ``"right"``.
        pad_token_id, unk_token_id: Of the special tokens.
    """

    backend_tokenizer: Any
    model_max_length: int
    padding_side: str
    truncation_side: str
    pad_token_id: int
    unk_token_id: int
    model_input_names: list[str] = field(
        default_factory=lambda: ["input_ids", "token_type_ids", "attention_mask"]
    )

    def num_special_tokens_to_add(self) -> int:
        """Special tokens put around one text."""
        return int(self.backend_tokenizer.num_special_tokens_to_add(is_pair=False))


def read_bare_tokenizer(folder: Path, embedding_rows: int, limit_bytes: int) -> BareTokenizer | None:
    """The tokenizer of an admitted folder, or None where the library might build another one from its files.

    The library rebuilds BERT's tokenizer from the vocabulary and ``tokenizer_config.json``. Only where every
    part that it would build stands in ``tokenizer.json`` in the same way may that file be taken as it is.
    """
    path, config_path = folder / "tokenizer.json", folder / "tokenizer_config.json"
    if not path.is_file() or not config_path.is_file():
        return None
    if (folder / "added_tokens.json").is_file() or not _usual_specials(folder / "special_tokens_map.json"):
        return None
    stated, raw = read_json(config_path, limit_bytes=limit_bytes), read_json(path, limit_bytes=limit_bytes)
    if not isinstance(stated, dict) or not isinstance(raw, dict) or not _same(stated, raw, embedding_rows):
        return None
    from tokenizers import Tokenizer

    try:
        backend = Tokenizer.from_file(str(path))
    except Exception:
        # The library's reading says what is wrong.
        return None
    backend.no_padding()
    backend.no_truncation()
    length = stated.get("model_max_length")
    return BareTokenizer(
        backend,
        10**30 if length is None else length,
        stated.get("padding_side", "right"),
        stated.get("truncation_side", "right"),
        raw["model"]["vocab"]["[PAD]"],
        raw["model"]["vocab"]["[UNK]"],
    )


def _usual_specials(path: Path) -> bool:
    if not path.is_file():
        return True
    stated = read_json(path)
    return isinstance(stated, dict) and all(_SPECIAL.get(key) == value for key, value in stated.items())


def _same(stated: dict[str, Any], raw: dict[str, Any], embedding_rows: int) -> bool:
    model = raw.get("model")
    if not isinstance(model, dict) or not isinstance(model.get("vocab"), dict):
        return False
    vocabulary = model["vocab"]
    ids = {name: vocabulary.get(token) for name, token in _SPECIAL.items()}
    length = stated.get("model_max_length", 1)
    return (
        any(stated.get("tokenizer_class") == name for name in _CLASSES)
        and set(stated) <= _KNOWN
        and all(stated.get(name, token) == token for name, token in _SPECIAL.items())
        and not stated.get("never_split")
        and not stated.get("extra_special_tokens")
        and any(stated.get("padding_side", "right") == side for side in ("left", "right"))
        and any(stated.get("truncation_side", "right") == side for side in ("left", "right"))
        and isinstance(length, int)
        and length >= 1
        and all(isinstance(value, int) for value in ids.values())
        and all(isinstance(value, int) and value < embedding_rows for value in vocabulary.values())
        and {key: value for key, value in model.items() if key != "vocab"}
        == {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
        }
        and raw.get("normalizer")
        == {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": stated.get("tokenize_chinese_chars", True),
            "strip_accents": stated.get("strip_accents"),
            "lowercase": stated.get("do_lower_case", True),
        }
        and raw.get("pre_tokenizer") == {"type": "BertPreTokenizer"}
        and raw.get("post_processor") == _around(ids["cls_token"], ids["sep_token"])
        and _only_special(raw.get("added_tokens"), ids)
    )


def _around(start: Any, end: Any) -> dict[str, Any]:
    """``[CLS] text [SEP]``, as the file writes it."""

    def special(token: str, kind: int) -> dict[str, Any]:
        return {"SpecialToken": {"id": token, "type_id": kind}}

    def text(name: str, kind: int) -> dict[str, Any]:
        return {"Sequence": {"id": name, "type_id": kind}}

    one = [special("[CLS]", 0), text("A", 0), special("[SEP]", 0)]
    return {
        "type": "TemplateProcessing",
        "single": one,
        "pair": [*one, text("B", 1), special("[SEP]", 1)],
        "special_tokens": {
            "[CLS]": {"id": "[CLS]", "ids": [start], "tokens": ["[CLS]"]},
            "[SEP]": {"id": "[SEP]", "ids": [end], "tokens": ["[SEP]"]},
        },
    }


def _only_special(added: Any, ids: dict[str, Any]) -> bool:
    """Whether the added tokens are the five special ones, each found in a text as it stands."""
    if not isinstance(added, list):
        return False
    plain = {"special": True, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    wanted = [{"id": ids[name], "content": token, **plain} for name, token in _SPECIAL.items()]
    return sorted(added, key=lambda one: str(one.get("id"))) == sorted(wanted, key=lambda one: str(one["id"]))
