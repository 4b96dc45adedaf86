"""Reader of triplets: anchor, positive and negative a line."""

from __future__ import annotations

import csv
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


class TripletReader:
    """Reads anchor, positive and negative from a file of separated columns.

    Args:
        dataset_folder: Where the files lie.
        s1_col_idx: Index of the anchor's column.
        s2_col_idx: Index of the positive's column.
        s3_col_idx: Index of the negative's column.
        has_header: Whether the first line holds names of columns.
        delimiter: What stands between columns.
        quoting: One of the ``csv.QUOTE_*`` constants.

    Source: sentence-transformers' ``TripletReader``.
    """

    def __init__(
        self,
        dataset_folder: str | os.PathLike[str],
        s1_col_idx: int = 0,
        s2_col_idx: int = 1,
        s3_col_idx: int = 2,
        has_header: bool = False,
        delimiter: str = "\t",
        quoting: int = csv.QUOTE_NONE,
    ) -> None:
        self.dataset_folder = dataset_folder
        self.s1_col_idx = s1_col_idx
        self.s2_col_idx = s2_col_idx
        self.s3_col_idx = s3_col_idx
        self.has_header = has_header
        self.delimiter = delimiter
        self.quoting = quoting

    def get_examples(self, filename: str, max_examples: int = 0) -> list[InputExample]:
        """Read a file below the folder.

        Args:
            filename: Its name.
            max_examples: Rows to read; 0 for all.

        Raises:
            DataFileError: The file cannot be read, or a line lacks a column.
            InvalidValueError: The name leads out of the folder.
        """
        check_max_examples(max_examples)
        examples: list[InputExample] = []
        indexes = (self.s1_col_idx, self.s2_col_idx, self.s3_col_idx)
        with open_lines(below(self.dataset_folder, filename), filename, packed=False) as lines:
            rows = separated(lines, filename, self.delimiter, self.quoting)
            if self.has_header:
                next(rows, None)
            for number, row in rows:
                texts = [field(row, index, f"{filename}, line {number}") for index in indexes]
                examples.append(InputExample(texts=texts))
                if 0 < max_examples <= len(examples):
                    break
        check_some(len(examples), filename)
        return examples
