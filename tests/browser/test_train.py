"""The Train page in Chromium: a first user reads a verdict and finds it again, in Korean, on a dark phone."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.forms import fill

pytestmark = pytest.mark.browser


def _come(visitor, query: str = "") -> Page:
    visitor.page.goto(f"{visitor.url}train{query}")
    expect(visitor.page.locator("#wb-train-data .wb-told").first).to_be_visible()
    return visitor.page


def _fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.mark.full
def test_a_first_user_reads_a_verdict_and_finds_it_again(visit):
    ann = visit()
    page = _come(ann)
    expect(page.locator("#wb-train-diagram button[data-box]")).to_have_count(5)
    expect(page.locator("#wb-train-diagram")).to_contain_text("215 rows, 16 a batch")
    # Two steps show the way as well as all of them.
    page.get_by_role("button", name="More settings").click()
    fill(page.locator("#wb-field-max-steps input"), "2")
    page.locator("#wb-train-train").click()
    expect(page.locator("#wb-train-curves svg path").first).to_be_visible()
    expect(page).to_have_url(re.compile(r"run=\d{8}-\d{6}-[0-9a-f]{8}"))

    # A reload while it runs, or is being judged, finds it again.
    page.reload()
    expect(page.locator("#wb-train-status")).not_to_be_empty()
    verdict = page.locator("#wb-train-proof .wb-verdict")
    expect(verdict).to_be_visible()
    assert verdict.get_attribute("data-outcome") in ("better", "worse", "not shown")
    expect(verdict).to_contain_text("ndcg@10")
    expect(page.locator("#wb-train-proof")).to_contain_text("What this data can show")
    expect(page.locator("#wb-train-status")).to_contain_text("2 steps")
    with page.expect_download() as got:
        page.locator("#wb-train-json").click()
    assert json.loads(Path(got.value.path()).read_text(encoding="utf-8"))["format"] == "workbench-proof"
    page.locator("#wb-train-code").click()
    expect(page.locator("#wb-train-run-code")).to_contain_text("model.fit(")
    page.locator("#wb-train-compare").click()
    link = page.locator("#wb-train-compare-link a")
    expect(link).to_have_attribute("href", re.compile(r"^\.\?model=trained-[0-9a-f]{32}$"))

    # The same run in Korean, on a phone, in the dark; and to nobody else.
    run = re.search(r"run=([\w-]+)", page.url)
    assert run is not None
    page.set_viewport_size({"width": 390, "height": 844})
    _come(ann, f"?run={run[1]}&lang=ko&__theme=dark")
    expect(verdict).to_contain_text("시드 하나입니다")
    expect(page.locator("#wb-train-lead")).to_contain_text("문장 임베딩")
    assert _fits(page)
    other = visit()
    page = _come(other, f"?run={run[1]}")
    expect(page.locator("#wb-train-error")).to_contain_text("belongs to another browser")


def test_a_box_opens_by_key_the_article_leads_and_a_mistake_loses_nothing(visit):
    page = _come(visit(locale="ko-KR"))
    page.locator("#wb-train-article").click()
    expect(page.locator("ol.wb-article li")).to_have_count(5)
    page.locator("#wb-train-diagram button[data-box=loader]").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("#wb-train-step")).to_contain_text("loss")
    expect(page.locator("#wb-train-diagram button[data-box=loss]")).to_have_attribute("aria-expanded", "true")
    page.get_by_label("붙여넣기").check()
    pasted = page.locator("#wb-field-pasted textarea")
    fill(pasted, "하나만 있는 줄")
    pasted.blur()
    expect(page.locator("#wb-train-data-error")).to_contain_text("[paste-columns]")
    page.locator("#wb-train-train").click()
    expect(page.locator("#wb-train-error .wb-box")).to_be_visible()
    expect(pasted).to_have_value("하나만 있는 줄")
    pasted.fill("안녕\t인사\n바다\t해양\n빨강\t적색\n뜨겁다\t덥다\n작다\t조그맣다")
    pasted.blur()
    expect(page.locator("#wb-train-data")).to_contain_text("anchor")
    expect(page.locator("#wb-train-data-error .wb-box")).to_have_count(0)


@pytest.mark.full
def test_three_ways_end_on_one_screen(visit):
    page = _come(visit())
    page.get_by_role("button", name="More settings").click()
    fill(page.locator("#wb-field-max-steps input"), "2")
    page.locator("#wb-train-ways").click()
    screen = page.locator("#wb-train-proof .wb-ways")
    # Three trainings and three proofs, one after the other.
    expect(screen).to_be_visible(timeout=600_000)
    for heading in (
        "Are they one training?",
        "Before and after",
        "The same sentences before and after",
        "How far apart the embeddings are",
        "The own checkpoint, encoded by all three",
    ):
        expect(screen.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    expect(screen.locator("li", has_text="one training up to float noise")).to_have_count(2)
    models = screen.locator("table").first.locator("tbody tr")
    expect(models).to_have_count(4)
    for row, name in enumerate(("base, untrained", "own", "upstream", "transformers")):
        expect(models.nth(row)).to_contain_text(name)
        expect(models.nth(row)).to_contain_text("ndcg@10")
    expect(screen.locator(".hm-grid")).to_have_count(4)
    expect(screen.locator("ol li")).to_have_count(8)
    contenders = screen.locator("table").last.locator("tbody tr")
    expect(contenders).to_have_count(3)
    for row in range(3):
        expect(contenders.nth(row)).to_contain_text(re.compile("identical|float noise"))
    expect(page.locator("#wb-train-proof .wb-verdict")).to_have_count(3)
