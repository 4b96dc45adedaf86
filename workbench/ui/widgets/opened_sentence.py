"""One sentence opened: its tokens, its vector in every column, and its nearest sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.contenders.contract import TokenCount, TokenView
from workbench.ui.texts import Language, say
from workbench.ui.widgets.html import Safe, decimal, element, join, readable, scientific, table, tag
from workbench.ui.widgets.scales import difference_class

# A strip has at most this many stripes: more are thinner than a pixel.
_STRIPES = 384
_TOKENS = 512
_TEXT_CHARACTERS = 4000
_FIRST_VALUES = 8
_UNKNOWN = ("[UNK]", "<unk>")


@dataclass(frozen=True)
class OpenedColumn:
    """What one column made of the sentence.

    Attributes:
        label, colour: Name and colour index.
        view: Its tokens; None where the pipeline could not be asked.
        count: How many tokens it has and how many were kept.
        vector: Its embedding. Shape ``(dim,)``.
        neighbours: Index and cosine of the nearest other texts, nearest first.
    """

    label: str
    colour: int
    view: TokenView | None
    count: TokenCount
    vector: NDArray[np.float32]
    neighbours: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Opened:
    """An opened sentence; the first column is the one the others are subtracted from."""

    index: int
    text: str
    columns: tuple[OpenedColumn, ...]


def opened_html(opened: Opened | None, texts: Sequence[str], language: Language) -> Safe:
    """The whole panel; an invitation where nothing is open."""
    if opened is None or not opened.columns:
        return element("p", say(language, "opened.none"), class_="wb-note")
    head = element("h3", say(language, "opened.title", number=opened.index + 1))
    shown = readable(opened.text, _TEXT_CHARACTERS)
    text = element("blockquote", shown, class_="wb-quote", dir="auto", tabindex="0")
    parts = [
        head,
        text,
        *_tokens(opened, language),
        *_strips(opened, language),
        _nearest(opened, texts, language),
    ]
    return element("div", join(parts), class_="wb-opened")


def stripes(vector: NDArray[np.floating]) -> tuple[NDArray[np.floating], int]:
    """A vector as at most 384 stripes and how many numbers each stands for: the largest in magnitude."""
    each = -(-len(vector) // _STRIPES) if len(vector) else 1
    if each == 1:
        return vector, 1
    padded = np.concatenate([vector, np.zeros(-len(vector) % each, dtype=vector.dtype)]).reshape(-1, each)
    return padded[np.arange(len(padded)), np.abs(padded).argmax(axis=1)], each


def _tokens(opened: Opened, language: Language) -> list[Safe]:
    """Token rows, one for all columns that see the same."""
    seen: dict[TokenView, list[OpenedColumn]] = {}
    for column in opened.columns:
        if column.view is not None:
            seen.setdefault(column.view, []).append(column)
    parts: list[Safe] = [element("h4", say(language, "opened.tokens"))] if seen else []
    for view, columns in seen.items():
        count = columns[0].count
        key = "opened.token_count" if count.full == count.kept else "opened.token_count_cut"
        told = say(language, key, kept=f"{count.kept:,}", full=f"{count.full:,}", unknown=count.unknown)
        names = join((tag(column.label, column.colour) for column in columns), " ")
        parts.append(element("p", join([names, told], " "), class_="wb-strip-head"))
        parts.append(element("div", join(_token_spans(view, language)), class_="wb-tokens-row", tabindex="0"))
    return parts


def _token_spans(view: TokenView, language: Language) -> list[Safe]:
    spans: list[Safe] = []
    for token, number, mask in list(zip(view.tokens, view.ids, view.mask, strict=True))[:_TOKENS]:
        kinds = ["wb-token", "unk" if token in _UNKNOWN else "", "off" if not mask else ""]
        title = say(language, "opened.token", id=number, mask=mask)
        inner = join([element("span", readable(token, 40)), element("small", str(number))])
        spans.append(element("span", inner, class_=" ".join(kind for kind in kinds if kind), title=title))
    more = len(view.tokens) - _TOKENS
    if more > 0:
        spans.append(element("span", say(language, "opened.more_tokens", more=more), class_="wb-token"))
    return spans


def _strips(opened: Opened, language: Language) -> list[Safe]:
    first = opened.columns[0]
    # A column without normalisation must not wash the others out: the scale is each strip's own.
    parts = [element("h4", say(language, "opened.vector", dim=len(first.vector)))]
    for column in opened.columns:
        norm = float(np.linalg.norm(column.vector))
        values = "  ".join(decimal(float(value)) for value in column.vector[:_FIRST_VALUES])
        told = say(language, "opened.norm", norm=decimal(norm), values=values)
        parts.append(_strip(join([tag(column.label, column.colour), told], " "), column.vector, language))
    for column in opened.columns[1:]:
        names = join([tag(column.label, column.colour), tag(first.label, first.colour)], " \u2212 ")
        if len(column.vector) != len(first.vector):
            parts.append(
                element("p", join([names, say(language, "opened.other_dim")], " "), class_="wb-strip-head")
            )
            continue
        difference = column.vector.astype(np.float64) - first.vector.astype(np.float64)
        largest = float(np.abs(difference).max(initial=0.0))
        told = say(language, "opened.difference", max=scientific(largest))
        parts.append(_strip(join([names, told], " "), difference, language))
    return parts


def _strip(head: Safe, vector: NDArray[np.floating], language: Language) -> Safe:
    shown, each = stripes(vector)
    scale = float(np.abs(vector).max(initial=0.0))
    cells = join(Safe(f"<i class={difference_class(float(value), scale)}></i>") for value in shown)
    scale_told = say(language, "opened.scale", scale=scientific(scale))
    if each > 1:
        scale_told = join([scale_told, say(language, "opened.each", each=each)], " ")
    return join(
        [
            element("p", join([head, element("small", scale_told)], " "), class_="wb-strip-head"),
            element("div", cells, class_="wb-strip", aria_hidden="true"),
        ]
    )


def _nearest(opened: Opened, texts: Sequence[str], language: Language) -> Safe:
    ranks = max((len(column.neighbours) for column in opened.columns), default=0)
    if not ranks:
        return Safe("")
    headings: list[object] = [say(language, "opened.rank")]
    headings += [tag(column.label, column.colour) for column in opened.columns]
    rows: list[list[object]] = []
    for rank in range(ranks):
        cells = [_neighbour(column.neighbours, rank, texts) for column in opened.columns]
        rows.append([str(rank + 1), *cells])
    return join(
        [element("h4", say(language, "opened.nearest")), table(headings, rows, class_="wb-table wb-nearest")]
    )


def _neighbour(neighbours: Sequence[tuple[int, float]], rank: int, texts: Sequence[str]) -> Safe:
    if rank >= len(neighbours):
        return Safe("")
    index, similarity = neighbours[rank]
    inner = join(
        [
            element("span", str(index + 1), class_="wb-no"),
            element("span", readable(texts[index], 60), class_="wb-text", dir="auto"),
            element("span", decimal(similarity, 3), class_="wb-number"),
        ]
    )
    return element("button", inner, type="button", data_i=str(index))
