"""The sentence-transformers pipeline around one model, with every setting stated instead of left to it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.contenders.contract import ModelPaths, Settings, TokenCount, TokenView
from workbench.errors import InvalidValueError, UnknownNameError


class UpstreamContender:
    """A loaded ``SentenceTransformer`` that does what ``settings`` say."""

    def __init__(self, model: Any, settings: Settings) -> None:
        self.name = "upstream"
        self.settings = settings
        self.model = model
        # A fast tokenizer keeps its truncation and padding as state: two threads must not share a call.
        self._lock = threading.Lock()

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One embedding a text, in the order given. Shape ``(texts, dim)``."""
        if not texts:
            return np.zeros((0, int(self.model.get_embedding_dimension())), dtype=np.float32)
        with self._lock, _threads(self.settings.threads):
            embeddings = self.model.encode(
                list(texts),
                prompt=self.settings.prompt,
                batch_size=self.settings.batch_size,
                show_progress_bar=False,
                convert_to_numpy=True,
                device=self.settings.device,
            )
        return np.asarray(embeddings, dtype=np.float32)

    def token_counts(self, texts: Sequence[str]) -> list[TokenCount]:
        """Token counts of each text, prompt included."""
        from workbench.contenders.upstream.tokens import token_ids, unknown_id

        if not texts:
            return []
        prompted = [self.settings.prompt + text for text in texts]
        with self._lock:
            full = token_ids(self.model.tokenizer, prompted, None)
            kept = token_ids(self.model.tokenizer, prompted, self.settings.max_length)
        unknown = unknown_id(self.model.tokenizer)
        return [
            TokenCount(kept=len(seen), full=len(whole), unknown=sum(index == unknown for index in seen))
            for seen, whole in zip(kept, full, strict=True)
        ]

    def token_view(self, text: str) -> TokenView:
        """The tokens, ids and attention mask of one text, prompt included, as a batch of one."""
        from workbench.contenders.upstream.tokens import tokens_of

        with self._lock:
            features = self.model.preprocess([text], prompt=self.settings.prompt)
        ids = [int(index) for index in features["input_ids"].flatten()]
        mask = features.get("attention_mask")
        ones = (1,) * len(ids)
        return TokenView(
            tokens_of(self.model.tokenizer, ids),
            tuple(ids),
            ones if mask is None else tuple(int(value) for value in mask.flatten()),
        )


def open_upstream(paths: ModelPaths, settings: Settings) -> UpstreamContender:
    """Load the folder with sentence-transformers and make the result follow ``settings`` in full.

    With the settings that the folder itself implies, no module is changed, and the embeddings are those
    of plain ``SentenceTransformer(folder).encode(texts)``, bit for bit.

    Args:
        paths: ``root`` is loaded, and nothing outside it.
        settings: What the pipeline shall do.

    Raises:
        InvalidValueError: A setting that this model or this machine cannot honour.
        UnknownNameError: An unknown pooling mode or precision.
    """
    import torch
    from sentence_transformers import SentenceTransformer

    from workbench.contenders.upstream.lowercase import set_lowercase
    from workbench.contenders.upstream.modules import with_normalize, with_pooling
    from workbench.contenders.upstream.tokens import limit_length

    _check_device(settings.device, torch.cuda.is_available())
    model = SentenceTransformer(
        str(paths.root),
        device=settings.device,
        trust_remote_code=False,
        local_files_only=True,
        model_kwargs={"use_safetensors": True, "dtype": _dtype(settings.precision)},
    )
    modules = with_pooling(list(model), settings.pooling, settings.use_mask)
    modules = with_normalize(modules, settings.normalize)
    if modules != list(model):
        model = SentenceTransformer(modules=modules, device=settings.device, truncate_dim=model.truncate_dim)
    if settings.lowercase is not None:
        set_lowercase(model.tokenizer, settings.lowercase)
    limit_length(model.tokenizer, settings.max_length, _positions(model[0]))
    model.eval()
    return UpstreamContender(model, settings)


def _dtype(precision: str) -> Any:
    import torch

    table = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
    if precision not in table:
        raise UnknownNameError(
            "unknown-precision", f"Precision {precision!r}", expected=f"one of {', '.join(table)}"
        )
    return table[precision]


def _check_device(device: str, has_cuda: bool) -> None:
    if device.startswith("cuda") and not has_cuda:
        raise InvalidValueError(
            "device-missing",
            f"Device {device!r} was asked for, and torch finds no CUDA GPU on this machine",
            expected="cpu",
            fix="Choose the CPU, or install a CUDA build of torch on a machine with a GPU",
        )


def _positions(transformer: Any) -> int | None:
    """Longest input of the encoder in tokens; None where its positions are relative."""
    positions = getattr(getattr(transformer, "config", None), "max_position_embeddings", None)
    if not isinstance(positions, int) or positions < 1:
        return None
    table = getattr(getattr(transformer.auto_model, "embeddings", None), "position_embeddings", None)
    padding = getattr(table, "padding_idx", None)
    # RoBERTa and its kin count positions from the padding index + 1.
    return positions - padding - 1 if isinstance(padding, int) else positions


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Give torch ``count`` intra-op threads for one call, then what it had before."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
