"""Two fixed corpora for speed: short sentences, and paragraphs that every installation brings."""

from __future__ import annotations

import hashlib
import os
import re
from importlib.metadata import distributions
from pathlib import Path

from workbench.data.labelled_files import read_table
from workbench.data.roles import find_roles
from workbench.data.table_examples import to_input_examples

# Fewer are headings, lists and badges; more are tables and change logs.
_FEWEST_WORDS, _MOST_WORDS = 40, 300


def sts_sentences() -> list[str]:
    """Corpus a: the distinct sentences of STS-B's training part, in order of first appearance.

    Raises:
        SystemExit: ``WORKBENCH_DATA`` does not name a folder that holds ``stsb/train.csv``.
    """
    folder = os.environ.get("WORKBENCH_DATA")
    if folder is None:
        raise SystemExit("Set WORKBENCH_DATA to a folder that holds stsb/train.csv")
    table = read_table(Path(folder) / "stsb" / "train.csv")
    examples = to_input_examples(table, find_roles(table), ("sentence1", "sentence2"), labels="score")
    return list(dict.fromkeys(text for example in examples for text in example.texts))


def paragraphs(count: int = 1500) -> list[str]:
    """Corpus b: paragraphs of 40 to 300 words from installed packages, chosen by hash.

    They stand in the long descriptions of all packages and, since those hold some hundreds only, in the
    docstrings of Transformers' models.

    Raises:
        SystemExit: There are not as many.
    """
    import transformers

    texts = [
        str(each.metadata.get_payload() or each.metadata["Description"] or "") for each in distributions()
    ]
    for source in sorted((Path(transformers.__file__).parent / "models").rglob("*.py")):
        texts.extend(
            re.findall(r'"""(.*?)"""', source.read_text(encoding="utf-8", errors="replace"), re.DOTALL)
        )
    found = {
        " ".join(words)
        for text in texts
        for block in re.split(r"\n\s*\n", text)
        if _FEWEST_WORDS <= len(words := block.split()) <= _MOST_WORDS
    }
    chosen = sorted(found, key=lambda text: hashlib.sha256(text.encode()).digest())[:count]
    if len(chosen) < count:
        raise SystemExit(f"The installed packages have {len(chosen)} such paragraphs, {count} are needed")
    return chosen


def corpus_sha256(texts: list[str]) -> str:
    """What names a corpus in a result."""
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()
