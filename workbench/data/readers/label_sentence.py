"""Reader of labelled sentences: a label and a sentence a line, labels numbered as they appear."""

from __future__ import annotations

import os

from workbench.data.input_example import InputExample
from workbench.data.readers.reader_files import below, check_max_examples, check_some, field, open_lines
from workbench.errors import InvalidValueError


class LabelSentenceReader:
    """Reads lines of a label and a sentence, as the batch-triplet losses take them.

    Args:
        folder: Where the files lie.
        label_col_idx: Index of the label's column.
        sentence_col_idx: Index of the sentence's column.
        separator: What stands between columns.

    Attributes:
        label_map: Label → number, in the order of first appearance over all files read.

    Raises:
        InvalidValueError: ``separator`` is empty.

    Source: sentence-transformers' ``LabelSentenceReader``.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        label_col_idx: int = 0,
        sentence_col_idx: int = 1,
        separator: str = "\t",
    ) -> None:
        if not isinstance(separator, str) or not separator:
            raise InvalidValueError(
                "delimiter-invalid",
                f"{separator!r}"[:60],
                expected="at least one character",
                where="separator",
            )
        self.folder = folder
        self.label_map: dict[str, int] = {}
        self.label_col_idx = label_col_idx
        self.sentence_col_idx = sentence_col_idx
        self.separator = separator

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
        with open_lines(below(self.folder, filename), filename, packed=False) as lines:
            for number, line in enumerate(lines, 1):
                splits = line.strip().split(self.separator)
                place = f"{filename}, line {number}"
                label = field(splits, self.label_col_idx, place)
                sentence = field(splits, self.sentence_col_idx, place)
                label_id = self.label_map.setdefault(label, len(self.label_map))
                examples.append(
                    InputExample(guid=f"{filename}-{len(examples)}", texts=[sentence], label=label_id)
                )
                if 0 < max_examples <= len(examples):
                    break
        check_some(len(examples), filename)
        return examples
