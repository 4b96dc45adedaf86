"""Which role each column of a table plays: told by its name, else by its contents, overruled by the user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from workbench.data.column_contents import Contents, look_at
from workbench.data.column_names import NAMES, is_ignored_name, negative_number, roles_by_name
from workbench.data.labelled_table import LabelledTable
from workbench.errors import InvalidValueError, UnknownNameError

ROLES = tuple(NAMES)
LABEL_ROLES = ("score", "label", "relevance")
TEXT_ROLES = tuple(role for role in ROLES if role not in LABEL_ROLES)
Source = Literal["you", "name", "contents"]


@dataclass(frozen=True)
class ColumnRole:
    """One column's role.

    Attributes:
        column: Its name.
        role: One of ``ROLES``; None where it is ignored.
        source: Who decided: ``you`` (an override), the ``name``, or the ``contents``.
        reason: One sentence for the user.
    """

    column: str
    role: str | None
    source: Source
    reason: str


@dataclass(frozen=True)
class Roles:
    """The roles of all columns, in the table's order."""

    columns: tuple[ColumnRole, ...]

    def of(self, role: str) -> tuple[str, ...]:
        """The columns of a role; several negatives in the order of their numbers."""
        found = [one.column for one in self.columns if one.role == role]
        return tuple(sorted(found, key=negative_number) if role == "negative" else found)

    @property
    def texts(self) -> tuple[str, ...]:
        """The columns that play the part of a text."""
        return tuple(one.column for one in self.columns if one.role in TEXT_ROLES)

    @property
    def label(self) -> str | None:
        """The column of scores, classes or relevance; None without one."""
        return next((one.column for one in self.columns if one.role in LABEL_ROLES), None)

    def role(self, column: str) -> str | None:
        """The role of a column."""
        return next(one.role for one in self.columns if one.column == column)


def find_roles(table: LabelledTable, roles: Mapping[str, str | None] | None = None) -> Roles:
    """Find the role of each column, by name and contents and never by its position alone.

    Args:
        table: The data.
        roles: Column → role, which overrules what would be found; None or ``"ignore"`` leaves it out.

    Returns:
        A role for every column, or None, each with its reason. A role is given once, ``negative`` apart.

    Raises:
        UnknownNameError: ``roles`` names a column or a role that there is none of.
        InvalidValueError: ``roles`` gives a role other than ``negative`` or ``text`` twice.
    """
    chosen = _checked_overrides(table, roles or {})
    contents = {column: look_at(table.column(column)) for column in table.columns}
    free = [column for column in table.columns if column not in chosen]
    found: dict[str, ColumnRole] = {
        column: ColumnRole(column, role, "you", "You chose it." if role else "You left it out.")
        for column, role in chosen.items()
    }
    taken = {role for role in chosen.values() if role and role != "negative"}
    named = _by_name(free, contents, taken)
    found |= named
    rest = [column for column in free if column not in named]
    found |= _by_contents(rest, contents, {one.role for one in found.values() if one.role})
    return Roles(tuple(found[column] for column in table.columns))


def _checked_overrides(table: LabelledTable, roles: Mapping[str, str | None]) -> dict[str, str | None]:
    chosen: dict[str, str | None] = {}
    for column, role in roles.items():
        if column not in table.columns:
            raise UnknownNameError(
                "column-unknown",
                f"No column {column!r}",
                expected=f"one of {', '.join(map(repr, table.columns))}",
                where="roles",
            )
        plain = None if role in (None, "ignore") else str(role)
        if plain is not None and plain.startswith("negative_") and plain[9:].isdecimal():
            plain = "negative"
        if plain is not None and plain not in ROLES:
            raise UnknownNameError(
                "role-unknown",
                f"{role!r} for column {column!r}",
                expected=f"one of {', '.join(ROLES)}, ignore",
                where="roles",
            )
        rivals = LABEL_ROLES if plain in LABEL_ROLES else (plain,)
        if plain not in (None, "negative", "text") and any(role in rivals for role in chosen.values()):
            raise InvalidValueError(
                "role-given-twice",
                f"Two columns as {plain}",
                expected="every role once, one label; only negative and text may be given several times",
                where="roles",
            )
        chosen[column] = plain
    return chosen


def _by_name(columns: list[str], contents: dict[str, Contents], taken: set[str]) -> dict[str, ColumnRole]:
    """Settle the columns whose name says something, the most telling roles first."""
    suggested = {column: roles_by_name(column) for column in columns}
    present = {role for roles in suggested.values() for role in roles} | taken
    order = _preference(suggested, present)
    found: dict[str, ColumnRole] = {}
    used = set(taken)
    for role in order:
        for column in columns:
            names = suggested[column]
            fits = column not in found and role in names
            if not fits or not _may_hold(role, contents[column], "label" in names):
                continue
            if (role in used and role != "negative") or _is_second_label(role, used):
                continue
            found[column] = ColumnRole(column, role, "name", f"Its name says {role}.")
            used.add(role)
    found = _complete(found, used)
    for column in columns:
        if column in found:
            continue
        if is_ignored_name(column):
            found[column] = ColumnRole(
                column, None, "name", "Its name says that it is neither text nor label."
            )
        elif suggested[column]:
            found[column] = ColumnRole(
                column, None, "name", f"Its name says {suggested[column][0]}, but another column is that."
            )
    return found


