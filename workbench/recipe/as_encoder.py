"""A model in training, whichever library trains it, in the shape that the evaluators take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from workbench.contenders.train_contract import Encodes
from workbench.sentence_transformer import SentenceTransformer


class AsEncoder:
    """Encodes with one model and compares as another states: the prompts and the similarity of ``like``.

    Args:
        model: What encodes.
        like: The model that the training began from.
    """

    def __init__(self, model: Encodes, like: SentenceTransformer) -> None:
        self._model = model
        self._like = like

    @property
    def similarity_fn_name(self) -> Any:
        """As the model states it that the training began from."""
        return self._like.similarity_fn_name

    def encode(self, texts: Sequence[str], **options: Any) -> Any:
        """Embed texts with the default prompt, where there is one. Shape ``(texts, dim)``."""
        return self._encode(texts, self._like.default_prompt_name, options)

    def encode_query(self, texts: Sequence[str], **options: Any) -> Any:
        """Embed queries."""
        return self._encode(texts, self._first("query"), options)

    def encode_document(self, texts: Sequence[str], **options: Any) -> Any:
        """Embed documents."""
        return self._encode(texts, self._first("document", "passage", "corpus"), options)

    def similarity(self, embeddings1: Any, embeddings2: Any) -> Tensor:
        """Similarity of all pairs. Shape ``(n, m)``."""
        return self._like.similarity(embeddings1, embeddings2)

    def _first(self, *names: str) -> str | None:
        known = [name for name in names if name in self._like.prompts]
        return known[0] if known else self._like.default_prompt_name

    def _encode(self, texts: Sequence[str], prompt_name: str | None, options: dict[str, Any]) -> Any:
        named = options.get("prompt_name") or prompt_name
        prompt = options.get("prompt")
        if prompt is None:
            prompt = self._like.prompts[named] if named is not None else ""
        rows: Any = self._model.encode([prompt + text for text in texts])
        if options.get("normalize_embeddings"):
            rows = torch.nn.functional.normalize(torch.from_numpy(rows), dim=1).numpy()
        return torch.from_numpy(rows) if options.get("convert_to_tensor") else rows
