"""Speed of each column as bars with the figures beside them."""

from __future__ import annotations

from workbench.compare.results import Speed
from workbench.ui.snapshot import Snapshot
from workbench.ui.texts import Language, say
from workbench.ui.widgets.html import Safe, count, element, join, latency, table, tag

# Of fewer rounds the 95th percentile is little more than the slowest one.
_ROUNDS_FOR_P95 = 5
_HEADINGS = ("column", "sentences", "tokens", "latency", "memory")


def speed_html(snapshot: Snapshot, language: Language) -> Safe:
    """Bars of sentences a second, then tokens a second, p50 and p95 of a call, and peak memory."""
    if not snapshot.speeds:
        return element("p", say(language, "speed.none"), class_="wb-note")
    fastest = max(speed.sentences_per_second for speed in snapshot.speeds)
    headings = [say(language, f"speed.{key}") for key in _HEADINGS]
    rows = [_row(snapshot, speed, fastest, language) for speed in snapshot.speeds]
    return join([table(headings, rows, class_="wb-table wb-speed"), _note(snapshot, language)])


def _row(snapshot: Snapshot, speed: Speed, fastest: float, language: Language) -> list[Safe]:
    colour = snapshot.colour(speed.label)
    share = speed.sentences_per_second / fastest if fastest > 0 else 0.0
    bar = element("i", "", class_=f"wb-speedbar c{colour % 6}", style=f"width:{share:.1%}")
    figure = element("span", count(speed.sentences_per_second), class_="wb-number")
    memory = (
        say(language, "speed.not_measured")
        if speed.peak_memory_mb is None
        else Safe(f"{speed.peak_memory_mb:,.0f} MB")
    )
    return [
        tag(speed.label, colour),
        element("span", join([figure, element("span", bar, class_="wb-speedtrack")]), class_="wb-speedcell"),
        *(
            element("span", value, class_="wb-number")
            for value in (
                count(speed.tokens_per_second),
                latency(speed.p50_ms, speed.p95_ms if speed.rounds >= _ROUNDS_FOR_P95 else None),
                memory,
            )
        ),
    ]


def _note(snapshot: Snapshot, language: Language) -> Safe:
    rounds = max(speed.rounds for speed in snapshot.speeds)
    parts = [say(language, "speed.how", rounds=rounds, texts=f"{len(snapshot.texts):,}")]
    places = {
        say(language, "speed.threads", device=one.device, threads=one.threads): one for one in snapshot.speeds
    }
    parts.append(Safe(join(places, "; ") + "."))
    conditions = snapshot.conditions
    if conditions is not None:
        parts.append(
            say(language, "speed.where", cpu=conditions.cpu, cores=conditions.cores, date=conditions.date_utc)
        )
    return element("p", join(parts, " "), class_="wb-note")
