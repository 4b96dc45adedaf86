"""The sections of the Trace page as functions of what is on show."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from workbench.ui.causes import cause_sentence
from workbench.ui.pages.trace_handlers import chosen_text, ranked
from workbench.ui.texts import Language, say, word
from workbench.ui.trace_shown import Shown
from workbench.ui.verdict import Verdict, verdict_html
from workbench.ui.widgets.bug_cards import card_words, cards_html
from workbench.ui.widgets.html import NOTHING, Safe, cosine, element, join, readable, scientific, table
from workbench.ui.widgets.ladder import ladder_html, stage_number
from workbench.ui.widgets.swaps import swaps_html
from workbench.ui.widgets.token_pair import tokens_html

_QUOTED = 160
_MENU = 200
_FACT_CHARACTERS = 90
_COMMENT_WIDTH = 62


@dataclass(frozen=True)
class Look:
    """How it is shown: the language, and the text that the visitor chose."""

    language: Language = "en"
    text: object = None


def render(shown: Shown | None, look: Look) -> dict[str, Safe]:
    """Every section, by name."""
    return {name: section(shown, look) for name, section in SECTIONS.items()}


def _verdict(shown: Shown | None, look: Look) -> Safe:
    language = look.language
    if shown is None:
        return verdict_html(Verdict("wait", say(language, "traced.wait"), say(language, "traced.wait_why")))
    found = shown.difference
    replayed = _replayed(shown, language)
    if found.cause is None:
        why = say(language, "traced.noise_why", gap=scientific(found.gap), limit=scientific(found.gap_limit))
        return verdict_html(
            Verdict("good", say(language, f"traced.{found.verdict}"), join([replayed, why], " "))
        )
    stage = found.cause.stage
    name = element("b", say(language, f"stage.{stage}"))
    sentence = say(language, f"traced.{found.verdict}", number=stage_number(stage), stage=name)
    why = join([replayed, cause_sentence(found.cause, language), _proof_line(shown, language)], " ")
    return verdict_html(Verdict("warn" if found.verdict == "precision" else "bad", sentence, why))


def _replayed(shown: Shown, language: Language) -> Safe:
    if not shown.card:
        return NOTHING
    return say(language, "traced.card", title=card_words(shown.card, language)[0])


def _proof_line(shown: Shown, language: Language) -> Safe:
    if not shown.live:
        return say(language, "traced.file")
    if not shown.proved:
        return say(language, "traced.proving")
    if not shown.faults:
        return NOTHING
    first = shown.faults[0]
    return say(
        language,
        "traced.closes" if first.closed else "traced.narrows",
        before=scientific(first.gap_before),
        after=scientific(first.gap_after),
        limit=scientific(shown.difference.gap_limit),
    )


def _ladder(shown: Shown | None, look: Look) -> Safe:
    if shown is None:
        return NOTHING
    return ladder_html(shown.difference, len(shown.texts), look.language)


def _tokens(shown: Shown | None, look: Look) -> Safe:
    if shown is None:
        return NOTHING
    language = look.language
    text = chosen_text(shown, look.text)
    quote = element("blockquote", readable(shown.texts[text], _QUOTED), class_="wb-quote", dir="auto")
    a, b = shown.left.embeddings, shown.right.embeddings
    told = NOTHING
    if a.shape == b.shape and a.size:
        lengths = float(np.linalg.norm(a[text]) * np.linalg.norm(b[text]))
        same = float(a[text] @ b[text]) / lengths if lengths else float("nan")
        gap = float(np.abs(a[text] - b[text]).max())
        line = say(language, "tokenview.cosine", cosine=cosine(min(same, 1.0)), gap=scientific(gap))
        told = element("p", line, class_="wb-note")
    tokens = tokens_html((shown.left, shown.right), shown.names, text, language)
    return join([quote, told, tokens])


def _swaps(shown: Shown | None, look: Look) -> Safe:
    return NOTHING if shown is None else swaps_html(shown, look.language)


def _cosines(shown: Shown | None, look: Look) -> Safe:
    if shown is None:
        return NOTHING
    language, found = look.language, shown.difference
    figures = (
        ("mean", cosine(found.cosine_mean)),
        ("p01", cosine(found.cosine_p01)),
        ("min", cosine(found.cosine_min)),
        ("gap", scientific(found.gap)),
        ("floor", scientific(found.gap_limit)),
    )
    rows = [
        [say(language, f"cosines.{key}"), element("span", value, class_="wb-number")]
        for key, value in figures
    ]
    shown_figures = table([say(language, "cosines.figure"), say(language, "cosines.value")], rows)
    if not found.context:
        return shown_figures
    facts = [
        [name, readable(str(a), _FACT_CHARACTERS), readable(str(b), _FACT_CHARACTERS)]
        for name, (a, b) in found.context.items()
    ]
    names = [say(language, "cosines.figure"), shown.left.name, shown.right.name]
    inner = join(
        [
            element("summary", say(language, "cosines.context")),
            element("p", say(language, "cosines.context_note"), class_="wb-note"),
            table(names, facts),
        ]
    )
    return join([shown_figures, element("details", inner, class_="wb-context")])


def _cards(shown: Shown | None, look: Look) -> Safe:
    return cards_html(shown.card if shown else "", look.language)


SECTIONS: dict[str, Callable[[Shown | None, Look], Safe]] = {
    "verdict": _verdict,
    "ladder": _ladder,
    "tokens": _tokens,
    "swaps": _swaps,
    "cosines": _cosines,
    "cards": _cards,
}


def fix_code(shown: Shown, language: Language) -> str:
    """The fix of each fault in turn, each under the sentence that says why."""
    causes = [fault.cause for fault in shown.faults]
    if not causes and shown.difference.cause is not None:
        causes = [shown.difference.cause]
    if not causes:
        return word(language, "fix.none")
    parts = []
    for cause in causes:
        stage = f"{stage_number(cause.stage)} {word(language, f'stage.{cause.stage}')}"
        told = f"{stage}: {cause_sentence(cause, language)}"
        comment = textwrap.wrap(readable(told), _COMMENT_WIDTH, initial_indent="# ", subsequent_indent="# ")
        parts.append("\n".join([*comment, cause.fix or word(language, "fix.unknown")]))
    return "\n\n".join(parts)


def text_choices(shown: Shown, language: Language) -> list[tuple[str, int]]:
    """The menu of texts: those that differ most, in the order of the texts."""
    return [
        (word(language, "tokenview.menu", number=index + 1, text=readable(shown.texts[index], 60)), index)
        for index in sorted(ranked(shown)[:_MENU])
    ]
