"""The agreement of every two columns, and the noise floor it was judged against."""

from __future__ import annotations

from workbench.compare.results import Agreement, Verdict
from workbench.ui.reasons import reason
from workbench.ui.snapshot import Snapshot
from workbench.ui.texts import Language, say
from workbench.ui.widgets.html import Safe, cosine, decimal, element, join, scientific, tag

# Verdict → class of its badge and the sign that says the same without colour.
_BADGES: dict[Verdict, tuple[str, str]] = {
    "identical": ("good", "="),
    "float noise": ("good", "≈"),
    "precision": ("warn", "~"),
    "different": ("bad", "≠"),
}
_HEADINGS = ("pair", "verdict", "max", "min_cosine", "mean_cosine", "spearman", "texts")


def agreement_html(snapshot: Snapshot, language: Language) -> Safe:
    """Two rows a pair: the figures, and under them what to take from them."""
    if not snapshot.agreements:
        return element("p", say(language, "agreement.none"), class_="wb-note")
    head = join(element("th", say(language, f"agreement.{key}"), scope="col") for key in _HEADINGS)
    body = join(_rows(snapshot, one, language) for one in snapshot.agreements)
    inner = join([element("thead", element("tr", head)), element("tbody", body)])
    shown = element("table", inner, class_="wb-table wb-agreement")
    return join([element("div", shown, class_="wb-scroll", tabindex="0"), _floor(snapshot, language)])


def verdict_badge(verdict: Verdict, language: Language) -> Safe:
    """The verdict of a pair as a small badge."""
    name, sign = _BADGES[verdict]
    return element("span", f"{sign} {say(language, f'pair.{verdict}')}", class_=f"wb-badge {name}")


def _rows(snapshot: Snapshot, one: Agreement, language: Language) -> Safe:
    pair = join([tag(one.left, snapshot.colour(one.left)), tag(one.right, snapshot.colour(one.right))], " ")
    figures = (
        scientific(one.max_abs),
        cosine(one.min_cosine),
        cosine(one.mean_cosine),
        decimal(one.spearman),
        f"{len(one.differing_texts):,} / {len(snapshot.texts):,}",
    )
    cells = [
        element("th", pair, scope="row"),
        element("td", verdict_badge(one.verdict, language)),
        *(element("td", element("span", figure, class_="wb-number")) for figure in figures),
    ]
    why = element(
        "td", reason(one.reason_key, one.reason_values, one.reason, language), colspan=str(len(_HEADINGS))
    )
    return join([element("tr", join(cells)), element("tr", why, class_="wb-why")])


def _floor(snapshot: Snapshot, language: Language) -> Safe:
    floor = snapshot.noise_floor
    if floor is None:
        return Safe("")
    text = say(language, "agreement.floor", floor=scientific(floor.max_abs), margin=f"{floor.margin:g}")
    return element("p", text, class_="wb-note", title=floor.how)
