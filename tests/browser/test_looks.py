"""Korean by the browser's language, a phone, and the dark."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_korean_by_browser_language_with_preset_and_warning(visit):
    visitor = visit(locale="ko-KR")
    page = visitor.open()
    expect(page.locator("#wb-run")).to_have_text("비교하기")
    expect(page.locator("#wb-verdict")).to_contain_text(re.compile("일치합니다|동일합니다"))
    visitor.run(page.get_by_label("한국어 8문장").check)
    warning = page.locator("#wb-coverage .wb-box.warn")
    expect(warning).to_contain_text("다국어 모델")
    expect(page.locator("#wb-sentences")).to_contain_text("누리호")
    # No English sentence is left among those that the server wrote.
    for panel in ("#wb-verdict", "#wb-agreement", "#wb-coverage", "#wb-speed"):
        assert not re.search(
            r"\b[a-z]{3,} [a-z]{2,} [a-z]{3,} [a-z]{2,}", page.locator(panel).inner_text()
        ), panel
    page.locator("#wb-language").get_by_label("English").check()
    expect(warning).to_contain_text("multilingual model")


def test_a_phone_shows_everything_in_its_width(visit):
    page = visit(viewport={"width": 390, "height": 844}).open()
    expect(page.locator("#wb-verdict .wb-verdict-line")).to_be_in_viewport()
    expect(page.locator("#wb-chip-pooling")).to_be_in_viewport()
    expect(page.locator("#wb-map .js-plotly-plot")).to_be_visible()
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    # The squares stand one below the other.
    boxes = [square.bounding_box() for square in page.locator("#wb-board .hm-grid").all()]
    assert boxes[0]["y"] + boxes[0]["height"] <= boxes[1]["y"]
    assert all(abs(box["width"] - box["height"]) < 3 and box["width"] > 250 for box in boxes)
    # The sidebar waits behind its button.
    expect(page.locator("#wb-run")).not_to_be_in_viewport()
    page.get_by_label("Toggle Sidebar").click()
    expect(page.locator("#wb-run")).to_be_in_viewport()


def test_the_dark_theme_is_dark_and_readable(visit):
    page = visit().open("?__theme=dark")
    expect(page.locator("#wb-map .xtick text").first).to_be_visible()
    colours = page.evaluate(
        """() => {
          const of = (selector, name) => getComputedStyle(document.querySelector(selector))[name];
          return {ground: of('gradio-app', 'backgroundColor'), ink: of('.wb-verdict-line', 'color'),
                  zero: of('#wb-board .hm-grid i:nth-child(7)', 'backgroundColor'),
                  tick: of('#wb-map .xtick text', 'fill')};
        }"""
    )
    light = {name: sum(map(int, re.findall(r"\d+", value)[:3])) / 3 for name, value in colours.items()}
    assert light["ground"] < 40
    assert light["zero"] < 90
    assert light["ink"] > 180
    assert light["tick"] > 120
