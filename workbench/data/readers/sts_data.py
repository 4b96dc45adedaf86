"""Readers of scored pairs: two sentences and a score a line, rescaled to 0 to 1."""

from __future__ import annotations

import csv
import math
import os

from workbench.data.input_example import InputExample
from workbench.data.readers.reader_files import (
    below,
    check_max_examples,
    check_some,
    field,
    open_lines,
    separated,
)
from workbench.errors import DataFileError, InvalidValueError


class STSDataReader:
    """Reads pairs and their score from a file of separated columns without a header.

    Args:
        dataset_folder: Where the files lie.
        s1_col_idx: Index of the first sentence's column.
        s2_col_idx: Index of the second sentence's column.
        score_col_idx: Index of the score's column.
        delimiter: What stands between columns.
        quoting: One of the ``csv.QUOTE_*`` constants.
        normalize_scores: Whether to rescale scores to 0 to 1.
        min_score: Smallest score, which becomes 0.
        max_score: Largest score, which becomes 1.

    Raises:
        InvalidValueError: ``min_score`` is not below ``max_score``.

    Source: sentence-transformers' ``STSDataReader``, which lets scores beyond the scale and NaN pass.
    """

    def __init__(
        self,
        dataset_folder: str | os.PathLike[str],
        s1_col_idx: int = 0,
        s2_col_idx: int = 1,
        score_col_idx: int = 2,
        delimiter: str = "\t",
        quoting: int = csv.QUOTE_NONE,
        normalize_scores: bool = True,
        min_score: float = 0,
        max_score: float = 5,
    ) -> None:
        if normalize_scores and not min_score < max_score:
            raise InvalidValueError(
                "scale-empty",
                f"min_score {min_score} and max_score {max_score}",
                expected="the smaller number as min_score",
                where=type(self).__name__,
            )
        self.dataset_folder = dataset_folder
        self.s1_col_idx = s1_col_idx
        self.s2_col_idx = s2_col_idx
        self.score_col_idx = score_col_idx
        self.delimiter = delimiter
        self.quoting = quoting
        self.normalize_scores = normalize_scores
        self.min_score = min_score
        self.max_score = max_score

    def get_examples(self, filename: str, max_examples: int = 0) -> list[InputExample]:
        """Read a file below the folder; one that ends in ``.gz`` is unpacked.

        Args:
            filename: Its name.
            max_examples: Rows to read; 0 for all.

        Raises:
            DataFileError: The file cannot be read, a line lacks a column, or a score is none.
            InvalidValueError: The name leads out of the folder.
        """
        check_max_examples(max_examples)
        examples: list[InputExample] = []
        path = below(self.dataset_folder, filename)
        with open_lines(path, filename, packed=filename.endswith(".gz")) as lines:
            for number, row in separated(lines, filename, self.delimiter, self.quoting):
                place = f"{filename}, line {number}"
                score = self._score(field(row, self.score_col_idx, place), place)
                texts = [field(row, self.s1_col_idx, place), field(row, self.s2_col_idx, place)]
                examples.append(InputExample(guid=f"{filename}{len(examples)}", texts=texts, label=score))
                if 0 < max_examples <= len(examples):
                    break
        check_some(len(examples), filename)
        return examples

    def _score(self, text: str, place: str) -> float:
        try:
            score = float(text)
        except ValueError as error:
            raise DataFileError(
                "label-not-a-number",
                f"The score {text[:30]!r}",
                expected="a number",
                fix="Check score_col_idx and delimiter, and remove a line of column names",
                where=place,
            ) from error
        if not math.isfinite(score):
            raise DataFileError(
                "label-not-finite", f"The score {text[:30]!r}", expected="a finite number", where=place
            )
        if not self.normalize_scores:
            return score
        if not self.min_score <= score <= self.max_score:
            raise DataFileError(
                "label-outside-scale",
                f"The score {score:g}",
                expected=f"{self.min_score:g} to {self.max_score:g}",
                fix="Set min_score and max_score to the scale of the file",
                where=place,
            )
        return (score - self.min_score) / (self.max_score - self.min_score)


class STSBenchmarkDataReader(STSDataReader):
    """Reads the STS benchmark's own files: score in column 4, sentences in columns 5 and 6.

    Source: sentence-transformers' ``STSBenchmarkDataReader``.
    """

    def __init__(
        self,
        dataset_folder: str | os.PathLike[str],
        s1_col_idx: int = 5,
        s2_col_idx: int = 6,
        score_col_idx: int = 4,
        delimiter: str = "\t",
        quoting: int = csv.QUOTE_NONE,
        normalize_scores: bool = True,
        min_score: float = 0,
        max_score: float = 5,
    ) -> None:
        super().__init__(
            dataset_folder,
            s1_col_idx,
            s2_col_idx,
            score_col_idx,
            delimiter,
            quoting,
            normalize_scores,
            min_score,
            max_score,
        )
