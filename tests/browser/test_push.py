"""Pushing to the Hub in Chromium: with a login the form is there and sends, without one it is not."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.forms import fill
from tests.persistence.fake_upload_hub import COMMIT, FakeUploadHub

pytestmark = pytest.mark.browser
OWNER = "cd" * 16


class _Session:
    """What Gradio's session middleware does once a visitor has logged in."""

    info: dict[str, Any] | None = None

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            scope["session"] = {} if self.info is None else {"oauth_info": self.info}
        await self.app(scope, receive, send)


@pytest.fixture
def hub() -> Iterator[FakeUploadHub]:
    made = FakeUploadHub()
    yield made
    made.close()


@pytest.fixture
def space(app_url: str, hub: FakeUploadHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The app as a Space with a login serves it, and a complete run of one visitor's."""
    import gradio.routes

    from workbench.ui.app import build_app
    from workbench.ui.pages import train_events, train_push
    from workbench.ui.runs_home import runs
    from workbench.ui.server import QUEUE, launch_settings

    (tmp_path / "modules.json").write_text("[]")
    monkeypatch.setattr(train_push, "login_offer", lambda: "yes")
    monkeypatch.setattr(train_push, "trained_models", lambda owner, run: {"own · 42": tmp_path})
    monkeypatch.setattr(train_events, "checked_owner", lambda value: OWNER)
    monkeypatch.setattr(gradio.routes, "attach_oauth", lambda app: app.add_middleware(_Session))
    monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setattr(_Session, "info", None)
    run = runs().submit(OWNER, "count", {"steps": 1})
    while runs().show(OWNER, run.id).active:
        time.sleep(0.05)
    demo = build_app().queue(**QUEUE)
    _, url, _ = demo.launch(**launch_settings("127.0.0.1"), prevent_thread_lock=True, quiet=True)
    yield f"{url}train?run={run.id}"
    demo.close()


def test_a_login_brings_the_form_and_the_form_a_commit(
    chromium: Browser, space: str, hub: FakeUploadHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = chromium.new_context(locale="en-US", viewport={"width": 390, "height": 844}).new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(space)
    fold = page.get_by_role("button", name="Push to the Hub")
    fold.click()
    expect(page.locator("#wb-train-push-login")).to_contain_text("Sign in with Hugging Face")
    expect(page.locator("#wb-train-push-form")).to_have_count(0)

    who = {"name": "Ann", "preferred_username": "ann", "profile": "p", "picture": "q"}
    token = {"access_token": "hf_ann", "scope": "openid", "expires_at": time.time() + 600}
    monkeypatch.setattr(_Session, "info", {**token, "userinfo": who})
    page.reload()
    fold.click()
    repo = page.get_by_label("Repository, owner/name")
    expect(repo).to_have_value(re.compile("^ann/sentence-embeddings-"))
    expect(page.get_by_label("Private")).to_be_checked()
    fill(repo, "ben/his")
    page.get_by_role("button", name="Push", exact=True).click()
    expect(page.locator("#wb-train-pushed")).to_contain_text("[hub-namespace]")
    repo.fill("ann/mine")
    page.get_by_role("button", name="Push", exact=True).click()
    link = page.locator("#wb-train-pushed a")
    expect(link).to_have_attribute("href", f"{hub.endpoint}/ann/mine/commit/{COMMIT}")
    assert hub.repos == {"ann/mine": True} and hub.files == {"modules.json": b"[]"}
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert "hf_ann" not in page.content() and errors == []
    page.context.close()
