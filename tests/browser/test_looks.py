"""Korean, a phone, the dark, the device, and what can be taken away."""

from __future__ import annotations

import json
import re

import pyarrow.parquet as pq
import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_korean_by_browser_language_with_preset_and_warning(visit):
    visitor = visit(locale="ko-KR")
    page = visitor.open()
    expect(page.locator("#wb-run")).to_have_text("비교하기")
    expect(page.locator("#wb-verdict")).to_contain_text(re.compile("일치합니다|동일합니다"))
    visitor.run(page.get_by_label("한국어 8문장").check)
    expect(page.locator("#wb-coverage .wb-box.warn")).to_contain_text("다국어 모델")
    expect(page.locator("#wb-sentences")).to_contain_text("누리호")
    assert not re.search(r"[A-Za-z]{4,} [a-z]{3,} [a-z]{3,}", page.locator("#wb-agreement").inner_text())


def test_the_language_switch_changes_everything_without_a_new_run(visit):
    page = visit().open()
    page.locator("#wb-language").get_by_label("한국어").check()
    expect(page.locator("#wb-run")).to_have_text("비교하기")
    expect(page.locator("#wb-verdict")).to_contain_text(re.compile("일치합니다|동일합니다"))
    expect(page.locator("#wb-board h2")).to_have_text("유사도")
    expect(page.locator("#wb-opened h3")).to_have_text("1번 문장")
    page.locator("#wb-language").get_by_label("English").check()
    expect(page.locator("#wb-run")).to_have_text("Compare")
    expect(page.locator("#wb-board h2")).to_have_text("Similarity")


def test_the_korean_preset_warns_in_english_too(visit):
    visitor = visit()
    page = visitor.open()
    visitor.run(page.get_by_label("Korean, eight mixed").check)
    expect(page.locator("#wb-coverage .wb-box.warn")).to_contain_text("multilingual model")


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


def test_the_dark_theme_is_dark_and_readable(visit):
    page = visit().open("?__theme=dark")
    expect(page.locator("#wb-map .xtick text").first).to_be_visible()
    colours = page.evaluate(
        """() => {
          const of = (selector, name) => getComputedStyle(document.querySelector(selector))[name];
          return {ground: of('body', 'backgroundColor'), ink: of('.wb-verdict-line', 'color'),
                  zero: of('#wb-board .hm-grid i:nth-child(7)', 'backgroundColor'),
                  tick: of('#wb-map .xtick text', 'fill')};
        }"""
    )
    light = {name: sum(map(int, re.findall(r"\d+", value)[:3])) / 3 for name, value in colours.items()}
    assert light["ground"] < 40
    assert light["zero"] < 90
    assert light["ink"] > 180
    assert light["tick"] > 120


def test_a_missing_gpu_is_said_and_not_pretended(visit):
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    visitor = visit()
    page = visitor.open()
    page.get_by_label("GPU", exact=True).check()
    visitor.run(page.locator("#wb-run").click)
    expect(page.locator("#wb-notices")).to_contain_text("There is no GPU on this machine")
    expect(page.locator("#wb-speed")).to_contain_text("cpu")
    expect(page.locator("#wb-speed")).not_to_contain_text("cuda")


@pytest.mark.parametrize("kind", ["csv", "parquet", "json"])
def test_the_comparison_can_be_downloaded(visit, kind, tmp_path):
    page = visit().open()
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


def test_every_column_shows_its_code(visit):
    page = visit().open()
    page.locator("#wb-code-column").get_by_label("manual").check()
    expect(page.locator("#wb-code")).to_contain_text("AutoModel")
    page.locator("#wb-code-column").get_by_label("upstream").check()
    expect(page.locator("#wb-code")).to_contain_text("sentence_transformers")


def test_two_visitors_do_not_see_each_other(visit):
    first, second = visit(), visit()
    page, other = first.open(), second.open()
    page.get_by_label("Paste", exact=True).check()
    page.locator("#wb-paste textarea").fill("The canary sings in the first room.\nAnother line.")
    first.run(page.locator("#wb-run").click)
    expect(page.locator("#wb-sentences")).to_contain_text("canary")
    second.run(other.locator("#wb-run").click)
    expect(other.locator("#wb-sentences button")).to_have_count(8)
    assert "canary" not in other.content()
