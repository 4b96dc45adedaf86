"""The models of a proof, untouched, tuned and others, and their scores on held-out data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.compare.held_out import HeldOut, Rows
from workbench.compare.item_scores import ItemScores
from workbench.errors import InvalidValueError, ShapeMismatchError
from workbench.evaluation.metrics.score import Undefined
from workbench.models.protocols import Encoder

Encode = Callable[[Sequence[str]], Any]
"""Texts to embeddings, shape ``(texts, dim)``."""


@dataclass(frozen=True)
class JudgedModel:
    """One model of a proof.

    Attributes:
        name: For people.
        encode: For texts that are all alike.
        encode_query, encode_document: For queries and documents; None for ``encode``.
        seed: Of its training; None for an untuned one.
        identity: What pins it down: revision, hash of the files, run.
    """

    name: str
    encode: Encode
    encode_query: Encode | None = None
    encode_document: Encode | None = None
    seed: int | None = None
    identity: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Embedded:
    """A model's embeddings of held-out data, or why they cannot be used.

    Attributes:
        queries, documents: As `HeldOut.queries` and `HeldOut.documents`. Shape ``(texts, dim)`` each.
        undefined: Why there is no score; empty where there is one.
    """

    queries: NDArray[np.floating]
    documents: NDArray[np.floating]
    undefined: str = ""


def judged_model(
    name: str,
    model: Encoder,
    *,
    seed: int | None = None,
    identity: Mapping[str, str] | None = None,
    batch_size: int = 32,
) -> JudgedModel:
    """Wrap whatever encodes, such as a ``SentenceTransformer``."""

    def calling(method: Callable[..., Any]) -> Encode:
        return lambda texts: method(list(texts), batch_size=batch_size, show_progress_bar=False)

    return JudgedModel(
        name,
        calling(model.encode),
        calling(model.encode_query),
        calling(model.encode_document),
        seed,
        identity or {},
    )


def stored_model(
    name: str,
    texts: Sequence[str],
    embeddings: Rows,
    *,
    seed: int | None = None,
    identity: Mapping[str, str] | None = None,
) -> JudgedModel:
    """Wrap embeddings that were computed before.

    Args:
        name: For people.
        texts: All texts that will be asked for.
        embeddings: Shape ``(texts, dim)``.
        seed, identity: As in `JudgedModel`.

    Raises:
        ShapeMismatchError: Not one embedding a text.
    """
    if len(texts) != len(embeddings):
        raise ShapeMismatchError(
            "embeddings-mismatch", f"{len(embeddings)} embeddings for {len(texts)} texts", expected="one each"
        )
    place = {text: row for row, text in enumerate(texts)}

    def look_up(asked: Sequence[str]) -> Rows:
        missing = [text for text in asked if text not in place]
        if missing:
            raise InvalidValueError(
                "embedding-missing",
                f"{len(missing)} texts have no stored embedding, the first {missing[0][:60]!r}",
                expected="embeddings of all texts of the held-out data",
                where=name,
            )
        rows: Rows = np.asarray(embeddings)[[place[text] for text in asked]]
        return rows

    return JudgedModel(name, look_up, seed=seed, identity=identity or {})


def embedded_now(model: JudgedModel, held_out: HeldOut) -> JudgedModel:
    """The same model as its embeddings of held-out data, so that the model itself need not be kept.

    Raises:
        ShapeMismatchError: As `embedded`.
    """
    found = embedded(model, held_out)
    documents = stored_model(model.name, held_out.documents(), found.documents).encode
    queries = held_out.queries()
    return JudgedModel(
        model.name,
        documents,
        stored_model(model.name, queries, found.queries).encode if queries else None,
        documents,
        model.seed,
        model.identity,
    )


def embedded(model: JudgedModel, held_out: HeldOut) -> Embedded:
    """Embed held-out data, each distinct text once.

    What is not finite gives no score and no error: a training that diverged ends in a verdict too.

    Raises:
        ShapeMismatchError: The model gave another number of rows than there are texts.
    """
    alike = not held_out.queries()
    queries = _rows(model.encode_query or model.encode, held_out.queries(), model.name)
    documents = _rows(
        model.encode if alike else model.encode_document or model.encode, held_out.documents(), model.name
    )
    # A row may be finite and yet too long to be compared.
    with np.errstate(over="ignore", invalid="ignore"):
        lengths = [np.linalg.norm(rows.astype(np.float64), axis=1) for rows in (queries, documents)]
    bad = int(sum((~np.isfinite(each)).sum() for each in lengths))
    reason = f"{model.name} gives NaN or infinity for {bad:,} texts" if bad else ""
    return Embedded(queries, documents, reason)


def scores_of(found: Embedded, held_out: HeldOut) -> Mapping[str, ItemScores] | Undefined:
    """A model's item scores under each metric of the data, or why there are none."""
    if found.undefined:
        return Undefined(found.undefined)
    return held_out.scores(found.queries, found.documents)


def _rows(encode: Encode, texts: Sequence[str], name: str) -> NDArray[np.floating]:
    if not texts:
        return np.zeros((0, 1))
    # Sorted, so that the same texts make the same batches whatever the order of the items.
    distinct = sorted(set(texts))
    given = encode(distinct)
    rows = np.asarray(given.detach().float().cpu() if hasattr(given, "detach") else given)
    if rows.ndim != 2 or len(rows) != len(distinct):
        raise ShapeMismatchError(
            "encode-rows",
            f"shape {rows.shape} for {len(distinct)} texts",
            expected="one embedding a text",
            where=name,
        )
    place = {text: row for row, text in enumerate(distinct)}
    return rows[[place[text] for text in texts]]
