"""Real sentences that every machine with the requirements has: long descriptions of installed packages."""

from __future__ import annotations

import hashlib
import re
from importlib.metadata import distributions

# What README files put around words.
_MARKUP = re.compile(r"[|`*<>\[\]]{1,3}")


def sentences(count: int) -> list[str]:
    """``count`` distinct sentences and paragraphs of mixed lengths, chosen and ordered by their hash."""
    found = set()
    for distribution in distributions():
        text = distribution.metadata.get_payload() or distribution.metadata.get("Description") or ""
        for paragraph in re.split(r"\n\s*\n", str(text)):
            clean = " ".join(_MARKUP.sub(" ", paragraph).split())
            found.update(part for part in (clean, *re.split(r"(?<=[.!?])\s+", clean)) if len(part) > 20)
    chosen = sorted(found, key=lambda text: hashlib.sha256(text.encode()).digest())[:count]
    if len(chosen) < count:
        raise RuntimeError(f"only {len(chosen)} sentences are installed, {count} are needed")
    return chosen
