"""What the Train page shows of the data: roles with their reasons, facts, first rows, one batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.ui.errors import box_html
from workbench.ui.texts import Language, say, word
from workbench.ui.widgets.html import NOTHING, Safe, count, element, join, readable, table

if TYPE_CHECKING:
    from workbench.ui.pages.train_data import Batch, Look

_CELL = 160
_BATCH_ROWS = 16
_DATA = "wb-table wb-data"


def look_html(look: Look, language: Language) -> Safe:
    """The whole preview."""
    if look.refusal is not None:
        return _encodings(look, language)
    parts = [_counts(look, language), _roles(look, language), _facts(look, language), _head(look, language)]
    if look.batch is not None:
        parts += [_batch(look.batch, language)]
        parts += [box_html(notice, "info") for notice in look.batch.notices]
    return join(parts)


def _encodings(look: Look, language: Language) -> Safe:
    """The ways in which a file could be read, each with its first lines."""
    told = box_html(look.refusal.message if look.refusal else "", "warn")
    rows = [
        (one.title, element("span", join([readable(line, _CELL) for line in one.preview], " ⏎ ")))
        for one in look.encodings
    ]
    if not rows:
        return told
    heads = [say(language, "train.encoding"), say(language, "train.first_lines")]
    return join([told, table(heads, rows), element("p", say(language, "train.choose_encoding"))])


def _counts(look: Look, language: Language) -> Safe:
    if look.batch is None:
        return NOTHING
    one = look.batch
    return element(
        "p",
        say(
            language,
            "train.parts" if one.dev else "train.parts_without_dev",
            train=count(one.train),
            dev=count(one.dev),
            test=count(one.test),
            shape=word(language, f"train.shape_{one.test_shape.replace(' ', '_')}"),
        ),
        class_="wb-told",
    )


def _roles(look: Look, language: Language) -> Safe:
    rows = [
        (
            readable(name, 60),
            role or say(language, "train.ignored"),
            reason or say(language, "train.role_fixed"),
        )
        for name, role, reason in look.columns
    ]
    heads = [say(language, f"train.head_{name}") for name in ("column", "role", "reason")]
    return table(heads, rows, class_=_DATA) if rows else NOTHING


def _facts(look: Look, language: Language) -> Safe:
    found = look.preview
    if found is None:
        return NOTHING
    scripts = ", ".join(f"{name} {share:,}" for name, share in found.scripts.items())
    repeated = found.duplicates
    facts = [say(language, "train.fact_rows", rows=f"{found.rows:,}")]
    if found.encoding:
        facts.append(say(language, "train.fact_encoding", encoding=found.encoding))
    if scripts:
        facts.append(say(language, "train.fact_scripts", scripts=scripts))
    if found.scale is not None:
        facts.append(_phrase(found.scale.reason))
    facts.append(
        say(
            language,
            "train.fact_duplicates",
            rows=f"{repeated.rows:,}",
            texts=f"{repeated.texts:,}",
            sides=f"{repeated.same_sides:,}",
        )
    )
    parts = [element("p", join(facts, " · "), class_="wb-told")]
    parts += [box_html(notice, "info") for notice in found.notices]
    if found.label_problem:
        parts.append(box_html(found.label_problem, "warn"))
    return join(parts)


def _phrase(text: str) -> Safe:
    """A sentence as a phrase among others."""
    return element("span", text.rstrip("."))


def _head(look: Look, language: Language) -> Safe:
    if not look.head:
        return NOTHING
    names = [name for name, _, _ in look.columns]
    width = max(len(row) for row in look.head)
    heads = [*names, *("" for _ in range(width - len(names)))][:width]
    return _folded(
        say(language, "train.first_rows"),
        table([readable(name, 40) for name in heads], [_cells(row) for row in look.head], class_=_DATA),
        opened=True,
    )


def _batch(batch: Batch, language: Language) -> Safe:
    heads = [*batch.roles, *([say(language, "train.head_label")] if batch.labels else [])]
    rows = []
    for number, texts in enumerate(batch.rows[:_BATCH_ROWS]):
        labels = [batch.labels[number]] if batch.labels else []
        rows.append((*_cells(texts), *labels))
    notes = [element("p", say(language, "train.batch_shape", rows=len(batch.rows), columns=len(batch.roles)))]
    if batch.in_batch:
        notes.append(element("p", say(language, "train.batch_negatives", others=len(batch.rows) - 1)))
    more = len(batch.rows) - _BATCH_ROWS
    if more > 0:
        notes.append(element("p", say(language, "train.batch_more", more=more)))
    return _folded(say(language, "train.one_batch"), join([*notes, table(heads, rows, class_=_DATA)]))


def _folded(title: Safe, content: Safe, opened: bool = False) -> Safe:
    attributes = {"open": ""} if opened else {}
    return element("details", join([element("summary", title), content]), class_="wb-fold", **attributes)


def _cells(row: Sequence[str | None]) -> list[Safe]:
    return [
        element("span", "–" if value is None else readable(value, _CELL), class_="wb-cell") for value in row
    ]
