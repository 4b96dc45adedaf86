"""The machine's door: one typed endpoint that compares and answers in JSON."""

from __future__ import annotations

from typing import Any

from workbench.compare.report import comparison_dict, error_dict
from workbench.compare.results import Comparison
from workbench.data.texts import check_texts
from workbench.errors import InvalidTypeError, InvalidValueError, WorkbenchError
from workbench.ui import backend
from workbench.ui.columns import (
    DEFAULT_CONTENDERS,
    FIELDS,
    MAX_COLUMNS,
    ColumnForm,
    column_of,
    form_from_values,
    labels_of,
)
from workbench.ui.errors import message_of
from workbench.ui.sentences import MAX_SENTENCES

_ROUNDS = 5
_BUDGET_SECONDS = 30.0


def compare_api(
    texts: list[str],
    columns: list[dict[str, Any]] | None = None,
    speed: bool = False,
    embeddings: bool = False,
) -> dict[str, Any]:
    """Compare embedding pipelines on texts.

    Args:
        texts: At most 1,000 sentences.
        columns: At most six, each with any of contender, model, pooling, max_length, prompt, normalize,
            lowercase, use_mask, precision; by default own, upstream and manual as the bundled model says.
        speed: Time the columns too.
        embeddings: Put the embeddings into the answer.

    Returns:
        The comparison, or ``{"error": {"code": ..., "message": ...}}``.
    """
    try:
        return _compared(texts, columns, speed is True, embeddings is True)
    except WorkbenchError as error:
        return {"error": error_dict(error)}
    except Exception as error:
        return {"error": {"code": "internal", "message": message_of(error, "en")}}


def _compared(texts: object, columns: object, speed: bool, embeddings: bool) -> dict[str, Any]:
    checked = check_texts(texts, limit=MAX_SENTENCES).texts
    forms = _forms(columns)
    labels = labels_of(forms, ("cpu",))
    wanted = [
        column_of(form, label, "cpu", backend.DEFAULT_MODEL, backend.settings_for)
        for form, label in zip(forms, labels, strict=True)
    ]
    events = backend.compare(
        wanted,
        checked,
        speed_rounds=_ROUNDS if speed else 0,
        speed_budget_seconds=_BUDGET_SECONDS,
        cancelled=lambda: False,
    )
    found = [event for event in events if isinstance(event, Comparison)]
    return comparison_dict(found[-1], embeddings=embeddings)


def _forms(columns: object) -> list[ColumnForm]:
    if columns is None:
        return [ColumnForm(contender=name) for name in DEFAULT_CONTENDERS]
    if not isinstance(columns, list) or not all(isinstance(column, dict) for column in columns):
        raise InvalidTypeError(
            "columns-not-a-list", "Something else came", expected="a list of objects", where="columns"
        )
    if not 1 <= len(columns) <= MAX_COLUMNS:
        raise InvalidValueError(
            "column-count", f"{len(columns)} columns", expected=f"1 to {MAX_COLUMNS}", where="columns"
        )
    default = ColumnForm()
    forms = []
    for place, column in enumerate(columns):
        if unknown := sorted(str(name) for name in set(column) - set(FIELDS)):
            raise InvalidValueError(
                "unknown-field",
                ", ".join(unknown)[:200],
                expected=f"{', '.join(FIELDS)}",
                where=f"column {place + 1}",
            )
        forms.append(form_from_values([column.get(name, getattr(default, name)) for name in FIELDS], place))
    return forms
