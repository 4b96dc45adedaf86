"""Whatever the data, markup stays ours: hostile texts come out as text."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.ui.widgets.html import (
    Safe,
    cosine,
    count,
    decimal,
    element,
    esc,
    fill,
    join,
    latency,
    percent,
    readable,
    scientific,
    table,
    tag,
)

_TEXT = st.text(alphabet=st.characters(categories=None, exclude_categories=["Cs"]))


class _Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text += data


def _parse(markup):
    seen = _Seen()
    seen.feed(markup)
    seen.close()
    return seen


def _as_parsed(text):
    # Character references of control characters aside, a parser gives back what was escaped.
    return text.replace("\r\n", "\n").replace("\r", "\n")


@given(_TEXT, _TEXT)
def test_text_and_attributes_come_out_as_they_went_in(content, value):
    seen = _parse(element("div", content, title=value))
    assert seen.tags == ["div"]
    assert seen.attributes == [("title", value)]
    assert _as_parsed(seen.text) == _as_parsed(content)


@given(st.lists(_TEXT, min_size=1, max_size=4), _TEXT)
def test_a_table_has_the_cells_it_was_given_and_no_other_element(cells, heading):
    seen = _parse(table([heading], [cells], caption=heading))
    wanted = ["div", "table", "caption", "thead", "tr", "th", "tbody", "tr", "th", *["td"] * (len(cells) - 1)]
    assert seen.tags == (wanted if heading else [name for name in wanted if name != "caption"])


@given(_TEXT)
def test_a_template_is_filled_with_text_not_markup(text):
    assert _parse(fill("before {a} after", a=text)).tags == []
    assert fill("{a}", a=element("b", text)) == element("b", text)
    assert esc(Safe("<b>")) == "<b>"
    assert _parse(join([text, element("i", "")], text)).tags == ["i"]
    assert _parse(tag(text, 7)).tags == ["b"]


@given(_TEXT, st.integers(0, 40))
def test_readable_text_has_no_invisible_character_and_keeps_its_limit(text, limit):
    shown = readable(text, limit)
    assert not set(shown) & set("\x00\x07\x1b\u202e\u2066\u200b\ufeff\n\r\t")
    assert readable("abc" * 20, limit).rstrip("…") == ("abc" * 20)[:limit]


def test_readable_shows_what_hides_and_cuts_floods():
    assert readable("a\u202eb") == "a⟨U+202E⟩b"
    assert readable("a\x00\nb") == "a\u2400⏎b"
    assert len(readable("e" + "\u0301" * 10_000)) < 20
    assert readable("👨\u200d👩\u200d👧 한국어 e\u0301") == "👨\u200d👩\u200d👧 한국어 e\u0301"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1.2e-7, "1.2e-7"),
        (0.0, "0"),
        (0.57, "5.7e-1"),
        (1.0, "1.0e0"),
        (float("nan"), "–"),
        (float("inf"), "–"),
    ],
)
def test_differences_are_scientific(value, shown):
    assert scientific(value) == shown


def test_numbers_read_as_they_are():
    assert decimal(-0.5, 2) == "\u22120.50"
    assert decimal(float("nan")) == "–"
    assert cosine(1.0) == "1.0000"
    # Not one, and not shown as one.
    assert cosine(0.99996) == "1\u22124.0e-5"
    assert cosine(0.8) == "0.8000"
    assert percent(0.5) == "50%"
    assert percent(0.0781) == "7.8%"
    assert count(1234.5) == "1,234"
    assert count(3.25) == "3.2"
    assert count(7.0) == "7"
    assert latency(12.34, 20.0) == "12.3 / 20.0 ms"
    assert latency(412.3, None) == "412 / – ms"
    assert latency(9_000, 12_000) == "9.0 / 12.0 s"
