"""Pipelines that can be compared: the contract, and the table of those that keep it."""

from __future__ import annotations

from workbench.contenders.contract import (
    Contender,
    ModelPaths,
    Precision,
    Settings,
    TokenCount,
    TokenView,
)
from workbench.contenders.registry import (
    CONTENDERS,
    ContenderKind,
    contender_kind,
    installed_contenders,
    missing_packages,
)

__all__ = [
    "CONTENDERS",
    "Contender",
    "ContenderKind",
    "ModelPaths",
    "Precision",
    "Settings",
    "TokenCount",
    "TokenView",
    "contender_kind",
    "installed_contenders",
    "missing_packages",
]
