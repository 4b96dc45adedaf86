"""The two fixed corpora of the speed benchmarks: short sentences, and paragraphs.

Both are whole and in a fixed order, so that two runs on one machine time the same texts; ``digest`` says
whether two results did.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import re
from collections.abc import Sequence
from pathlib import Path

from workbench.data.labelled_files import read_table
from workbench.data.roles import find_roles
from workbench.data.table_examples import to_input_examples

_FEWEST_WORDS = 40


def sts_sentences() -> list[str]:
    """The unique sentences of STS-B train, in the order of their first appearance.

    Exits with the cure where WORKBENCH_DATA names no folder that holds ``stsb/train.csv``.
    """
    path = Path(os.environ.get("WORKBENCH_DATA", "")) / "stsb" / "train.csv"
    if not os.environ.get("WORKBENCH_DATA") or not path.is_file():
        raise SystemExit("Set WORKBENCH_DATA to a folder that holds stsb/train.csv")
    table = read_table(path)
    examples = to_input_examples(table, find_roles(table), ("sentence1", "sentence2"), labels="score")
    return list(dict.fromkeys(text for one in examples for text in one.texts))


def paragraphs(count: int = 1500) -> list[str]:
    """Paragraphs of 40 words and more from installed packages' long descriptions.

    Which ones, and their order, follow from the hash of the text: they depend on what is installed, not on
    the order in which packages are found.

    Exits where the installed packages hold fewer than ``count``.
    """
    found: set[str] = set()
    for package in importlib.metadata.distributions():
        body = package.metadata.get_payload() or package.metadata.get("Description") or ""
        for block in re.split(r"\n\s*\n", str(body)):
            text = " ".join(block.split())
            if len(text.split()) >= _FEWEST_WORDS:
                found.add(text)
    if len(found) < count:
        raise SystemExit(f"The installed packages hold {len(found)} such paragraphs, {count} are needed")
    return sorted(found, key=_hash)[:count]


def digest(texts: Sequence[str]) -> str:
    """SHA-256 of a corpus, its order and the borders of its texts included, in hex."""
    whole = hashlib.sha256()
    for text in texts:
        data = text.encode("utf-8", "surrogatepass")
        whole.update(len(data).to_bytes(8, "little"))
        whole.update(data)
    return whole.hexdigest()


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
