"""Putting what a watcher saw together into a trace, with scores, ranking and provenance."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from workbench.contenders.trace_contract import STAGES, StageRecord, Trace
from workbench.contenders.watching import SeenText, Watcher

NEIGHBOURS = 10
_PACKAGES = ("torch", "transformers", "tokenizers", "sentence-transformers", "numpy")
_SAMPLE = 4096


def assemble(
    name: str,
    texts: Sequence[str],
    watcher: Watcher,
    encoder: nn.Module,
    embeddings: NDArray[Any],
    scores: NDArray[Any] | None,
    settings: Mapping[str, Any],
    provenance: Mapping[str, Any],
    similarity: str = "cosine",
) -> Trace:
    """One record a stage.

    Args:
        embeddings: As the pipeline returned them. Shape ``(texts, dim)``.
        scores: Of every text with every other, as the pipeline's own similarity gave them; None leaves
            similarity and ranking out.
        provenance: What is known beside the objects: hashes of files, threads.
    """
    seen = [watcher.seen[text] for text in texts]
    stages: dict[str, StageRecord] = {
        "provenance": StageRecord(
            facts={**object_facts(watcher.tokenizer, encoder), **versions(), **provenance}
        ),
        "text": StageRecord(plain={"prepared": tuple(item.prepared for item in seen)}),
        **_token_stages(seen),
        "padding": StageRecord(plain=_plain(seen, "padding")),
        "embeddings": StageRecord(
            facts={"training": watcher.facts["training"]}, arrays=_arrays(seen, "embeddings")
        ),
        "layers": StageRecord(
            facts={"layers": watcher.facts.get("layers", 0), **_linear_kinds(encoder)},
            arrays=_arrays(seen, "layers"),
        ),
        "pooling": StageRecord(plain=_plain(seen, "pooling"), arrays=_arrays(seen, "pooling")),
        "modules": StageRecord(
            facts={"names": list(watcher.facts["modules"])}, arrays=_arrays(seen, "modules")
        ),
        "precision": StageRecord(facts=_dtypes(watcher, encoder)),
        "batching": StageRecord(
            facts={"batches": [len(batch) for batch in watcher.batches]},
            arrays={"embedding": tuple(np.asarray(row, dtype=np.float32) for row in embeddings)},
        ),
        **score_stages(scores, similarity),
    }
    ordered = {key: stages[key] for key in STAGES if key in stages}
    return Trace(name, tuple(texts), dict(settings), ordered)


def score_stages(scores: NDArray[Any] | None, similarity: str) -> dict[str, StageRecord]:
    """Similarity and ranking from the scores of every text with every other."""
    if scores is None:
        return {}
    table = np.asarray(scores, dtype=np.float32)
    away = table.copy()
    np.fill_diagonal(away, -np.inf)
    order = np.argsort(-away, axis=1, kind="stable")[:, : min(NEIGHBOURS, max(len(table) - 1, 0))]
    return {
        "similarity": StageRecord(
            facts={"function": similarity}, arrays={"scores": tuple(row for row in table)}
        ),
        "ranking": StageRecord(plain={"neighbours": tuple(row.tolist() for row in order)}),
    }


def cosine_scores(embeddings: NDArray[Any]) -> NDArray[np.float64]:
    """Cosine of every pair. Shape ``(texts, texts)``; 0 beside an embedding of zeros."""
    rows = np.asarray(embeddings, dtype=np.float64)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    unit = rows / np.where(norms == 0, 1.0, norms)
    scores: NDArray[np.float64] = unit @ unit.T
    return scores


def object_facts(tokenizer: Any, encoder: nn.Module) -> dict[str, Any]:
    """What the objects in use are: classes, and hashes that tell two of them apart."""
    config = getattr(encoder, "config", None)
    return {
        "tokenizer_class": type(tokenizer).__name__,
        "tokenizer_sha256": tokenizer_sha256(tokenizer),
        "encoder_class": type(encoder).__name__,
        "weights_sample_sha256": weights_sample_sha256(encoder),
        "attention": str(getattr(config, "_attn_implementation", "")),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "machine": platform.machine(),
    }


def versions() -> dict[str, Any]:
    """Versions of the installed packages that compute."""
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return {"versions": found}


def tokenizer_sha256(tokenizer: Any) -> str:
    """Hash of a fast tokenizer without its truncation and padding, which every call may set anew."""
    from workbench.contenders.token_parts import restore

    backend = getattr(tokenizer, "backend_tokenizer", tokenizer)
    if not hasattr(backend, "to_str"):
        return ""
    truncation, padding = backend.truncation, backend.padding
    backend.no_truncation()
    backend.no_padding()
    try:
        return hashlib.sha256(backend.to_str().encode("utf-8")).hexdigest()
    finally:
        restore(backend, truncation, padding)


def weights_sample_sha256(encoder: nn.Module) -> str:
    """Hash over the shapes and an even sample of every parameter, in float32: one forward pass costs more."""
    digest = hashlib.sha256()
    for name, parameter in sorted(encoder.named_parameters()):
        values = parameter.detach().flatten()
        step = max(1, values.numel() // _SAMPLE)
        digest.update(f"{name}{tuple(parameter.shape)}".encode())
        digest.update(values[::step].float().cpu().numpy().tobytes())
    return digest.hexdigest()


def _token_stages(seen: Sequence[SeenText]) -> dict[str, StageRecord]:
    parts = [item.parts for item in seen]
    stages: dict[str, StageRecord] = {}
    if all(item.view is not None for item in seen):
        views = [item.view for item in seen if item.view is not None]
        stages["normalisation"] = StageRecord(
            plain={
                "normalised": tuple(view[0] for view in views),
                "pieces": tuple(list(view[1]) for view in views),
            }
        )
    known = [part for part in parts if part is not None]
    if len(known) == len(seen):
        stages["tokens"] = StageRecord(plain={"content": tuple(list(part.content) for part in known)})
        stages["specials"] = StageRecord(
            plain={
                "prefix": tuple(list(part.prefix) for part in known),
                "suffix": tuple(list(part.suffix) for part in known),
            }
        )
        stages["truncation"] = StageRecord(
            plain={
                "kept": tuple(part.kept for part in known),
                "cut_left": tuple(part.cut_left for part in known),
            }
        )
    return stages


def _plain(seen: Sequence[SeenText], stage: str) -> dict[str, tuple[Any, ...]]:
    return _gathered([item.plain for item in seen], stage)


def _arrays(seen: Sequence[SeenText], stage: str) -> dict[str, tuple[Any, ...]]:
    return _gathered([item.arrays for item in seen], stage)


def _gathered(items: Sequence[Mapping[str, Any]], stage: str) -> dict[str, tuple[Any, ...]]:
    names = [name for name in (items[0] if items else ()) if name.startswith(f"{stage}/")]
    return {
        name.removeprefix(f"{stage}/"): tuple(item[name] for item in items)
        for name in names
        if all(name in item for item in items)
    }


def _dtypes(watcher: Watcher, encoder: nn.Module) -> dict[str, Any]:
    kinds = sorted({str(parameter.dtype).removeprefix("torch.") for parameter in encoder.parameters()})
    names = ("embedding_dtype", "hidden_dtype", "pooled_dtype", "finished_dtype")
    return {"weights": kinds, **{name: watcher.facts.get(name, "") for name in names}}


def _linear_kinds(encoder: nn.Module) -> dict[str, Any]:
    quantised = sum("quantized" in type(module).__module__ for module in encoder.modules())
    return {"quantised_modules": quantised}
