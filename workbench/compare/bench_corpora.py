"""The bundled corpora of a benchmark by the length of their texts, and texts that somebody brings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.data.desk.content import intents, sentences
from workbench.data.desk.splits import stable_rank
from workbench.errors import UnknownNameError

OWN_TEXTS = "yours"
# Name → how many of the bundled articles follow each other in one text; 0 is what a customer wrote.
CORPORA: dict[str, int] = {"sentences": 0, "paragraphs": 2, "documents": 6}


@dataclass(frozen=True)
class Corpus:
    """What is encoded in every call.

    Attributes:
        name: One of ``CORPORA`` or ``yours``.
        texts: In a fixed order that mixes lengths.
    """

    name: str
    texts: tuple[str, ...]


def corpus(name: str, words: int, own_texts: Sequence[str] = ()) -> Corpus:
    """A corpus of about so many words; texts that were brought are taken whole.

    Sentences of the support desk have about 14 tokens under a BERT vocabulary, paragraphs 120, documents
    more than the 256 that most small models read. The order is that of the texts' hashes, the same in
    every process; no text stands in it twice.

    Raises:
        UnknownNameError: ``unknown-corpus``.
    """
    if name == OWN_TEXTS:
        return Corpus(name, tuple(own_texts))
    if name not in CORPORA:
        raise UnknownNameError(
            "unknown-corpus", repr(name)[:60], expected=f"one of {', '.join((*CORPORA, OWN_TEXTS))}"
        )
    texts = dict.fromkeys(_joined(CORPORA[name]) if CORPORA[name] else [one.text for one in sentences()])
    kept: list[str] = []
    count = 0
    for text in sorted(texts, key=stable_rank):
        if kept and count >= words:
            break
        kept.append(text)
        count += len(text.split())
    return Corpus(name, tuple(kept))


def _joined(many: int) -> list[str]:
    """Articles in runs of so many, beginning at each of them."""
    passages = [intent.articles["en"].passage for intent in intents() if "en" in intent.articles]
    return [
        "\n".join(passages[(first + step) % len(passages)] for step in range(many))
        for first in range(len(passages))
    ]
