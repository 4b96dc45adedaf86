"""A sentence rebuilt from the embedding of its damaged form (TSDAE); no labelled data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from workbench.errors import InvalidValueError, ShapeMismatchError
from workbench.losses.adaptive_layer import encoder_of
from workbench.losses.checks import check_count, given_labels
from workbench.losses.columns import embed
from workbench.losses.decoder import build_decoder, tie
from workbench.losses.needs import DataNeeds
from workbench.models.protocols import EncoderModel, Features
from workbench.models.tokenizer import load_tokenizer
from workbench.persistence.checked_folder import admit

_WHERE = "DenoisingAutoEncoderLoss"


class DenoisingAutoEncoderLoss(nn.Module):
    """``-log p(token_t | token_<t, embedding of the damaged text)``, mean over the tokens of the batch.

    Two columns: the damaged sentence, as ``DenoisingAutoEncoderDataset`` makes it, and the sentence itself;
    no labels. A decoder of the encoder's kind, thrown away after, predicts the sentence token by token and
    sees of the damaged one its embedding alone.

    Args:
        model: The model that is trained; its first module is an encoder.
        decoder_name_or_path: Where the decoder's weights come from: a folder, or a name on the Hub. Without
            it the decoder starts as the encoder, with a new output layer and new cross-attention.
        tie_encoder_decoder: Let the decoder share the encoder's parameters, as the paper does. Of
            ``decoder_name_or_path`` it then takes what the encoder has not, such as the output layer.

    Raises:
        InvalidTypeError: A model without an encoder, or an architecture that cannot decode.
        InvalidValueError: Neither a decoder nor tying, or a decoder that cannot be tied.
        ShapeMismatchError: Embeddings of another length than the decoder reads.
        ModelFolderError, ModelSourceError: The decoder is not found or not admitted.

    Source: sentence-transformers' loss of this name; Wang et al., TSDAE, https://arxiv.org/abs/2104.06979.
    """

    needs = DataNeeds(("noisy", "text"))

    def __init__(
        self, model: EncoderModel, decoder_name_or_path: str | None = None, tie_encoder_decoder: bool = True
    ) -> None:
        super().__init__()
        encoder = encoder_of(model, _WHERE)
        if decoder_name_or_path is None and not tie_encoder_decoder:
            raise InvalidValueError(
                "decoder-missing",
                "No decoder_name_or_path came, and tie_encoder_decoder is False",
                expected="one of the two",
                where=_WHERE,
            )
        folder = None if decoder_name_or_path is None else admit(decoder_name_or_path).path
        decoder: Any = build_decoder(encoder, folder)
        dim, read = model.get_sentence_embedding_dimension(), int(decoder.config.hidden_size)
        if dim != read:
            raise ShapeMismatchError(
                "embedding-dimension",
                f"embeddings of {dim} dimensions",
                expected=f"{read}, what the decoder reads",
                fix="Choose another decoder, or a model whose last module keeps the encoder's dimension",
                where=_WHERE,
            )
        self.model = model
        self.decoder_tokenizer = model.tokenizer
        if tie_encoder_decoder:
            tie(encoder, decoder)
        elif folder is not None:
            self.decoder_tokenizer = load_tokenizer(folder, int(decoder.config.vocab_size))
        self.must_retokenize = self.decoder_tokenizer.get_vocab() != model.tokenizer.get_vocab()
        self.decoder = decoder.to(model.device, next(encoder.parameters()).dtype)

    def forward(self, sentence_features: Iterable[Features], labels: Tensor | None = None) -> Tensor:
        """Embed the damaged texts and predict the whole ones; labels are not looked at."""
        columns = list(sentence_features)
        check_count(len(columns), self.needs, _WHERE)
        damaged, whole = columns
        ids: Tensor = self._read_anew(whole["input_ids"]) if self.must_retokenize else whole["input_ids"]
        return self.compute_loss_from_embeddings([embed(self.model, damaged)], ids)

    def compute_loss_from_embeddings(self, embeddings: list[Tensor], labels: Tensor | None) -> Tensor:
        """The loss of the embeddings of the damaged texts and the tokens of the whole ones.

        Args:
            embeddings: One column. Shape ``(batch, dim)``.
            labels: Ids of the decoder's vocabulary, padded. Shape ``(batch, tokens)``.

        Raises:
            ShapeMismatchError: Not one column, or another number of rows.
            InvalidValueError: No ids.
        """
        ids = given_labels(labels, _WHERE)
        if len(embeddings) != 1 or ids.ndim != 2 or len(ids) != len(embeddings[0]):
            raise ShapeMismatchError(
                "loss-shapes",
                f"{len(embeddings)} columns of embeddings and ids of shape {tuple(ids.shape)}",
                expected="one column (batch, dim) and ids (batch, tokens)",
                where=_WHERE,
            )
        memory = embeddings[0].unsqueeze(1)
        logits = self.decoder(
            input_ids=ids[:, :-1],
            encoder_hidden_states=memory,
            encoder_attention_mask=torch.ones(memory.shape[:2], dtype=torch.long, device=memory.device),
            use_cache=False,
        ).logits
        pad = self.decoder_tokenizer.pad_token_id
        return nn.functional.cross_entropy(
            logits.flatten(0, 1), ids[:, 1:].flatten(), ignore_index=-100 if pad is None else pad
        )

    def _read_anew(self, ids: Tensor) -> Tensor:
        """The same texts in the ids of the decoder's tokenizer. Shape ``(batch, tokens)``."""
        texts = self.model.tokenizer.batch_decode(ids, skip_special_tokens=True)
        read: Tensor = self.decoder_tokenizer(texts, padding=True, truncation=True, return_tensors="pt")[
            "input_ids"
        ]
        return read.to(ids.device)
