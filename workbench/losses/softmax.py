"""Classification of pairs by a linear layer over both embeddings."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import torch
from torch import Tensor, nn

from workbench.errors import InvalidValueError, ShapeMismatchError
from workbench.losses.checks import check_columns, class_labels, given_labels
from workbench.losses.columns import embed_columns
from workbench.losses.needs import DataNeeds
from workbench.models.protocols import EmbeddingModel, Features
from workbench.util.checks import require_count

_WHERE = "SoftmaxLoss"


class SoftmaxLoss(nn.Module):
    """``cross entropy of softmax(W [u; v; |u - v|; u ⊙ v] + b)``, mean over rows.

    Two columns of sentences and the class of the pair, 0 to ``num_labels - 1``. The linear layer is trained
    with the model and thrown away after.

    Args:
        model: The model that is trained.
        sentence_embedding_dimension: Length of an embedding.
        num_labels: Classes, 2 or more.
        concatenation_sent_rep: Let the layer see ``u`` and ``v``.
        concatenation_sent_difference: Let it see ``|u - v|``.
        concatenation_sent_multiplication: Let it see ``u ⊙ v``.
        loss_fct: Logits ``(batch, num_labels)`` and classes ``(batch,)`` to one number.
        embedding_dimension: The newer name of ``sentence_embedding_dimension``.

    Raises:
        InvalidValueError: No dimension or two, fewer than two classes, or nothing for the layer to see.

    Source: sentence-transformers' loss of this name; Reimers and Gurevych, Sentence-BERT,
    https://arxiv.org/abs/1908.10084, the classification objective.
    """

    needs = DataNeeds(("sentence1", "sentence2"), "class")

    def __init__(
        self,
        model: EmbeddingModel,
        sentence_embedding_dimension: int | None = None,
        num_labels: int = 0,
        concatenation_sent_rep: bool = True,
        concatenation_sent_difference: bool = True,
        concatenation_sent_multiplication: bool = False,
        loss_fct: Callable[[Tensor, Tensor], Tensor] | None = None,
        *,
        embedding_dimension: int | None = None,
    ) -> None:
        super().__init__()
        given = [size for size in (sentence_embedding_dimension, embedding_dimension) if size is not None]
        if len(given) != 1:
            raise InvalidValueError(
                "argument-missing",
                f"{len(given)} dimensions came",
                expected="sentence_embedding_dimension, or embedding_dimension",
                where=_WHERE,
            )
        if require_count(num_labels, "num_labels") < 2:
            raise InvalidValueError(
                "too-few-classes", f"num_labels is {num_labels}", expected="2 or more", where=_WHERE
            )
        vectors = (
            2 * concatenation_sent_rep + concatenation_sent_difference + concatenation_sent_multiplication
        )
        if not vectors:
            raise InvalidValueError(
                "nothing-concatenated",
                "All of the concatenation_… arguments are False",
                fix="Turn at least one on",
                where=_WHERE,
            )
        self.model = model
        self.num_labels = num_labels
        self.concatenation_sent_rep = concatenation_sent_rep
        self.concatenation_sent_difference = concatenation_sent_difference
        self.concatenation_sent_multiplication = concatenation_sent_multiplication
        self.classifier = nn.Linear(vectors * given[0], num_labels, device=model.device)
        self.loss_fct = nn.CrossEntropyLoss() if loss_fct is None else loss_fct
        self.needs = replace(type(self).needs, label_range=(0, num_labels - 1))

    def forward(
        self, sentence_features: Iterable[Features], labels: Tensor | None
    ) -> Tensor | tuple[list[Tensor], Tensor]:
        """Embed both columns and classify.

        Returns:
            The loss; without labels both columns of embeddings and the logits ``(batch, num_labels)``.
        """
        embeddings = embed_columns(self.model, sentence_features)
        if labels is None:
            return embeddings, self.classify(embeddings)
        return self.compute_loss_from_embeddings(embeddings, labels)

    def compute_loss_from_embeddings(self, embeddings: list[Tensor], labels: Tensor | None) -> Tensor:
        """The loss of two columns of embeddings, ``(batch, dim)`` each, and classes ``(batch,)``.

        Labels of the shape of the logits go to ``loss_fct`` as they are: probabilities, or several classes
        a row.

        Raises:
            ShapeMismatchError: Not two columns, another dimension, or not one label a row.
            InvalidTypeError: Labels that are no whole numbers.
            InvalidValueError: No labels, or a class out of range.
        """
        logits = self.classify(embeddings)
        given = given_labels(labels, _WHERE)
        if given.shape == logits.shape:
            return self.loss_fct(logits, given)
        return self.loss_fct(logits, class_labels(given, len(logits), _WHERE, self.num_labels))

    def classify(self, embeddings: list[Tensor]) -> Tensor:
        """Logits of each pair. Shape ``(batch, num_labels)``."""
        check_columns(embeddings, self.needs, _WHERE)
        first, second = embeddings
        seen: list[Tensor] = []
        if self.concatenation_sent_rep:
            seen += [first, second]
        if self.concatenation_sent_difference:
            seen.append((first - second).abs())
        if self.concatenation_sent_multiplication:
            seen.append(first * second)
        joined = torch.cat(seen, dim=1).to(self.classifier.weight.dtype)
        if joined.shape[1] != self.classifier.in_features:
            raise ShapeMismatchError(
                "embedding-dimension",
                f"embeddings of {first.shape[1]} dimensions, {joined.shape[1]} numbers a pair",
                expected=f"{self.classifier.in_features} numbers a pair",
                fix="Build the loss with model.get_sentence_embedding_dimension()",
                where=_WHERE,
            )
        logits: Tensor = self.classifier(joined)
        return logits
