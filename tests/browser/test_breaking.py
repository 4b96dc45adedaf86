"""The chips and the form: one click breaks the manual column, the verdict says why, repair restores it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.forms import type_in

pytestmark = pytest.mark.browser

# Chip → what the line under the verdict must say.
_WHY = {
    "pooling": r"manual takes cls pooling, the others mean",
    "use_mask": r"manual averages over padding too",
    "normalize": r"manual leaves its vectors at length \d+\.\d+",
    "lowercase": r"manual keeps capitals.*\d+ of its tokens are unknown",
    "max_length": r"Text 8 has \d+ tokens: manual at 512 read all of it, the others stopped at 256",
}


@pytest.mark.full
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

    # The last one shows in the form too, and the page has turned to where the two part.
    expect(page.locator("#wb-column-2")).to_contain_text("512")
    page.locator("#wb-column-2 button").first.click()
    expect(page.get_by_label("Max tokens")).to_have_value("512")
    # The other two are equal up to float noise: which of them is furthest away, that decides.
    expect(page.locator("#wb-difference figure")).to_have_attribute(
        "data-label", re.compile("(own|upstream) − manual")
    )
    assert float(page.locator("#wb-difference figure").get_attribute("data-scale")) > 1e-3
    expect(page.locator("#wb-opened h3")).to_have_text("Sentence 8")

    visitor.run(page.locator("#wb-chip-repair").click)
    expect(verdict).to_have_class(re.compile("good"))
    expect(page.locator(".wb-chip.on")).to_have_count(0)
    expect(page.get_by_label("Max tokens")).to_have_value("")


def test_the_form_changes_adds_and_removes_columns_and_names_what_fails(visit):
    visitor = visit()
    page = visitor.open()
    verdict = page.locator("#wb-verdict")
    page.locator("#wb-column-2 button").first.click()
    type_in(page.locator("#wb-column-2").get_by_label("Max tokens"), "16")
    expect(page.locator("#wb-progress")).to_contain_text("Settings changed")
    visitor.run(page.locator("#wb-run").click)
    expect(verdict.locator(".wb-verdict")).to_have_class(re.compile("bad"))
    expect(verdict.locator(".wb-why-line")).to_contain_text("stopped at 16")

    # A fourth column, and the second with a model that is not there.
    page.locator("#wb-add").click()
    expect(page.locator("#wb-column-3")).to_be_visible()
    page.locator("#wb-column-1 button").first.click()
    type_in(page.locator("#wb-column-1").get_by_label("Model"), "/nowhere/at/all")
    visitor.run(page.locator("#wb-run").click)
    expect(page.locator("#wb-board figure[data-label='own 2'] .hm-grid")).to_be_visible()
    expect(page.locator("#wb-board .hm-grid")).to_have_count(3)
    expect(page.locator("#wb-failures")).to_contain_text("upstream failed")
    expect(page.locator("#wb-failures")).to_contain_text(re.compile("model-(folder-missing|path-refused)"))
    expect(verdict).to_contain_text("upstream could not be encoded")

    page.locator("#wb-remove-1").click()
    expect(page.locator("#wb-column-1")).to_have_count(0)
    page.get_by_label("GPU", exact=True).check()
    visitor.run(page.locator("#wb-run").click)
    expect(page.locator("#wb-board figure")).to_have_count(3)
    expect(page.locator("#wb-failures")).to_have_text("")
    _expect_gpu_or_plain_words(page)


def _expect_gpu_or_plain_words(page):
    import torch

    if torch.cuda.is_available():
        expect(page.locator("#wb-speed")).to_contain_text("cuda")
        return
    expect(page.locator("#wb-notices")).to_contain_text("There is no GPU on this machine")
    expect(page.locator("#wb-speed")).to_contain_text("cpu")
    expect(page.locator("#wb-speed")).not_to_contain_text("cuda")
