"""A proof as one HTML page that needs nothing else: no script, no network, light and dark."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from workbench.compare.movement import ItemMove
from workbench.compare.proof_drawings import axis, bar_svg, interval_svg
from workbench.compare.proof_reasons import ENGLISH, ENGLISH_LABELS
from workbench.compare.proof_results import ModelScore, Proof, best_other
from workbench.compare.significance import Difference
from workbench.evaluation.metrics.score import Undefined

_STYLE = """
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#59636e;--paper:#fff;--line:#d1d9e0;--good:#1a7f37;
--bad:#cf222e;--calm:#57606a;--bar:#8fb8e8}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9198a1;--paper:#0d1117;--line:#3d444d;
--good:#3fb950;--bad:#f85149;--calm:#9198a1;--bar:#1f4f8a}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:980px;
margin:0 auto;padding:16px;overflow-wrap:break-word}
h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em;border-bottom:1px solid var(--line)}
.verdict{border-left:6px solid var(--calm);padding:4px 16px}.verdict strong{font-size:1.6em}
.verdict.better{border-color:var(--good)}.verdict.worse{border-color:var(--bad)}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:4px 8px;border-bottom:1px solid var(--line);vertical-align:top}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
p.note{color:var(--soft)}svg{width:260px;height:22px;display:block}
.zero{stroke:var(--soft);stroke-dasharray:2 2}.range{stroke:currentColor;stroke-width:2}
svg circle{fill:currentColor}svg.better{color:var(--good)}svg.worse{color:var(--bad)}
svg.none{color:var(--calm)}.bar rect{fill:var(--bar)}
"""

Words = Mapping[str, str]


def proof_html(
    proof: Proof,
    *,
    templates: Mapping[str, str] = ENGLISH,
    labels: Words = ENGLISH_LABELS,
    language: str = "en",
) -> str:
    """Write the report.

    Args:
        proof: From ``proof.prove``.
        templates: Sentences of the verdict in the reader's language.
        labels: Headings and words in it.
        language: ISO 639-1 code of it.
    """
    title = escape(labels["title"])
    parts = (f"<h2>{one.title}</h2>{one.body}" for one in sections(proof, labels))
    body = _verdict(proof, templates, labels) + "".join(parts)
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(language)}"><head><meta charset="utf-8"/>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"/><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{title}</h1>{body}</body></html>\n"
    )


@dataclass(frozen=True)
class Section:
    """One section of a report; title and body are escaped HTML."""

    name: str
    title: str
    body: str


def sections(proof: Proof, labels: Words = ENGLISH_LABELS) -> list[Section]:
    """The sections below the verdict that have something to show; a page may lay them out in its own way."""
    found = (write(proof, labels) for write in _SECTIONS)
    return [section for section in found if section is not None]


def _verdict(proof: Proof, templates: Mapping[str, str], labels: Words) -> str:
    found = proof.verdict
    choice = f"<p><b>{escape(labels['choice'].format(choice=found.choice))}</b></p>" if found.choice else ""
    reasons = "".join(f"<li>{escape(one.text(templates))}.</li>" for one in found.reasons)
    kind = found.outcome.replace(" ", "-")
    head = escape(labels[found.outcome])
    return f'<div class="verdict {kind}"><strong>{head}</strong>{choice}<ul>{reasons}</ul></div>'


def _baselines(proof: Proof, labels: Words) -> Section:
    """What could be used without any training: the base, and the best of the others that were judged."""
    best = best_other(proof)
    base = next(row for row in proof.scores if row.role == "base" and row.metric in (proof.primary, ""))
    chosen = [("base", base), *([] if best is None else [("best-other", best)])]
    against = {row.reference: row for row in proof.differences if row.metric == proof.primary}
    ends = [end for row in against.values() for end in (row.low, row.high) if end is not None]
    rows = []
    for role, row in chosen:
        score = labels["undefined"] if isinstance(row.score, Undefined) else f"{row.score:.4f}"
        gain = _difference_row(against[row.model], axis(ends), labels)[2:]
        rows.append([escape(labels[role]), escape(row.model), escape(score), *gain])
    head = ("", "model", "score", "difference", "interval", "p", "")
    told = "" if best is not None else f"<p>{escape(labels['no-other'])}</p>"
    note = labels["baselines-note"].format(metric=proof.primary, items=proof.items)
    return _section(labels, "baselines", note, _table(labels, head, rows) + told)


def _differences(proof: Proof, labels: Words) -> Section:
    note = labels["differences-note"].format(
        level=proof.settings.level, resamples=proof.settings.resamples, primary=proof.primary
    )
    ends = [end for row in proof.differences for end in (row.low, row.high) if end is not None]
    rows = [_difference_row(row, axis(ends), labels) for row in proof.differences]
    head = ("metric", "against", "difference", "interval", "p", "")
    return _section(labels, "differences", note, _table(labels, head, rows))


def _difference_row(row: Difference, span: tuple[float, float], labels: Words) -> list[str]:
    names = [escape(row.metric), escape(row.reference)]
    if row.low is None or row.high is None or isinstance(row.value, Undefined):
        return [*names, f"{escape(labels['undefined'])}: {escape(row.undefined)}", "", "", ""]
    state = "better" if row.better else "worse" if row.worse else "none"
    return [
        *names,
        f"{row.value:+.4f}",
        f"{row.low:+.4f} … {row.high:+.4f}",
        f"{min(row.adjusted_better, row.adjusted_worse):.2g}",
        interval_svg(row.low, row.value, row.high, span, state),
    ]


def _scores(proof: Proof, labels: Words) -> Section:
    numbers = [row.score for row in proof.scores if not isinstance(row.score, Undefined)]
    span = axis([*numbers, *(row.high for row in proof.scores if row.high is not None)])
    rows = [_score_row(row, span, labels) for row in proof.scores]
    head = ("model", "role", "seed", "metric", "score", "interval", "")
    return _section(labels, "scores", labels["scores-note"], _table(labels, head, rows))


def _score_row(row: ModelScore, span: tuple[float, float], labels: Words) -> list[str]:
    seed = "" if row.seed is None else str(row.seed)
    start = [escape(row.model), escape(labels[row.role]), seed, escape(row.metric)]
    if isinstance(row.score, Undefined):
        return [*start, f"{escape(labels['undefined'])}: {escape(row.score.reason)}", "", ""]
    ends = "" if row.low is None or row.high is None else f"{row.low:.4f} … {row.high:.4f}"
    return [*start, f"{row.score:.4f}", ends, bar_svg(row.score, row.low, row.high, span)]


def _seeds(proof: Proof, labels: Words) -> Section | None:
    rows = []
    for one in proof.seeds:
        deviation = labels["none"] if one.deviation is None else f"{one.deviation:.4f}"
        note = labels["seeds-note"].format(mean=one.mean, deviation=deviation, count=len(one.values))
        rows.append([escape(one.metric), " ".join(f"{value:.4f}" for value in one.values), escape(note)])
    return _section(labels, "seeds", "", _table(labels, ("metric", "score", ""), rows)) if rows else None


def _detectable(proof: Proof, labels: Words) -> Section:
    notes = []
    for one in (proof.before, proof.after):
        if one is None:
            continue
        key = "detectable-unknown" if one.smallest is None else "detectable-note"
        notes.append(
            labels[key].format(
                basis=one.basis, smallest=one.smallest or 0.0, metric=one.metric, power=one.power
            )
        )
    return _section(labels, "detectable", "", "".join(f"<p>{escape(note)}</p>" for note in notes))


def _forgetting(proof: Proof, labels: Words) -> Section | None:
    if not proof.forgetting:
        return None
    differences = [one.difference for one in proof.forgetting]
    ends = [end for row in differences for end in (row.low, row.high) if end is not None]
    rows = [
        [
            escape(one.source),
            escape(labels[one.state]),
            *_difference_row(one.difference, axis(ends), labels)[2:],
        ]
        for one in proof.forgetting
    ]
    head = ("forgetting", "", "difference", "interval", "p", "")
    return _section(labels, "forgetting", "", _table(labels, head, rows))


def _movement(proof: Proof, labels: Words) -> Section | None:
    found = proof.movement
    if found is None:
        return None
    note = labels["movement-note"].format(
        kept=found.mean_kept, neighbours=found.neighbours, texts=found.texts
    )
    moves = [
        [escape(move.text), f"{move.kept:.0%}", escape(move.before), escape(move.after)]
        for move in found.text_moves
    ]
    head = ("text", "kept", "nearest-before", "nearest-after")
    parts = [_table(labels, head, moves)] if moves else []
    for key, items in (("improved", found.improved), ("worsened", found.worsened)):
        if items:
            parts.append(f"<h3>{escape(labels[key])}</h3>" + _item_table(items, labels))
    return _section(labels, "movement", note, "".join(parts))


def _item_table(items: Iterable[ItemMove], labels: Words) -> str:
    rows = [
        [
            "<br/>".join(escape(text) for text in move.texts),
            f"{move.before:.2f}",
            f"{move.after:.2f}",
            "" if move.gold is None else f"{move.gold:.2f}",
        ]
        for move in items
    ]
    return _table(labels, ("text", "before", "after", "gold"), rows)


def _data(proof: Proof, labels: Words) -> Section:
    leak = proof.leak
    checked = labels["leak-unknown"]
    if leak is not None:
        checked = labels["leak-note"].format(
            left_out=len(leak.left_out),
            items=leak.items,
            shared=leak.shared_texts,
            texts=leak.held_out_texts,
            rows=leak.training_rows,
            how=leak.how,
        )
    rows = [
        [escape(labels["shape"]), escape(proof.shape)],
        [escape(labels["items"]), f"{proof.items:,}"],
        [escape(labels["split"]), escape(leak.split if leak and leak.split else labels["none"])],
        [escape(labels["leak"]), escape(checked)],
    ]
    for example in leak.examples if leak else ():
        rows.append(["", escape(example)])
    return _section(labels, "data", "", _table(labels, ("", ""), rows))


def _models(proof: Proof, labels: Words) -> Section:
    rows = [
        [
            escape(one.name),
            escape(labels[one.role]),
            "" if one.seed is None else str(one.seed),
            escape(", ".join(f"{key} {value}" for key, value in one.identity.items())),
        ]
        for one in proof.models
    ]
    return _section(labels, "models", "", _table(labels, ("model", "role", "seed", "identity"), rows))


def _conditions(proof: Proof, labels: Words) -> Section:
    found = proof.conditions
    facts = {
        "date": found.date_utc,
        "cpu": f"{found.cpu}, {found.cores}",
        "gpu": found.gpu or labels["none"],
        "python": found.python,
        **found.versions,
        "level": f"{proof.settings.level:g}",
        "power": f"{proof.settings.power:g}",
        "resamples": f"{proof.settings.resamples:,}",
        "seed": str(proof.settings.seed),
        "margin": f"{proof.settings.margin:g}",
    }
    rows = [[escape(name), escape(value)] for name, value in facts.items()]
    return _section(labels, "conditions", "", _table(labels, ("", ""), rows))


def _section(labels: Words, key: str, note: str, body: str) -> Section:
    told = f'<p class="note">{escape(note)}</p>' if note else ""
    return Section(key, escape(labels[key]), f'{told}<div class="wide">{body}</div>')


def _table(labels: Words, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of cells that are HTML already; a head without words is left out."""
    top = "".join(f"<th>{escape(labels[key]) if key else ''}</th>" for key in head)
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table>{f'<thead><tr>{top}</tr></thead>' if any(head) else ''}<tbody>{lines}</tbody></table>"


_SECTIONS: tuple[Callable[[Proof, Words], Section | None], ...] = (
    _baselines,
    _differences,
    _scores,
    _seeds,
    _detectable,
    _forgetting,
    _movement,
    _data,
    _models,
    _conditions,
)
