"""A recorder in one file that needs torch, transformers, numpy and safetensors; copy it where you need it.

It imports nothing of this package, and writes the format of docs/trace-format.md, so that a pipeline on a
machine or with a library version where the workbench is not installed can be compared with one where it is.

    python standalone_recorder.py MODEL OUT --texts probe.json --pooling mean --max-length 256

``probe.json`` is a JSON list of strings: the ``texts`` of the trace to compare with, or that trace itself.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from safetensors.numpy import save_file

TOKEN_ROWS = 16


def pool(hidden: Any, mask: Any, mode: str) -> Any:
    """Token vectors, shape ``(batch, tokens, dim)``, to one vector a text."""
    weights = mask.unsqueeze(-1).to(hidden.dtype)
    if mode == "mean":
        return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1e-9)
    rows = torch.arange(len(hidden), device=hidden.device)
    if mode == "cls":
        return hidden[rows, mask.argmax(1)]
    if mode == "max":
        return hidden.masked_fill(weights == 0, -torch.inf).amax(1)
    if mode == "lasttoken":
        places = torch.arange(mask.shape[1], device=mask.device)
        return hidden[rows, (mask * places).argmax(1)]
    raise SystemExit(f"unknown pooling {mode!r}: mean, cls, max or lasttoken")


def record(
    tokenizer: Any, model: Any, texts: list[str], pooling: Any, options: dict[str, Any]
) -> dict[str, Any]:
    """Run texts one by one, so that no padding enters, and keep every stage.

    Args:
        pooling: Hidden states and attention mask → vectors.
        options: ``prompt``, ``max_length``, ``normalize``.

    Returns:
        Stage → name → one value a text: arrays, or plain values.
    """
    kept: dict[str, list[Any]] = {}
    special = set(tokenizer.all_special_ids)
    model.eval()
    for text in texts:
        prepared = options["prompt"] + text
        batch = tokenizer([prepared], truncation=True, max_length=options["max_length"], return_tensors="pt")
        ids = batch["input_ids"][0].tolist()
        full = tokenizer(prepared, add_special_tokens=False, verbose=False)["input_ids"]
        with torch.inference_mode():
            outputs = model(**batch.to(model.device), output_hidden_states=True)
            hidden = outputs.last_hidden_state.float()
            pooled = pooling(hidden, batch["attention_mask"])
            finished = torch.nn.functional.normalize(pooled, p=2, dim=1) if options["normalize"] else pooled
        before, after = special_around(ids, full, special)
        types = batch.get("token_type_ids")
        values: dict[str, Any] = {
            "text/prepared": prepared,
            "tokens/content": full,
            "specials/prefix": ids[:before],
            "specials/suffix": ids[len(ids) - after :] if after else [],
            "truncation/kept": len(ids) - before - after,
            "truncation/cut_left": False,
            "padding/mask": batch["attention_mask"][0].tolist(),
            "padding/attended_pads": 0,
            "padding/type_ids": [0] * len(ids) if types is None else types[0].tolist(),
            "layers/output": cut(hidden[0]),
            "pooling/pooled": pooled[0].float().cpu().numpy(),
            "modules/finished": finished[0].float().cpu().numpy(),
            "batching/embedding": finished[0].float().cpu().numpy(),
        }
        backend = getattr(tokenizer, "backend_tokenizer", None)
        if backend is not None:
            normaliser, splitter = backend.normalizer, backend.pre_tokenizer
            normalised = prepared if normaliser is None else normaliser.normalize_str(prepared)
            pieces = (
                [normalised] if splitter is None else [p for p, _ in splitter.pre_tokenize_str(normalised)]
            )
            values |= {"normalisation/normalised": normalised, "normalisation/pieces": pieces}
        for number, layer in enumerate(outputs.hidden_states):
            values[f"layers/layer {number}" if number else "embeddings/embedding"] = cut(layer[0].float())
        for name, value in values.items():
            kept.setdefault(name, []).append(value)
    return kept


def special_around(ids: list[int], full: list[int], special: set[int]) -> tuple[int, int]:
    """How many special tokens stand before and after a text's own."""
    for around in range(9):
        for before in range(min(around, len(ids)) + 1):
            after = around - before
            inside = ids[before : len(ids) - after]
            ends = ids[:before] + ids[len(ids) - after :] if after else ids[:before]
            if (
                before + after <= len(ids)
                and inside == full[: len(inside)]
                and all(i in special for i in ends)
            ):
                return before, after
    return 0, 0


