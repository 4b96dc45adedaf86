"""The Trace page in Chromium: the first-minute story, a card, Korean, a phone in the dark, two files."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

_DONE = r"""() => /\d s$|\d초$/.test(
  document.querySelector('#wb-trace-progress .wb-progress')?.innerText.trim() || '')"""


def _open(visitor, query: str = "") -> Page:
    page = visitor.page
    page.goto(f"{visitor.url}trace{query}")
    expect(page.locator("#wb-trace-find")).to_be_visible()
    return page


def _proved(page: Page) -> None:
    expect(page.locator("#wb-trace-swaps tbody tr").first).to_be_visible()
    page.wait_for_function(_DONE)


def test_one_click_names_the_stage_proves_it_and_gives_the_fix(visit, tmp_path):
    page = _open(visit())
    expect(page.locator("#wb-box-run, #wb-trace-box-run").first).to_be_in_viewport()
    page.locator("#wb-trace-find").click()
    verdict = page.locator("#wb-trace-verdict")
    expect(verdict).to_contain_text("First diverging stage: 5 truncation")
    expect(verdict).to_be_in_viewport()
    _proved(page)
    expect(verdict).to_contain_text(
        re.compile(r"own reads up to 256 tokens, manual 128: 2 of 6 .* to (0|\d\.\de-0?[789])")
    )
    expect(page.locator("#wb-trace-ladder tr.rung")).to_have_count(15)
    expect(page.locator("#wb-trace-ladder tr.fault")).to_have_attribute("data-stage", "truncation")
    expect(page.locator("#wb-trace-fix")).to_contain_text("max_length=256")
    assert page.locator("#wb-trace-tokens i.cut").count() > 10
    with page.expect_download() as waiting:
        page.locator("#wb-trace-get-json").click()
    waiting.value.save_as(tmp_path / "trace.json")
    assert json.loads((tmp_path / "trace.json").read_text(encoding="utf-8"))["closed"]

    # A real bug, by the keyboard.
    page.locator("#wb-trace-cards button[data-card='cls-pooling']").press("Enter")
    expect(verdict).to_contain_text("First diverging stage: 9 pooling")
    expect(verdict).to_contain_text("Replayed: CLS instead of mean.")
    _proved(page)
    expect(page.locator("#wb-trace-cards article.on h3")).to_have_text("CLS instead of mean")

    # Two recorded traces, taken from the page itself.
    page.locator("#wb-trace-get-traces").click()
    links = page.locator("#wb-trace-traces a[download]")
    expect(links).to_have_count(4)
    files: dict[str, str] = {}
    for link in links.all():
        with page.expect_download() as waiting:
            link.click()
        name = waiting.value.suggested_filename
        waiting.value.save_as(tmp_path / name)
        files[name] = str(tmp_path / name)
    for side in ("left", "right"):
        kinds = [files[f"trace-{side}.json"], files[f"trace-{side}.safetensors"]]
        page.locator(f"#wb-files-{side} input[type=file]").set_input_files(kinds)
        expect(page.locator(f"#wb-files-{side}")).to_contain_text("safetensors")
    page.locator("#wb-trace-files-run").click()
    expect(verdict).to_contain_text("not proved by a swap")
    expect(verdict).to_contain_text("9 pooling")


@pytest.mark.full
def test_korean_speaks_korean_with_black_box_and_lint(visit):
    page = _open(visit(locale="ko-KR"))
    expect(page.locator("#wb-trace-find")).to_have_text("단계 찾기")
    page.locator("#wb-trace-box-example").click()
    expect(page.locator("#wb-box-result .wb-box")).to_contain_text("풀링 cls")
    page.locator("#wb-trace-lint-run").click()
    expect(page.locator("#wb-lint-result .wb-finding")).to_have_count(3)
    page.locator("#wb-trace-find").click()
    _proved(page)
    expect(page.locator("#wb-trace-verdict")).to_contain_text("처음 갈라지는 단계: 5 자르기")
    expect(page.locator("#wb-trace-cards")).to_contain_text("악센트를 그대로 둠")
    for panel in ("#wb-trace-verdict", "#wb-trace-ladder", "#wb-trace-swaps", "#wb-trace-cards"):
        english = re.search(r"\b[a-z]{3,} [a-z]{2,} [a-z]{3,} [a-z]{2,}", page.locator(panel).inner_text())
        assert not english, (panel, english)
    page.locator("#wb-language").get_by_label("English").check()
    expect(page.locator("#wb-trace-verdict")).to_contain_text("First diverging stage: 5 truncation")
    expect(page.locator("#wb-lint-result")).to_contain_text("3 warnings")


def test_a_phone_in_the_dark_holds_everything_in_its_width(visit):
    # A link to a card replays it on arrival.
    page = _open(visit(viewport={"width": 390, "height": 844}), "?__theme=dark&card=type-ids")
    expect(page.locator("#wb-trace-find")).to_be_in_viewport()
    expect(page.locator("#wb-trace-verdict")).to_contain_text("6 padding and mask")
    _proved(page)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    for drop in ("#wb-box-texts", "#wb-files-left"):
        box = page.locator(drop).bounding_box()
        assert box["height"] > 50 and box["width"] > 250
    colours = page.evaluate(
        "() => [getComputedStyle(document.querySelector('.wb-ladder b')).color,"
        " getComputedStyle(document.querySelector('gradio-app')).backgroundColor]"
    )
    ink, ground = (sum(map(int, re.findall(r"\d+", colour)[:3])) / 3 for colour in colours)
    assert ink > 180 and ground < 40
