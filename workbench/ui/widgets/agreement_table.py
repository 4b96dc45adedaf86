"""The agreement of every two columns, and the noise floor it was judged against."""

from __future__ import annotations

from workbench.compare.results import Agreement, Verdict
from workbench.ui.snapshot import Snapshot
from workbench.ui.texts import Language, say
from workbench.ui.widgets.html import Safe, cosine, decimal, element, join, scientific, table, tag

# Verdict → class of its badge and the sign that says the same without colour.
_BADGES: dict[Verdict, tuple[str, str]] = {
    "identical": ("good", "="),
    "float noise": ("good", "≈"),
    "precision": ("warn", "~"),
    "different": ("bad", "≠"),
}


def verdict_badge(verdict: Verdict, language: Language) -> Safe:
    """The verdict of a pair as a small badge."""
    name, sign = _BADGES[verdict]
    return element("span", f"{sign} {say(language, f'pair.{verdict}')}", class_=f"wb-badge {name}")


def agreement_html(snapshot: Snapshot, reasons: tuple[Safe, ...], language: Language) -> Safe:
    """One row a pair. ``reasons`` holds the sentence of each agreement, in their order."""
    if not snapshot.agreements:
        return say(language, "agreement.none")
    headings = [say(language, f"agreement.{key}") for key in _HEADINGS]
    rows = [_row(snapshot, one, why, language) for one, why in zip(snapshot.agreements, reasons, strict=True)]
    return join([table(headings, rows), _floor(snapshot, language)])


_HEADINGS = ("pair", "verdict", "max", "min_cosine", "mean_cosine", "spearman", "texts", "reason")


def _row(snapshot: Snapshot, one: Agreement, why: Safe, language: Language) -> list[Safe]:
    pair = join([tag(one.left, snapshot.colour(one.left)), tag(one.right, snapshot.colour(one.right))], " ")
    numbers = (
        scientific(one.max_abs),
        cosine(one.min_cosine),
        cosine(one.mean_cosine),
        decimal(one.spearman),
        f"{len(one.differing_texts)} / {len(snapshot.texts)}",
    )
    return [
        pair,
        verdict_badge(one.verdict, language),
        *(element("span", number, class_="wb-number") for number in numbers),
        element("span", why, class_="wb-why"),
    ]


def _floor(snapshot: Snapshot, language: Language) -> Safe:
    floor = snapshot.noise_floor
    if floor is None:
        return Safe("")
    text = say(language, "agreement.floor", floor=scientific(floor.max_abs), margin=f"{floor.margin:g}")
    return element("p", text, class_="wb-note", title=floor.how)
