"""Intents, articles and phrasings of the bundled set, read from its JSON files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeVar, get_args

from workbench.data.desk.splits import SPLITS, Split, assign_splits
from workbench.errors import UnknownNameError

Language = Literal["en", "ko"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

# One file each; the order numbers the intents.
TOPICS = (
    *(
        "setup",
        "feeding",
        "rhythm",
        "lid",
        "knots",
        "tongue",
        "cleaning",
        "culture",
        "larder",
        "round",
        "care",
    ),
)
_FOLDER = Path(__file__).parent

Name = TypeVar("Name", bound=str)


@dataclass(frozen=True)
class Article:
    """The answer to one intent in one language.

    Attributes:
        title: A heading.
        text: Two to four sentences in the words of the manual.
    """

    title: str
    text: str

    @property
    def passage(self) -> str:
        """Title and text as one document."""
        return f"{self.title}. {self.text}"


@dataclass(frozen=True)
class Sentence:
    """One phrasing of an intent.

    Attributes:
        id: Intent, language and place, such as ``"lid-hiss-en-03"``.
        text: As a customer wrote it.
        intent: Id of the intent.
        label: Number of the intent, the same in every language and split.
        topic: Id of the topic.
        language: ISO 639-1 code.
        split: Where it belongs; see ``labelled_sentences``.
    """

    id: str
    text: str
    intent: str
    label: int
    topic: str
    language: Language
    split: Split


@dataclass(frozen=True)
class Intent:
    """One need of customers.

    Attributes:
        id: Stable name.
        label: Its number.
        topic: Id of the topic.
        topic_title: Name of the topic for people, in English.
        unseen: Whether the whole intent is held out.
        articles: Language → answer; every language that has phrasings.
        phrasings: Language → sentences.
    """

    id: str
    label: int
    topic: str
    topic_title: str
    unseen: bool
    articles: Mapping[Language, Article]
    phrasings: Mapping[Language, tuple[Sentence, ...]]


@cache
def intents() -> tuple[Intent, ...]:
    """All intents, topic by topic."""
    found: list[Intent] = []
    for topic in TOPICS:
        content = json.loads((_FOLDER / f"{topic}.json").read_text(encoding="utf-8"))
        for entry in content["intents"]:
            found.append(_intent(entry, len(found), content["id"], content["title"]))
    return tuple(found)


def sentences(split: Split | None = None, language: Language = "en") -> tuple[Sentence, ...]:
    """The phrasings of one split, or of all, in one language.

    Raises:
        UnknownNameError: A split or a language that is none.
    """
    check_language(language)
    if split is not None:
        check_split(split)
    return tuple(
        sentence
        for intent in intents()
        for sentence in intent.phrasings.get(language, ())
        if split is None or sentence.split == split
    )


def check_language(language: Language) -> None:
    """Refuse a language in which nothing is written."""
    _check_name(language, LANGUAGES, "language")


def check_split(split: Split) -> None:
    """Refuse a name that is no split."""
    _check_name(split, SPLITS, "split")


def _check_name(name: Name, known: tuple[Name, ...], what: str) -> None:
    if name not in known:
        raise UnknownNameError(
            f"desk-{what}-unknown", f"{what} is {name!r}", expected=f"one of {', '.join(known)}", where="desk"
        )


def _intent(entry: dict[str, Any], label: int, topic: str, topic_title: str) -> Intent:
    articles: dict[Language, Article] = {}
    phrasings: dict[Language, tuple[Sentence, ...]] = {}
    for language in LANGUAGES:
        if language in entry["phrasings"]:
            texts: list[str] = entry["phrasings"][language]
            articles[language] = Article(**entry["articles"][language])
            phrasings[language] = tuple(
                Sentence(
                    f"{entry['id']}-{language}-{place:02}", text, entry["id"], label, topic, language, split
                )
                for place, (text, split) in enumerate(
                    zip(texts, assign_splits(texts, entry["unseen"]), strict=True), start=1
                )
            )
    return Intent(
        id=entry["id"],
        label=label,
        topic=topic,
        topic_title=topic_title,
        unseen=entry["unseen"],
        articles=MappingProxyType(articles),
        phrasings=MappingProxyType(phrasings),
    )
