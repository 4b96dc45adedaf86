"""Which documents of a corpus answer which query: ids checked, what cannot be used counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import Any

from workbench.errors import InvalidTypeError, InvalidValueError
from workbench.evaluation.checks import require_examples, require_texts

_NAMED = 5


@dataclass(frozen=True)
class Judgments:
    """A retrieval task that can be scored.

    Attributes:
        query_ids, queries: Those queries for which something is relevant.
        corpus_ids, corpus: All documents.
        relevant: For each query the places in the corpus of its relevant documents.
        totals: For each query its relevant documents, those that are not in the corpus included.
        notices: What was left out or cannot be found.
    """

    query_ids: list[Any]
    queries: list[str]
    corpus_ids: list[Any]
    corpus: list[str]
    relevant: list[list[int]]
    totals: list[int]
    notices: tuple[str, ...]


def read_judgments(
    queries: Mapping[Any, str], corpus: Mapping[Any, str], relevant_docs: Mapping[Any, Iterable[Any]]
) -> Judgments:
    """Check a retrieval task.

    Args:
        queries: Id → text.
        corpus: Id → text.
        relevant_docs: Query id → the ids of its relevant documents.

    Raises:
        InvalidTypeError: No mapping, or ids that are neither all strings nor all integers.
        InvalidValueError: No documents, no query with a relevant document, none of those in the corpus, or an
            id twice.
    """
    for name, mapping in (("queries", queries), ("corpus", corpus), ("relevant_docs", relevant_docs)):
        if not isinstance(mapping, Mapping):
            raise InvalidTypeError(
                "ids-without-mapping", f"a {type(mapping).__name__}", expected="a dict by id", where=name
            )
    require_examples(len(corpus), 1, "corpus")
    judged = {query: _documents(query, documents) for query, documents in relevant_docs.items()}
    require_one_type("query ids", queries, judged)
    require_one_type(
        "corpus ids", corpus, (document for documents in judged.values() for document in documents)
    )
    kept = [query for query in queries if judged.get(query)]
    if not kept:
        raise InvalidValueError(
            "no-judgments",
            f"none of {len(queries):,} queries has a relevant document",
            expected="relevant_docs with an id of queries and ids of corpus",
        )
    places = {document: place for place, document in enumerate(corpus)}
    relevant = [[places[document] for document in judged[query] if document in places] for query in kept]
    missing = [d for query in kept for d in judged[query] if d not in places]
    if not any(relevant):
        raise InvalidValueError(
            "no-relevant-in-corpus",
            f"none of {len(missing):,} relevant documents is in the corpus, such as {missing[0]!r}",
            expected=f"ids of the corpus, such as {next(iter(corpus))!r}",
        )
    notices = (
        _counted(len(queries) - len(kept), "queries have no relevant document and are left out"),
        _counted(len(set(judged) - set(queries)), "entries of relevant_docs belong to no query"),
        _counted(len(missing), "relevant documents are not in the corpus and count as not found"),
    )
    return Judgments(
        kept,
        require_texts([queries[query] for query in kept], "queries"),
        list(corpus),
        require_texts(list(corpus.values()), "corpus"),
        relevant,
        [len(judged[query]) for query in kept],
        tuple(notice for notice in notices if notice),
    )


def require_one_type(what: str, *groups: Iterable[Any]) -> None:
    """Refuse ids that look alike and are not: all are strings, or all are integers.

    Raises:
        InvalidTypeError: Another type, or both.
    """
    kinds: dict[str, Any] = {}
    for group in groups:
        for key in group:
            integer = isinstance(key, Integral) and not isinstance(key, bool)
            kinds.setdefault("str" if isinstance(key, str) else "int" if integer else type(key).__name__, key)
    if len(kinds) > 1 or set(kinds) - {"str", "int"}:
        raise InvalidTypeError(
            "ids-of-mixed-types",
            ", ".join(f"{key!r} is of type {kind}" for kind, key in list(kinds.items())[:_NAMED]),
            expected="ids that are all strings, or all integers",
            fix="Turn all of them into strings with str(...)",
            where=what,
        )


def _documents(query: Any, documents: Any) -> list[Any]:
    if isinstance(documents, str | bytes | Mapping) or not isinstance(documents, Iterable):
        raise InvalidTypeError(
            "relevant-not-a-set",
            f"a {type(documents).__name__} came",
            expected="a set or list of document ids",
            fix="For graded relevance keep the ids whose grade is above 0",
            where=f"relevant_docs[{query!r}]",
        )
    listed = list(documents)
    twice = [document for document, count in Counter(listed).items() if count > 1][:_NAMED]
    if twice:
        raise InvalidValueError(
            "id-twice",
            f"{', '.join(map(repr, twice))} stand more than once",
            expected="each document once",
            where=f"relevant_docs[{query!r}]",
        )
    return listed


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}" if count else ""