def _preference(suggested: dict[str, tuple[str, ...]], present: set[str]) -> list[str]:
    """The order in which roles are given away, by the layout that the names together make."""
    triplet = "negative" in present or "positive" in present
    if not {"anchor", "negative"} & present and _two_columns(suggested, "sentence1", "sentence2"):
        order = [
            "sentence1",
            "sentence2",
            "noisy",
            "score",
            "label",
            "relevance",
            "anchor",
            "positive",
            "negative",
        ]
        return [*order, "query", "document", "text"]
    if triplet:
        order = ["anchor", "positive", "negative", "query", "sentence1", "document", "score", "label"]
        return [*order, "relevance", "text", "sentence2", "noisy"]
    order = ["noisy", "anchor", "query", "document", "text", "relevance", "score", "label"]
    if not _two_columns(suggested, "query", "document"):
        order = ["noisy", "anchor", "text", "query", "document", "relevance", "score", "label"]
    return [*order, "sentence1", "sentence2"]


def _two_columns(suggested: dict[str, tuple[str, ...]], first: str, second: str) -> bool:
    """Whether one column can be the first role while another is the second."""
    firsts = {column for column, roles in suggested.items() if first in roles}
    seconds = {column for column, roles in suggested.items() if second in roles}
    return bool(firsts and seconds) and len(firsts | seconds) > 1


def _may_hold(role: str, contents: Contents, several: bool) -> bool:
    """Whether a column's values can play a role that its name suggests."""
    numeric = contents.kind in ("numbers", "whole numbers", "lists of numbers")
    if role == "score" and several:
        # A column named label holds scores only where its numbers are no classes.
        return contents.kind in ("numbers", "lists of numbers")
    if role in ("score", "relevance"):
        return numeric
    if role == "label":
        return contents.kind != "lists of numbers"
    return True


def _is_second_label(role: str, used: set[str]) -> bool:
    return role in LABEL_ROLES and any(one in used for one in LABEL_ROLES)


def _complete(found: dict[str, ColumnRole], used: set[str]) -> dict[str, ColumnRole]:
    """Give a lone half of a pair the role that it plays without the other half."""
    changed = dict(found)

    def rename(old: str, new: str, why: str) -> None:
        if old not in used or new in used:
            return
        for column, one in found.items():
            if one.role == old:
                changed[column] = ColumnRole(column, new, "name", why)
                used.discard(old)
                used.add(new)

    with_positive = "positive" in used
    for old in ("query", "sentence1", "text"):
        if with_positive:
            rename(old, "anchor", f"Its name says {old}; beside a positive it is the anchor.")
    if not with_positive and "sentence2" not in used:
        rename("sentence1", "text", "Its name says sentence1, and there is no second one.")
    if not with_positive and "document" not in used and "negative" not in used:
        rename("query", "text", "Its name says query, and there is no document.")
    if "query" not in used and not with_positive:
        rename("document", "text", "Its name says document, and there is no query.")
    return changed


def _by_contents(
    columns: list[str], contents: dict[str, Contents], used: set[str | None]
) -> dict[str, ColumnRole]:
    """Settle what no name settled, where the contents leave one way to read it."""
    found: dict[str, ColumnRole] = {}
    texts = [column for column in columns if contents[column].kind == "texts"]
    classes = [column for column in columns if contents[column].kind == "classes"]
    numbers = [
        column
        for column in columns
        if contents[column].kind in ("numbers", "whole numbers", "lists of numbers")
    ]
    has_text = bool(used & set(TEXT_ROLES))
    if not has_text and not texts and len(classes) == 2:
        # Sentences that occur often look like classes: the longer ones are the texts.
        classes.sort(key=lambda column: contents[column].mean_length)
        texts.append(classes.pop())
    if not has_text and len(texts) == 1:
        found[texts[0]] = ColumnRole(texts[0], "text", "contents", "It is the only column of texts.")
    elif not has_text and len(texts) == 2:
        for column, role in zip(texts, ("sentence1", "sentence2"), strict=True):
            why = "It is one of the two columns of texts; which is first makes no difference to a pair."
            found[column] = ColumnRole(column, role, "contents", why)
    if not used & set(LABEL_ROLES):
        one_text = "text" in used or len(texts) == 1
        if len(classes) == 1 and (has_text or found):
            why = f"It holds {contents[classes[0]].distinct:,} different short values."
            found[classes[0]] = ColumnRole(classes[0], "label", "contents", why)
        elif not classes and len(numbers) == 1 and (has_text or found):
            whole = contents[numbers[0]].kind == "whole numbers"
            role = "label" if one_text and whole else "score"
            found[numbers[0]] = ColumnRole(
                numbers[0], role, "contents", f"It holds {contents[numbers[0]].kind}."
            )
    for column in columns:
        if column not in found:
            why = f"Neither its name nor its contents ({contents[column].kind}) tell what it is."
            found[column] = ColumnRole(column, None, "contents", why)
    return found
