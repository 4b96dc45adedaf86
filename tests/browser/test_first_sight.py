"""What a visitor sees without touching anything: three columns live, own first, and the verdict."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

_RECORD_ORDER = """() => {
  window.__order = [];
  new MutationObserver(() => {
    for (const figure of document.querySelectorAll('#wb-board figure.hm')) {
      const label = figure.dataset.label;
      if (figure.querySelector('.hm-grid') && !window.__order.includes(label)) window.__order.push(label);
    }
  }).observe(document, { childList: true, subtree: true, attributes: true });
}"""


def test_three_columns_arrive_live_and_agree(visit):
    visitor = visit()
    visitor.page.add_init_script(f"({_RECORD_ORDER})()")
    page = visitor.open()

    assert page.evaluate("() => window.__order") == ["own", "upstream", "manual"]
    expect(page.locator("#wb-board .hm-grid")).to_have_count(3)
    for square in page.locator("#wb-board .hm-grid").all():
        assert square.locator("i").count() == 64
    expect(page.locator("#wb-verdict .wb-verdict")).to_have_class(re.compile("good"))
    expect(page.locator("#wb-verdict")).to_contain_text(
        re.compile("own.*upstream.*manual.*(agree|identical)")
    )
    expect(page.locator("#wb-agreement tbody tr:not(.wb-why)")).to_have_count(3)
    expect(page.locator("#wb-coverage")).to_contain_text("1 of 8 texts cut")
    expect(page.locator("#wb-map .js-plotly-plot")).to_be_visible()
    expect(page.locator("#wb-speed tbody tr")).to_have_count(3)
    expect(page.locator("#wb-sentences button")).to_have_count(8)
    expect(page.locator("#wb-code")).to_contain_text("import")


def test_the_page_is_small_and_carries_no_result(visit, app_url):
    response = visit().page.request.get(app_url)
    html = response.text()
    assert len(html.encode()) < 300_000
    assert "antibiotics" not in html


def test_a_heatmap_cell_is_read_in_every_column_and_opens_its_sentence(visit):
    page = visit().open()
    grid = page.locator("#wb-board .hm-grid").first
    box = grid.bounding_box()
    # Row 4, column 3: "log in" against "reset the password".
    page.mouse.move(box["x"] + box["width"] * 2.5 / 8, box["y"] + box["height"] * 3.5 / 8)
    readout = page.locator("#wb-board .hm-readout")
    expect(readout).to_contain_text(re.compile(r"own 0\.\d\d +upstream 0\.\d\d +manual 0\.\d\d"))
    expect(readout).to_contain_text("I can't log in")
    page.mouse.click(box["x"] + box["width"] * 2.5 / 8, box["y"] + box["height"] * 3.5 / 8)
    expect(page.locator("#wb-opened h3")).to_have_text("Sentence 4")


def test_a_sentence_opens_by_click_and_by_key(visit):
    page = visit().open()
    page.locator("#wb-sentences button[data-i='5']").click()
    opened = page.locator("#wb-opened")
    expect(opened.locator("h3")).to_have_text("Sentence 6")
    expect(opened).to_contain_text("onions")
    assert opened.locator(".wb-token").count() >= 10
    # Three vectors and two differences, 384 stripes each.
    assert opened.locator(".wb-strip").count() == 5
    assert opened.locator(".wb-strip").first.locator("i").count() == 384
    expect(opened).to_contain_text("norm 1.0000")
    assert opened.locator(".wb-nearest tbody tr").count() == 5

    page.locator("#wb-sentences button[data-i='5']").press("ArrowDown")
    page.keyboard.press("Enter")
    expect(opened.locator("h3")).to_have_text("Sentence 7")
    opened.locator(".wb-nearest button").first.click()
    expect(opened.locator("h3")).not_to_have_text("Sentence 7")
