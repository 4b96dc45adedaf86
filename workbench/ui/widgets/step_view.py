"""One step, opened: what a box of the diagram shows of a real batch, beside its line of code."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workbench.ui.texts import Language, say
from workbench.ui.widgets.article import CODE
from workbench.ui.widgets.html import (
    NOTHING,
    Safe,
    cosine,
    decimal,
    element,
    join,
    readable,
    scientific,
    table,
)
from workbench.ui.widgets.process_diagram import BOXES

if TYPE_CHECKING:
    from workbench.recipe.opened_step import OpenedStep

# Box → the parts of the step that it is made of.
PARTS_OF_BOX: Mapping[str, tuple[str, ...]] = {
    "loader": ("examples", "collate"),
    "model": ("ids", "token_embeddings", "pooled"),
    "loss": ("similarity", "loss", "gradient"),
    "evaluator": ("evaluate",),
    "fit": ("update", "after", "save"),
}
_PAIRS = "wb-table wb-data wb-pairs"
_ROWS = 8
_CELL = 110
_TOKENS = 40
_LAYERS = 40


def step_html(step: OpenedStep | None, box: str, language: Language, *, plain: bool, taken: bool) -> Safe:
    """What a box shows.

    Args:
        step: The opened step; None where there is none, and then the line of code alone is shown.
        box: A key of ``BOXES``.
        language: Of the words.
        plain: Whether the plain loop's lines stand beside.
        taken: Whether the step has been taken: only then its effect is shown.
    """
    title = element("h3", join([BOXES[box], ": ", say(language, f"train.box_{box}")]))
    if step is None:
        shown = [_figure(say(language, "train.step_classic"), CODE[box])]
    else:
        shown = [_SHOWN[box](step, language, taken), *_code(step, box, language, plain)]
        shown += [element("p", notice, class_="wb-note") for notice in step.notices if box == "fit"]
    return element("section", join([title, *shown]), class_="wb-step", aria_label=BOXES[box])


def _code(step: OpenedStep, box: str, language: Language, plain: bool) -> list[Safe]:
    """The lines of the box's parts, with the shape of what they make."""
    lines = []
    for part in step.parts:
        if part.name not in PARTS_OF_BOX[box]:
            continue
        shape = f" ({', '.join(f'{size:,}' for size in part.shape)})" if part.shape else ""
        head = join([say(language, f"train.part_{part.name}"), element("span", shape, class_="wb-number")])
        figures = [_figure(join([say(language, "train.step_classic"), ": ", head]), part.code.classic)]
        if plain:
            figures.append(_figure(say(language, "train.step_plain"), part.code.plain))
        lines.append(element("div", join(figures), class_="wb-step-code"))
    return lines


def _figure(caption: Safe, code: str) -> Safe:
    return element("figure", join([element("figcaption", caption), element("pre", code, tabindex="0")]))


def _loader(step: OpenedStep, language: Language, _taken: bool) -> Safe:
    labelled = any(pair.label is not None for pair in step.pairs)
    rows = []
    for number, example in enumerate(step.examples[:_ROWS], start=1):
        label = [_label(example.label)] if labelled or not step.pairs else []
        rows.append((str(number), *(_cell(text) for text in example.texts), *label))
    width = max((len(row) for row in rows), default=1)
    heads = ["InputExample", *(f"texts[{place}]" for place in range(width - 1 - bool(labelled)))]
    heads = [*heads, *(["label"] if len(heads) < width else [])]
    return join(
        [
            _facts(language, {"step_batch": str(len(step.examples))}),
            table(heads, rows, class_="wb-table wb-data wb-numbered"),
        ]
    )


def _model(step: OpenedStep, language: Language, _taken: bool) -> Safe:
    parts = []
    for place, column in enumerate(step.tokens):
        for row in column[:1]:
            chips = [
                element(
                    "span",
                    join([readable(token, 30), element("small", str(number))]),
                    class_="wb-token" if kept else "wb-token off",
                )
                for token, number, kept in zip(row.tokens, row.ids, row.mask, strict=True)
            ]
            more = len(chips) - _TOKENS
            told = element("small", f"+{more}") if more > 0 else NOTHING
            parts.append(element("p", say(language, "train.step_tokens", column=place), class_="wb-note"))
            parts.append(element("div", join([*chips[:_TOKENS], told]), class_="wb-tokens-row"))
    facts = {
        "step_token_embeddings": _shape(step.token_embeddings_shape),
        "step_pooled": _shape(step.pooled_shape),
    }
    corner = _numbers(say(language, "train.step_corner"), step.token_embeddings)
    return join(
        [*parts, _facts(language, facts), corner, _numbers(say(language, "train.step_vectors"), step.pooled)]
    )


