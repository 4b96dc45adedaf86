"""A model without an encoder: the mean of one trained vector a token."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import Tensor, nn

from workbench.errors import InvalidTypeError, InvalidValueError, ModelFolderError, ShapeMismatchError
from workbench.models.module_checks import MAX_SIZE, read_feature
from workbench.models.protocols import Features, Tokenized
from workbench.persistence.json_reader import read_json
from workbench.persistence.weights import load_tensors, refuse_non_finite

_WHERE = "StaticEmbedding"
_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64, np.float16, np.float32, np.float64)
_OWN_NAMES = {"embedding.weight"}
_MODEL2VEC_NAMES = {"embeddings", "mapping", "weights"}


class StaticEmbedding(nn.Module):
    """Turn texts into ids without special tokens, and average the vectors of each text's ids.

    Args:
        tokenizer: A fast tokenizer, of ``tokenizers`` or of Transformers; it is copied. Its truncation is
            kept, its padding is not.
        embedding_weights: First value of the vectors, copied, in its own type. Shape ``(ids, dim)``.
        embedding_dim: Length of a vector, 1 to 8192, where there are no weights: they are drawn at random.

    Raises:
        InvalidTypeError: A tokenizer that is not fast, or weights that are no floats.
        InvalidValueError: Neither weights nor a dimension, or one out of range.
        ShapeMismatchError: Weights with too few rows for the vocabulary, or another dimension.

    Source: sentence-transformers' ``StaticEmbedding``, whose folder has no config.json; a text without a
    token gives zeros.
    """

    legacy_type: ClassVar[str] = "sentence_transformers.models.StaticEmbedding"

    def __init__(
        self,
        tokenizer: Any,
        embedding_weights: NDArray[Any] | Tensor | None = None,
        embedding_dim: int | None = None,
    ) -> None:
        super().__init__()
        self.tokenizer, self._unknown_id = _copied(tokenizer)
        ids = max(self.tokenizer.get_vocab().values(), default=-1) + 1
        if embedding_weights is not None:
            weights = _checked_weights(embedding_weights, ids, embedding_dim)
            self.embedding = nn.EmbeddingBag.from_pretrained(weights, freeze=False)
            return
        if isinstance(embedding_dim, bool) or not isinstance(embedding_dim, int | None):
            came = f"embedding_dim is {embedding_dim!r}"
            raise InvalidTypeError("argument-type", came, expected="an integer", where=_WHERE)
        if embedding_dim is None or not 1 <= embedding_dim <= MAX_SIZE:
            raise InvalidValueError(
                "embedding-size",
                f"embedding_dim is {embedding_dim}, and there are no embedding_weights",
                expected=f"weights, or a dimension from 1 to {MAX_SIZE}",
                where=_WHERE,
            )
        self.embedding = nn.EmbeddingBag(ids, embedding_dim)

    @classmethod
    def from_tensors(cls, tokenizer: Any, tensors: Mapping[str, Tensor]) -> Self:
        """Build the module from the tensors of a weights file.

        Args:
            tokenizer: As in the constructor.
            tensors: ``embedding.weight``; or model2vec's ``embeddings``, with ``mapping`` and ``weights``
                where its vocabulary was quantised.

        Raises:
            ModelFolderError: Other tensors.
        """
        names = set(tensors)
        if names == _OWN_NAMES:
            return cls(tokenizer, tensors["embedding.weight"])
        if "embeddings" in names and names <= _MODEL2VEC_NAMES:
            rows = one_row_an_id(tensors["embeddings"], tensors.get("mapping"), tensors.get("weights"))
            return cls(tokenizer, rows)
        raise ModelFolderError(
            "weights-names",
            f"The tensors {sorted(names)[:8]}",
            expected="embedding.weight alone, or model2vec's embeddings, mapping and weights",
            fix="Take the weights from a StaticEmbedding model",
            where="model.safetensors",
        )

    @classmethod
    def from_folder(cls, folder: Path) -> Self:
        """Build the module from ``tokenizer.json`` and ``model.safetensors`` of an admitted folder.

        Raises:
            ModelFolderError: A file is missing, damaged, or holds something else.
        """
        path = folder / "tokenizer.json"
        read_json(path)
        tensors = load_tensors(folder)
        refuse_non_finite(tensors, "model.safetensors")
        try:
            tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # The library raises no narrower class.
            raise ModelFolderError(
                "tokenizer-invalid",
                f"The tokenizer could not be built: {str(error)[:300]}",
                fix="Take the tokenizer file from the original model",
                where="tokenizer.json",
            ) from error
        return cls.from_tensors(tokenizer, tensors)

    def save_files(self, folder: Path) -> None:
        """Write ``model.safetensors`` and ``tokenizer.json`` into an existing folder."""
        weights = self.embedding.weight.detach().cpu().contiguous()
        save_file({"embedding.weight": weights}, folder / "model.safetensors", metadata={"format": "pt"})
        self.tokenizer.save(str(folder / "tokenizer.json"))

    def get_config(self) -> dict[str, Any]:
        """Give what config.json holds: nothing, the two files of ``save_files`` say it all."""
        return {}

    def get_sentence_embedding_dimension(self) -> int:
        """Length of an embedding."""
        return self.embedding.embedding_dim

    @property
    def max_seq_length(self) -> int | None:
        """Longest input in tokens, as the tokenizer's truncation says; None without one."""
        truncation = self.tokenizer.truncation
        return None if truncation is None else int(truncation["max_length"])

    @max_seq_length.setter
    def max_seq_length(self, value: int | None) -> None:
        if value is None:
            self.tokenizer.no_truncation()
            return
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise InvalidValueError(
                "max-length-out-of-range",
                f"max_seq_length is {value!r}",
                expected="an integer from 1, or None for no limit",
                where=_WHERE,
            )
        direction = (self.tokenizer.truncation or {}).get("direction", "right")
        self.tokenizer.enable_truncation(value, direction=direction)

    def tokenize_texts(self, texts: Sequence[str]) -> list[Tokenized]:
        """Ids of each text, cut at ``max_seq_length``, without special tokens.

        Raises:
            InvalidTypeError: Something that is not a text, or a text that is not valid Unicode.
        """
        _check_texts(texts)
        stride = (self.tokenizer.truncation or {}).get("stride", 0)
        encodings = self.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [self._kept(encoding, stride) for encoding in encodings]

    def collate(self, batch: Sequence[Tokenized]) -> dict[str, Tensor]:
        """Join the ids of a batch without padding.

        Returns:
            ``input_ids``, shape ``(tokens of all texts,)``, and ``offsets``, shape ``(batch,)``: where in it
            each text begins.
        """
        ids = [token for text in batch for token in text.inputs["input_ids"]]
        lengths = torch.tensor([text.length for text in batch], dtype=torch.long)
        return {
            "input_ids": torch.tensor(ids, dtype=torch.long),
            "offsets": lengths.cumsum(0) - lengths,
        }

    def tokenize(self, texts: Sequence[str]) -> dict[str, Tensor]:
        """The batch of some texts, as the forward pass takes it."""
        return self.collate(self.tokenize_texts(texts))

    def forward(self, features: Features) -> Features:
        """Set ``sentence_embedding``, shape ``(batch, dim)``, from ``input_ids`` and ``offsets``.

        Raises:
            UnknownNameError: One of them is missing.
        """
        ids = read_feature(features, "input_ids", _WHERE)
        features["sentence_embedding"] = self.embedding(ids, read_feature(features, "offsets", _WHERE))
        return features

    def _kept(self, encoding: Any, stride: int) -> Tokenized:
        ids = encoding.ids
        # What was cut off comes in parts; each repeats the last ``stride`` tokens of the part before.
        rest = sum(len(part.ids) - stride for part in encoding.overflowing)
        unknown = 0 if self._unknown_id is None else ids.count(self._unknown_id)
        return Tokenized(inputs={"input_ids": ids}, full_length=len(ids) + rest, unknown=unknown)


