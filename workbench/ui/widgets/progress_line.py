"""The line that says what is being computed, how far it is, and how long it will still take."""

from __future__ import annotations

from workbench.compare.results import Progress
from workbench.ui.texts import Language, say
from workbench.ui.widgets.html import Safe, element, fill, join


def progress_html(progress: Progress | None, place: int, columns: int, language: Language) -> Safe:
    """A bar and a sentence with counts.

    Args:
        progress: The last event; None while nothing has been reported.
        place: How many columns are done.
        columns: How many were asked for.
        language: Of the sentence.
    """
    if progress is None:
        return _line(say(language, "progress.starting"), place / max(columns, 1))
    key = f"progress.{progress.stage.replace(' ', '_')}"
    sentence = say(
        language, key, label=progress.label, done=f"{progress.done:,}", total=f"{progress.total:,}"
    )
    within = progress.done / progress.total if progress.total > 0 else 0.0
    share = (place + (within if progress.stage == "encoding" else 0.0)) / max(columns, 1)
    return _line(sentence, share)


def stage_html(sentence: Safe, done: int, total: int) -> Safe:
    """A bar and a sentence for work outside a comparison: ``done`` of ``total`` steps are over."""
    return _line(sentence, done / max(total, 1))


def idle_html(sentence: Safe) -> Safe:
    """The line at rest."""
    return element("div", element("span", sentence), class_="wb-progress", role="status")


def _line(sentence: Safe, share: float) -> Safe:
    width = f"{min(max(share, 0.02), 1.0):.1%}"
    bar = element("span", fill("{bar}", bar=element("i", "", style=f"width:{width}")), class_="wb-bar")
    return element("div", join([bar, element("span", sentence)]), class_="wb-progress running", role="status")