def cut(rows: Any) -> Any:
    """The first and last token vectors of a text."""
    array = rows.cpu().numpy()
    if len(array) <= TOKEN_ROWS:
        return array
    front = (TOKEN_ROWS + 1) // 2
    return np.concatenate([array[:front], array[len(array) - (TOKEN_ROWS - front) :]])


def write(path: str, name: str, texts: list[str], kept: dict[str, list[Any]], facts: dict[str, Any]) -> None:
    """Write ``path.json`` and ``path.safetensors``."""
    stages: dict[str, Any] = {
        key: {"facts": value, "plain": {}, "arrays": {}} for key, value in facts.items()
    }
    tensors = {}
    for key, values in kept.items():
        stage, _, field = key.partition("/")
        record = stages.setdefault(stage, {"facts": {}, "plain": {}, "arrays": {}})
        if isinstance(values[0], np.ndarray):
            record["arrays"][field] = [-1 if value.ndim == 1 else len(value) for value in values]
            tensors[key] = np.concatenate([np.atleast_2d(value).astype(np.float32) for value in values])
        else:
            record["plain"][field] = values
    content = {
        "format": "embedding-trace",
        "version": 1,
        "name": name,
        "texts": texts,
        "token_rows": TOKEN_ROWS,
        "stages": stages,
    }
    save_file(tensors, f"{path}.safetensors", metadata={"format": "embedding-trace"})
    Path(f"{path}.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def facts_of(tokenizer: Any, model: Any) -> dict[str, Any]:
    """Provenance and types."""
    provenance = {
        "tokenizer_class": type(tokenizer).__name__,
        "encoder_class": type(model).__name__,
        "attention": str(getattr(model.config, "_attn_implementation", "")),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
        "config_sha256": hashlib.sha256(model.config.to_json_string().encode()).hexdigest(),
    }
    dtypes = sorted({str(parameter.dtype).removeprefix("torch.") for parameter in model.parameters()})
    return {
        "provenance": provenance,
        "layers": {"layers": int(model.config.num_hidden_layers)},
        "precision": {"weights": dtypes},
        "embeddings": {"training": bool(model.training)},
    }


def main() -> None:
    """Read the arguments, record, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("out")
    parser.add_argument("--texts", required=True, help="a JSON list of strings, or a trace to compare with")
    parser.add_argument("--pooling", default="mean")
    parser.add_argument("--max-length", type=int, default=None)
    parser.add_argument("--prompt", default="")
    parser.add_argument("--no-normalize", action="store_true")
    parser.add_argument("--name", default="standalone")
    given = parser.parse_args()
    content = json.loads(Path(given.texts).read_text(encoding="utf-8"))
    texts = content["texts"] if isinstance(content, dict) else content
    tokenizer = transformers.AutoTokenizer.from_pretrained(given.model)
    model = transformers.AutoModel.from_pretrained(given.model, use_safetensors=True)
    options = {"prompt": given.prompt, "max_length": given.max_length, "normalize": not given.no_normalize}
    kept = record(tokenizer, model, texts, lambda hidden, mask: pool(hidden, mask, given.pooling), options)
    facts = facts_of(tokenizer, model)
    facts["modules"] = {"names": ["Normalize"] if options["normalize"] else []}
    write(given.out, given.name, texts, kept, facts)


if __name__ == "__main__":
    main()
