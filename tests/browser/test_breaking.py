"""The chips and the form: one click breaks the manual column, the verdict says why, repair restores it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

# Chip → what the line under the verdict must say.
_WHY = {
    "max_length": r"Text 8 has \d+ tokens: manual at 512 read all of it, the others stopped at 256",
    "pooling": r"manual takes cls pooling, the others mean",
    "use_mask": r"manual averages over padding too",
    "normalize": r"manual leaves its vectors at length \d+\.\d+",
    "lowercase": r"manual keeps capitals.*\d+ of its tokens are unknown",
}


def test_each_chip_changes_the_verdict_and_repair_restores_it(visit):
    visitor = visit()
    page = visitor.open()
    verdict = page.locator("#wb-verdict .wb-verdict")
    for chip, why in _WHY.items():
        visitor.run(page.locator(f"#wb-chip-{chip}").click)
        expect(verdict, chip).to_have_class(re.compile("bad"))
        expect(verdict.locator(".wb-verdict-line")).to_contain_text(
            re.compile("own upstream.*manual differs")
        )
        expect(verdict.locator(".wb-why-line")).to_have_text(re.compile(why))
        expect(page.locator(f"#wb-chip-{chip}")).to_have_class(re.compile(r"\bon\b"))
        expect(page.locator(".wb-chip.on")).to_have_count(1)
    visitor.run(page.locator("#wb-chip-repair").click)
    expect(verdict).to_have_class(re.compile("good"))
    expect(page.locator(".wb-chip.on")).to_have_count(0)


def test_a_chip_shows_in_the_form_and_in_the_difference_map(visit):
    visitor = visit()
    page = visitor.open()
    visitor.run(page.locator("#wb-chip-max_length").click)
    expect(page.locator("#wb-column-2")).to_contain_text("512")
    page.locator("#wb-column-2 button").first.click()
    expect(page.get_by_label("Max tokens")).to_have_value("512")
    # The page turns to where the two part: their difference map, and the text that was cut.
    expect(page.locator("#wb-difference figure")).to_have_attribute("data-label", "own − manual")
    assert float(page.locator("#wb-difference figure").get_attribute("data-scale")) > 1e-3
    expect(page.locator("#wb-opened h3")).to_have_text("Sentence 8")


def test_a_setting_changed_in_the_form_changes_the_verdict(visit):
    visitor = visit()
    page = visitor.open()
    page.locator("#wb-column-2 button").first.click()
    page.get_by_label("Max tokens").fill("16")
    expect(page.locator("#wb-progress")).to_contain_text("Settings changed")
    visitor.run(page.locator("#wb-run").click)
    expect(page.locator("#wb-verdict .wb-verdict")).to_have_class(re.compile("bad"))
    expect(page.locator("#wb-verdict .wb-why-line")).to_contain_text("stopped at 16")


def test_columns_are_added_and_removed(visit):
    visitor = visit()
    page = visitor.open()
    page.locator("#wb-add").click()
    expect(page.locator("#wb-column-3")).to_be_visible()
    visitor.run(page.locator("#wb-run").click)
    expect(page.locator("#wb-board .hm-grid")).to_have_count(4)
    expect(page.locator("#wb-board figure[data-label='own 2'] .hm-grid")).to_be_visible()
    page.locator("#wb-column-1 button").first.click()
    page.locator("#wb-remove-1").click()
    expect(page.locator("#wb-column-1")).to_have_count(0)
    visitor.run(page.locator("#wb-run").click)
    expect(page.locator("#wb-board figure[data-label='upstream']")).to_have_count(0)
    expect(page.locator("#wb-board .hm-grid")).to_have_count(3)


def test_a_column_that_cannot_load_is_told_and_the_others_go_on(visit):
    visitor = visit()
    page = visitor.open()
    page.locator("#wb-column-1 button").first.click()
    page.locator("#wb-column-1").get_by_label("Model").fill("/nowhere/at/all")
    visitor.run(page.locator("#wb-run").click)
    expect(page.locator("#wb-failures")).to_contain_text("upstream failed")
    expect(page.locator("#wb-failures")).to_contain_text("model-folder-missing")
    expect(page.locator("#wb-board .hm-grid")).to_have_count(2)
    expect(page.locator("#wb-verdict")).to_contain_text("upstream could not be encoded")
