"""Embeddings from Transformers' AutoTokenizer and AutoModel, pooled by hand: what careful people write.

It shares no code with the pipelines it is compared with: a reference that does proves nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench.contenders.contract import ModelPaths, Settings, TokenCount, TokenView
from workbench.errors import InvalidValueError, ModelFolderError, UnknownNameError

if TYPE_CHECKING:
    from torch import Tensor

    from workbench.contenders.manual.pipeline import ManualPipeline


class ManualContender:
    """A tokenizer, an encoder, and pooling in plain torch.

    Batches are filled in the order of the texts' lengths, longest first, and the rows are put back into
    the order given: without it a comparison of speed would be against a straw man.
    """

    def __init__(self, tokenizer: Any, model: Any, modes: tuple[str, ...], settings: Settings) -> None:
        self.name = "manual"
        self.settings = settings
        self.tokenizer = tokenizer
        self.model = model
        self._modes = modes
        # A fast tokenizer keeps its truncation and padding as state: two threads must not share a call.
        self._lock = threading.Lock()

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One embedding a text, in the order given. Shape ``(texts, dim)``."""
        if not texts:
            width = int(self.model.config.hidden_size) * len(self._modes)
            return np.zeros((0, width), dtype=np.float32)
        pipeline = self.pipeline()
        with self.exclusively():
            rows: NDArray[np.float32] = pipeline.run(texts).numpy()
        return rows

    @contextmanager
    def exclusively(self) -> Iterator[None]:
        """Hold the tokenizer and the thread count of the settings."""
        with self._lock, _threads(self.settings.threads):
            yield

    def pipeline(self) -> ManualPipeline:
        """The steps that ``encode`` runs."""
        from workbench.contenders.manual.pipeline import ManualPipeline, to_unit_length

        return ManualPipeline(
            tokenizer=self.tokenizer,
            encoder=self.model,
            tokenize=self._tokenize,
            pool=self._pool,
            prepare=self._prompted,
            modules=(("Normalize", to_unit_length),) if self.settings.normalize else (),
            batch_size=self.settings.batch_size,
            device=self.settings.device,
        )

    def _tokenize(self, tokenizer: Any, texts: list[str]) -> Any:
        return tokenizer(
            texts,
            padding=True,
            truncation=True,
            max_length=self.settings.max_length,
            return_tensors="pt",
        )

    def _pool(self, outputs: Any, hidden: Tensor, batch: Any) -> Tensor:
        import torch

        from workbench.contenders.manual.pooling import pool

        mask = batch["attention_mask"]
        if not self.settings.use_mask:
            # With the mean this is last_hidden_state.mean(dim=1): padding counts as text.
            mask = torch.ones_like(mask)
        return pool(hidden, mask, self._modes)

    def token_counts(self, texts: Sequence[str]) -> list[TokenCount]:
        """Token counts of each text, prompt included."""
        if not texts:
            return []
        prompted = self._prompted(texts)
        with self._lock:
            full = self.tokenizer(prompted, truncation=False, verbose=False)["input_ids"]
            kept = self.tokenizer(prompted, truncation=True, max_length=self.settings.max_length)["input_ids"]
        unknown = self.tokenizer.unk_token_id
        return [
            TokenCount(kept=len(seen), full=len(whole), unknown=sum(index == unknown for index in seen))
            for seen, whole in zip(kept, full, strict=True)
        ]

    def token_view(self, text: str) -> TokenView:
        """The tokens, ids and attention mask of one text, prompt included, as a batch of one."""
        with self._lock:
            row = self.tokenizer(
                self._prompted([text])[0], truncation=True, max_length=self.settings.max_length
            )
        ids = tuple(int(index) for index in row["input_ids"])
        tokens = tuple(self.tokenizer.convert_ids_to_tokens(list(ids)))
        return TokenView(tokens, ids, tuple(int(value) for value in row["attention_mask"]))

    def _prompted(self, texts: Sequence[str]) -> list[str]:
        return [self.settings.prompt + text for text in texts]


def open_manual(paths: ModelPaths, settings: Settings) -> ManualContender:
    """Load tokenizer and encoder with transformers.

    Modules after the pooling other than Normalize, a Dense layer for one, are not applied: the manual
    recipe does not know them, which is one of the ways in which it parts from the others.

    Args:
        paths: ``encoder`` is loaded, and nothing outside it.
        settings: What the pipeline shall do.

    Raises:
        InvalidValueError: A setting that this model or this machine cannot honour.
        ModelFolderError: The folder holds no transformer encoder.
        UnknownNameError: An unknown pooling mode or precision.
    """
    import torch
    from transformers import AutoModel, AutoTokenizer

    from workbench.contenders.manual.pooling import split_modes

    modes = split_modes(settings.pooling)
    _check_device(settings.device, torch.cuda.is_available())
    dtype = _dtype(settings.precision)
    if not (paths.encoder / "config.json").is_file():
        raise ModelFolderError(
            "no-encoder",
            "The model has no transformer encoder to take hidden states from",
            expected="a folder with config.json and model.safetensors",
            fix="Compare the other columns, or choose a model with a Transformer module",
        )
    folder = str(paths.encoder)
    lower = {} if settings.lowercase is None else {"do_lower_case": settings.lowercase}
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False, **lower)
    model = AutoModel.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False, use_safetensors=True, dtype=dtype
    )
    _check_lowercase(tokenizer, settings.lowercase)
    _check_length(tokenizer, model, settings.max_length)
    model.eval().to(settings.device)
    return ManualContender(tokenizer, model, modes, settings)


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


def _check_lowercase(tokenizer: Any, lowercase: bool | None) -> None:
    """``do_lower_case`` is taken by every tokenizer and obeyed by few: look at what happened."""
    if lowercase is None:
        return
    normalizer = tokenizer.backend_tokenizer.normalizer
    lowers = normalizer is not None and "a" in normalizer.normalize_str("A")
    if lowers != lowercase:
        raise InvalidValueError(
            "lowercase-not-settable",
            f"do_lower_case={lowercase} has no effect on {type(tokenizer).__name__}",
            expected="a tokenizer that obeys do_lower_case, such as BERT's",
            fix="Leave lower-casing to the tokenizer (None) in this column",
        )


def _check_length(tokenizer: Any, model: Any, max_length: int) -> None:
    special = max(1, int(tokenizer.num_special_tokens_to_add()))
    positions = getattr(model.config, "max_position_embeddings", None)
    if not isinstance(positions, int) or positions < 1:
        positions = None
    table = getattr(getattr(model, "embeddings", None), "position_embeddings", None)
    padding = getattr(table, "padding_idx", None)
    if positions is not None and isinstance(padding, int):
        # RoBERTa and its kin count positions from the padding index + 1.
        positions -= padding + 1
    if max_length < special or (positions is not None and max_length > positions):
        # Below the special tokens a tokenizer would, without a word, not cut at all.
        most = f"to {positions} tokens" if positions is not None else "tokens or more"
        raise InvalidValueError(
            "max-length",
            f"max_length {max_length}",
            expected=f"{special} {most}",
            fix="Choose a length that holds the special tokens and that the model has positions for",
        )


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
