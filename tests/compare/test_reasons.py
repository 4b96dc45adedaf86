"""The table of sentences: every key that results use, filled without a gap, in any language."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from string import Formatter

import pytest

from workbench.compare.reasons import ENGLISH, reason_text

COMPARE = Path(__file__).resolve().parents[2] / "workbench" / "compare"


def test_every_key_has_the_form_of_a_key() -> None:
    assert all(re.fullmatch(r"[a-z_]+(-[a-z]+)*(\.one)?", key) for key in ENGLISH)


def test_every_sentence_for_one_has_its_plural_with_the_same_fields() -> None:
    def names(template: str) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(template) if name}

    for key, template in ENGLISH.items():
        if key.endswith(".one"):
            assert names(template) == names(ENGLISH[key.removesuffix(".one")]), key


def test_no_sentence_is_left_over() -> None:
    # Each key stands as a literal, or as the parts of one, where results are made.
    source = "\n".join((COMPARE / name).read_text() for name in ("agreement.py", "causes.py", "coverage.py"))
    literals = {
        node.value
        for node in ast.walk(ast.parse(source.replace("from __future__ import annotations", "")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    built = {"identical-although", "noise-although"} | {
        f"different{middle}{end}" for middle in ("", "-unexplained") for end in ("", "-dimensions")
    }
    for key in ENGLISH:
        assert key.removesuffix(".one") in literals | built, key


def test_causes_are_filled_and_joined() -> None:
    causes = (("also-uncut", {"count": 1}), ("also-uncut", {"count": 2}))
    text = reason_text("identical-although", {"causes": causes})
    assert text.count("something else differs too") == 2
    assert "1 text differs" in text
    assert "2 texts differ" in text


def test_another_language_is_another_table() -> None:
    table = {"different": "{causes} – {count}/{texts}", "model": "{right_value}≠{left_value}"}
    values = {"causes": (("model", {"left_value": "a", "right_value": "b"}),), "count": 2, "texts": 3}
    assert reason_text("different", values, table) == "b≠a – 2/3"


def test_values_are_values_and_never_templates() -> None:
    values = {"left": "{right}", "right": "{0.__class__}", "left_value": "{", "right_value": "}"}
    assert reason_text("pooling", values) == "pooling: { in {right} against } in {0.__class__}"


def test_no_key_no_text() -> None:
    assert reason_text("", {}) == ""
    with pytest.raises(KeyError):
        reason_text("unheard-of", {})