def one_row_an_id(embeddings: Tensor, mapping: Tensor | None, weights: Tensor | None) -> Tensor:
    """Unfold model2vec's quantised vocabulary: row i is ``weights[i] · embeddings[mapping[i]]``.

    Args:
        embeddings: Shape ``(rows, dim)``.
        mapping: Row of each id, or None where row i belongs to id i. Shape ``(ids,)``.
        weights: Factor of each id, or None. Shape ``(ids,)``.

    Returns:
        Shape ``(ids, dim)``; at least float32 where there are weights, else the type of ``embeddings``.

    Raises:
        ShapeMismatchError: The three do not fit each other, or the mapping names a row that is not there.
    """
    rows = embeddings
    if mapping is not None:
        if mapping.dim() != 1 or mapping.is_floating_point():
            came = f"A mapping of shape {tuple(mapping.shape)}, type {mapping.dtype}"
            raise _misfit("model2vec-mapping", came, "one integer an id")
        if mapping.numel() and not 0 <= int(mapping.min()) <= int(mapping.max()) < len(embeddings):
            came = f"A mapping to rows {int(mapping.min())} to {int(mapping.max())}"
            raise _misfit("model2vec-mapping", came, f"rows from 0 to {len(embeddings) - 1}")
        rows = embeddings[mapping.long()]
    if weights is None:
        return rows
    if tuple(weights.shape) != tuple(rows.shape[:1]):
        came = f"Weights of shape {tuple(weights.shape)}"
        raise _misfit("model2vec-weights", came, f"({len(rows)},), one an id")
    dtype = torch.promote_types(rows.dtype, torch.float32)
    return (rows.to(dtype) * weights.unsqueeze(1)).to(dtype)


