"""HTML from data: everything is escaped unless it was built here."""

from __future__ import annotations

import html
import math
import unicodedata
from collections.abc import Iterable, Sequence

# Bidirectional controls can reorder what surrounds them; invisible ones hide what a tokenizer sees.
_SHOWN_BY_NUMBER = frozenset(
    "\u200b\u200e\u200f\u2060\ufeff\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
# Marks stacked on one letter beyond this many would paint over the page.
_MARKS = 6


class Safe(str):
    """Markup that was escaped where it was built. Everything else is text."""

    __slots__ = ()


NOTHING = Safe("")


def esc(value: object) -> Safe:
    """Text for HTML, attributes included; ``Safe`` passes unchanged."""
    if isinstance(value, Safe):
        return value
    return Safe(html.escape(str(value), quote=True))


def fill(template: str, **values: object) -> Safe:
    """Put escaped values into the ``{names}`` of a template, which itself is escaped too."""
    return Safe(
        html.escape(template, quote=True).format(**{name: esc(value) for name, value in values.items()})
    )


def join(parts: Iterable[object], between: str = "") -> Safe:
    """Concatenate, escaping what is text."""
    return Safe(esc(between).join(esc(part) for part in parts))


def element(name: str, content: object = "", **attributes: object) -> Safe:
    """One element. Attributes: ``class_`` for ``class``, underscores for hyphens; None leaves one out."""
    shown = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{esc(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Safe(f"<{name}{shown}>{esc(content)}</{name}>")


def table(
    headings: Sequence[object],
    rows: Iterable[Sequence[object]],
    *,
    caption: str = "",
    class_: str = "wb-table",
) -> Safe:
    """A table whose first cell of each row is its heading."""
    head = join(element("th", heading, scope="col") for heading in headings)
    body = join(
        element("tr", join([element("th", row[0], scope="row"), *(element("td", cell) for cell in row[1:])]))
        for row in rows
    )
    title = element("caption", caption) if caption else Safe("")
    inner = join([title, element("thead", element("tr", head)), element("tbody", body)])
    return element("div", element("table", inner, class_=class_), class_="wb-scroll", tabindex="0")


def tag(label: str, colour: int) -> Safe:
    """The name of a column beside its colour."""
    return element("b", label, class_=f"wb-tag c{colour % 6}")


def readable(text: str, limit: int | None = None) -> str:
    """Text with its invisible characters made visible, at most ``limit`` characters long.

    Control characters become their symbols, bidirectional and zero-width ones their code points, and marks
    stacked on one letter are cut. Joiners stay: scripts and emoji need them.
    """
    shown: list[str] = []
    marks = 0
    cut = limit is not None and len(text) > limit
    for char in text[:limit]:
        kind = unicodedata.category(char)
        marks = marks + 1 if kind in ("Mn", "Me") else 0
        if marks > _MARKS:
            continue
        if char in _SHOWN_BY_NUMBER or kind in ("Cs", "Co"):
            shown.append(f"⟨U+{ord(char):04X}⟩")
        elif char in "\n\t":
            shown.append("⏎" if char == "\n" else "⇥")
        elif kind == "Cc":
            shown.append(chr(0x2400 + ord(char)) if ord(char) < 0x20 else f"⟨U+{ord(char):04X}⟩")
        else:
            shown.append(char)
    return "".join(shown) + ("…" if cut else "")


def scientific(value: float) -> str:
    """A difference as ``1.2e-7``; ``0`` where it is exactly that, a dash where undefined."""
    if not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    mantissa, _, exponent = f"{value:.1e}".partition("e")
    return f"{mantissa}e{int(exponent)}"


def decimal(value: float, digits: int = 4) -> str:
    """A plain number with a true minus sign; a dash where undefined."""
    if not math.isfinite(value):
        return "–"
    return f"{value:.{digits}f}".replace("-", "\u2212")


def cosine(value: float) -> str:
    """A cosine to four digits that never rounds up to an exact 1."""
    if math.isfinite(value) and 0.99995 <= value < 1 - 1e-6:
        return f"1{chr(0x2212)}{scientific(1 - value)}"
    return decimal(value)


def percent(share: float) -> str:
    """A share in per cent with one decimal, or none at all where it is whole."""
    if not math.isfinite(share):
        return "–"
    value = round(share * 100, 1)
    return f"{value:.0f}%" if value == round(value) else f"{value:.1f}%"


def count(value: float) -> str:
    """A count or a rate, thousands separated, small ones with a decimal."""
    if not math.isfinite(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:,.1f}"


def latency(median: float, slow: float | None) -> str:
    """Two times in milliseconds under one unit, in seconds from ten of them on; a dash for an unknown one."""
    seconds = max(median, slow or 0.0) >= 10_000
    digits = 1 if seconds or max(median, slow or 0.0) < 100 else 0
    shown = [
        "–" if one is None else f"{one / (1000 if seconds else 1):,.{digits}f}" for one in (median, slow)
    ]
    return f"{shown[0]} / {shown[1]} {'s' if seconds else 'ms'}"
