"""The sentences of the tracer's causes in the visitor's language; Korean comes from a table."""

from __future__ import annotations

from workbench.trace.causes_wording import SENTENCES
from workbench.trace.results import CauseFound
from workbench.ui.texts import Language
from workbench.ui.texts_korean_causes import KOREAN_CAUSES


def cause_sentence(cause: CauseFound, language: Language) -> str:
    """One sentence with a full stop; what has no Korean is given in English as it came."""
    template = KOREAN_CAUSES.get(cause.key) if language == "ko" else None
    if template is None:
        # A sentence that begins with the name of a pipeline keeps the name as it is.
        named = SENTENCES.get(cause.key, "").startswith("{")
        sentence = cause.sentence if named else cause.sentence[:1].upper() + cause.sentence[1:]
        return sentence.rstrip(".") + "."
    return template.format(**cause.values).rstrip(".") + "."
