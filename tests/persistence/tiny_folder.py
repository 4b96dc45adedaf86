"""Model folders of a few kilobytes, with the files of a real one and numbers of no meaning."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from workbench.persistence.atomic import atomic_folder


def write_model(folder: Path, *, marker: float = 0.0, rows: int = 8) -> Path:
    """Write a whole folder whose weights all equal ``marker``."""
    (folder / "1_Pooling").mkdir(parents=True)
    documents = {
        "modules.json": [
            {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        ],
        "config.json": {"model_type": "bert", "hidden_size": 4, "marker": marker},
        "sentence_bert_config.json": {"max_seq_length": 16, "do_lower_case": False},
        "tokenizer.json": {"model": {"vocab": {"a": 0, "custom_word": 1, "auto_map": 2}}},
        "1_Pooling/config.json": {"word_embedding_dimension": 4, "pooling_mode_mean_tokens": True},
    }
    for name, value in documents.items():
        (folder / name).write_text(json.dumps(value), encoding="utf-8")
    save_file(
        {
            "embeddings": np.full((rows, 4), marker, np.float32),
            "layer.weight": np.full((4, 4), marker, np.float32),
        },
        folder / "model.safetensors",
    )
    return folder


def save_model(target: Path, marker: float) -> None:
    """Save such a folder at ``target`` in one step."""
    with atomic_folder(target) as folder:
        write_model(folder / "new", marker=marker)
        for entry in (folder / "new").iterdir():
            entry.rename(folder / entry.name)
        (folder / "new").rmdir()


def names(folder: Path) -> set[str]:
    """Relative POSIX paths of all files below a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def entries(folder: Path) -> list[str]:
    """Names of what lies directly in a folder, hidden ones too."""
    return sorted(path.name for path in folder.iterdir())
