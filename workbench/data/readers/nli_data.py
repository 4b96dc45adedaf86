"""Reader of natural language inference: premises, hypotheses and labels in three gzip files."""

from __future__ import annotations

import itertools
import os

from workbench.data.input_example import InputExample
from workbench.data.readers.reader_files import below, check_max_examples, check_some, open_lines
from workbench.errors import DataFileError

_LABELS = {"contradiction": 0, "entailment": 1, "neutral": 2}


class NLIDataReader:
    """Reads ``s1.NAME``, ``s2.NAME`` and ``labels.NAME``, as AllNLI came in them.

    The texts keep the end of their line, as in the source.

    Args:
        dataset_folder: Where the files lie.

    Source: sentence-transformers' ``NLIDataReader``, which stops in silence where the shortest file ends.
    """

    def __init__(self, dataset_folder: str | os.PathLike[str]) -> None:
        self.dataset_folder = dataset_folder

    def get_examples(self, filename: str, max_examples: int = 0) -> list[InputExample]:
        """Read the three files of a split.

        Args:
            filename: What follows ``s1.``, such as ``"train.gz"``.
            max_examples: Rows to read; 0 for all.

        Raises:
            DataFileError: A file cannot be read, the three differ in length, or a label is unknown.
            InvalidValueError: The name leads out of the folder.
        """
        check_max_examples(max_examples)
        names = [f"{part}.{filename}" for part in ("s1", "s2", "labels")]
        examples: list[InputExample] = []
        with (
            open_lines(below(self.dataset_folder, names[0]), names[0], packed=True) as first,
            open_lines(below(self.dataset_folder, names[1]), names[1], packed=True) as second,
            open_lines(below(self.dataset_folder, names[2]), names[2], packed=True) as labels,
        ):
            for number, (one, two, label) in enumerate(itertools.zip_longest(first, second, labels)):
                if one is None or two is None or label is None:
                    raise DataFileError(
                        "files-differ-in-length",
                        f"It ends after line {number}, others go on",
                        expected="three files with the same number of lines",
                        where=names[(one, two, label).index(None)],
                    )
                known = label.strip().lower()
                if known not in _LABELS:
                    raise DataFileError(
                        "label-class-unknown",
                        f"{label.strip()[:40]!r}",
                        expected="one of " + ", ".join(_LABELS),
                        fix="Leave out the lines without an agreed label ('-')",
                        where=f"{names[2]}, line {number + 1}",
                    )
                examples.append(
                    InputExample(guid=f"{filename}-{number}", texts=[one, two], label=self.map_label(label))
                )
                if 0 < max_examples <= len(examples):
                    break
        check_some(len(examples), filename)
        return examples

    @staticmethod
    def get_labels() -> dict[str, int]:
        """Label → number."""
        return dict(_LABELS)

    def get_num_labels(self) -> int:
        """How many labels there are."""
        return len(_LABELS)

    def map_label(self, label: str) -> int:
        """The number of a label, whatever its case."""
        return _LABELS[label.strip().lower()]
