"""Reading a model folder without running it: what contradicts itself, and what runtimes make of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from workbench.errors import ModelSourceError
from workbench.trace.lint_files import FolderFacts, read_facts
from workbench.trace.lint_rules import RULES

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Finding:
    """One thing that will make two runtimes disagree, or one of them wrong.

    Attributes:
        code: Of the table of rules.
        severity: ``error`` gives wrong numbers or none; ``warning`` gives other numbers in some runtimes;
            ``note`` is worth knowing.
        where: Files.
        message: What stands there.
        consequences: Runtime → what it will do.
        fix: The cure.
    """

    code: str
    severity: Severity
    where: str
    message: str
    consequences: Mapping[str, str]
    fix: str


def lint_folder(folder: str | Path) -> tuple[Finding, ...]:
    """Look a model folder over.

    Args:
        folder: A local folder as sentence-transformers or transformers writes it. Nothing in it is run, no
            weight is read beyond its header, and no file outside a fixed list of names is opened.

    Returns:
        Findings, errors first; empty for a folder that says one thing everywhere.

    Raises:
        ModelSourceError: There is no such folder.
    """
    facts = folder_facts(folder)
    found: list[Finding] = []
    for rule in RULES:
        values = rule.test(facts)
        if values is not None:
            found.append(
                Finding(
                    code=rule.code,
                    severity=rule.severity,
                    where=rule.where.format(**values),
                    message=rule.message.format(**values),
                    consequences={name: text.format(**values) for name, text in rule.consequences.items()},
                    fix=rule.fix.format(**values),
                )
            )
    order = {"error": 0, "warning": 1, "note": 2}
    return tuple(sorted(found, key=lambda finding: order[finding.severity]))


def folder_facts(folder: str | Path) -> FolderFacts:
    """The facts that lint and contract are made of.

    Raises:
        ModelSourceError: There is no such folder.
    """
    path = Path(folder)
    if not path.is_dir():
        raise ModelSourceError(
            "model-folder-missing", f"{str(folder)[:200]!r} is no folder", expected="the folder of a model"
        )
    return read_facts(path)


def findings_text(findings: tuple[Finding, ...]) -> str:
    """Findings for a terminal."""
    if not findings:
        return "no findings: the folder says one thing everywhere"
    lines = []
    for finding in findings:
        lines.append(f"{finding.severity}: {finding.message} ({finding.where}) [{finding.code}]")
        lines += [f"    {runtime}: {text}" for runtime, text in finding.consequences.items()]
        lines.append(f"    fix: {finding.fix}")
    return "\n".join(lines)


def findings_dict(findings: tuple[Finding, ...]) -> list[dict[str, Any]]:
    """Findings for JSON."""
    return [
        {
            "code": finding.code,
            "severity": finding.severity,
            "where": finding.where,
            "message": finding.message,
            "consequences": dict(finding.consequences),
            "fix": finding.fix,
        }
        for finding in findings
    ]
