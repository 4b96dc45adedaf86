"""Pooling by hand over Hugging Face Transformers: open_manual and manual_code. The independent reference."""

from __future__ import annotations

from workbench.contenders.manual.code import manual_code
from workbench.contenders.manual.encode import open_manual

__all__ = ["manual_code", "open_manual"]
