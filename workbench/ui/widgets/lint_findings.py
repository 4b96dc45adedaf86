"""Findings of the lint: what stands in the folder, what each runtime makes of it, the fix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.ui.texts import Language, say
from workbench.ui.widgets.html import Safe, element, join, table

if TYPE_CHECKING:
    from workbench.trace.lint import Finding

_TONES = {"error": "bad", "warning": "warn", "note": "info"}


def findings_html(findings: Sequence[Finding], model: str, language: Language) -> Safe:
    """A head line, and a panel a finding, errors first."""
    if not findings:
        return element("div", say(language, "lint.none"), class_="wb-box info", role="status")
    counts = Counter(finding.severity for finding in findings)
    head = say(
        language,
        "lint.count",
        errors=counts["error"],
        warnings=counts["warning"],
        notes=counts["note"],
        model=model,
    )
    return join([element("p", head, class_="wb-note", role="status"), *(_one(f, language) for f in findings)])


def _one(finding: Finding, language: Language) -> Safe:
    badge = element(
        "span", say(language, f"lint.{finding.severity}"), class_=f"wb-badge {_TONES[finding.severity]}"
    )
    head = element("p", join([badge, " ", finding.message, " ", element("small", finding.where)]))
    parts = [head]
    if finding.consequences:
        headings = [say(language, "lint.runtime"), say(language, "lint.consequence")]
        parts.append(table(headings, list(finding.consequences.items())))
    parts.append(element("p", say(language, "lint.fix", fix=finding.fix), class_="wb-fix"))
    return element("div", join(parts), class_="wb-finding", data_code=finding.code)
