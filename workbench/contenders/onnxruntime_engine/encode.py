"""ONNX Runtime on the CPU as a contender: tokenised once, sorted by tokens, padded a batch at a time."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.contenders.contract import ModelPaths, Settings, TokenCount, TokenView
from workbench.errors import InvalidValueError

Hidden = NDArray[np.float32]
_POOLERS: Mapping[str, Callable[[Hidden, Hidden], Hidden]] = {
    "mean": lambda hidden, mask: (hidden * mask).sum(1) / np.maximum(mask.sum(1), 1e-9),
    "max": lambda hidden, mask: np.where(mask == 0, -np.inf, hidden).max(1),
}


class OnnxRuntimeContender:
    """A tokenizer and a session over the exported encoder."""

    name = "onnxruntime"

    def __init__(self, tokenizer: Any, session: Any, width: int, settings: Settings) -> None:
        self.settings = settings
        self._tokenizer = tokenizer
        self._session = session
        self._width = width
        # A fast tokenizer keeps its truncation as state: two threads must not share a call.
        self._lock = threading.Lock()

    @contextmanager
    def exclusively(self) -> Iterator[None]:
        """Hold the tokenizer; the session has its threads from its opening."""
        with self._lock:
            yield

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One embedding a text, in the order given. Shape ``(texts, dim)``."""
        rows = np.zeros((len(texts), self._width), dtype=np.float32)
        if not texts:
            return rows
        with self.exclusively():
            tokens = self._tokenize(texts)
            lengths = [len(ids) for ids in tokens["input_ids"]]
            order = sorted(range(len(texts)), key=lambda row: -lengths[row])
            size = self.settings.batch_size
            for start in range(0, len(order), size):
                chosen = order[start : start + size]
                batch = self._tokenizer.pad(
                    {name: [values[row] for row in chosen] for name, values in tokens.items()},
                    return_tensors="np",
                )
                feed = {one.name: batch[one.name].astype(np.int64) for one in self._session.get_inputs()}
                rows[chosen] = self._pool(self._session.run(["hidden"], feed)[0], batch["attention_mask"])
        return rows

    def _pool(self, hidden: Hidden, mask: NDArray[Any]) -> Hidden:
        weights = (mask if self.settings.use_mask else np.ones_like(mask))[..., None].astype(np.float32)
        vectors = _POOLERS[self.settings.pooling](hidden, weights)
        if self.settings.normalize:
            vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        return vectors

    def _tokenize(self, texts: Sequence[str]) -> Any:
        return self._tokenizer(
            [self.settings.prompt + text for text in texts],
            truncation=True,
            max_length=self.settings.max_length,
        )

    def token_counts(self, texts: Sequence[str]) -> list[TokenCount]:
        """Token counts of each text, prompt included."""
        if not texts:
            return []
        with self._lock:
            kept = self._tokenize(texts)["input_ids"]
            full = self._tokenizer([self.settings.prompt + text for text in texts], verbose=False)[
                "input_ids"
            ]
        unknown = self._tokenizer.unk_token_id
        return [
            TokenCount(len(seen), len(whole), sum(index == unknown for index in seen))
            for seen, whole in zip(kept, full, strict=True)
        ]

    def token_view(self, text: str) -> TokenView:
        """The tokens, ids and attention mask of one text, prompt included, as a batch of one."""
        with self._lock:
            row = self._tokenize([text])
        ids = tuple(int(index) for index in row["input_ids"][0])
        tokens = tuple(self._tokenizer.convert_ids_to_tokens(list(ids)))
        return TokenView(tokens, ids, tuple(int(value) for value in row["attention_mask"][0]))


def open_onnxruntime(paths: ModelPaths, settings: Settings) -> OnnxRuntimeContender:
    """Export the encoder in float32 and open a session on it.

    Raises:
        InvalidValueError: ``onnxruntime-setting``: a setting that this engine does not follow.
    """
    import onnxruntime
    from transformers import AutoModel, AutoTokenizer

    from workbench.contenders.onnxruntime_engine.export import export_encoder

    _check(settings)
    folder = str(paths.encoder)
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    model = AutoModel.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False, use_safetensors=True, dtype="float32"
    ).eval()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = settings.threads
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    names = tuple(name for name in tokenizer("a") if name in tokenizer.model_input_names)
    with tempfile.TemporaryDirectory() as temporary:
        target = Path(temporary) / "encoder.onnx"
        export_encoder(model, names, target)
        session = onnxruntime.InferenceSession(str(target), options, providers=["CPUExecutionProvider"])
    return OnnxRuntimeContender(tokenizer, session, int(model.config.hidden_size), settings)


def _check(settings: Settings) -> None:
    allowed: Mapping[str, tuple[Any, ...]] = {
        "pooling": tuple(_POOLERS),
        "precision": ("float32",),
        "device": ("cpu",),
        "lowercase": (None,),
    }
    for name, values in allowed.items():
        if getattr(settings, name) not in values:
            raise InvalidValueError(
                "onnxruntime-setting",
                f"{name} {getattr(settings, name)!r}",
                expected=f"one of {', '.join(map(repr, values))}",
                fix="Choose another contender for this setting",
            )
