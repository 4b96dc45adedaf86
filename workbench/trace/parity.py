"""One assertion for other people's test suites: pipelines agree, or the message says where and why not."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from workbench.compare.results import Verdict
from workbench.contenders.trace_contract import Trace
from workbench.trace.diff import diff
from workbench.trace.portable import load_trace
from workbench.trace.results import Difference
from workbench.trace.text_report import difference_text


def assert_parity(
    left: Trace | Path | str,
    right: Trace | Path | str,
    accept: Collection[Verdict] = ("identical", "float noise"),
) -> Difference:
    """Fail with stage, cause and fix where two pipelines part.

    Args:
        left, right: Traces, or the files of traces.
        accept: Verdicts that pass; add ``"precision"`` for a half-precision port.

    Returns:
        The difference, for further assertions.

    Raises:
        AssertionError: The verdict is not accepted.
        DataFileError: A file that is no trace.

    Example:
        ``assert_parity("golden/minilm.json", record(my_pipeline, PROBE))``
    """
    found = diff(_trace(left), _trace(right))
    if found.verdict not in accept:
        raise AssertionError(difference_text(found))
    return found


def _trace(given: Trace | Path | str) -> Trace:
    return given if isinstance(given, Trace) else load_trace(Path(given))
