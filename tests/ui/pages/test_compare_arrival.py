"""A trained model reaches the Compare page by a link of its owner; no other name in a link does anything."""

from __future__ import annotations

from types import SimpleNamespace

import gradio as gr
import pytest

from workbench.persistence.source import hand_over
from workbench.ui.pages.compare_arrival import arrival, asked_controls
from workbench.ui.translate import Words


@pytest.mark.parametrize("model", [None, "", "owner/name", "/etc", "trained-" + "0" * 32, ["x"]])
def test_a_name_that_was_not_handed_over_is_left_alone(model):
    assert asked_controls(model) == {}


def test_the_model_stands_in_two_pipelines_beside_its_base(tmp_path):
    name = hand_over(tmp_path)
    asked = asked_controls(name)
    assert asked["control.0.model"] == asked["control.1.model"] == name
    assert asked["control.2.model"] == ""


@pytest.mark.parametrize("language", ["en", "ko"])
def test_language_and_model_come_together(language, tmp_path):
    name = hand_over(tmp_path)
    words = Words()
    with gr.Blocks():
        named = {
            f"control.{slot}.{field}": words.make(gr.Textbox, {"label": f"form.{field}"})
            for slot in range(3)
            for field in ("model", "contender")
        }
    query = {"model": name, "lang": language}
    request = SimpleNamespace(query_params=query, headers={})
    changes = arrival(words, named)(request)
    place = 1 + list(named).index("control.0.model")
    assert changes[place]["value"] == name
    assert ("label" in changes[place]) == (language == "ko")
    assert changes[place]["__type__"] == "update"
