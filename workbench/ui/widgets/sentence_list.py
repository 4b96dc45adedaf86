"""The sentences as a list of buttons: a click or a key opens one."""

from __future__ import annotations

from workbench.ui.snapshot import Snapshot
from workbench.ui.texts import Language, say
from workbench.ui.widgets.html import Safe, element, join, readable

_SHOWN_CHARACTERS = 140


def sentence_list_html(snapshot: Snapshot, opened: int | None, language: Language) -> Safe:
    """One button a text: its number, its beginning, its length in tokens and who cut it."""
    if not snapshot.texts:
        return Safe("")
    return element(
        "div",
        join(_button(snapshot, index, index == opened, language) for index in range(len(snapshot.texts))),
        class_="wb-sentences",
        role="group",
        aria_label=say(language, "sentences.label"),
    )


def _button(snapshot: Snapshot, index: int, opened: bool, language: Language) -> Safe:
    shown = readable(snapshot.texts[index], _SHOWN_CHARACTERS) or "\u00a0"
    text = element("span", shown, class_="wb-text", dir="auto")
    if not shown.strip():
        text = element("em", say(language, "sentences.empty"), class_="wb-text")
    parts = [element("span", str(index + 1), class_="wb-no"), text, _tokens(snapshot, index, language)]
    return element(
        "button", join(parts), type="button", data_i=str(index), aria_pressed="true" if opened else "false"
    )


def _tokens(snapshot: Snapshot, index: int, language: Language) -> Safe:
    counts = [column.token_counts[index] for column in snapshot.columns]
    if not counts:
        return Safe("")
    full = sorted({one.full for one in counts})
    cut = sum(one.full > one.kept for one in counts)
    amount = f"{full[0]:,}" if len(full) == 1 else f"{full[0]:,}–{full[-1]:,}"
    shown = say(language, "sentences.tokens", tokens=amount)
    if not cut:
        return element("span", shown, class_="wb-tokens")
    told = say(language, "sentences.cut", cut=cut, columns=len(counts))
    return element("span", join([shown, element("span", told, class_="wb-cut")]), class_="wb-tokens")
