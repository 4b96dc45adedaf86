"""Components follow the language in the order in which they were made."""

from __future__ import annotations

import gradio as gr

from workbench.ui.translate import Words


def test_each_component_gets_its_words_and_keeps_its_values():
    words = Words()
    with gr.Blocks():
        button = words.make(gr.Button, {"value": "side.run"}, size="sm")
        choice = words.make(
            gr.Dropdown,
            {"label": "form.pooling", "choices": [("choice.auto", "auto"), ("mean", "mean")]},
            value="mean",
        )
        html = words.make(gr.HTML, {"value": lambda language: f"<b>{language}</b>"})
    assert words.components == [button, choice, html]
    assert button.value == "Compare"
    korean = words.updates("ko")
    assert korean[0]["value"] == "비교하기"
    assert korean[1]["choices"] == [("모델대로", "auto"), ("mean", "mean")]
    # The visitor's own choice is not among the words.
    assert "value" not in korean[1]
    assert korean[2]["value"] == "<b>ko</b>"
