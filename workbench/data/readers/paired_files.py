"""Reader of parallel files: line n of each belongs together."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Sequence
from pathlib import Path

from workbench.data.input_example import InputExample
from workbench.data.readers.reader_files import check_max_examples, check_some, open_lines
from workbench.errors import DataFileError, InvalidTypeError


class PairedFilesReader:
    """Reads texts that belong together from files of equal length; the label is 1.

    The texts keep the end of their line, as in the source.

    Args:
        filepaths: The files, plain or gzip by their ending.

    Raises:
        InvalidTypeError: ``filepaths`` is no list of paths.

    Source: sentence-transformers' ``PairedFilesReader``, which stops in silence where the shortest ends.
    """

    def __init__(self, filepaths: Sequence[str | os.PathLike[str]]) -> None:
        if isinstance(filepaths, str | bytes) or not filepaths:
            raise InvalidTypeError(
                "filepaths-not-a-list",
                f"{filepaths!r}"[:60],
                expected="a list of at least one path",
                where="filepaths",
            )
        self.filepaths = filepaths

    def get_examples(self, max_examples: int = 0) -> list[InputExample]:
        """Read the files line by line.

        Args:
            max_examples: Rows to read; 0 for all.

        Raises:
            DataFileError: A file cannot be read, or one is shorter than another.
        """
        check_max_examples(max_examples)
        examples: list[InputExample] = []
        paths = [Path(path) for path in self.filepaths]
        with contextlib.ExitStack() as stack:
            opened = [
                stack.enter_context(open_lines(path, path.name, path.suffix == ".gz")) for path in paths
            ]
            for texts in itertools.zip_longest(*opened):
                if None in texts:
                    short = paths[texts.index(None)].name
                    raise DataFileError(
                        "files-differ-in-length",
                        f"It ends after line {len(examples)}, others go on",
                        expected="files with the same number of lines",
                        where=short,
                    )
                examples.append(InputExample(guid=str(len(examples)), texts=list(texts), label=1))
                if 0 < max_examples <= len(examples):
                    break
        check_some(len(examples), paths[0].name)
        return examples
