"""The gallery: a card for each real bug, with its link and a button that replays it."""

from __future__ import annotations

from workbench.trace.gallery_cards import CARDS
from workbench.ui.texts import Language, say
from workbench.ui.texts_trace_cards_korean import CARDS_KOREAN
from workbench.ui.widgets.html import Safe, element, join


def card_words(key: str, language: Language) -> tuple[str, str, str]:
    """Title, what was reported, what one sees."""
    card = CARDS[key]
    return CARDS_KOREAN[key] if language == "ko" else (card.title, card.reported, card.see)


def cards_html(opened: str, language: Language) -> Safe:
    """All cards; the one on show is marked."""
    return element("div", join(_card(key, key == opened, language) for key in CARDS), class_="wb-cards")


def _card(key: str, opened: bool, language: Language) -> Safe:
    card = CARDS[key]
    title, reported, see = card_words(key, language)
    link = element("a", _short(card.link), href=card.link, target="_blank", rel="noopener noreferrer")
    lines = [
        element("h3", title),
        element("p", join([element("b", say(language, "cards.reported")), " ", reported, " ", link])),
        element("p", join([element("b", say(language, "cards.see")), " ", see])),
        element("p", join([_button(key, title, opened, language), _link(key, language)]), class_="wb-do"),
    ]
    return element("article", join(lines), class_="wb-card on" if opened else "wb-card", data_key=key)


def _button(key: str, title: str, opened: bool, language: Language) -> Safe:
    return element(
        "button",
        say(language, "cards.find"),
        type="button",
        data_card=key,
        aria_pressed="true" if opened else "false",
        aria_label=say(language, "cards.label", title=title),
    )


def _link(key: str, language: Language) -> Safe:
    """To this page with the card replayed: to be copied and sent."""
    spoken = "" if language == "en" else f"&lang={language}"
    return element("a", say(language, "cards.link"), href=f"?card={key}{spoken}")


def _short(link: str) -> str:
    """``owner/repository#number`` of a link to a report."""
    parts = link.removeprefix("https://github.com/").split("/")
    return f"{parts[0]}/{parts[1]}#{parts[-1]}"
