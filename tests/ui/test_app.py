"""The built app: what it opens to the outside, how large its page is, and what it does not import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from workbench.ui.app import build_app

_ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def app():
    return build_app()


def test_three_endpoints_are_public_and_typed(app):
    described = app.get_api_info()
    assert list(described["named_endpoints"]) == ["/compare", "/trace", "/lint"]
    assert described["unnamed_endpoints"] == {}
    parameters = described["named_endpoints"]["/compare"]["parameters"]
    assert [parameter["parameter_name"] for parameter in parameters] == [
        "texts",
        "columns",
        "speed",
        "embeddings",
    ]


def test_heavy_events_share_one_place(app):
    for event in app.fns.values():
        if event.fn is None or not event.queue:
            continue
        assert event.concurrency_id == "compute", event.name
        assert event.concurrency_limit == 1, event.name


def test_nothing_renders_markup_of_a_visitor(app):
    kinds = {type(block).__name__ for block in app.blocks.values()}
    assert not kinds & {"Markdown", "Dataframe", "Chatbot", "FileExplorer", "LoginButton"}


def test_the_app_is_built_without_torch():
    program = (
        "import sys; from workbench.ui.app import build_app; build_app(); "
        "heavy = ('torch', 'transformers', 'sentence_transformers', 'sklearn'); "
        "print([name for name in heavy if name in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=_ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip().splitlines()[-1] == "[]"


def test_the_style_names_every_colour_of_the_map_and_fetches_nothing():
    from workbench.ui.theme import CSS
    from workbench.ui.widgets.map import COLOURS

    for place, colour in enumerate(COLOURS):
        assert f".c{place} {{ --c: {colour}; }}" in CSS
    assert "url(" not in CSS and "@import" not in CSS and "http" not in CSS
