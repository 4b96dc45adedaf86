"""Two copies of a model that must agree on equal texts and disagree on others; no labelled data."""

from __future__ import annotations

import copy
import math
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from workbench.data.input_example import InputExample
from workbench.errors import InvalidValueError
from workbench.losses.checks import binary_labels, check_columns, check_count, positive
from workbench.losses.columns import embed
from workbench.losses.gather import row_share
from workbench.losses.needs import DataNeeds
from workbench.losses.precision import precise
from workbench.models.protocols import EmbeddingModel, Features
from workbench.util.checks import require_count
from workbench.util.similarity import cos_sim, pairwise_dot_score
from workbench.util.tensor import as_float

PAIRS = DataNeeds(("sentence1", "sentence2"), "binary", (0, 1))


class ContrastiveTensionLoss(nn.Module):
    """``Σ over rows of the binary cross entropy of sigmoid(f₁(s) · f₂(t))`` and the label.

    Two columns of sentences, and 1 where both are the same sentence, else 0, as
    ``ContrastiveTensionDataLoader`` makes them; without labels, rows of equal tokens are the positives. The
    model that came is ``f₂``; a copy of it, which is trained too and thrown away after, is ``f₁``.

    Args:
        model: The model that is trained.

    Source: sentence-transformers' loss of this name; Carlsson et al., Semantic Re-tuning with Contrastive
    Tension, 2021, https://openreview.net/forum?id=Ov_sMNau-PF.
    """

    needs = PAIRS

    def __init__(self, model: EmbeddingModel) -> None:
        super().__init__()
        self.model2 = model
        self.model1 = copy.deepcopy(model)

    def forward(self, sentence_features: Iterable[Features], labels: Tensor | None = None) -> Tensor:
        """Embed each column with its copy and compare; see ``compute_loss_from_embeddings``."""
        columns = list(sentence_features)
        check_count(len(columns), self.needs, "ContrastiveTensionLoss")
        embeddings = [embed(self.model1, columns[0]), embed(self.model2, columns[1])]
        same = _equal_texts(*columns) if labels is None else labels
        return self.compute_loss_from_embeddings(embeddings, same)

    def compute_loss_from_embeddings(self, embeddings: list[Tensor], labels: Tensor | None) -> Tensor:
        """The loss of what each copy made of its column, ``(batch, dim)`` each, and labels ``(batch,)``.

        Raises:
            ShapeMismatchError: Not two columns, or not one label a row.
            InvalidValueError: No labels, or one that is neither 0 nor 1.
        """
        rows = check_columns(embeddings, PAIRS, "ContrastiveTensionLoss")
        same = binary_labels(labels, rows, "ContrastiveTensionLoss")
        scores = as_float(pairwise_dot_score(*embeddings))
        return nn.functional.binary_cross_entropy_with_logits(scores, same.to(scores.dtype), reduction="sum")


