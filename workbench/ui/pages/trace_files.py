"""Traces and results as files: two uploads to a difference, what is on show to JSON."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.contenders.trace_contract import Trace
from workbench.errors import DataFileError, InvalidValueError, WorkbenchError
from workbench.ui import trace_backend as backend
from workbench.ui.pages.trace_handlers import KEPT_ROWS
from workbench.ui.texts import Language, word
from workbench.ui.trace_shown import Shown, slim


def compare_files(left: Sequence[str], right: Sequence[str], language: Language) -> Shown:
    """Compare two recorded traces, each of two uploaded files.

    Raises:
        DataFileError: Files that are no trace.
        InvalidValueError: Not two files a side, or traces of other texts.
    """
    begun = time.monotonic()
    traces = [_load(files, language) for files in (left, right)]
    for trace in traces:
        _check_tokens(trace)
    try:
        difference = backend.compare_traces(*traces)
    except WorkbenchError:
        raise
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        # A file may hold other kinds of values than a recorder writes.
        raise DataFileError(
            "trace-file", "values of another kind than documented", expected="the format of a trace"
        ) from error
    return Shown(
        slim(traces[0], KEPT_ROWS),
        slim(traces[1], KEPT_ROWS),
        ({}, {}),
        difference,
        live=False,
        seconds=time.monotonic() - begun,
    )


def _load(files: Sequence[str], language: Language) -> Trace:
    paths = [Path(file) for file in files]
    by_ending = {path.suffix.lower(): path for path in paths}
    if len(paths) != 2 or set(by_ending) != {".json", ".safetensors"}:
        raise InvalidValueError(
            "trace-files",
            f"{len(paths)} files: {', '.join(path.name[-40:] for path in paths[:4]) or 'none'}",
            expected=word(language, "tracefiles.two"),
        )
    return backend.load_trace(by_ending[".json"], by_ending[".safetensors"])


def _check_tokens(trace: Trace) -> None:
    """Ids are whole numbers: the page names and aligns them."""
    plain = {**trace.stage("tokens").plain, **trace.stage("specials").plain}
    for name in ("content", "prefix", "suffix"):
        for row in plain.get(name, ()):
            if not isinstance(row, list | tuple) or not all(isinstance(index, int) for index in row):
                raise DataFileError(
                    "trace-file", f"{name} holds other things than ids", expected="lists of ids"
                )


def result_dict(shown: Shown) -> dict[str, Any]:
    """What is on show, for JSON."""
    from workbench.trace.report import difference_dict, proof_dict
    from workbench.trace.results import Proof

    proof = Proof(shown.difference, shown.faults, shown.closed, shown.left, shown.right)
    found = proof_dict(proof) if shown.proved else {"difference": difference_dict(shown.difference)}
    return {
        **found,
        "left": shown.left.name,
        "right": shown.right.name,
        "proved": shown.proved,
        "settings": {"left": dict(shown.left.settings), "right": dict(shown.right.settings)},
        "provenance": {
            "left": dict(shown.left.stage("provenance").facts),
            "right": dict(shown.right.stage("provenance").facts),
        },
        "floors": {"left": dict(shown.left.floors), "right": dict(shown.right.floors)},
        "texts": list(shown.texts),
        "seconds": round(shown.seconds, 3),
        **({"card": shown.card} if shown.card else {}),
    }
