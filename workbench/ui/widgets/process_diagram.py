"""The classic process as five boxes that open: DataLoader → Model → Loss → Evaluator → fit."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.ui.texts import Language, say
from workbench.ui.widgets.html import Safe, element, join

# Box → the name of its object, as code has it.
BOXES: Mapping[str, str] = {
    "loader": "DataLoader",
    "model": "SentenceTransformer",
    "loss": "Loss",
    "evaluator": "Evaluator",
    "fit": "fit",
}


def diagram_html(language: Language, opened: str, facts: Mapping[str, str] | None = None) -> Safe:
    """Draw the boxes.

    Args:
        language: Of the words.
        opened: The box whose step is shown below; empty for none.
        facts: Box → what this run puts there, such as the loss's name.
    """
    found = facts or {}
    parts: list[Safe] = []
    for number, (box, name) in enumerate(BOXES.items(), start=1):
        if parts:
            parts.append(element("span", _link(box, language), class_="pd-arrow"))
        parts.append(_box(number, box, name, found.get(box, ""), opened == box, language))
    return element(
        "div", join(parts), class_="pd-row", role="group", aria_label=say(language, "train.diagram")
    )


def _link(box: str, language: Language) -> Safe:
    """What goes over into a box; on the way from the model to the loss it is the model itself."""
    return join([element("i", "→", aria_hidden="true"), element("small", say(language, f"train.into_{box}"))])


def _box(number: int, box: str, name: str, fact: str, opened: bool, language: Language) -> Safe:
    inner = [
        element("small", f"{number}", class_="pd-number"),
        element("b", name),
        element("span", say(language, f"train.box_{box}"), class_="pd-what"),
        element("span", fact or "\u00a0", class_="pd-fact"),
    ]
    return element(
        "button",
        join(inner),
        type="button",
        class_="pd-box",
        data_box=box,
        aria_expanded="true" if opened else "false",
    )