class ContrastiveTensionLossInBatchNegatives(nn.Module):
    """``½ (CE over rows + CE over columns)`` of ``s · sim(f₁(x_i), f₂(x_j))``, the diagonal being right.

    One column of sentences (or twice the same), no labels. The model that came is ``f₂``, a copy of it
    ``f₁``; ``s`` is trained too.

    Args:
        model: The model that is trained.
        scale: First value of ``s``.
        similarity_fct: ``(n, dim)`` and ``(m, dim)`` to ``(n, m)``; the cosine.
        gather_across_devices: Take the rows of all processes as negatives.

    Raises:
        InvalidValueError: A scale that is not positive.

    Source: sentence-transformers' loss of this name; Carlsson et al., Semantic Re-tuning with Contrastive
    Tension, 2021, https://openreview.net/forum?id=Ov_sMNau-PF.
    """

    needs = DataNeeds(("text", "text?"), in_batch_negatives=True)

    def __init__(
        self,
        model: EmbeddingModel,
        scale: float = 20.0,
        similarity_fct: Callable[[Tensor, Tensor], Tensor] = cos_sim,
        *,
        gather_across_devices: bool = False,
    ) -> None:
        super().__init__()
        self.model2 = model
        self.model1 = copy.deepcopy(model)
        self.similarity_fct = similarity_fct
        self.gather_across_devices = gather_across_devices
        first = math.log(positive(scale, "scale", type(self).__name__))
        self.logit_scale = nn.Parameter(torch.tensor(first, device=model.device))

    def forward(self, sentence_features: Iterable[Features], labels: Tensor | None = None) -> Tensor:
        """Embed the texts with both copies and compare; labels are not looked at."""
        columns = list(sentence_features)
        check_count(len(columns), self.needs, type(self).__name__)
        embeddings = [embed(self.model1, columns[0]), embed(self.model2, columns[-1])]
        return self.compute_loss_from_embeddings(embeddings, labels)

    def compute_loss_from_embeddings(self, embeddings: list[Tensor], labels: Tensor | None = None) -> Tensor:
        """The loss of what each copy made of the texts, ``(batch, dim)`` each.

        Raises:
            ShapeMismatchError: Not two columns of one shape.
        """
        check_columns(embeddings, PAIRS, type(self).__name__)
        share = row_share(embeddings[0], self.gather_across_devices)
        first, second = (share.gather(column) for column in embeddings)
        scores = precise(self.similarity_fct, first, second) * self.logit_scale.exp()
        right = torch.arange(share.total, device=scores.device)
        return (nn.functional.cross_entropy(scores, right) + nn.functional.cross_entropy(scores.T, right)) / 2


class ContrastiveTensionDataLoader:
    """Batches of sentence pairs for ``ContrastiveTensionLoss``: one pair of equals, then others.

    Every epoch shuffles anew with Python's ``random``, from the order given, so that an epoch depends on the
    random state at its start alone. What does not fill a batch is left out.

    Args:
        sentences: The texts; the list is left as it is.
        batch_size: Pairs a batch, a multiple of ``pos_neg_ratio``.
        pos_neg_ratio: Pairs to one of them that is a pair of equals.

    Attributes:
        collate_fn: Applied to every batch where it is set.

    Raises:
        InvalidValueError: A batch size that is no multiple of the ratio, or a count below 1.

    Source: sentence-transformers' class of this name.
    """

    def __init__(self, sentences: Sequence[str], batch_size: int, pos_neg_ratio: int = 8) -> None:
        self.sentences = sentences
        self.batch_size = require_count(batch_size, "batch_size")
        self.pos_neg_ratio = require_count(pos_neg_ratio, "pos_neg_ratio")
        self.collate_fn: Callable[[list[InputExample]], Any] | None = None
        if batch_size % pos_neg_ratio:
            raise InvalidValueError(
                "batch-size-not-a-multiple",
                f"batch_size is {batch_size} and pos_neg_ratio {pos_neg_ratio}",
                expected=f"a multiple of {pos_neg_ratio}",
                where="ContrastiveTensionDataLoader",
            )

    def __iter__(self) -> Iterator[Any]:
        order = list(self.sentences)
        random.shuffle(order)
        texts = iter(order)
        for _ in range(len(self)):
            batch = []
            for place in range(self.batch_size):
                first = next(texts)
                same = place % self.pos_neg_ratio == 0
                batch.append(InputExample(texts=[first, first if same else next(texts)], label=int(same)))
            yield batch if self.collate_fn is None else self.collate_fn(batch)

    def __len__(self) -> int:
        """Batches an epoch."""
        texts_a_batch = 2 * self.batch_size - self.batch_size // self.pos_neg_ratio
        return len(self.sentences) // texts_a_batch


def _equal_texts(first: Features, second: Features) -> Tensor:
    """Whether both columns hold the same tokens in a row. Shape ``(batch,)``."""
    pairs = zip(_token_rows(first), _token_rows(second), strict=True)
    return torch.tensor([one == other for one, other in pairs], device=first["input_ids"].device)


def _token_rows(features: Features) -> list[list[int]]:
    ids = features["input_ids"]
    if "offsets" in features:
        return [part.tolist() for part in torch.tensor_split(ids, features["offsets"].cpu()[1:])]
    mask = features.get("attention_mask", torch.ones_like(ids)).bool()
    return [row[kept].tolist() for row, kept in zip(ids, mask, strict=True)]
