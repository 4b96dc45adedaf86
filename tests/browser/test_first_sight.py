"""What a visitor sees and reads without changing anything: three columns live, own first, and the verdict."""

from __future__ import annotations

import json
import re

import pyarrow.parquet as pq
import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_three_columns_arrive_live_and_agree(settled):
    page = settled.page
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


def test_the_page_is_small_and_carries_no_result(settled):
    html = settled.page.request.get(settled.url).text()
    assert len(html.encode()) < 300_000
    assert "antibiotics" not in html


def test_a_heatmap_cell_is_read_in_every_column_and_opens_its_sentence(settled):
    page = settled.page
    grid = page.locator("#wb-board .hm-grid").first
    grid.scroll_into_view_if_needed()
    box = grid.bounding_box()
    # Row 4, column 3: "log in" against "reset the password".
    at = box["x"] + box["width"] * 2.5 / 8, box["y"] + box["height"] * 3.5 / 8
    page.mouse.move(*at)
    readout = page.locator("#wb-board .hm-readout")
    expect(readout).to_contain_text(re.compile(r"own 0\.\d\d +upstream 0\.\d\d +manual 0\.\d\d"))
    expect(readout).to_contain_text("I can't log in")
    page.mouse.click(*at)
    expect(page.locator("#wb-opened h3")).to_have_text("Sentence 4")
    grid.focus()
    grid.press("ArrowDown")
    grid.press("Enter")
    expect(page.locator("#wb-opened h3")).to_have_text("Sentence 5")


def test_a_sentence_opens_by_click_and_by_key(settled):
    page = settled.page
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


def test_the_language_switch_changes_everything_without_a_new_run(settled):
    page = settled.page
    page.locator("#wb-sentences button[data-i='0']").click()
    expect(page.locator("#wb-opened h3")).to_have_text("Sentence 1")
    page.locator("#wb-language").get_by_label("한국어").check()
    expect(page.locator("#wb-run")).to_have_text("비교하기")
    expect(page.locator("#wb-verdict")).to_contain_text(re.compile("일치합니다|동일합니다"))
    expect(page.locator("#wb-board h2")).to_have_text("유사도")
    expect(page.locator("#wb-opened h3")).to_have_text("1번 문장")
    page.locator("#wb-language").get_by_label("English").check()
    expect(page.locator("#wb-run")).to_have_text("Compare")
    expect(page.locator("#wb-board h2")).to_have_text("Similarity")


@pytest.mark.parametrize("kind", ["csv", "parquet", "json"])
def test_the_comparison_can_be_downloaded(settled, kind, tmp_path):
    page = settled.page
    with page.expect_download() as waiting:
        page.locator(f"#wb-download-{kind}").click()
    path = tmp_path / f"got.{kind}"
    waiting.value.save_as(path)
    assert waiting.value.suggested_filename == f"workbench-comparison.{kind}"
    if kind == "json":
        assert len(json.loads(path.read_text(encoding="utf-8"))["columns"][0]["embeddings"]) == 8
    elif kind == "parquet":
        assert pq.read_table(path).num_rows == 24
    else:
        assert len(path.read_text(encoding="utf-8-sig").splitlines()) == 25


def test_every_column_shows_its_code(settled):
    page = settled.page
    page.locator("#wb-code-column").get_by_label("manual").check()
    expect(page.locator("#wb-code")).to_contain_text("AutoModel")
    page.locator("#wb-code-column").get_by_label("upstream").check()
    expect(page.locator("#wb-code")).to_contain_text("sentence_transformers")
