"""A contender over an exported graph: tokenised once, sorted by tokens, padded a batch at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.contenders.contract import ModelPaths, Precision, Settings, TokenCount, TokenView
from workbench.contenders.numpy_pooling import pool, split_modes
from workbench.contenders.onnx_export import ExportedEncoder, exported_encoder
from workbench.errors import InvalidValueError, ModelFolderError, UnknownNameError
from workbench.models.tokenizer import set_lower_case

Run = Callable[[dict[str, NDArray[np.int64]]], NDArray[np.float32]]
"""Inputs of the graph, each of shape ``(batch, tokens)`` → hidden states, shape ``(batch, tokens, dim)``."""

# Smallest cosine of a token's hidden state to the encoder's own on the probe. A graph that took a constant
# for a length or lost its mask falls far below; all-MiniLM-L6-v2 has 0.98 in int8, 0.9999 in bfloat16.
_LEAST_COSINE = {"float32": 0.9999, "bfloat16": 0.99, "int8": 0.8}


class GraphContender:
    """A tokenizer, a graph that an engine runs, and pooling in numpy."""

    def __init__(
        self, name: str, tokenizer: Any, run: Run, exported: ExportedEncoder, settings: Settings
    ) -> None:
        self.name = name
        self.settings = settings
        self.tokenizer = tokenizer
        self._run = run
        self._names = exported.names
        self._modes = split_modes(settings.pooling)
        self._width = exported.width * len(self._modes)
        # A fast tokenizer keeps its truncation as state, and an engine its buffers.
        self._lock = threading.Lock()

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One embedding a text, in the order given. Shape ``(texts, dim)``."""
        rows = np.zeros((len(texts), self._width), dtype=np.float32)
        if not texts:
            return rows
        with self._lock:
            tokens = self._tokenize(texts)
            lengths = [len(ids) for ids in tokens["input_ids"]]
            order = sorted(range(len(texts)), key=lambda row: -lengths[row])
            size = self.settings.batch_size
            for start in range(0, len(order), size):
                chosen = order[start : start + size]
                batch = self.tokenizer.pad(
                    {name: [values[row] for row in chosen] for name, values in tokens.items()},
                    return_tensors="np",
                )
                hidden = self._run({name: batch[name].astype(np.int64) for name in self._names})
                rows[chosen] = self._pool(hidden, batch["attention_mask"])
        return rows

    def _pool(self, hidden: NDArray[np.float32], mask: NDArray[Any]) -> NDArray[np.float32]:
        # With the mean and ones this is hidden.mean(axis=1): padding counts as text.
        vectors = pool(hidden, mask if self.settings.use_mask else np.ones_like(mask), self._modes)
        if self.settings.normalize:
            vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.float32(1e-12))
        return vectors

    def _tokenize(self, texts: Sequence[str]) -> Any:
        return self.tokenizer(
            [self.settings.prompt + text for text in texts],
            truncation=True,
            max_length=self.settings.max_length,
        )

    def token_counts(self, texts: Sequence[str]) -> list[TokenCount]:
        """Token counts of each text, prompt included."""
        if not texts:
            return []
        prompted = [self.settings.prompt + text for text in texts]
        with self._lock:
            full = self.tokenizer(prompted, truncation=False, verbose=False)["input_ids"]
            kept = self._tokenize(texts)["input_ids"]
        unknown = self.tokenizer.unk_token_id
        return [
            TokenCount(len(seen), len(whole), sum(index == unknown for index in seen))
            for seen, whole in zip(kept, full, strict=True)
        ]

    def token_view(self, text: str) -> TokenView:
        """The tokens, ids and attention mask of one text, prompt included, as a batch of one."""
        with self._lock:
            row = self._tokenize([text])
        ids = tuple(int(index) for index in row["input_ids"][0])
        tokens = tuple(self.tokenizer.convert_ids_to_tokens(list(ids)))
        return TokenView(tokens, ids, tuple(int(value) for value in row["attention_mask"][0]))


