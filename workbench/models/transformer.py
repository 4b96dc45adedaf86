"""The encoder module: texts to ids, ids to one vector a token."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from workbench.errors import InvalidValueError
from workbench.models import tokenizer as tokenizers_room
from workbench.models.architectures import architecture
from workbench.models.bare_tokenizer import BareTokenizer
from workbench.models.bert_tree import BertTree, load_bert_tree
from workbench.models.encoder import library_encoder, load_encoder
from workbench.models.protocols import Features, Tokenized
from workbench.models.transformer_config import TransformerConfig, read_transformer_config
from workbench.persistence.atomic import write_json
from workbench.persistence.checked_folder import admit
from workbench.persistence.json_reader import read_json

# Features that an encoder may take.
_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
_MODEL_ARGS = ("dtype", "torch_dtype", "attn_implementation")
_TOKENIZER_ARGS = ("padding_side", "truncation_side", "model_max_length")


class Transformer(nn.Module):
    """A Hugging Face encoder and its tokenizer.

    Args:
        model_name_or_path: The bundled name, a local folder, or a name on the Hub.
        max_seq_length: Longest input in tokens, special tokens included. By default what the folder says,
            at most what the encoder's positions allow.
        model_args: ``dtype`` (a torch dtype or its name) and ``attn_implementation``; nothing else.
        tokenizer_args: ``padding_side``, ``truncation_side``, ``model_max_length``; nothing else.
        do_lower_case: Lower-case every text before the tokenizer's own normaliser.
        revision: Commit, tag or branch on the Hub.
        token: Access token for the Hub; none is taken from the environment.
        local_files_only: Ask the cache, never the Hub.

    Raises:
        ModelFolderError: The folder is not admitted.
        InvalidValueError: An argument that is not in the lists above, or a length out of range.

    Source: sentence-transformers' ``models.Transformer``.
    """

    legacy_type: ClassVar[str] = "sentence_transformers.models.Transformer"

    def __init__(
        self,
        model_name_or_path: str | Path,
        max_seq_length: int | None = None,
        model_args: Mapping[str, Any] | None = None,
        tokenizer_args: Mapping[str, Any] | None = None,
        do_lower_case: bool = False,
        *,
        revision: str | None = None,
        token: str | None = None,
        local_files_only: bool = False,
    ) -> None:
        super().__init__()
        admitted = admit(
            model_name_or_path, revision=revision, token=token, local_files_only=local_files_only
        )
        stated = read_transformer_config(admitted.path)
        self._load(
            admitted.path,
            TransformerConfig(
                max_seq_length=stated.max_seq_length if max_seq_length is None else max_seq_length,
                do_lower_case=stated.do_lower_case or do_lower_case,
            ),
            _checked(model_args, _MODEL_ARGS, "model_args"),
            _checked(tokenizer_args, _TOKENIZER_ARGS, "tokenizer_args"),
        )

    @classmethod
    def from_folder(cls, folder: Path, config: TransformerConfig, dtype: torch.dtype = torch.float32) -> Self:
        """Load from an admitted folder with a config that was already checked."""
        module = cls.__new__(cls)
        nn.Module.__init__(module)
        module._load(folder, config, {"dtype": dtype}, {})
        return module

    def _load(
        self,
        folder: Path,
        config: TransformerConfig,
        model_args: dict[str, Any],
        tokenizer_args: dict[str, Any],
    ) -> None:
        dtype = _dtype(model_args.get("dtype", model_args.get("torch_dtype", torch.float32)))
        self._folder = folder
        bare = None if "attn_implementation" in model_args else load_bert_tree(folder, dtype)
        # Kept under the name by which everyone knows the encoder; the property of that name reads it.
        self._modules["auto_model"], self.notices = bare or load_encoder(folder, dtype)
        if "attn_implementation" in model_args:
            self.auto_model.set_attn_implementation(model_args["attn_implementation"])  # type: ignore[operator]
        self._tokenizer = tokenizers_room.open_tokenizer(folder, self._embedding_rows())
        for name, value in tokenizer_args.items():
            setattr(self._tokenizer, name, value)
        self.do_lower_case = config.do_lower_case
        if self.do_lower_case:
            tokenizers_room.lower_case_first(self._tokenizer)
        self.max_seq_length = (
            min(self._tokenizer.model_max_length, self.position_limit)
            if config.max_seq_length is None
            else config.max_seq_length
        )

    @property
    def auto_model(self) -> nn.Module:
        """The library's encoder. Its first use builds it, where ``encoder`` was a bare tree until then."""
        encoder = self.encoder
        if isinstance(encoder, BertTree):
            encoder = self._modules["auto_model"] = library_encoder(self._folder, encoder)
        return encoder

    @property
    def encoder(self) -> nn.Module:
        """The encoder as it stands: the library's, or the tree of its parameters that a packed pass needs."""
        found = self._modules["auto_model"]
        assert found is not None
        return found

    @property
    def max_seq_length(self) -> int:
        """Longest input in tokens, special tokens included."""
        return self._max_seq_length

    @max_seq_length.setter
    def max_seq_length(self, value: int) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= self.position_limit:
            raise InvalidValueError(
                "max-length-out-of-range",
                f"max_seq_length is {value!r}",
                expected=f"an integer from 1 to {self.position_limit}, the positions of this encoder",
                fix="Choose a smaller length, or an encoder with more positions",
            )
        special = self._tokenizer.num_special_tokens_to_add()
        if value <= special:
            raise InvalidValueError(
                "max-length-out-of-range",
                f"max_seq_length is {value}",
                expected=f"more than {special}, the special tokens of this tokenizer",
            )
        self._max_seq_length = value
        self._tokenizer.model_max_length = value

    @property
    def position_limit(self) -> int:
        """Most tokens that the encoder's positions allow."""
        config: Any = self.encoder.config
        reserved = architecture(config.model_type, "config.json").reserved_positions
        return int(config.max_position_embeddings) - reserved

    @property
    def tokenizer(self) -> Any:
        """The library's tokenizer. Its first use builds it, where the file's own was enough until then."""
        if isinstance(self._tokenizer, BareTokenizer):
            self._tokenizer = tokenizers_room.library_tokenizer(
                self._folder, self._embedding_rows(), self._tokenizer
            )
        return self._tokenizer

    def tokenize_texts(self, texts: Sequence[str]) -> list[Tokenized]:
        """Ids of each text, cut at ``max_seq_length``, not padded."""
        return tokenizers_room.tokenize_texts(self._tokenizer, texts, self.max_seq_length)

    def collate(self, batch: Sequence[Tokenized]) -> dict[str, Tensor]:
        """Pad a batch to its longest text. Each tensor has shape ``(batch, tokens)``."""
        width = max((item.length for item in batch), default=0)
        left = self._tokenizer.padding_side == "left"
        fills = {"input_ids": self._tokenizer.pad_token_id or 0, "token_type_ids": 0}
        out: dict[str, Tensor] = {}
        for name in batch[0].inputs if batch else ("input_ids",):
            rows = torch.full((len(batch), width), fills[name], dtype=torch.long)
            for row, item in zip(rows, batch, strict=True):
                start = width - item.length if left else 0
                row[start : start + item.length] = torch.tensor(item.inputs[name], dtype=torch.long)
            out[name] = rows
        lengths = torch.tensor([item.length for item in batch], dtype=torch.long).unsqueeze(1)
        positions = torch.arange(width).unsqueeze(0)
        mask = positions >= width - lengths if left else positions < lengths
        out["attention_mask"] = mask.long()
        return out

    def tokenize(self, texts: Sequence[str]) -> dict[str, Tensor]:
        """The padded batch of some texts, as the forward pass takes it."""
        return self.collate(self.tokenize_texts(texts))

    def forward(self, features: Features) -> Features:
        """Add ``token_embeddings``, shape ``(batch, tokens, dim)``; all layers too where the config asks."""
        encoder = self.auto_model
        accepted = inspect.signature(encoder.forward).parameters
        inputs = {name: features[name] for name in _INPUTS if name in accepted and name in features}
        outputs = encoder(**inputs, return_dict=True)
        features["token_embeddings"] = outputs.last_hidden_state
        if getattr(encoder.config, "output_hidden_states", False):
            features["all_layer_embeddings"] = outputs.hidden_states
        return features

    def get_word_embedding_dimension(self) -> int:
        """Length of a token's vector."""
        return int(self.encoder.config.hidden_size)  # type: ignore[union-attr,arg-type]

    def get_config(self) -> dict[str, Any]:
        """What ``sentence_bert_config.json`` carries."""
        return {"max_seq_length": self.max_seq_length, "do_lower_case": self.do_lower_case}

    def save_files(self, folder: Path) -> None:
        """Write encoder, tokenizer and ``sentence_bert_config.json`` into an existing folder."""
        self.auto_model.save_pretrained(folder)  # type: ignore[operator]
        tokenizer = self.tokenizer
        backend = tokenizer.backend_tokenizer
        # One length everywhere: a baked truncation or padding would contradict max_seq_length.
        backend.no_padding()
        backend.no_truncation()
        tokenizer.save_pretrained(folder)
        _drop_call_state(folder / "tokenizer_config.json")
        config = self.get_config()
        if not config["do_lower_case"]:
            # Every reader's default; beside a tokenizer that lower-cases, a written "false" misleads some.
            del config["do_lower_case"]
        write_json(folder / "sentence_bert_config.json", config)

    def _embedding_rows(self) -> int:
        encoder: Any = self.encoder
        if isinstance(encoder, BertTree):
            return encoder.config.vocab_size
        return int(encoder.get_input_embeddings().weight.shape[0])


