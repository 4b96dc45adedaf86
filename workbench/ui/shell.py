"""What every page begins with: the name, the way to the other pages, the language switch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from workbench.ui.texts import LANGUAGES, Language, as_language, preferred_language, say
from workbench.ui.translate import Words
from workbench.ui.widgets.html import Safe, element, join

# Path of a page below the app's root → the key of its name; the first opens first.
PAGES: dict[str, str] = {
    "": "nav.compare",
    "trace": "nav.trace",
    "train": "nav.train",
    "speed": "nav.speed",
    "runs": "nav.runs",
}


def head(words: Words, page: str) -> Any:
    """Lay out the head of a page.

    Args:
        words: Takes what follows the language.
        page: Path of this page, a key of ``PAGES``.

    Returns:
        The language switch.
    """

    def title(language: Language) -> Safe:
        name = element("h1", say(language, "app.title"))
        return element("div", join([name, *_ways(page, language)]), id="wb-head")

    with gr.Row(elem_classes="wb-header"):
        words.make(gr.HTML, {"value": title}, container=False, scale=1)
        return words.make(
            gr.Radio,
            {"label": "side.language"},
            choices=[(name, key) for key, name in LANGUAGES.items()],
            value="en",
            show_label=False,
            container=False,
            scale=0,
            min_width=170,
            elem_id="wb-language",
        )


def greeting(words: Words) -> Callable[[gr.Request], list[Any]]:
    """The event of a page's load that speaks the visitor's language from the first sight on.

    A link from another page names the language; else the browser's first one that we have is taken. Outputs:
    the language switch, then ``words.components``.
    """

    def greet(request: gr.Request) -> list[Any]:
        asked = request.query_params.get("lang")
        language = (
            as_language(asked) if asked else preferred_language(request.headers.get("accept-language", ""))
        )
        if language == "en":
            return [gr.skip() for _ in range(len(words.components) + 1)]
        return [language, *words.updates(language)]

    return greet


def asked_run(request: gr.Request) -> str:
    """The run that a link names; empty where it names none."""
    return str(request.query_params.get("run") or "")


def translated(words: Words) -> Callable[[Any], Sequence[Any]]:
    """The event of the language switch. Outputs: ``words.components``."""
    return lambda language: words.updates(as_language(language))


def _ways(page: str, language: Language) -> list[Safe]:
    # Relative, so that they hold behind a proxy's prefix too; no page lies deeper than one level.
    links = [
        element(
            "a",
            say(language, key),
            href=f"{path or '.'}{'' if language == 'en' else f'?lang={language}'}",
            **({"aria_current": "page"} if path == page else {}),
        )
        for path, key in PAGES.items()
    ]
    return [element("nav", join(links), id="wb-ways")]
