"""The last screen of *Train three ways*: base and trained models side by side, and where trainings part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workbench.ui.texts import Language, say
from workbench.ui.widgets.heatmap import Heatmap, heatmap_html, legend_html
from workbench.ui.widgets.html import (
    NOTHING,
    Safe,
    cosine,
    count,
    decimal,
    element,
    join,
    readable,
    scientific,
    table,
    tag,
)

# The base comes first in a result; the ways take the colours that Compare gives their pipelines.
_COLOURS = {"base": 5, "own": 0, "upstream": 1, "transformers": 2, "manual": 2}
_SHOWN_CHARS = 80


def three_ways_html(result: Mapping[str, Any], language: Language) -> Safe:
    """Everything that a run of several ways brought, beside its proofs.

    Args:
        result: Of the job that trains; without ``side_by_side`` there is nothing to show.
        language: Of the words.
    """
    side = result.get("side_by_side")
    if not side:
        return NOTHING
    parts = [
        _section("ways.parity", _parity(result.get("parity") or (), language), language),
        _section("ways.models", _models(result, side, language), language),
        _section("ways.maps", _maps(side, language), language),
        _section("ways.embeddings", _agreements(side["agreements"], language), language),
        _section("ways.contenders", _agreements(side["contenders"], language), language),
    ]
    return element("div", join(parts), class_="wb-ways")


def _section(key: str, body: Safe, language: Language) -> Safe:
    note = element("p", say(language, f"{key}_note"), class_="wb-note")
    return join([element("h3", say(language, key)), body, note])


def _parity(pairs: Sequence[Mapping[str, Any]], language: Language) -> Safe:
    lines = []
    for pair in pairs:
        names = join([_name(pair["left"], language), " · ", _name(pair["right"], language), ": "])
        if pair["agree"]:
            told = say(language, "ways.one", loss=scientific(float(pair["largest_loss_difference"])))
        else:
            told = say(
                language,
                "ways.part",
                step=pair["first_step"],
                quantity=say(language, f"ways.quantity.{pair['quantity']}"),
                cause=say(language, f"ways.cause.{pair['cause']}"),
                loss=scientific(float(pair["largest_loss_difference"])),
            )
        lines.append(element("li", join([names, told])))
    return element("ul", join(lines), class_="wb-list")


def _models(result: Mapping[str, Any], side: Mapping[str, Any], language: Language) -> Safe:
    speeds = {model["name"]: model["sentences_per_second"] for model in side["models"]}
    seconds = {fact["way"]: fact["seconds"] for fact in reversed(result["trainings"])}
    proofs = {proof["way"]: proof for proof in result.get("proofs") or ()}
    rows = []
    for name, speed in speeds.items():
        proof = proofs.get(name) or next(iter(proofs.values()), None)
        rows.append(
            [
                _name(name, language),
                _score(proof, name == "base"),
                _difference(proofs.get(name), language),
                say(language, "ways.seconds", seconds=decimal(seconds[name], 1)) if name in seconds else "–",
                count(speed) if speed is not None else "–",
            ]
        )
    keys = ("model", "score", "difference", "time", "speed")
    return table([say(language, f"ways.{key}") for key in keys], rows)


def _score(proof: Mapping[str, Any] | None, base: bool) -> str:
    if proof is None:
        return "–"
    role = "base" if base else "tuned"
    found = next(
        (
            row["score"]
            for row in proof["scores"]
            if row["role"] == role and row["metric"] == proof["primary"]
        ),
        None,
    )
    return "–" if found is None else f"{decimal(float(found))} {proof['primary']}"


def _difference(proof: Mapping[str, Any] | None, language: Language) -> Safe:
    """The first difference of a proof is that of its primary metric to the base."""
    if proof is None or not proof["differences"]:
        return Safe("–")
    row = proof["differences"][0]
    if row["value"] is None or row["low"] is None or row["high"] is None:
        return say(language, "ways.undefined")
    low, high = decimal(float(row["low"])), decimal(float(row["high"]))
    outcome = element("b", say(language, f"ways.outcome.{proof['verdict']['outcome'].replace(' ', '_')}"))
    return join([decimal(float(row["value"])), f" [{low}, {high}] ", outcome])


def _maps(side: Mapping[str, Any], language: Language) -> Safe:
    count_of = len(side["sentences"])
    squares = []
    for model in side["models"]:
        values = np.array(
            [[np.nan if cell is None else cell for cell in row] for row in model["similarity"]], dtype=float
        )
        heatmap = Heatmap(model["name"], (_COLOURS.get(model["name"], 3),), values, tuple(range(count_of)))
        alternative = f"{model['name']}: {count_of} × {count_of}"
        squares.append(heatmap_html(heatmap, alternative))
    items = join(element("li", readable(text, _SHOWN_CHARS)) for text in side["sentences"])
    texts = element("ol", items, class_="wb-list")
    legend = legend_html("similarity", 1.0, say(language, "ways.cosine"))
    return join([legend, element("div", join(squares), class_="hm-board"), texts])


def _agreements(pairs: Sequence[Mapping[str, Any]], language: Language) -> Safe:
    rows = [
        [
            join([_name(one["left"], language), " · ", _name(one["right"], language)]),
            say(language, f"pair.{one['verdict']}"),
            "–" if one["max_abs"] is None else scientific(float(one["max_abs"])),
            "–" if one["min_cosine"] is None else cosine(float(one["min_cosine"])),
            "–" if one["spearman"] is None else decimal(float(one["spearman"])),
        ]
        for one in pairs
    ]
    keys = ("pair", "verdict", "max", "min_cosine", "spearman")
    return table([say(language, f"agreement.{key}") for key in keys], rows)


def _name(name: str, language: Language) -> Safe:
    shown = say(language, "ways.base") if name == "base" else name
    return tag(shown, _COLOURS.get(name, 3))
