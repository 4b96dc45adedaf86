"""All visible words by language, and the two ways to say them: as markup and as plain text."""

from __future__ import annotations

from typing import Literal

from workbench.ui.texts_english import ENGLISH
from workbench.ui.texts_korean import KOREAN
from workbench.ui.texts_runs_english import RUNS_ENGLISH
from workbench.ui.texts_runs_korean import RUNS_KOREAN
from workbench.ui.texts_speed_english import SPEED_ENGLISH
from workbench.ui.texts_speed_korean import SPEED_KOREAN
from workbench.ui.texts_trace_english import TRACE_ENGLISH
from workbench.ui.texts_trace_korean import TRACE_KOREAN
from workbench.ui.texts_train_english import TRAIN_ENGLISH
from workbench.ui.texts_train_korean import TRAIN_KOREAN
from workbench.ui.texts_ways_english import WAYS_ENGLISH
from workbench.ui.texts_ways_korean import WAYS_KOREAN
from workbench.ui.widgets.html import Safe, fill

Language = Literal["en", "ko"]

# Words of a page or a screen of its own stand in files of their own.
TEXTS: dict[Language, dict[str, str]] = {
    "en": {**ENGLISH, **RUNS_ENGLISH, **TRAIN_ENGLISH, **WAYS_ENGLISH, **TRACE_ENGLISH, **SPEED_ENGLISH},
    "ko": {**KOREAN, **RUNS_KOREAN, **TRAIN_KOREAN, **WAYS_KOREAN, **TRACE_KOREAN, **SPEED_KOREAN},
}
# Shown on the switch, each in its own language.
LANGUAGES: dict[Language, str] = {"en": "English", "ko": "한국어"}


def say(language: Language, key: str, **values: object) -> Safe:
    """A text as markup: values are escaped unless they are ``Safe``."""
    return fill(TEXTS[language][key], **values)


def word(language: Language, key: str, **values: object) -> str:
    """A text as it is, for labels that are drawn as text."""
    return TEXTS[language][key].format(**values)


def as_language(value: object) -> Language:
    """The language a control or an API caller named; English where it is none we have."""
    return "ko" if value == "ko" else "en"


def preferred_language(accept_language: str) -> Language:
    """The first language of an ``Accept-Language`` header that we have.

    Quality values are ignored on purpose: browsers list languages in order of preference.
    """
    for part in accept_language.split(","):
        tag = part.split(";")[0].strip().lower().split("-")[0]
        if tag == "ko":
            return "ko"
        if tag == "en":
            return "en"
    return "en"
