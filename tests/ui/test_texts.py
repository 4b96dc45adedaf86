"""The two languages say the same things."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.compare.reasons import ENGLISH as ENGLISH_REASONS
from workbench.ui.reasons import reason
from workbench.ui.texts import TEXTS, as_language, preferred_language, say, word
from workbench.ui.texts_korean_reasons import KOREAN_REASONS

ENGLISH, KOREAN = TEXTS["en"], TEXTS["ko"]
_UI = Path(__file__).resolve().parents[2] / "workbench" / "ui"


def _names(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def test_both_languages_have_the_same_keys():
    assert set(KOREAN) == set(ENGLISH)
    assert set(KOREAN_REASONS) == set(ENGLISH_REASONS)


def test_both_languages_name_the_same_values():
    for key, english in ENGLISH.items():
        assert _names(KOREAN[key]) == _names(english), key
    for key, english in ENGLISH_REASONS.items():
        # A sentence may leave a value out, but cannot use one that is not there.
        assert _names(KOREAN_REASONS[key]) <= _names(english), key


def test_the_korean_is_korean():
    names = {"app.title", "device.cpu", "device.gpu", "chip.pooling", "hardware.line", "heat.note"}
    for key, text in KOREAN.items():
        bare = re.sub(r"{\w+}", "", text)
        if (
            re.search(r"[A-Za-z]{3}", bare)
            and not key.startswith(("download.", "contender."))
            and key not in names
        ):
            assert re.search(r"[가-힣]", bare), key


def test_every_key_that_the_code_names_exists_and_none_is_left_over():
    source = "\n".join(
        path.read_text(encoding="utf-8") for path in _UI.rglob("*.py") if not path.name.startswith("texts_")
    )
    literal = set(re.findall(r'"([a-z_]+\.[a-zA-Z0-9_ ]+)"', source))
    groups = set(re.findall(r"""f["']([a-z_]+\.[a-z_]*)\{""", source))
    for key in ENGLISH:
        assert key in literal or any(key.startswith(group) for group in groups), f"nobody says {key}"
    # A literal with a dot that starts like a key is one, unless it names a file.
    known = {key.split(".")[0] for key in ENGLISH}
    for name in literal:
        if name.split(".")[0] in known and not name.endswith((".js", ".css", ".py")):
            assert name in ENGLISH or name.startswith(("frame.", "control.")), name


@given(st.text())
def test_values_are_escaped_in_markup_and_left_alone_in_labels(text):
    assert "<" not in say("en", "verdict.missing", names=text)
    assert text in word("en", "verdict.missing", names=text)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("ko-KR,ko;q=0.9,en-US;q=0.8", "ko"),
        ("en-US,en;q=0.9,ko;q=0.8", "en"),
        ("de-DE,de;q=0.9,ko;q=0.5", "ko"),
        ("fr", "en"),
        ("", "en"),
        ("KO", "ko"),
        (";;,,=", "en"),
    ],
)
def test_the_browsers_language_is_followed(header, language):
    assert preferred_language(header) == language


@given(st.one_of(st.none(), st.text(), st.integers(), st.lists(st.text())))
def test_any_value_for_the_language_is_one_we_have(value):
    assert as_language(value) in TEXTS


def test_a_reason_is_told_in_both_languages_and_falls_back_to_its_english():
    values = {"off": "manual", "shortest": 5.1, "longest": 6.2}
    assert "manual does not normalise" in reason("normalize", values, "", "en")
    assert "정규화" in reason("normalize", values, "", "ko")
    assert reason("", {}, "As it came", "ko") == "As it came."
    assert reason("", {}, "", "en") == ""
