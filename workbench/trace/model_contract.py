"""The contract of a model folder: what a correct runtime must do, as JSON that others check against."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.contenders.trace_contract import Trace
from workbench.persistence.atomic import write_json
from workbench.trace.causes_pooling import pooling_of
from workbench.trace.ladder import compute_type
from workbench.trace.lint import folder_facts
from workbench.trace.lint_files import FolderFacts, special_tokens
from workbench.trace.lint_rules import pooling_modes

FORMAT = "embedding-contract"
_BLOCK = 2**20
_HASHED = ("config.json", "tokenizer.json", "model.safetensors", "modules.json", "sentence_bert_config.json")


def model_contract(folder: str | Path) -> dict[str, Any]:
    """What the folder asks of a runtime, as sentence-transformers reads it where files contradict each other.

    Raises:
        ModelSourceError: There is no such folder.
    """
    facts = folder_facts(folder)
    modes = pooling_modes(facts)
    return {
        "format": FORMAT,
        "version": 1,
        "model_type": facts.get("config.json", "model_type"),
        "hidden_size": facts.get("config.json", "hidden_size"),
        "layers": facts.get("config.json", "num_hidden_layers"),
        "max_length": _length(facts),
        "lower_case": facts.casing.get("tokenizer.json normalizer"),
        "special_tokens": special_tokens(facts),
        "padding": "to the longest text of a batch, masked in attention and pooling",
        "token_type_ids": 0,
        "pooling": modes or ["mean"],
        "pooling_stated": bool(modes),
        "modules_after_pooling": _after_pooling(facts),
        "normalize": "Normalize" in (facts.modules or ()),
        "prompts": facts.get("config_sentence_transformers.json", "prompts") or {},
        "default_prompt": facts.get("config_sentence_transformers.json", "default_prompt_name"),
        "similarity": facts.get("config_sentence_transformers.json", "similarity_fn_name") or "cosine",
        "weights_dtype": sorted(facts.dtypes),
        "sha256": _hashes(facts),
    }


def write_contract(folder: str | Path, path: Path) -> Path:
    """Write the contract of a folder as JSON.

    Raises:
        ModelSourceError: There is no such folder.
        FolderWriteError: ``disk-full`` or ``not-writable``.
    """
    write_json(path, model_contract(folder))
    return path


def contract_violations(contract: Mapping[str, Any], trace: Trace) -> tuple[str, ...]:
    """What a recorded pipeline does otherwise than the contract asks, one sentence each.

    Args:
        contract: What ``model_contract`` gave.
        trace: A recording; only what it holds is checked.
    """
    checks = (_tokens(contract, trace), _pooling(contract, trace), _numbers(contract, trace))
    return tuple(sentence for found in checks for sentence in found)


def _tokens(contract: Mapping[str, Any], trace: Trace) -> list[str]:
    found = []
    special = contract.get("special_tokens")
    plain = trace.stage("specials").plain
    if special and plain:
        wrong = [
            i
            for i, pair in enumerate(zip(plain["prefix"], plain["suffix"], strict=True))
            if list(pair[0]) + list(pair[1]) != special["prefix"] + special["suffix"]
        ]
        if wrong:
            found.append(f"{len(wrong)} texts do not have the special tokens {special}")
    longest = contract.get("max_length")
    kept = trace.stage("truncation").plain.get("kept")
    if longest and kept and plain:
        lengths = [
            count + len(a) + len(b)
            for count, a, b in zip(kept, plain["prefix"], plain["suffix"], strict=True)
        ]
        full = [len(content) for content in trace.stage("tokens").plain["content"]]
        cut = [length for length, k, f in zip(lengths, kept, full, strict=True) if k < f]
        if max(lengths) > longest or any(length != longest for length in cut):
            found.append(f"texts are cut at {max(cut or lengths)} tokens instead of {longest}")
    return found


def _pooling(contract: Mapping[str, Any], trace: Trace) -> list[str]:
    found = []
    pooled = pooling_of(trace)
    if pooled is not None and contract["pooling"] != [pooled] and len(contract["pooling"]) == 1:
        found.append(f"the pooling is {pooled} instead of {contract['pooling'][0]}")
    names = trace.stage("modules").facts.get("names")
    missing = [name for name in contract["modules_after_pooling"] if names is not None and name not in names]
    if missing:
        found.append(f"modules are left out: {', '.join(missing)}")
    return found


def _numbers(contract: Mapping[str, Any], trace: Trace) -> list[str]:
    found = []
    if any(trace.stage("padding").plain.get("attended_pads", ())):
        found.append("the encoder reads padding")
    if any(any(row) for row in trace.stage("padding").plain.get("type_ids", ())):
        found.append("token type ids are not 0")
    if (
        trace.stages.get("precision")
        and contract["weights_dtype"] == ["F32"]
        and compute_type(trace) != "float32"
    ):
        found.append(f"it computes in {compute_type(trace)}, and the weights are float32")
    return found


def _length(facts: FolderFacts) -> int | None:
    stated = facts.lengths.get("sentence_bert_config.json max_seq_length")
    return stated or min(facts.lengths.values(), default=None)


def _after_pooling(facts: FolderFacts) -> list[str]:
    names = list(facts.modules or ())
    return names[names.index("Pooling") + 1 :] if "Pooling" in names else []


def _hashes(facts: FolderFacts) -> dict[str, str]:
    found = {}
    for name in _HASHED:
        path = next((p for p in (facts.encoder / name, facts.root / name) if p.is_file()), None)
        if path is not None:
            digest = hashlib.sha256()
            with path.open("rb") as file:
                while block := file.read(_BLOCK):
                    digest.update(block)
            found[name] = digest.hexdigest()
    return found