def _misfit(code: str, came: str, expected: str) -> ShapeMismatchError:
    fix = "Take tokenizer and weights from the same model"
    return ShapeMismatchError(code, came, expected=expected, fix=fix, where=_WHERE)


def _copied(tokenizer: Any) -> tuple[Tokenizer, int | None]:
    # A copy: switching padding off must not show in the caller's tokenizer.
    backend = getattr(tokenizer, "backend_tokenizer", tokenizer)
    if not isinstance(backend, Tokenizer):
        raise InvalidTypeError(
            "tokenizer-not-fast",
            f"The tokenizer is a {type(tokenizer).__name__}",
            expected="a tokenizers.Tokenizer or a fast tokenizer of Transformers",
            fix="Load it with Tokenizer.from_file or AutoTokenizer",
            where=_WHERE,
        )
    try:
        text = backend.to_str()
    except Exception as error:  # The library raises no narrower class.
        raise InvalidTypeError(
            "tokenizer-not-savable",
            f"The tokenizer cannot be written: {error}",
            expected="one without steps written in Python",
            where=_WHERE,
        ) from error
    copy = Tokenizer.from_str(text)
    copy.no_padding()
    model = json.loads(text)["model"]
    # Unigram models state an id, the others a token.
    unknown = model["unk_id"] if "unk_id" in model else copy.token_to_id(model.get("unk_token") or "")
    return copy, unknown


def _checked_weights(values: NDArray[Any] | Tensor, ids: int, dim: int | None) -> Tensor:
    if not isinstance(values, Tensor | np.ndarray) or values.dtype not in _FLOATS:
        raise InvalidTypeError(
            "embedding-weights-type",
            f"embedding_weights is a {type(values).__name__} of type {getattr(values, 'dtype', 'unknown')}",
            expected="a tensor or an array of floats",
            fix="Convert quantised weights to float32",
            where=_WHERE,
        )
    # A copy: training must not write into the caller's array.
    weights = values.detach().clone() if isinstance(values, Tensor) else torch.from_numpy(values.copy())
    fits = weights.dim() == 2 and len(weights) >= ids and 1 <= weights.shape[1] <= MAX_SIZE
    if not fits or (dim is not None and weights.shape[1] != dim):
        came = f"embedding_weights of shape {tuple(weights.shape)}"
        expected = f"({ids} or more, {dim or f'1 to {MAX_SIZE}'}), a row for each id of the tokenizer"
        raise _misfit("embedding-weights-shape", came, expected)
    return weights


def _check_texts(texts: Sequence[Any]) -> None:
    if isinstance(texts, str):
        raise InvalidTypeError(
            "texts-type", "One text came", expected="a list of texts", fix="Put it in a list", where=_WHERE
        )
    for index, text in enumerate(texts):
        if not isinstance(text, str):
            came = f"Text {index} is a {type(text).__name__}"
            raise InvalidTypeError("text-type", came, expected="a string", where=_WHERE)
        # Only a text that is not ASCII can hold half of a surrogate pair.
        if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
            came = f"Text {index} holds half of a surrogate pair"
            fix = "Decode the text with errors='replace'"
            raise InvalidTypeError("text-not-unicode", came, expected="valid Unicode", fix=fix, where=_WHERE)
