"""What is said when a GPU was asked for and there is none: the stored figures with their date, or none."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.ui.errors import box_html
from workbench.ui.stored_speed import StoredSpeed, stored_speeds
from workbench.ui.texts import Language, say
from workbench.ui.widgets.html import Safe, count, element, join, table


def gpu_note(choice: object, gpu: str | None, language: Language) -> Safe:
    """A box where a GPU was wanted and is missing; nothing otherwise."""
    if choice not in ("gpu", "both") or gpu is not None:
        return Safe("")
    return box_html(no_gpu_html(stored_speeds(), language), "warn")


def no_gpu_html(stored: Sequence[StoredSpeed], language: Language) -> Safe:
    """Plain words, then what somebody measured elsewhere, labelled as such."""
    parts = [say(language, "gpu.none"), say(language, "gpu.ran_on_cpu")]
    if not stored:
        return join([*parts, say(language, "gpu.not_measured")], " ")
    newest = stored[0]
    parts.append(say(language, "gpu.stored", gpu=newest.gpu, date=newest.date))
    headings = [say(language, "speed.column"), say(language, "speed.sentences")]
    rows = [[label, element("span", count(rate), class_="wb-number")] for label, rate in newest.rows.items()]
    return join([join(parts, " "), table(headings, rows)])