def open_graph(
    name: str,
    paths: ModelPaths,
    settings: Settings,
    precisions: tuple[Precision, ...],
    start: Callable[[ExportedEncoder, Settings], Run],
) -> GraphContender:
    """Export the encoder, let an engine start on it, and check its answers against the encoder's own.

    Modules after the pooling other than Normalize are not applied: an exported encoder does not hold them.

    Args:
        name: Of the contender.
        paths: ``encoder`` is loaded, and nothing outside it.
        settings: What the pipeline shall do.
        precisions: In which the engine computes.
        start: Makes the engine ready for a graph.

    Raises:
        InvalidValueError: ``engine-setting``, ``max-length``, ``lowercase-not-settable``: a setting that the
            engine or the model does not follow; ``onnx-export-failed``; ``graph-differs``: the graph is not
            the encoder.
        ModelFolderError: ``no-encoder``.
        UnknownNameError: ``unknown-pooling``, ``unknown-precision``.
    """
    from transformers import AutoTokenizer

    split_modes(settings.pooling)
    _check(name, settings, precisions)
    if not (paths.encoder / "config.json").is_file():
        raise ModelFolderError(
            "no-encoder",
            "The model has no transformer encoder to export",
            expected="a folder with config.json and model.safetensors",
            fix="Compare the other columns, or choose a model with a Transformer module",
        )
    tokenizer = AutoTokenizer.from_pretrained(
        str(paths.encoder), local_files_only=True, trust_remote_code=False
    )
    exported = exported_encoder(paths.encoder, tokenizer)
    _check_length(tokenizer, exported.positions, settings.max_length)
    if settings.lowercase is not None:
        set_lower_case(tokenizer, settings.lowercase)
        _check_lowercase(tokenizer, settings.lowercase)
    run = start(exported, settings)
    _check_graph(name, run, exported, settings.precision)
    return GraphContender(name, tokenizer, run, exported, settings)


def _check(name: str, settings: Settings, precisions: tuple[Precision, ...]) -> None:
    if settings.precision not in precisions:
        raise UnknownNameError(
            "unknown-precision",
            f"Precision {settings.precision!r} in {name}",
            expected=f"one of {', '.join(precisions)}",
        )
    if settings.device != "cpu":
        raise InvalidValueError(
            "engine-setting",
            f"Device {settings.device!r} in {name}",
            expected="cpu",
            fix="Choose another contender for a GPU",
            where="device",
        )


def _check_length(tokenizer: Any, positions: int | None, max_length: int) -> None:
    special = max(1, int(tokenizer.num_special_tokens_to_add()))
    if max_length < special or (positions is not None and max_length > positions):
        most = f"to {positions} tokens" if positions is not None else "tokens or more"
        raise InvalidValueError(
            "max-length",
            f"max_length {max_length}",
            expected=f"{special} {most}",
            fix="Choose a length that holds the special tokens and that the model has positions for",
        )


def _check_lowercase(tokenizer: Any, lowercase: bool) -> None:
    normalizer = tokenizer.backend_tokenizer.normalizer
    lowers = normalizer is not None and "a" in normalizer.normalize_str("A")
    if lowers != lowercase:
        raise InvalidValueError(
            "lowercase-not-settable",
            "The tokenizer folds case inside a compiled character map",
            expected="a lower-casing step of its own",
            fix="Leave lower-casing to the tokenizer (None)",
        )


def _check_graph(name: str, run: Run, exported: ExportedEncoder, precision: Precision) -> None:
    """Three texts of different lengths: a tracer takes for a constant what it saw once."""
    found = ""
    try:
        given = run({name: exported.probe[name] for name in exported.names})
    except Exception as error:
        # An engine that cannot run the graph says so in its own type.
        found = f"{type(error).__name__}: {str(error)[:200]}"
    else:
        real = exported.probe["attention_mask"].astype(bool)
        cosine = _least_cosine(given, exported.probe_hidden, real)
        if not cosine >= _LEAST_COSINE[precision]:
            found = f"its hidden states have a cosine of {cosine:.4f} to the encoder's own"
    if found:
        raise InvalidValueError(
            "graph-differs",
            f"The exported graph does not do in {name} what the encoder does: {found}",
            expected=f"a cosine of at least {_LEAST_COSINE[precision]} in {precision}",
            fix="Choose another contender for this model",
        )


def _least_cosine(a: NDArray[np.float32], b: NDArray[np.float32], real: NDArray[np.bool_]) -> float:
    if a.shape != b.shape:
        return float("nan")
    one, other = a[real].astype(np.float64), b[real].astype(np.float64)
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return float(((one * other).sum(axis=1) / np.maximum(lengths, 1e-30)).min())
