"""Hard negatives for pairs: texts near an anchor that are not its positives, in the shape a loss takes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from workbench.errors import InvalidTypeError, InvalidValueError, UnknownNameError
from workbench.util.mining_pairs import Pairs, without_repeats
from workbench.util.negative_formats import FORMATS, Columns
from workbench.util.negative_search import (
    GONE,
    Encoder,
    Encoding,
    GivenEmbeddings,
    Limits,
    Negatives,
    find_negatives,
)

_LOG = logging.getLogger(__name__)

OutputFormat = Literal["triplet", "n-tuple", "labeled-pair", "labeled-list"]


def mine_hard_negatives(
    dataset: Any,
    model: Encoder | GivenEmbeddings,
    anchor_column_name: str | None = None,
    positive_column_name: str | None = None,
    corpus: Sequence[str] | None = None,
    range_min: int = 0,
    range_max: int | None = None,
    max_score: float | None = None,
    min_score: float | None = None,
    absolute_margin: float | None = None,
    relative_margin: float | None = None,
    num_negatives: int = 3,
    sampling_strategy: Literal["random", "top"] = "top",
    query_prompt_name: str | None = None,
    query_prompt: str | None = None,
    corpus_prompt_name: str | None = None,
    corpus_prompt: str | None = None,
    include_positives: bool = False,
    output_format: OutputFormat = "triplet",
    output_scores: bool = False,
    batch_size: int = 32,
    verbose: bool = True,
    *,
    seed: int = 0,
) -> Any:
    """Find texts near each anchor that are not its positives, and add them to the pairs.

    The candidates are the positives of all rows and the texts of ``corpus``. Rows of one anchor are joined:
    none of its positives is a negative of it. Equal anchors and texts are embedded once. Candidates are
    ranked by the model's similarity, ruled out by the limits, then ranks from ``range_min`` to ``range_max``
    are taken.

    Args:
        dataset: Pairs of an anchor and a positive: a list of them or of ``InputExample``, a dict of columns,
            or a ``datasets.Dataset``.
        model: What embeds the texts, or ``GivenEmbeddings``.
        anchor_column_name: Where there are columns, that of the anchors; the first.
        positive_column_name: That of the positives; the second.
        corpus: More texts that may be negatives.
        range_min: Best candidates to pass over, of those that the limits leave.
        range_max: Rank of the last candidate; None looks at enough of them.
        max_score: Largest similarity to the anchor.
        min_score: Smallest similarity to the anchor.
        absolute_margin: Least distance below the anchor's least similar positive.
        relative_margin: The same as a share of the size of that similarity.
        num_negatives: Negatives an anchor.
        sampling_strategy: ``top``: the best candidates. ``random``: drawn from all of them.
        query_prompt_name: Name of the anchors' prompt.
        query_prompt: The anchors' prompt.
        corpus_prompt_name: Name of the candidates' prompt.
        corpus_prompt: The candidates' prompt.
        include_positives: Let positives be candidates too, for reranking data; the format is then n-tuple.
        output_format: ``triplet``: (anchor, positive, negative), a row a negative. ``n-tuple``: (anchor,
            positive, negative_1, …), where all were found. ``labeled-pair``: (anchor, text, label).
            ``labeled-list``: (anchor, [texts], [labels]).
        output_scores: Give similarities: beside the texts, and instead of labels.
        batch_size: Texts encoded at a time.
        verbose: Log what was found and ruled out, and show the progress of encoding.
        seed: Of the draw.

    Returns:
        What came: a ``datasets.Dataset``, a list of examples with the label (0 or 1, the score, or 0 where
        there is none), or a dict of columns. Examples know no labeled-list, and no scores of triplets and
        n-tuples.

    Raises:
        InvalidTypeError: Not pairs of texts, or a model that does not encode.
        InvalidValueError: No rows, limits that leave no room, a format that examples cannot hold.
        UnknownNameError: No such column or format.

    Source: sentence-transformers' ``util.mine_hard_negatives``, without rescoring by a cross-encoder; Moreira
    et al., NV-Retriever, https://arxiv.org/abs/2407.15831, for the margins.
    """
    output_format = "n-tuple" if include_positives else output_format
    if output_format not in FORMATS:
        raise UnknownNameError(
            "output-format-unknown",
            f"{output_format!r}",
            expected="one of " + ", ".join(FORMATS),
            where="output_format",
        )
    names, anchors, positives = _pairs(dataset, anchor_column_name, positive_column_name)
    give = _giver(dataset, output_format, output_scores)
    pairs = without_repeats(anchors, positives, _texts(corpus, "corpus") if corpus is not None else None)
    found = find_negatives(
        pairs,
        model,
        Limits(
            range_min=range_min,
            range_max=range_max,
            max_score=max_score,
            min_score=min_score,
            absolute_margin=absolute_margin,
            relative_margin=relative_margin,
            num_negatives=num_negatives,
            sampling_strategy=sampling_strategy,
        ),
        Encoding(
            batch_size=batch_size,
            query_prompt_name=query_prompt_name,
            query_prompt=query_prompt,
            corpus_prompt_name=corpus_prompt_name,
            corpus_prompt=corpus_prompt,
            show_progress_bar=verbose,
        ),
        include_positives=include_positives,
        seed=seed,
    )
    if verbose:
        _log(pairs, found)
    return give(FORMATS[output_format](pairs, found, names, output_scores))


def _pairs(
    dataset: Any, anchor: str | None, positive: str | None
) -> tuple[tuple[str, str], list[str], list[str]]:
    """Names of the two columns, anchors and positives."""
    names = getattr(dataset, "column_names", None)
    columns: list[str] = list(dataset) if isinstance(dataset, Mapping) else list(names or ())
    if columns:
        return _named_columns(dataset, columns, anchor, positive)
    rows = [getattr(row, "texts", row) for row in dataset]
    if not rows:
        raise InvalidValueError("dataset-empty", "no pair came", expected="at least one", where="dataset")
    for number, row in enumerate(rows):
        if not isinstance(row, list | tuple) or len(row) != 2:
            raise InvalidTypeError(
                "row-not-a-pair",
                f"{repr(row)[:60]}",
                expected="an anchor and a positive",
                where=f"dataset, row {number}",
            )
    firsts, seconds = zip(*rows, strict=True)
    named = (anchor or "anchor", positive or "positive")
    return named, _texts(firsts, named[0]), _texts(seconds, named[1])


def _named_columns(
    dataset: Any, columns: list[str], anchor: str | None, positive: str | None
) -> tuple[tuple[str, str], list[str], list[str]]:
    if len(columns) < 2:
        raise InvalidTypeError(
            "columns-too-few", f"the columns {columns}", expected="anchors and positives", where="dataset"
        )
    chosen = (anchor or columns[0], positive or next(name for name in columns[1:] if name != anchor))
    for name in chosen:
        if name not in columns:
            raise UnknownNameError(
                "column-unknown", f"{name!r}", expected="one of " + ", ".join(columns), where="dataset"
            )
    first, second = (_texts(dataset[name], name) for name in chosen)
    if not first or len(first) != len(second):
        raise InvalidValueError(
            "dataset-empty" if not first else "columns-uneven",
            f"{len(first)} anchors and {len(second)} positives",
            expected="as many of each, at least one",
            where="dataset",
        )
    return chosen, first, second


def _texts(values: Iterable[Any], name: str) -> list[str]:
    found = list(values)
    for row, value in enumerate(found):
        if not isinstance(value, str):
            raise InvalidTypeError(
                "text-not-a-string",
                f"a {type(value).__name__}: {repr(value)[:40]}",
                expected="a string",
                fix="Drop missing rows, and turn other values into text with str(...)",
                where=f"{name}, row {row}",
            )
    return found


def _giver(dataset: Any, output_format: str, scored: bool) -> Callable[[Columns], Any]:
    """How columns are handed back, so that they have the form of what came."""
    if hasattr(type(dataset), "from_dict") and hasattr(dataset, "column_names"):
        from_dict: Callable[[Columns], Any] = type(dataset).from_dict
        return from_dict
    kind = type(dataset[0]) if isinstance(dataset, list | tuple) and dataset else None
    if kind is None or not hasattr(dataset[0], "texts"):
        return lambda columns: columns
    if output_format == "labeled-list" or (scored and output_format != "labeled-pair"):
        raise InvalidValueError(
            "format-without-examples",
            f"{output_format!r}{' with scores' if scored else ''}",
            expected="triplet, n-tuple or labeled-pair; with scores labeled-pair",
            fix="Hand over pairs of strings to get columns, or leave the scores out",
            where="output_format",
        )
    return lambda columns: _examples(columns, kind, output_format == "labeled-pair")


def _examples(columns: Columns, kind: Callable[..., Any], labeled: bool) -> list[Any]:
    rows = list(zip(*columns.values(), strict=True))
    if labeled:
        return [kind(texts=list(row[:-1]), label=row[-1]) for row in rows]
    return [kind(texts=list(row)) for row in rows]


def _log(pairs: Pairs, found: Negatives) -> None:
    count = int((found.scores > GONE).sum())
    wanted = found.scores.numel()
    _LOG.info("%d negatives of %d wanted for %d anchors", count, wanted, len(pairs.anchors))
    for limit, number in found.skipped.items():
        _LOG.info("%s ruled out %d candidates", limit, number)
