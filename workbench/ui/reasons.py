"""The sentences of the results in the visitor's language: English comes with them, Korean from a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.compare.reasons import ENGLISH, reason_text
from workbench.ui.texts import Language
from workbench.ui.texts_korean_reasons import KOREAN_REASONS

TEMPLATES: Mapping[Language, Mapping[str, str]] = {"en": ENGLISH, "ko": {**ENGLISH, **KOREAN_REASONS}}


def reason(key: str, values: Mapping[str, Any], english: str, language: Language) -> str:
    """One sentence with a full stop; what has no key is given in English as it came."""
    sentence = reason_text(key, values, TEMPLATES[language]) if key else english
    return sentence.rstrip(".") + "." if sentence else ""
