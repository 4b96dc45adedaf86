"""How far a student's embeddings of translations lie from a teacher's of the originals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from torch import Tensor

from workbench.data.texts import is_blank
from workbench.errors import InvalidTypeError, InvalidValueError, UnknownNameError
from workbench.evaluation.checks import require_texts
from workbench.evaluation.embedding import embed
from workbench.evaluation.evaluator import Measured, SentenceEvaluator, few_examples_notice
from workbench.evaluation.metrics.score import Score, mean
from workbench.evaluation.mse import require_teacher, squared_error
from workbench.models.protocols import Encoder


class MSEEvaluatorFromDataFrame(SentenceEvaluator):
    """Mean squared error for each pair of languages; the metric is the negative of their mean, times 100.

    Args:
        dataframe: Rows from language to text: a list of dicts, or a pandas DataFrame. A row is left out of a
            pair of languages where one of the two texts is blank.
        teacher_model: Whose embeddings of the source texts are the aim; it encodes them once, here.
        combinations: Pairs of source and target language, such as ``[("en", "ko")]``.
        batch_size: Texts a forward call.
        name: Put before the metric's name.
        write_csv: Whether a call with an output path writes a CSV file, one column a combination.
        truncate_dim: Components of an embedding to keep.

    Raises:
        InvalidTypeError: No teacher, or a text of another type.
        UnknownNameError: A language that no row has.
        InvalidValueError: No combinations, or one without rows.

    Source: sentence-transformers' class of this name.
    """

    def __init__(
        self,
        dataframe: Sequence[Mapping[str, str]],
        teacher_model: Encoder,
        combinations: Sequence[tuple[str, str]],
        batch_size: int = 8,
        name: str = "",
        write_csv: bool = True,
        truncate_dim: int | None = None,
    ) -> None:
        super().__init__(name, f"mse_evaluation{'_' if name else ''}{name}_results.csv", write_csv)
        self.combinations = [(source, target) for source, target in combinations]
        if not self.combinations:
            raise InvalidValueError(
                "combinations-empty", "no pair of languages came", expected="at least one"
            )
        self.batch_size = batch_size
        self.truncate_dim = truncate_dim
        rows = _rows(dataframe)
        self.data = {pair: _columns(rows, *pair) for pair in self.combinations}
        least = min(len(source) for source, _ in self.data.values())
        self.data_notices = few_examples_notice(least, "rows for a pair of languages")
        sources = [source for source, _ in self.data.values()]
        embedded = self._embed(require_teacher(teacher_model), sources)
        self.teacher_embeddings = dict(zip(self.data, embedded, strict=True))

    def measure(self, model: Encoder, output_path: Path | None, epoch: int, steps: int) -> Measured:
        """The error of each combination, times 100, and the negative of their mean."""
        targets = self._embed(model, [target for _, target in self.data.values()])
        errors: dict[str, Score] = {
            f"{source}-{language}": squared_error(self.teacher_embeddings[(source, language)], embedded)
            for (source, language), embedded in zip(self.data, targets, strict=True)
        }
        average = cast(float, mean(errors.values()))
        return Measured({"negative_mse": -average}, "negative_mse", errors)

    def texts(self) -> list[str]:
        """What the student encodes."""
        return [text for _, targets in self.data.values() for text in targets]

    def _embed(self, model: Encoder, columns: list[list[str]]) -> list[Tensor]:
        return embed(model.encode, *columns, batch_size=self.batch_size, truncate_dim=self.truncate_dim)


def _rows(dataframe: Any) -> list[Mapping[str, Any]]:
    to_dict = getattr(dataframe, "to_dict", None)
    rows = list(to_dict("records") if callable(to_dict) else dataframe)
    for number, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise InvalidTypeError(
                "row-not-a-dict",
                f"a {type(row).__name__} came",
                expected="a dict from language to text",
                where=f"dataframe, row {number}",
            )
    return rows


def _columns(rows: list[Mapping[str, Any]], source: str, target: str) -> tuple[list[str], list[str]]:
    for language in (source, target):
        missing = [number for number, row in enumerate(rows) if language not in row]
        if missing:
            raise UnknownNameError(
                "language-unknown",
                f"{len(missing)} rows have no {language!r}, the first is row {missing[0]}",
                expected="every language of combinations in every row; an empty text where there is none",
                where="dataframe",
            )
    sources = require_texts([row[source] for row in rows], f"dataframe, {source}")
    targets = require_texts([row[target] for row in rows], f"dataframe, {target}")
    kept = [pair for pair in zip(sources, targets, strict=True) if not any(map(is_blank, pair))]
    if not kept:
        raise InvalidValueError(
            "combination-without-rows",
            f"no row has both {source!r} and {target!r}",
            expected="at least one",
            where="combinations",
        )
    return [pair[0] for pair in kept], [pair[1] for pair in kept]
