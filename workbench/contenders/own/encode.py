"""This package's own pipeline as a contender."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from workbench.contenders.contract import ModelPaths, Settings, TokenCount, TokenView
from workbench.contenders.instruments import torch_threads
from workbench.errors import InvalidValueError
from workbench.models.folder import load_modules
from workbench.models.normalize import Normalize
from workbench.models.pooling import Pooling
from workbench.models.tokenizer import set_lower_case
from workbench.models.transformer import Transformer
from workbench.sentence_transformer import SentenceTransformer

# int8 is a way to multiply the weights of float32.
_DTYPES = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
    "int8": torch.float32,
}


class _IgnoreMask(nn.Module):
    """Pools over padding too: the fault that ``use_mask=False`` asks for."""

    def forward(self, features: dict[str, Any]) -> dict[str, Any]:
        features["attention_mask"] = torch.ones_like(features["attention_mask"])
        return features


class OwnContender:
    """``workbench.SentenceTransformer`` made to follow stated settings."""

    name = "own"

    def __init__(self, model: SentenceTransformer, settings: Settings) -> None:
        self.settings = settings
        self.model = model

    @contextmanager
    def exclusively(self) -> Iterator[None]:
        """The thread count of the settings."""
        with torch_threads(self.settings.threads):
            yield

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One embedding a text. Shape ``(texts, dim)``."""
        with torch_threads(self.settings.threads):
            rows = self.model.encode(
                list(texts),
                prompt=self.settings.prompt,
                batch_size=self.settings.batch_size,
                show_progress_bar=False,
                compute="int8" if self.settings.precision == "int8" else "float32",
            )
        return np.asarray(rows, dtype=np.float32)

    def token_counts(self, texts: Sequence[str]) -> list[TokenCount]:
        """Token counts of each text, prompt included."""
        first: Any = self.model[0]
        tokenized = first.tokenize_texts([self.settings.prompt + text for text in texts])
        return [TokenCount(item.length, item.full_length, item.unknown) for item in tokenized]

    def token_view(self, text: str) -> TokenView:
        """The tokens of one text as a batch of one."""
        first: Any = self.model[0]
        ids = list(first.tokenize_texts([self.settings.prompt + text])[0].inputs["input_ids"])
        # A static embedding holds the bare tokenizer, an encoder a wrapper around one.
        backend = first.backend_tokenizer if isinstance(first, Transformer) else first.tokenizer
        tokens = tuple(str(backend.id_to_token(index)) for index in ids)
        return TokenView(tokens, tuple(ids), (1,) * len(ids))


def open_own(paths: ModelPaths, settings: Settings) -> OwnContender:
    """Load the admitted folder and make it follow ``settings``.

    Raises:
        InvalidValueError: A setting that this model cannot follow. int8 where the model or the device has no
            int8 is refused when it encodes.
    """
    loaded = load_modules(paths.root, _DTYPES[settings.precision])
    modules = [module for _, module in loaded.modules]
    first = modules[0]
    if isinstance(first, Transformer):
        first.max_seq_length = settings.max_length
        if settings.lowercase is not None:
            set_lower_case(first.tokenizer, settings.lowercase)
        modules = _follow_pooling(modules, settings)
    elif settings.pooling or not settings.use_mask or settings.lowercase is not None:
        raise InvalidValueError(
            "setting-not-supported",
            "A static embedding has no pooling, mask or casing to set",
            expected="pooling '', mask on, lower-casing as the tokenizer says",
        )
    has_normalize = any(isinstance(module, Normalize) for module in modules)
    if settings.normalize and not has_normalize:
        modules.append(Normalize())
    if not settings.normalize:
        modules = [module for module in modules if not isinstance(module, Normalize)]
    if _DTYPES[settings.precision] != torch.float32:
        modules = [modules[0], *(module.to(_DTYPES[settings.precision]) for module in modules[1:])]
    model = SentenceTransformer(modules=modules, device=settings.device)
    # The comparison counts what was cut, in every column alike.
    model.warn_truncated = False
    return OwnContender(model, settings)


def _follow_pooling(modules: list[nn.Module], settings: Settings) -> list[nn.Module]:
    out: list[nn.Module] = []
    for module in modules:
        if isinstance(module, Pooling):
            modes = settings.pooling.split("+")
            if "+".join(module.pooling_modes) != settings.pooling:
                dim = module.word_embedding_dimension
                module = Pooling(dim, pooling_mode=modes, include_prompt=module.include_prompt)
            if not settings.use_mask:
                out.append(_IgnoreMask())
        out.append(module)
    return out
