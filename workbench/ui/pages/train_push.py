"""Pushing a trained model to the Hub with the visitor's own login; hidden without one."""

from __future__ import annotations

import os
import re
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from workbench.errors import InvalidValueError, UnknownNameError
from workbench.persistence.upload import checked_repo_id, upload_within
from workbench.ui.errors import box_html, error_box
from workbench.ui.login import login_offer
from workbench.ui.pages.train_live import Changes
from workbench.ui.pages.train_pieces import Parts, button, note, show
from workbench.ui.pages.train_results import trained_models
from workbench.ui.texts import Language, as_language, say, word
from workbench.ui.widgets.html import NOTHING, Safe, element
from workbench.ui.wiring import on_components

# One for both languages: Gradio's own script tells by the button's text whether to log in or out.
_LOGIN = "Sign in with Hugging Face · 로그인"
_LOGOUT = "Log out ({}) · 로그아웃"
_MESSAGE = "Add a sentence-embedding model"
_COMMIT = re.compile(r"https?://[\w.:-]+(/[\w.-]+)+")


def lay_out_push(parts: Parts) -> None:
    """The login and what follows it; a sentence where a login is meant and cannot be had; else nothing."""
    offer = login_offer()
    if offer == "no":
        return
    with parts.words.make(
        gr.Accordion, {"label": "train.push"}, open=False, elem_id="wb-train-push-fold"
    ) as fold:
        if offer == "incomplete":
            parts.words.make(gr.HTML, {"value": partial(note, "train.push_incomplete")})
            return
        parts.shown["push_fold"] = fold
        parts.shown["login"] = gr.LoginButton(
            _LOGIN, _LOGOUT, size="sm", variant="secondary", elem_id="wb-train-login"
        )
        show(parts, "push_login")
        with gr.Column(visible=False, elem_id="wb-train-push-form") as form:
            parts.shown["push_form"] = form
            with gr.Row(elem_classes="wb-fields"):
                parts.shown["push_model"] = parts.words.make(
                    gr.Dropdown, {"label": "train.push_model"}, choices=[], min_width=120,
                    elem_id="wb-train-push-model",
                )  # fmt: skip
                parts.shown["push_repo"] = parts.words.make(
                    gr.Textbox, {"label": "train.push_repo"}, max_lines=1, max_length=200, min_width=180,
                    elem_id="wb-train-push-repo",
                )  # fmt: skip
            with gr.Row(elem_classes="wb-chips"):
                parts.shown["push_private"] = parts.words.make(
                    gr.Checkbox, {"label": "train.push_private"}, value=True, container=False,
                    elem_id="wb-train-push-private",
                )  # fmt: skip
                button(parts, "push")
            parts.words.make(gr.HTML, {"value": partial(note, "train.push_note")})
        show(parts, "pushed")


def wire_push(parts: Parts, named: dict[str, Any]) -> None:
    """What happens when the fold opens and when the button is pressed."""
    if "push_form" not in parts.shown:
        return

    def unfold(
        language: Any, owner: Any, run: Any, who: gr.OAuthProfile | None, token: gr.OAuthToken | None
    ) -> Any:
        name = None if who is None or token is None else who.username
        return on_components(named, unfolded(language, owner, run, name))

    def send(
        language: Any, owner: Any, run: Any, model: Any, repo: Any, private: Any, token: gr.OAuthToken | None
    ) -> Any:
        return on_components(
            named, push(language, owner, run, model, repo, private, None if token is None else token.token)
        )

    run = ["language", "state.owner", "state.run"]
    light: dict[str, Any] = {"show_progress": "hidden", "queue": False, "api_visibility": "private"}
    parts.shown["push_fold"].expand(
        unfold,
        [named[name] for name in run],
        [named[name] for name in ("push_form", "push_login", "push_model", "push_repo", "pushed")],
        **light,
    )
    parts.buttons["push"].click(
        lambda language: element("p", say(as_language(language), "train.pushing"), role="status"),
        [parts.language],
        [named["pushed"]],
        **light,
    ).then(
        send,
        [named[name] for name in (*run, "push_model", "push_repo", "push_private")],
        [named["pushed"]],
        show_progress="hidden",
        # Not among what computes: an upload waits for the network.
        concurrency_id="push",
        concurrency_limit=4,
        trigger_mode="once",
        api_visibility="private",
    )


def unfolded(language: object, owner: object, run_id: object, username: str | None) -> Changes:
    """The form for who is logged in; the way to a login for everybody else."""
    spoken = as_language(language)
    if username is None:
        told = element("p", say(spoken, "train.push_login"), class_="wb-note")
        return {"push_form": gr.update(visible=False), "push_login": told, "pushed": NOTHING}
    try:
        models = list(trained_models(str(owner), str(run_id)))
    except Exception as error:
        return {"push_form": gr.update(visible=False), "pushed": error_box(error, spoken)}
    return {
        "push_form": gr.update(visible=bool(models)),
        "push_login": NOTHING if models else box_html(word(spoken, "train.no_model"), "warn"),
        "push_model": gr.update(choices=models, value=models[0] if models else None),
        "push_repo": f"{username}/sentence-embeddings-{str(run_id)[-8:]}",
        "pushed": NOTHING,
    }


def push(
    language: object,
    owner: object,
    run_id: object,
    model: object,
    repo: object,
    private: object,
    token: str | None,
) -> Changes:
    """Upload one of the run's models, and tell the commit.

    Args:
        language: Of the words.
        owner: The visitor's secret: a run of anybody else is not found.
        run_id: The run.
        model: Which of its trainings.
        repo: ``owner/name`` on the Hub.
        private: Anything but False is private.
        token: Of the visitor's login; None without one. It is handed on and kept nowhere.
    """
    spoken = as_language(language)
    try:
        if not token:
            raise InvalidValueError("not-logged-in", word(spoken, "train.push_login"))
        folder = _folder(str(owner), str(run_id), model)
        name = checked_repo_id(repo if isinstance(repo, str) else "")
        url = upload_within(
            folder,
            name,
            token=token,
            private=private is not False,
            message=_MESSAGE,
            environment=_environment(),
            endpoint=os.environ.get("HF_ENDPOINT"),
        )
    except Exception as error:
        return {"pushed": error_box(error, spoken)}
    return {"pushed": _pushed(url, spoken)}


def _folder(owner: str, run_id: str, model: object) -> Path:
    models = trained_models(owner, run_id)
    if not isinstance(model, str) or model not in models:
        raise UnknownNameError("training-unknown", repr(model)[:80], expected=f"one of {', '.join(models)}")
    return models[model]


def _environment() -> dict[str, str]:
    from workbench.runs.environment import child_environment

    return child_environment(os.environ)


def _pushed(url: str, language: Language) -> Safe:
    link: Safe | str = url
    if _COMMIT.fullmatch(url):
        link = element("a", url, href=url, target="_blank", rel="noopener noreferrer", class_="wb-link")
    return box_html(say(language, "train.pushed", url=link), "good")
