"""The Speed page in Chromium: measured by one button, found after a reload, in Korean on a dark phone."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.forms import fill, untick
from workbench.ui import runs_home
from workbench.ui.pages import speed_events

pytestmark = pytest.mark.browser

# A measurement opens three libraries in a process of its own.
_MEASURED = 240_000
_LEGEND_ABOVE = """lines => {
    const box = part => document.querySelector(`#wb-speed-shares-plot ${part}`).getBoundingClientRect();
    return Math.round(box(".legend").height / 25) === lines && box(".legend").bottom <= box(".barlayer").top;
}"""


def _come(visitor, query: str = "") -> Page:
    visitor.page.goto(f"{visitor.url}speed{query}")
    expect(visitor.page.locator("#wb-speed-measure")).to_be_enabled()
    return visitor.page


def test_one_button_measures_and_a_reload_finds_it_again(visit):
    page = _come(visit())
    expect(page.locator("#wb-speed-result")).to_have_count(0)
    page.get_by_role("button", name="More settings").click()
    for name in ("Memory and start", "Quality against speed", "paragraphs"):
        untick(page.get_by_label(name, exact=True))
    for name, value in (("Words a call", "60"), ("Rounds", "5")):
        fill(page.get_by_label(name, exact=True), value)
    page.get_by_role("button", name="Measure", exact=True).click()
    expect(page.locator("#wb-speed-status")).to_contain_text(re.compile("left|Starting|Waiting"))
    expect(page.get_by_role("button", name="Cancel", exact=True)).to_be_visible()
    expect(page).to_have_url(re.compile("run="))
    page.reload()
    expect(page.locator("#wb-speed-verdict .wb-verdict-line")).to_be_visible(timeout=_MEASURED)
    expect(page.locator("#wb-speed-verdict")).to_contain_text(re.compile("times as fast|no winner, because"))
    expect(page.locator("#wb-speed-figures tbody tr")).to_have_count(3)
    expect(page.locator("#wb-speed-ratio-plot .bars path").first).to_be_attached()
    expect(page.locator("#wb-speed-shares-plot .bars path").first).to_be_attached()
    expect(page.get_by_role("button", name="Cancel", exact=True)).to_have_count(0)
    # The legend takes two lines on a phone; one again on a wide page, it lies over no bar.
    for width, lines in ((390, 2), (1280, 1)):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function(_LEGEND_ABOVE, arg=lines)
    with page.expect_download() as taken:
        page.get_by_role("button", name="Download JSON").click()
    found = json.loads(taken.value.path().read_text(encoding="utf-8"))
    assert [one["variant"]["contender"] for one in found["measured"]] == ["own", "upstream", "manual"]
    assert all(len(one["seconds"]) == 5 for one in found["measured"])
    page.get_by_role("button", name=re.compile("Show code")).click()
    expect(page.locator("#wb-speed-command")).to_contain_text("--words 60")
    # What is refused is told, and the result stays.
    for name in ("own: this package", "upstream: sentence-transformers", "manual: AutoModel + pooling"):
        untick(page.get_by_label(name, exact=True))
    page.get_by_role("button", name="Measure", exact=True).click()
    expect(page.locator("#wb-speed-error")).to_contain_text("bench-empty")
    expect(page.locator("#wb-speed-figures tbody tr")).to_have_count(3)


@pytest.mark.full
def test_in_korean_on_a_dark_phone_by_keyboard(visit, monkeypatch, app_url):
    owners: list[str] = []
    real = speed_events.checked_owner

    def noted(value: object) -> str:
        owners.append(real(value))
        return owners[-1]

    monkeypatch.setattr(speed_events, "checked_owner", noted)
    visitor = visit(locale="ko-KR", viewport={"width": 390, "height": 844})
    page = _come(visitor, "?__theme=dark")
    expect(page.locator("#wb-speed-measure")).to_have_text("측정하기")
    # The secret comes from the browser a moment later.
    for _ in range(300):
        if owners:
            break
        page.wait_for_timeout(100)
    plan = {"contenders": ["own", "manual"], "baseline": "own", "words": 100, "rounds": 5, "memory": False}
    plan["precisions"] = ["float32", "int8"]
    runs = runs_home.runs()
    made = [runs.submit(owners[-1], "bench", {"plan": plan}) for _ in range(2)]
    for run in made:
        assert runs.wait(owners[-1], run.id, 280).state == "complete"
    page.reload()
    expect(page.locator("#wb-speed-figures table")).to_have_count(2)
    expect(page.locator("#wb-speed-tradeoff-plot .point").first).to_be_visible()
    expect(page.locator("#wb-speed-not-run")).to_contain_text("int8")
    expect(page.locator("#wb-speed-earlier table")).to_have_count(1)
    # By keyboard: another axis, and the table beside the plot.
    page.get_by_label("벡터당 바이트", exact=True).focus()
    page.keyboard.press("Space")
    expect(page.locator("#wb-speed-tradeoff-plot .xtitle")).to_have_text("벡터당 바이트")
    summary = page.locator("#wb-speed-tradeoff-table summary")
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#wb-speed-tradeoff-table details table").first).to_be_visible()
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    ink = page.evaluate(
        "() => getComputedStyle(document.querySelector('#wb-speed-ratio-plot .xtick text')).fill"
    )
    assert sum(map(int, re.findall(r"\d+", ink)[:3])) / 3 > 120
    for panel in ("#wb-speed-verdict", "#wb-speed-figures", "#wb-speed-earlier", "#wb-speed-shares-table"):
        text = page.locator(panel).inner_text()
        assert not re.search(r"\b[a-z]{3,} [a-z]{2,} [a-z]{3,}", text), panel
