"""The Runs page in Chromium: a browser's own runs, live, over reloads, side by side, in Korean on a phone."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from workbench.ui import runs_home
from workbench.ui.pages import runs_handlers

pytestmark = pytest.mark.browser

_SLOW = {"steps": 2_000, "step_seconds": 0.05}


@pytest.fixture
def owners(monkeypatch: pytest.MonkeyPatch, app_url: str) -> Iterator[list[str]]:
    """The secrets with which the page was asked for, the newest last; runs still going are stopped."""
    seen: list[str] = []
    real = runs_handlers.checked_owner

    def noted(value: object) -> str:
        secret = real(value)
        if secret not in seen:
            seen.append(secret)
        return secret

    monkeypatch.setattr(runs_handlers, "checked_owner", noted)
    yield seen
    runs = runs_home.runs()
    for owner in seen:
        for run in runs.list(owner):
            runs.cancel(owner, run.id)
            runs.wait(owner, run.id, 30)
            runs.delete(owner, run.id)


def _come(visitor, query: str = "") -> Page:
    visitor.page.goto(f"{visitor.url}runs{query}")
    expect(visitor.page.locator("#wb-runs-table :is(table, p)").first).to_be_visible()
    return visitor.page


def _row(page: Page, run_id: str):
    return page.locator(f"#wb-runs-table tr:has([data-open='{run_id}'])")


def _step(page: Page) -> int:
    shown = re.search(r"([\d,]+) / ", page.locator("#wb-run-facts").inner_text())
    return int(shown.group(1).replace(",", "")) if shown else 0


def _grows(what: Callable[[], int]) -> None:
    before, end = what(), time.monotonic() + 30
    while what() <= before:
        assert time.monotonic() < end, "nothing went on"
        time.sleep(0.1)


def test_a_run_goes_on_without_its_browser_and_is_seen_by_it_alone(visit, chromium, owners):
    ann = visit()
    page = _come(ann)
    expect(page.locator("#wb-runs-table")).to_contain_text("No run here yet")
    runs, (owner,) = runs_home.runs(), owners
    run = runs.submit(owner, "count", _SLOW, name="<b>mine</b>")
    # The page is there, and with it the run, within two seconds of the reload.
    begun = time.monotonic()
    page.reload()
    expect(_row(page, run.id)).to_contain_text("<b>mine</b>")
    assert time.monotonic() - begun < 2 * _slowness(page)
    page.locator(f"[data-open='{run.id}']").click()
    expect(page.locator("#wb-run-curves svg path")).to_be_visible()
    expect(page).to_have_url(re.compile(f"run={run.id}"))
    _grows(lambda: _step(page))
    # Someone else does not see it, not even by its link.
    other = _come(visit(), f"?run={run.id}")
    expect(other.locator("#wb-runs-table")).to_contain_text("No run here yet")
    expect(other.locator("#wb-run-facts")).to_have_count(0)
    # It goes on when its browser is closed; what the browser has kept finds it again.
    kept = page.context.storage_state()
    page.close()
    _grows(lambda: runs.show(owner, run.id).step)
    back = visit(storage_state=kept)
    page = _come(back, f"?run={run.id}")
    expect(page.locator("#wb-run-facts")).to_contain_text("running")
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.locator("#wb-run-facts")).to_contain_text("cancelled")
    _delete(page)
    expect(page.locator("#wb-runs-table")).to_contain_text("No run here yet")
    assert runs.list(owner) == []


@pytest.mark.full
def test_runs_side_by_side_in_korean_on_a_dark_phone(visit, owners):
    visitor = visit(locale="ko-KR", viewport={"width": 390, "height": 844})
    page = _come(visitor, "?__theme=dark")
    expect(page.locator("#wb-runs-table")).to_contain_text("아직 실행이 없습니다")
    runs, (owner,) = runs_home.runs(), owners
    made = [runs.submit(owner, "count", {"steps": 30, "seed": seed}, name=f"시드 {seed}") for seed in (1, 2)]
    for run in made:
        assert runs.wait(owner, run.id, 60).state == "complete"
    page.reload()
    for run in made:
        box = page.locator(f"[data-choose='{run.id}']")
        box.focus()
        page.keyboard.press("Space")
        expect(box).to_be_checked()
    expect(page.locator("#wb-differences")).to_contain_text("seed")
    expect(page.locator("#wb-overlaid svg path")).to_have_count(2)
    summary = page.locator("#wb-overlaid summary")
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#wb-overlaid details table")).to_be_visible()
    # By keyboard: the first run's button opens it, and its name is written.
    page.locator(f"[data-open='{made[0].id}']").focus()
    page.keyboard.press("Enter")
    name = page.get_by_label("이름", exact=True)
    expect(name).to_have_value("시드 1")
    name.fill("새 이름")
    page.get_by_role("button", name="이름과 메모 저장").click()
    expect(_row(page, made[0].id)).to_contain_text("새 이름")
    expect(page.locator("#wb-run-told")).to_contain_text("저장했습니다")
    # What is refused is told, and the page stays as it is.
    name.fill("a\x07b")
    page.get_by_role("button", name="이름과 메모 저장").click()
    expect(page.get_by_text("run-text-character")).to_be_visible()
    expect(_row(page, made[0].id)).to_contain_text("새 이름")
    with page.expect_download() as taken:
        page.get_by_role("button", name="설정 (YAML)").click()
    assert "새 이름" in taken.value.path().read_text(encoding="utf-8")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    colours = page.evaluate(
        """() => ['.cv svg text', '.cv-line path'].map((one) => {
             const style = getComputedStyle(document.querySelector('#wb-overlaid ' + one));
             return one.endsWith('text') ? style.fill : style.stroke;
           })"""
    )
    ink = sum(map(int, re.findall(r"\d+", colours[0])[:3])) / 3
    assert ink > 120 and colours[1] == "rgb(47, 129, 199)"
    for panel in ("#wb-runs-table", "#wb-differences", "#wb-metrics", "#wb-run-facts"):
        text = page.locator(panel).inner_text()
        assert not re.search(r"\b[a-z]{3,} [a-z]{2,} [a-z]{3,}", text), panel


def _delete(page: Page) -> None:
    """Delete the opened run: one click asks, another does it."""
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("Delete this run with")).to_be_visible()
    page.get_by_role("button", name="Delete for good").click()


def _slowness(page: Page) -> float:
    """How much slower than one free core this machine is just now: other tests may run beside."""
    milliseconds = page.evaluate(
        """() => { const begun = performance.now(); let sum = 0;
             for (let i = 0; i < 2e7; i++) sum = (sum + i * 7) % 1000003;
             return performance.now() - begun; }"""
    )
    return max(1.0, milliseconds / 120)
