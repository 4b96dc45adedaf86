"""Which script a text is written in, by its letters: what a user wants to see before choosing a model."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

# Script → its letters; one more is one line.
SCRIPTS = {
    "Latin": re.compile("[A-Za-zªºÀ-ÖØ-öø-ʸᴀ-ᴥᴬ-ᵜᵢ-ᵥᵫ-ᵷᵹ-ᶾḀ-ỿⅠ-ↈⱠ-ⱿꜢ-ꞇＡ-Ｚａ-ｚ]"),
    "Hangul": re.compile("[ᄀ-ᇿㄱ-ㆎꥠ-ꥼ가-힣ힰ-ퟻ]"),
    "Han": re.compile("[々〇㐀-䶿一-鿿豈-\ufaff\U00020000-\U0003ffff]"),
    "Kana": re.compile("[ぁ-ゖゝ-ゟァ-ヺヽ-ヿㇰ-ㇿｦ-ﾝ]"),
    "Cyrillic": re.compile("[Ѐ-ԯᲀ-ᲈꙀ-ꚟ]"),
    "Greek": re.compile("[Ͱ-Ͽἀ-῾]"),
    "Arabic": re.compile("[ء-يٮ-ۓۺ-ۼݐ-ݿ\ufb50-\ufdff\ufe70-\ufefc]"),
    "Hebrew": re.compile("[א-תװ-ײ]"),
    "Devanagari": re.compile("[ऄ-हक़-ॡॱ-ॿ]"),
    "Thai": re.compile("[ก-ะาำเ-ๆ]"),
}
NO_LETTERS = "no letters"
OTHER = "other"
_LOOKED_AT = 2000


def script_of(text: str) -> str:
    """Name the script of most letters among the first 2,000 characters.

    A text of Han and Kana is Japanese, and counts as Kana however many Han it holds.
    """
    text = text[:_LOOKED_AT]
    if text.isascii():
        return "Latin" if SCRIPTS["Latin"].search(text) else NO_LETTERS
    counts = {script: len(letters.findall(text)) for script, letters in SCRIPTS.items()}
    if counts["Kana"]:
        counts["Kana"] += counts["Han"]
    script = max(counts, key=lambda name: counts[name])
    if counts[script]:
        return script
    return OTHER if any(char.isalpha() for char in text) else NO_LETTERS


def count_scripts(texts: Iterable[str | None]) -> dict[str, int]:
    """Count texts by script, the most frequent first; None counts as no letters."""
    counted = Counter(script_of(text or "") for text in texts)
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))
