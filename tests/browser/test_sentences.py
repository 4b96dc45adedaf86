"""The visitor's own sentences: pasted, uploaded, many, hostile."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.forms import fill

pytestmark = pytest.mark.browser

_HOSTILE = (
    "<img src=x onerror='window.__xss=1'>",
    "</script><script>window.__xss=1</script>",
    '" onmouseover="window.__xss=1" data-x="',
    "${window.__xss=1} {{window.__xss=1}} `${window.__xss=1}`",
    "javascript:window.__xss=1 <a href='javascript:window.__xss=1'>x</a>",
    "<svg/onload=window.__xss=1>",
)


def _paste(page, texts):
    page.get_by_label("Paste", exact=True).check()
    fill(page.locator("#wb-paste textarea"), "\n".join(texts))


def test_pasted_sentences_are_compared_and_no_other_visitor_sees_them(visit, settled):
    visitor = visit()
    page = visitor.open()
    page.get_by_label("Paste", exact=True).check()
    page.locator("#wb-run").click()
    expect(page.locator("#wb-notices")).to_contain_text("No sentence was pasted")

    _paste(page, ["A canary sings.", "", "A small yellow bird sings.", "The tax office is closed."])
    visitor.run(page.locator("#wb-run").click)
    expect(page.locator("#wb-sentences button")).to_have_count(3)
    assert page.locator("#wb-board .hm-grid").first.locator("i").count() == 9
    expect(page.locator("#wb-verdict .wb-verdict")).to_have_class(re.compile("good"))
    settled.page.locator("#wb-sentences button[data-i='2']").click()
    expect(settled.page.locator("#wb-opened h3")).to_have_text("Sentence 3")
    expect(settled.page.locator("#wb-sentences button")).to_have_count(8)
    assert "canary" not in settled.page.content()

    _paste(page, [f"Short text {i}." for i in range(70)])
    visitor.run(page.locator("#wb-run").click)
    expect(page.locator("#wb-board")).to_contain_text("60 of 70 texts, evenly sampled, are drawn")
    assert page.locator("#wb-board .hm-grid").first.locator("i").count() == 3600
    expect(page.locator("#wb-sentences button")).to_have_count(70)
    expect(page.locator("#wb-speed")).to_contain_text("Not timed yet")


@pytest.mark.full
def test_an_uploaded_table_offers_its_columns(visit, tmp_path):
    table = tmp_path / "reviews.csv"
    rows = [
        "id,title,review",
        "1,Good,The soup was hot",
        "2,Bad,The soup was cold",
        "3,Odd,There was no soup",
    ]
    table.write_text("\n".join(rows), encoding="utf-8")
    visitor = visit()
    page = visitor.open()
    page.get_by_label("File", exact=True).check()
    page.locator("#wb-file input[type=file]").set_input_files(str(table))
    # Two columns could be meant: the page says so and lets the visitor choose.
    expect(page.locator("#wb-notices")).to_contain_text("column-unclear")
    page.get_by_label("Column", exact=True).click()
    visitor.run(page.get_by_role("option", name="review").click)
    expect(page.locator("#wb-sentences button")).to_have_count(3)
    expect(page.locator("#wb-sentences")).to_contain_text("There was no soup")
    expect(page.locator("#wb-notices")).to_contain_text("Read 3 sentences from reviews.csv")


@pytest.mark.full
def test_a_long_comparison_can_be_cancelled(visit):
    visitor = visit()
    page = visitor.open()
    _paste(page, [f"Sentence {i} speaks of thing {i * 7919 % 1000}, {i % 13} times." for i in range(1000)])
    page.locator("#wb-run").click()
    expect(page.locator("#wb-progress")).to_contain_text(re.compile(r"Encoding own: \d+ of 1,000"))
    page.locator("#wb-cancel").click()
    expect(page.locator("#wb-progress")).to_contain_text("Cancelled")
    expect(page.locator("#wb-cancel")).to_have_count(0)
    # The app is free again, for the same visitor too.
    page.get_by_label("English, eight mixed").check()
    visitor.done()
    expect(page.locator("#wb-sentences button")).to_have_count(8)


def test_hostile_texts_stay_texts(visit, tmp_path):
    visitor = visit()
    page = visitor.open()
    _paste(page, _HOSTILE)
    visitor.run(page.locator("#wb-run").click)
    expect(page.locator("#wb-sentences")).to_contain_text("<img src=x onerror=")
    for index in range(len(_HOSTILE)):
        page.locator(f"#wb-sentences button[data-i='{index}']").click()
        expect(page.locator("#wb-opened h3")).to_have_text(f"Sentence {index + 1}")
    page.locator("#wb-map .nsewdrag").hover()
    page.locator("#wb-board .hm-grid").first.hover()

    table = tmp_path / "a<b>.csv"
    table.write_text(f"{_HOSTILE[0]},other\n{_HOSTILE[5]},x\nplain,{_HOSTILE[0]}\n", encoding="utf-8")
    page.get_by_label("File", exact=True).check()
    page.locator("#wb-file input[type=file]").set_input_files(str(table))
    expect(page.locator("#wb-notices")).to_contain_text("onerror")
    page.get_by_label("Column", exact=True).click()
    visitor.run(page.get_by_role("option", name="onerror").click)
    expect(page.locator("#wb-notices")).to_contain_text("Read 2 sentences")
    assert page.evaluate("() => window.__xss") is None
