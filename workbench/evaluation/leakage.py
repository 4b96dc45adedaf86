"""How much of an evaluator's data the training has seen."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from workbench.evaluation.evaluator import SentenceEvaluator


@dataclass(frozen=True)
class Leakage:
    """Evaluation texts that also stand in the training data.

    Attributes:
        leaked: Distinct texts in both, case, width and white space aside.
        texts: Distinct evaluation texts.
        examples: The first few of those in both.
    """

    leaked: int
    texts: int
    examples: tuple[str, ...]


def leakage(evaluator: SentenceEvaluator, training_texts: Iterable[str]) -> Leakage:
    """Count the texts of ``evaluator`` that stand in ``training_texts``.

    A leak makes a figure look better than the model is on texts it never saw.
    """
    seen = {_folded(text) for text in training_texts}
    judged = {_folded(text): text for text in evaluator.texts()}
    both = [text for folded, text in judged.items() if folded in seen]
    return Leakage(len(both), len(judged), tuple(both[:5]))


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
