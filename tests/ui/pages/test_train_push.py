"""Pushing from the Train page: whose login, whose run, which model, and nothing of it without a login."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import gradio as gr
import gradio.routes
import pytest
import yaml

from workbench.errors import ModelSourceError, UnknownNameError
from workbench.runs.owner import new_owner
from workbench.ui import login
from workbench.ui.pages import train_push as module
from workbench.ui.pages.train import train_page

OWNER, RUN, TOKEN = "ab" * 16, "20260101-000000-00000001", "hf_visitor"
SPACE = {
    "SPACE_ID": "ann/space",
    "OAUTH_CLIENT_ID": "id",
    "OAUTH_CLIENT_SECRET": "secret",
    "OAUTH_SCOPES": "openid",
    "OPENID_PROVIDER_URL": "https://huggingface.co",
}


@pytest.fixture
def sent(monkeypatch, tmp_path):
    """A run of the owner's with two models, and what was handed to the upload."""
    calls = []

    def models(owner, run_id):
        if (owner, run_id) != (OWNER, RUN):
            raise UnknownNameError("run-unknown", repr(run_id))
        return {"own · 42": tmp_path / "own", "own · 43": tmp_path / "other"}

    def upload(folder, repo_id, **more):
        calls.append((folder, repo_id, more))
        return f"https://huggingface.co/{repo_id}/commit/abc"

    monkeypatch.setattr(module, "trained_models", models)
    monkeypatch.setattr(module, "upload_within", upload)
    return calls


def push(owner=OWNER, run=RUN, model="own · 43", repo="ann/mine", private=True, token=TOKEN, language="en"):
    return module.push(language, owner, run, model, repo, private, token)["pushed"]


def test_the_chosen_model_goes_out_privately_and_the_commit_is_told(sent, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_owner")
    told = push()
    ((folder, repo, more),) = sent
    assert (folder, repo) == (tmp_path / "other", "ann/mine")
    assert (more["token"], more["private"]) == (TOKEN, True)
    assert not any("TOKEN" in name and value == "hf_owner" for name, value in more["environment"].items())
    assert 'href="https://huggingface.co/ann/mine/commit/abc"' in told
    assert TOKEN not in told
    push(private=False)
    assert sent[-1][2]["private"] is False
    # Whatever else a caller sends is no wish to publish.
    push(private="no")
    assert sent[-1][2]["private"] is True


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"token": None}, "not-logged-in"),
        ({"token": ""}, "not-logged-in"),
        ({"owner": new_owner()}, "run-unknown"),
        ({"run": "../x"}, "run-unknown"),
        ({"model": "own · 44"}, "training-unknown"),
        ({"model": ["own · 42"]}, "training-unknown"),
        ({"repo": "mine"}, "hub-repo-name"),
        ({"repo": 7}, "hub-repo-name"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_goes_out(sent, changed, code):
    told = push(**changed)
    assert f"[{code}]" in told and TOKEN not in told
    assert sent == []


def test_what_the_hub_refuses_is_told(sent, monkeypatch):
    def refuses(*_, **__):
        raise ModelSourceError("hub-namespace", "<b>The owner")

    monkeypatch.setattr(module, "upload_within", refuses)
    assert "&lt;b&gt;The owner" in push(language="ko") and "[hub-namespace]" in push(language="ko")


def test_an_address_that_is_none_is_no_link(sent, monkeypatch):
    monkeypatch.setattr(module, "upload_within", lambda *_, **__: "javascript:alert(1)")
    assert "<a" not in push()


def test_the_form_is_for_who_is_logged_in(sent):
    hidden = module.unfolded("en", OWNER, RUN, None)
    assert hidden["push_form"] == gr.update(visible=False) and "Sign in" in hidden["push_login"]
    shown = module.unfolded("en", OWNER, RUN, "ann")
    assert shown["push_form"] == gr.update(visible=True)
    assert shown["push_model"] == gr.update(choices=["own · 42", "own · 43"], value="own · 42")
    assert shown["push_repo"] == "ann/sentence-embeddings-00000001"
    stranger = module.unfolded("en", new_owner(), RUN, "ben")
    assert stranger["push_form"] == gr.update(visible=False) and "run-unknown" in stranger["pushed"]


@pytest.fixture
def installed(monkeypatch):
    """Which parts of the login are installed."""
    parts = set(login._MODULES)
    find = importlib.util.find_spec

    def found(name, *more):
        return (object() if name in parts else None) if name in login._MODULES else find(name, *more)

    monkeypatch.setattr(login.importlib.util, "find_spec", found)
    return parts


def offer(monkeypatch, **changed):
    for name, value in {**SPACE, **changed}.items():
        monkeypatch.setenv(name, value)
    return login.login_offer()


def test_a_login_is_offered_only_where_it_can_be_had(monkeypatch, installed):
    for name in SPACE:
        monkeypatch.delenv(name, raising=False)
    assert login.login_offer() == "no"
    assert offer(monkeypatch, SPACE_ID="") == "no"
    assert offer(monkeypatch, OAUTH_CLIENT_ID="") == "no"
    assert offer(monkeypatch) == "yes"
    assert offer(monkeypatch, OPENID_PROVIDER_URL="") == "incomplete"
    installed.discard("itsdangerous")
    assert offer(monkeypatch) == "incomplete"


def test_the_space_asks_for_the_login_that_its_requirements_serve():
    root = Path(__file__).resolve().parents[3]
    front = yaml.safe_load((root / "README.md").read_text(encoding="utf-8").split("---")[1])
    assert front["hf_oauth"] is True
    # Repositories that this app made, and no others of the visitor's.
    assert front["hf_oauth_scopes"] == ["contribute-repos"]
    needed = (root / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert f"gradio[oauth]=={front['sdk_version']}" in needed


def page():
    with gr.Blocks() as demo:
        train_page(demo)
    return demo, {block.elem_id for block in demo.blocks.values() if getattr(block, "elem_id", None)}


def test_without_a_login_nothing_of_it_is_on_the_page(monkeypatch):
    monkeypatch.delenv("OAUTH_CLIENT_ID", raising=False)
    demo, ids = page()
    assert not demo.expects_oauth
    assert "wb-train-results" in ids and not any("push" in one or "login" in one for one in ids)


def test_with_one_the_page_has_the_button_and_a_hidden_form(monkeypatch, installed):
    assert offer(monkeypatch) == "yes"
    # It wants its packages at once, which only a Space needs.
    monkeypatch.setattr(gradio.routes, "attach_oauth", lambda app: None)
    demo, ids = page()
    assert demo.expects_oauth and {"wb-train-login", "wb-train-push-form"} <= ids
    form = next(one for one in demo.blocks.values() if getattr(one, "elem_id", "") == "wb-train-push-form")
    assert form.visible is False


def test_where_its_parts_are_missing_a_sentence_says_so_and_the_page_stands(monkeypatch, installed):
    installed.clear()
    assert offer(monkeypatch) == "incomplete"
    demo, ids = page()
    assert not demo.expects_oauth and "wb-train-login" not in ids
    assert any("gradio[oauth]" in str(getattr(one, "value", "")) for one in demo.blocks.values())
