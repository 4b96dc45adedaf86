"""The bundled set as labelled sentences, positive pairs, and questions with the articles that answer them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations, groupby

from workbench.data.desk.content import Language, Sentence, check_language, intents, sentences
from workbench.data.desk.splits import Split
from workbench.data.input_example import InputExample


@dataclass(frozen=True)
class DeskRetrieval:
    """What an information retrieval evaluator takes.

    Attributes:
        queries: Sentence id → text.
        corpus: Intent id → article.
        relevant: Sentence id → ids of the articles that answer it.
    """

    queries: Mapping[str, str]
    corpus: Mapping[str, str]
    relevant: Mapping[str, frozenset[str]]


def labelled_sentences(split: Split | None = None, language: Language = "en") -> tuple[Sentence, ...]:
    """Sentences with intent, number of the intent and topic; all of them where no split is named.

    ``train``, ``dev`` and ``test`` hold different phrasings of the same intents: a score on ``test`` says how
    well a model understands known needs in new words. ``unseen`` holds whole intents, two in each of six
    topics, of which no phrasing stands in another split: a score there says how well what was learnt carries
    over to needs that are new. The two are different claims. Fit on ``train``, choose on ``dev``.

    Raises:
        UnknownNameError: A split or a language that is none.
    """
    return sentences(split, language)


def positive_pairs(split: Split, language: Language = "en") -> list[InputExample]:
    """Every two phrasings of one intent, label 1.

    Each sentence stands in several pairs: in-batch negatives need batches without duplicates, or an intent's
    other phrasings are taken for negatives.

    Raises:
        UnknownNameError: A split or a language that is none.
    """
    return [
        InputExample(guid=f"{first.id}|{second.id}", texts=[first.text, second.text], label=1.0)
        for _, group in groupby(sentences(split, language), key=lambda sentence: sentence.intent)
        for first, second in combinations(group, 2)
    ]


def question_article_pairs(split: Split, language: Language = "en") -> list[InputExample]:
    """Each phrasing with the article that answers it, label 1.

    Raises:
        UnknownNameError: A split or a language that is none.
    """
    articles = _articles(language)
    return [
        InputExample(
            guid=f"{sentence.id}|{sentence.intent}",
            texts=[sentence.text, articles[sentence.intent]],
            label=1.0,
        )
        for sentence in sentences(split, language)
    ]


def retrieval(split: Split, language: Language = "en") -> DeskRetrieval:
    """Phrasings of one split as queries to the articles of all intents, of which one answers.

    The articles are one shelf for all splits, as they are on a real desk: those of ``train``, ``dev`` and
    ``test`` are the same, and only the queries are new.

    Raises:
        UnknownNameError: A split or a language that is none.
    """
    asked = sentences(split, language)
    return DeskRetrieval(
        queries={sentence.id: sentence.text for sentence in asked},
        corpus=_articles(language),
        relevant={sentence.id: frozenset({sentence.intent}) for sentence in asked},
    )


def _articles(language: Language) -> dict[str, str]:
    check_language(language)
    return {
        intent.id: intent.articles[language].passage for intent in intents() if language in intent.articles
    }
