"""The form of a text that is compared when texts are looked for twice."""

from __future__ import annotations

import sys
import unicodedata

# Punctuation becomes a space; symbols stay, so that "C++" is not "C".
_PUNCTUATION = {
    code: " " for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)).startswith("P")
}


def normalised(text: str) -> str:
    """A text without what does not change it: Unicode form (NFKC), case, punctuation, runs of white space.

    A text of punctuation alone keeps it.
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(plain.translate(_PUNCTUATION).split()) or " ".join(plain.split())
