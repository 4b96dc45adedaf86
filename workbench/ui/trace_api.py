"""The machine's doors to tracing: two pipelines to a verdict with its proof, a folder to its findings."""

from __future__ import annotations

from typing import Any

from workbench.compare.report import error_dict
from workbench.errors import InvalidTypeError, InvalidValueError, WorkbenchError
from workbench.persistence.source import BUNDLED
from workbench.trace.probe import PROBE
from workbench.ui import trace_backend as backend
from workbench.ui.columns import FIELDS, ColumnForm, form_from_values, model_name
from workbench.ui.errors import message_of
from workbench.ui.pages.trace_files import result_dict
from workbench.ui.pages.trace_handlers import LEFT, Wanted, checked_faults, checked_texts, find


def trace_api(
    right: dict[str, Any],
    left: dict[str, Any] | None = None,
    texts: list[str] | None = None,
    faults: list[str] | None = None,
) -> dict[str, Any]:
    """Name the first stage where two pipelines part, prove it by swapping, and give the fix.

    Args:
        right: The pipeline in question: any of contender, model, pooling, max_length, prompt, normalize,
            lowercase, use_mask, precision.
        left: The one to hold as right; by default own as the bundled model says.
        texts: At most 64 texts with 20,000 characters; by default the standard probe set.
        faults: Faults to put into a manual pipeline ``right``, at most four.

    Returns:
        The proof with its difference, or ``{"error": {"code": ..., "message": ...}}``.
    """
    try:
        wanted = Wanted(
            LEFT if left is None else _form(left, "left", 0),
            _form(right, "right", 1),
            checked_faults(faults),
            PROBE if texts is None else checked_texts(texts),
        )
        shown = [step.shown for step in find(wanted, lambda: False)][-1]
        assert shown is not None
        return result_dict(shown)
    except Exception as error:
        return _failed(error)


def lint_api(model: str = "") -> dict[str, Any]:
    """Look a model folder over without running it.

    Args:
        model: The bundled model by its name or empty, ``owner/name`` on the Hub, or a folder below the
            app's root.

    Returns:
        Findings and contract, or ``{"error": {"code": ..., "message": ...}}``.
    """
    try:
        name = model_name(model) or BUNDLED
        findings, contract = backend.lint(name)
        from workbench.trace.lint import findings_dict

        return {"model": name, "findings": findings_dict(findings), "contract": contract}
    except Exception as error:
        return _failed(error)


def _failed(error: Exception) -> dict[str, Any]:
    if isinstance(error, WorkbenchError):
        return {"error": error_dict(error)}
    return {"error": {"code": "internal", "message": message_of(error, "en")}}


def _form(given: object, where: str, place: int) -> ColumnForm:
    if not isinstance(given, dict):
        raise InvalidTypeError(
            "pipeline-not-an-object", "Something else came", expected="an object", where=where
        )
    if unknown := sorted(str(name) for name in set(given) - set(FIELDS)):
        raise InvalidValueError(
            "unknown-field", ", ".join(unknown)[:200], expected=", ".join(FIELDS), where=where
        )
    default = ColumnForm()
    return form_from_values([given.get(name, getattr(default, name)) for name in FIELDS], place)
