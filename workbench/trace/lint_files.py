"""The facts of a model folder, read file by file; a file that cannot be read is a fact too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.errors import WorkbenchError
from workbench.models.transformer_config import FILE_NAMES
from workbench.persistence.json_reader import read_json
from workbench.persistence.names import MODULE_FOLDER
from workbench.persistence.weights import read_header, weight_files

# A tokenizer without a limit writes 10**30.
_NO_LIMIT = 10**6
# Position rows that a family keeps for padding.
RESERVED = {
    "roberta": 2,
    "xlm-roberta": 2,
    "xlm-roberta-xl": 2,
    "camembert": 2,
    "mpnet": 2,
    "data2vec-text": 2,
}


@dataclass(frozen=True)
class FolderFacts:
    """What a folder says.

    Attributes:
        encoder: Folder of the encoder, the root or one below it.
        files: File → its JSON; a file that is missing is absent.
        broken: File → why it could not be read.
        modules: Class names in the order of modules.json; None without the file.
        module_configs: Class name → its config.json, None where it is missing.
        dtypes: Types of the weights; empty where there are none.
        weights: Whether safetensors weights are there.
        pickles: Names of weights that only a pickle reader opens.
    """

    root: Path
    encoder: Path
    files: Mapping[str, Any]
    broken: Mapping[str, str]
    modules: tuple[str, ...] | None
    module_configs: Mapping[str, Any]
    dtypes: frozenset[str]
    weights: bool
    pickles: tuple[str, ...]
    lengths: Mapping[str, int] = field(default_factory=dict)
    casing: Mapping[str, bool] = field(default_factory=dict)

    def get(self, file: str, *path: str) -> Any:
        """A value inside a JSON file; None where any step is missing."""
        value = self.files.get(file)
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        return value


def read_facts(root: Path) -> FolderFacts:
    """Read every file that speaks of how a text becomes a vector."""
    files: dict[str, Any] = {}
    broken: dict[str, str] = {}
    _read(root, "modules.json", files, broken)
    _read(root, "config_sentence_transformers.json", files, broken)
    entries = _entries(files.get("modules.json"))
    encoder = root / entries[0][1] if entries and entries[0][1] else root
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        _read(encoder, name, files, broken)
    stated = next((name for name in FILE_NAMES if (encoder / name).is_file()), None)
    if stated is not None:
        _read(encoder, stated, files, broken, "sentence_bert_config.json")
    configs = {name: _module_config(root / path, broken, path) for name, path in entries[1:] if path}
    dtypes, weights = _weights(encoder, broken)
    facts = FolderFacts(
        root=root,
        encoder=encoder,
        files=files,
        broken=broken,
        modules=tuple(name for name, _ in entries) if "modules.json" in files else None,
        module_configs=configs,
        dtypes=dtypes,
        weights=weights,
        pickles=tuple(name for name in ("pytorch_model.bin", "model.pt") if (encoder / name).is_file()),
    )
    return FolderFacts(**{**facts.__dict__, "lengths": _lengths(facts), "casing": _casing(facts)})


def _read(folder: Path, name: str, files: dict[str, Any], broken: dict[str, str], key: str = "") -> None:
    path = folder / name
    if not path.is_file():
        return
    try:
        value = read_json(path)
    except WorkbenchError as error:
        broken[name] = error.message
        return
    files[key or name] = value


def _entries(listing: Any) -> list[tuple[str, str]]:
    """Class name and folder of each module; a path that leaves the folder is dropped."""
    found = []
    for entry in listing if isinstance(listing, list) else []:
        if isinstance(entry, dict):
            path = str(entry.get("path", ""))
            inside = path if not path or MODULE_FOLDER.fullmatch(path) else ""
            found.append((str(entry.get("type", "")).rsplit(".", 1)[-1], inside))
    return found


def _module_config(folder: Path, broken: dict[str, str], name: str) -> Any:
    path = folder / "config.json"
    if not path.is_file():
        return None
    try:
        return read_json(path)
    except WorkbenchError as error:
        broken[f"{name}/config.json"] = error.message
        return None


def _weights(encoder: Path, broken: dict[str, str]) -> tuple[frozenset[str], bool]:
    try:
        headers = [read_header(file) for file in weight_files(encoder)]
    except WorkbenchError as error:
        if any(encoder.glob("*.safetensors")):
            broken["model.safetensors"] = error.message
        return frozenset(), False
    return frozenset(info.dtype for header in headers for info in header.values()), True


def _lengths(facts: FolderFacts) -> dict[str, int]:
    """Every place that states a longest input, in tokens."""
    stated = {
        "sentence_bert_config.json max_seq_length": facts.get("sentence_bert_config.json", "max_seq_length"),
        "tokenizer.json truncation": facts.get("tokenizer.json", "truncation", "max_length"),
        "tokenizer_config.json model_max_length": facts.get("tokenizer_config.json", "model_max_length"),
        "tokenizer_config.json max_length": facts.get("tokenizer_config.json", "max_length"),
    }
    return {
        place: int(value)
        for place, value in stated.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < _NO_LIMIT
    }


def _casing(facts: FolderFacts) -> dict[str, bool]:
    """Every place that says whether capitals are folded."""
    stated = {
        "tokenizer.json normalizer": _lowers(facts.get("tokenizer.json", "normalizer")),
        "tokenizer_config.json do_lower_case": facts.get("tokenizer_config.json", "do_lower_case"),
        "sentence_bert_config.json do_lower_case": facts.get("sentence_bert_config.json", "do_lower_case"),
    }
    return {place: value for place, value in stated.items() if isinstance(value, bool)}


def _lowers(normalizer: Any) -> bool | None:
    if not isinstance(normalizer, dict):
        return None
    kind = normalizer.get("type")
    if kind == "Sequence":
        inner = [_lowers(step) for step in normalizer.get("normalizers", ())]
        return any(inner) if any(value is not None for value in inner) else None
    if kind == "Lowercase":
        return True
    return normalizer.get("lowercase") if kind == "BertNormalizer" else None


def special_tokens(facts: FolderFacts) -> dict[str, list[int]] | None:
    """Ids that tokenizer.json puts before and after one text; None where it says nothing of it."""
    processor = facts.get("tokenizer.json", "post_processor")
    found = _template(processor)
    return found


def _template(processor: Any) -> dict[str, list[int]] | None:
    if not isinstance(processor, dict):
        return None
    if processor.get("type") == "Sequence":
        inner = [_template(step) for step in processor.get("processors", ())]
        return next((found for found in inner if found is not None), None)
    if processor.get("type") in ("BertProcessing", "RobertaProcessing"):
        return {"prefix": [int(processor["cls"][1])], "suffix": [int(processor["sep"][1])]}
    if processor.get("type") != "TemplateProcessing":
        return None
    ids: dict[str, list[int]] = {"prefix": [], "suffix": []}
    side = "prefix"
    for part in processor.get("single", ()):
        if "Sequence" in part:
            side = "suffix"
        elif "SpecialToken" in part:
            name = part["SpecialToken"]["id"]
            ids[side] += [int(i) for i in processor.get("special_tokens", {}).get(name, {}).get("ids", ())]
    return ids
