"""How often a classifier on top of the embeddings names the right class."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from workbench.data.input_example import InputExample
from workbench.errors import InvalidTypeError, InvalidValueError
from workbench.evaluation.checks import require_numbers, require_texts
from workbench.evaluation.evaluator import Measured, SentenceEvaluator, few_examples_notice
from workbench.evaluation.examples import read_examples
from workbench.models.protocols import Encoder, TextModel
from workbench.util.tensor import batch_to_device

_DEFAULT_BATCH = 32


class LabelAccuracyEvaluator(SentenceEvaluator):
    """Share of examples whose class ``softmax_model`` gives the highest score.

    Args:
        dataloader: A DataLoader over examples, or a list of them. Its collate function is neither used nor
            changed.
        name: Put before the metric's name.
        softmax_model: Called as ``softmax_model(sentence_features, labels=None)``; gives the embeddings and
            the scores of the classes, shape ``(batch, classes)``, such as ``losses.SoftmaxLoss``.
        write_csv: Whether a call with an output path writes a CSV file.

    Raises:
        InvalidTypeError: No ``softmax_model``, or labels that are no integers.
        InvalidValueError: No examples, examples of different lengths, or a label below 0.

    Source: sentence-transformers' class of this name.
    """

    def __init__(
        self,
        dataloader: DataLoader[Any] | list[InputExample],
        name: str = "",
        softmax_model: nn.Module | None = None,
        write_csv: bool = True,
    ) -> None:
        super().__init__(name, f"accuracy_evaluation{'_' if name else ''}{name}_results.csv", write_csv)
        if softmax_model is None:
            raise InvalidTypeError(
                "softmax-model-missing",
                "no softmax_model came",
                expected="the classifier, such as the SoftmaxLoss that trains it",
                fix="Give softmax_model=...",
            )
        self.softmax_model = softmax_model
        self.batch_size = getattr(dataloader, "batch_size", None) or _DEFAULT_BATCH
        examples = read_examples(dataloader)
        self.columns = [
            require_texts([example.texts[place] for example in examples], f"texts[{place}]")
            for place in range(len(examples[0].texts))
        ]
        self.labels = _classes([example.label for example in examples])
        self.data_notices = few_examples_notice(len(examples), "examples")

    def measure(self, model: Encoder, output_path: Path | None, epoch: int, steps: int) -> Measured:
        """The accuracy."""
        right = 0
        with _evaluating(self.softmax_model), torch.no_grad():
            for start in range(0, len(self.labels), self.batch_size):
                end = start + self.batch_size
                scores = self._scores(model, start, end)
                labels = torch.tensor(self.labels[start:end], device=scores.device)
                self._check(scores, start)
                right += int((scores.argmax(dim=1) == labels).sum())
        accuracy = right / len(self.labels)
        return Measured({"accuracy": accuracy}, "accuracy", {"accuracy": accuracy})

    def texts(self) -> list[str]:
        """All texts of the examples."""
        return [text for column in self.columns for text in column]

    def _scores(self, model: Encoder, start: int, end: int) -> Tensor:
        # The other evaluators only encode; this one feeds the classifier, which runs the model itself.
        reads = cast(TextModel, model)
        features = [
            batch_to_device(reads.tokenize(column[start:end]), reads.device) for column in self.columns
        ]
        _, scores = self.softmax_model(features, labels=None)
        return torch.as_tensor(scores)

    def _check(self, scores: Tensor, start: int) -> None:
        if not bool(scores.isfinite().all()):
            raise InvalidValueError(
                "score-not-finite",
                "the classifier gives NaN or infinity",
                expected="finite scores",
                fix="Look for non-finite weights or a training that diverged",
                where=f"examples from {start}",
            )
        classes = scores.shape[1]
        wrong = [row for row, label in enumerate(self.labels) if label >= classes]
        if wrong:
            raise InvalidValueError(
                "label-beyond-classes",
                f"label {self.labels[wrong[0]]}",
                expected=f"0 to {classes - 1}: the classifier knows {classes} classes",
                where=f"example {wrong[0]}",
            )


@contextmanager
def _evaluating(module: nn.Module) -> Iterator[None]:
    """Dropout off, and every part back in its own mode afterwards."""
    training = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, mode in training:
            part.training = mode


def _classes(labels: list[Any]) -> list[int]:
    numbers = require_numbers(labels, "labels")
    wrong = [row for row, number in enumerate(numbers) if number < 0 or number != int(number)]
    if wrong:
        raise InvalidValueError(
            "label-not-a-class",
            f"{labels[wrong[0]]!r}",
            expected="whole numbers from 0",
            fix="Number the classes from 0",
            where=f"labels, row {wrong[0]}",
        )
    return [int(number) for number in numbers]
