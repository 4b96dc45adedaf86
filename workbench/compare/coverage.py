"""How well a column's vocabulary fits the texts, and a warning where it does not know their script."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence

from workbench.compare.reasons import reason_text
from workbench.compare.results import Coverage
from workbench.contenders.contract import TokenCount
from workbench.data.texts import is_blank

# Tokens a letter, from which a vocabulary is taken to spell a script out instead of having its words.
# On all-MiniLM-L6-v2: Korean 1.6 (its syllables fall into jamo), Russian, Arabic, Greek and Hebrew 1.0,
# Japanese 1.0; German, Polish, Turkish and Vietnamese 0.3 to 0.5, English 0.25. A vocabulary that has the
# words of a language needs 0.3 to 0.7. Japanese counts its Han characters too, which are often one token
# each by design.
_SPELLED_OUT = 0.8
_SPELLED_OUT_JAPANESE = 0.95
# Latin is what every vocabulary spells; Han is one token a character by design.
_NOT_JUDGED = frozenset({"LATIN", "CJK"})
_JAPANESE = frozenset({"HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"})
# Fewer letters than this in a script are no evidence.
_LEAST_LETTERS = 8
# Share of unknown tokens from which a text counts as unread: any text, and one of at least four tokens.
_UNKNOWN = 0.5
_UNKNOWN_LONGER = 0.25


def coverage(
    label: str, texts: Sequence[str], counts: Sequence[TokenCount], overhead: TokenCount
) -> Coverage:
    """Count unknown and cut tokens, and warn where the vocabulary lacks the texts' language.

    Args:
        label: Column.
        texts: The texts as given, without the prompt.
        counts: Token counts of each, prompt and special tokens included.
        overhead: Token count of the empty text: what prompt and special tokens take of every count.
    """
    kept = [max(count.kept - overhead.kept, 0) for count in counts]
    full = [max(count.full - overhead.full, 0) for count in counts]
    unknown = [max(count.unknown - overhead.unknown, 0) for count in counts]
    words = sum(len(text.split()) for text in texts if not is_blank(text))
    empty = sum(is_blank(text) for text in texts)
    key, values = _warning(texts, full, kept, unknown)
    return Coverage(
        label=label,
        unknown_share=sum(unknown) / sum(kept) if any(kept) else 0.0,
        tokens_per_word=sum(full) / words if words else 0.0,
        truncated=sum(count.full > count.kept for count in counts),
        texts=len(texts),
        empty=empty,
        warning=reason_text(key, values),
        warning_key=key,
        warning_values=values,
    )


def main_script(text: str) -> tuple[str, int]:
    """Script of most letters of a text, by Unicode character names, and the letters that count for it.

    Japanese text, told by its kana, counts kana and Han together; Hangul is counted in whole syllables.

    Returns:
        The first word of its characters' names (``LATIN``, ``HANGUL``, ``CJK`` for Han, ``JAPANESE``, …) and
        the number of letters; ``("", 0)`` without a letter.
    """
    letters = [char for char in unicodedata.normalize("NFC", text) if char.isalpha()]
    scripts = Counter(unicodedata.name(char, "?").split()[0] for char in letters)
    kana = sum(scripts.pop(name, 0) for name in _JAPANESE)
    if kana:
        scripts["JAPANESE"] = kana + scripts.pop("CJK", 0)
    if not scripts:
        return "", 0
    return max(scripts.items(), key=lambda item: item[1])


def _warning(
    texts: Sequence[str], full: Sequence[int], kept: Sequence[int], unknown: Sequence[int]
) -> tuple[str, dict[str, object]]:
    written = [main_script(text) for text in texts]
    unread = set()
    for i, tokens in enumerate(kept):
        # An emoji beside words is lost, but the words are read.
        lost = unknown[i] - (_symbols(texts[i]) if written[i][1] else 0)
        if tokens and lost / tokens >= (_UNKNOWN_LONGER if tokens >= 4 else _UNKNOWN):
            unread.add(i)
    spelled: list[str] = []
    most = 0.0
    for script in sorted({name for name, _ in written} - _NOT_JUDGED - {""}):
        rows = [i for i, (name, _) in enumerate(written) if name == script]
        letters = sum(written[i][1] for i in rows)
        # Signs are tokens too and no letters: they must not count against the vocabulary.
        tokens = sum(max(full[i] - _signs(texts[i]), 0) for i in rows)
        limit = _SPELLED_OUT_JAPANESE if script == "JAPANESE" else _SPELLED_OUT
        if letters >= _LEAST_LETTERS and tokens / letters >= limit:
            spelled.append(script.title())
            most = max(most, tokens / letters)
            unread.update(rows)
    if not unread:
        return "", {}
    values: dict[str, object] = {"count": len(unread), "texts": len(texts)}
    if spelled:
        return "script-unread", {**values, "scripts": ", ".join(spelled), "tokens_per_letter": most}
    return "unknown-tokens", values


def _symbols(text: str) -> int:
    return sum(unicodedata.category(char)[0] == "S" for char in text)


def _signs(text: str) -> int:
    return sum(unicodedata.category(char)[0] in "PSN" for char in text)
