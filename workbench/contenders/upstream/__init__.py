"""The sentence-transformers library, made to follow stated settings: open_upstream and upstream_code."""

from __future__ import annotations

from workbench.contenders.upstream.code import upstream_code
from workbench.contenders.upstream.encode import open_upstream

__all__ = ["open_upstream", "upstream_code"]