def _numbers(title: Safe, rows: Sequence[Sequence[float]]) -> Safe:
    if not rows:
        return NOTHING
    heads = ["", *(str(place) for place in range(len(rows[0])))]
    body = [(str(number), *(decimal(value) for value in row)) for number, row in enumerate(rows)]
    return element("details", join([element("summary", title), table(heads, body)]), class_="wb-fold")


def _loss(step: OpenedStep, language: Language, _taken: bool) -> Safe:
    facts = {
        "step_formula": step.formula,
        "step_loss": decimal(step.loss),
        "step_same": element("code", f"loss.model is model  # {step.loss_model_is_model}"),
        "step_norm": decimal(step.gradient_norm),
    }
    columns = ("pair", "similarity", "label", "share", "pull")
    rows = [
        (
            _pair(step, place),
            cosine(pair.similarity),
            _label(pair.label),
            "–" if pair.loss_share is None else decimal(pair.loss_share),
            scientific(pair.pull),
        )
        for place, pair in enumerate(step.pairs[:_ROWS])
    ]
    heads = [say(language, f"train.step_{name}") for name in columns]
    shown = table(heads, rows, class_=_PAIRS) if rows else NOTHING
    return join([_facts(language, facts), shown, _layers(step, language)])


def _layers(step: OpenedStep, language: Language) -> Safe:
    """The norm of the gradient by layer, as bars with their numbers beside."""
    norms = list(step.layer_norms.items())[:_LAYERS]
    if not norms:
        return NOTHING
    most = max(value for _, value in norms) or 1.0
    rows = [
        (
            readable(name, 60),
            element("span", decimal(value), class_="wb-number"),
            element(
                "span",
                element("i", "", class_="wb-speedbar c0", style=f"width:{value / most:.1%}"),
                class_="wb-speedtrack",
            ),
        )
        for name, value in norms
    ]
    heads = [say(language, f"train.step_{name}") for name in ("layer", "norm")]
    body = table([*heads, ""], rows)
    return element(
        "details", join([element("summary", say(language, "train.step_layers")), body]), class_="wb-fold"
    )


def _evaluator(_step: OpenedStep, language: Language, _taken: bool) -> Safe:
    return element("p", say(language, "train.article_evaluator_text"))


def _fit(step: OpenedStep, language: Language, taken: bool) -> Safe:
    facts = {
        "step_rate": f"{step.learning_rate:g}",
        "step_norm": decimal(step.gradient_norm),
        "step_loss": decimal(step.loss),
    }
    heads = [say(language, f"train.step_{name}") for name in ("pair", "before", "after", "moved")]
    rows = []
    for place, pair in enumerate(step.pairs[:_ROWS]):
        after = [cosine(pair.after), _signed(pair.after - pair.before)] if taken else ["…", ""]
        rows.append((_pair(step, place), cosine(pair.before), *after))
    told = NOTHING if taken else element("p", say(language, "train.step_press"), class_="wb-note")
    return join([_facts(language, facts), told, table(heads, rows, class_=_PAIRS) if rows else NOTHING])


def _signed(value: float) -> str:
    return f"{'+' if value >= 0 else ''}{decimal(value)}"


def _facts(language: Language, facts: Mapping[str, object]) -> Safe:
    rows = [
        join([element("dt", say(language, f"train.{key}")), element("dd", value)])
        for key, value in facts.items()
    ]
    return element("dl", join(rows))


def _pair(step: OpenedStep, place: int) -> Safe:
    texts = step.examples[place].texts[:2]
    return element("span", join([readable(text, _CELL) for text in texts], " ↔ "), class_="wb-cell")


def _cell(text: str) -> Safe:
    return element("span", readable(text, 2 * _CELL), class_="wb-cell")


def _shape(shape: Sequence[int]) -> str:
    return f"({', '.join(map(str, shape))})"


def _label(value: object) -> str:
    return "–" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


_SHOWN: Mapping[str, Callable[[Any, Language, bool], Safe]] = {
    "loader": _loader,
    "model": _model,
    "loss": _loss,
    "evaluator": _evaluator,
    "fit": _fit,
}
