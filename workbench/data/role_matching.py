"""Which columns a loss is fed, in its order: by the roles they play, never by where they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.data.roles import Roles
from workbench.errors import InvalidValueError

# Roles a loss asks for → roles that may stand in for them where those are missing, the best first.
_STAND_INS: dict[tuple[str, str], tuple[tuple[str, str], ...]] = {
    ("anchor", "positive"): (("query", "document"), ("sentence1", "sentence2")),
    ("sentence1", "sentence2"): (("query", "document"), ("anchor", "positive")),
    ("query", "document"): (("anchor", "positive"), ("sentence1", "sentence2")),
}


@dataclass(frozen=True)
class ColumnMatch:
    """The columns for a loss.

    Attributes:
        columns: Names of the table's columns, in the order of the loss.
        roles: What the loss takes each for.
        notices: What the user should be told: roles that stand in for others, columns left unused.
    """

    columns: tuple[str, ...]
    roles: tuple[str, ...]
    notices: tuple[str, ...] = ()


def match_columns(roles: Roles, needs_columns: Sequence[str]) -> ColumnMatch:
    """Pick and order the columns for a loss.

    Args:
        roles: The roles of the table's columns.
        needs_columns: ``needs.columns`` of the loss: roles in order, a trailing ``*`` for any number of
            them, ``+`` for one or more, ``?`` for one or none.

    Raises:
        InvalidValueError: ``columns-missing`` where a role is missing, ``columns-several`` where two could
            play it, ``pairs-carry-labels`` where pairs with scores would be taken for positives.
    """
    found = _exact(roles, needs_columns, {})
    if found is not None:
        return _told(roles, found, ())
    wanted = tuple(_base(pattern) for pattern in needs_columns)
    for pair, stand_ins in _STAND_INS.items():
        if not set(pair) <= set(wanted):
            continue
        for other in stand_ins:
            found = _exact(roles, needs_columns, dict(zip(pair, other, strict=True)))
            if found is None:
                continue
            _refuse_labelled_pairs(roles, pair, other)
            notices = tuple(
                f"Column {roles.of(there)[0]!r} ({there}) is taken as {here}."
                for here, there in zip(pair, other, strict=True)
            )
            return _told(roles, found, notices)
    if set(wanted) == {"text"}:
        return _any_texts(roles, needs_columns)
    raise _missing(roles, needs_columns)


def _base(pattern: str) -> str:
    return pattern.rstrip("*+?")


def _exact(roles: Roles, patterns: Sequence[str], stand_ins: dict[str, str]) -> list[tuple[str, str]] | None:
    """Column and role for every pattern, or None where one stays unfilled."""
    found: list[tuple[str, str]] = []
    used: set[str] = set()
    for pattern in patterns:
        role = _base(pattern)
        columns = [column for column in roles.of(stand_ins.get(role, role)) if column not in used]
        if not pattern.endswith(("*", "+")):
            columns = columns[:1]
        if not columns and not pattern.endswith(("*", "?")):
            return None
        used.update(columns)
        found += [(column, role) for column in columns]
    return found


def _refuse_labelled_pairs(roles: Roles, pair: tuple[str, str], other: tuple[str, str]) -> None:
    if pair != ("anchor", "positive") or roles.label is None:
        return
    first, second = roles.of(other[0])[0], roles.of(other[1])[0]
    raise InvalidValueError(
        "pairs-carry-labels",
        f"Column {roles.label!r} rates the pairs: not every {second!r} is a positive of its {first!r}",
        expected="rows whose two texts belong together",
        fix="Keep only the rows that are rated high, and then say so with "
        f"roles={{{first!r}: 'anchor', {second!r}: 'positive'}}; or take a loss for scored pairs",
        where="roles",
    )


def _any_texts(roles: Roles, patterns: Sequence[str]) -> ColumnMatch:
    """One text a row, or several alike: whatever columns of texts there are."""
    texts = roles.texts
    if not texts:
        raise _missing(roles, patterns)
    if not any(pattern.endswith(("*", "+")) for pattern in patterns) and len(texts) > len(patterns):
        raise InvalidValueError(
            "columns-several",
            f"{len(texts)} columns hold texts: {', '.join(map(repr, texts))}",
            expected=f"the columns {', '.join(patterns)}",
            fix=f"Choose one, such as roles={{{texts[0]!r}: 'text'}}",
            where="roles",
        )
    taken = [(column, "text") for column in texts]
    notices = tuple(
        f"Column {column!r} ({roles.role(column)}) is taken as text."
        for column in texts
        if roles.role(column) != "text"
    )
    return _told(roles, taken, notices)


def _told(roles: Roles, found: list[tuple[str, str]], notices: tuple[str, ...]) -> ColumnMatch:
    columns = tuple(column for column, _ in found)
    unused = tuple(
        f"Column {column!r} ({roles.role(column)}) is not used."
        for column in roles.texts
        if column not in columns
    )
    return ColumnMatch(columns, tuple(role for _, role in found), (*notices, *unused))


def _missing(roles: Roles, patterns: Sequence[str]) -> InvalidValueError:
    lacking = [
        _base(pattern)
        for pattern in patterns
        if not pattern.endswith(("*", "?")) and not roles.of(_base(pattern))
    ]
    lacking = lacking or [_base(pattern) for pattern in patterns]
    here = ", ".join(f"{one.column!r} ({one.role or 'ignored'})" for one in roles.columns)
    return InvalidValueError(
        "columns-missing",
        f"No column plays {' or '.join(lacking)}; there are {here}",
        expected=f"the columns {', '.join(patterns)}",
        fix=f"Name it, such as roles={{{roles.columns[0].column!r}: {lacking[0]!r}}}, or take another loss",
        where="roles",
    )