# What the library notes of truncation and padding that once stood in tokenizer.json, and of its last call.
_CALL_STATE = (
    "max_length",
    "stride",
    "truncation_strategy",
    "pad_to_multiple_of",
    "is_local",
    "local_files_only",
)


def _drop_call_state(path: Path) -> None:
    """Leave one length in the folder: one in the tokenizer's config would contradict it."""
    stated = read_json(path)
    write_json(path, {key: value for key, value in stated.items() if key not in _CALL_STATE})


def _dtype(value: object) -> torch.dtype:
    found = getattr(torch, value, None) if isinstance(value, str) else value
    if found not in (torch.float32, torch.float16, torch.bfloat16, torch.float64):
        raise InvalidValueError(
            "dtype-unknown",
            f"dtype is {value!r}",
            expected="float32, float16, bfloat16 or float64",
        )
    return found


def _checked(given: Mapping[str, Any] | None, known: Sequence[str], where: str) -> dict[str, Any]:
    unknown = sorted(set(given or {}) - set(known))
    if unknown:
        raise InvalidValueError(
            "argument-not-admitted",
            f"{', '.join(map(repr, unknown))} came",
            expected=f"only {', '.join(known)}",
            fix="Other arguments of the library's loaders could run code or read other files",
            where=where,
        )
    return dict(given or {})
