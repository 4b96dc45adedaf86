"""The diagram of the Train page and the step it opens, with a made-up step."""

from __future__ import annotations

from types import SimpleNamespace

import gradio as gr
import pytest

from tests.ui.pages.test_train_form import values
from workbench.ui.pages import train_step_events as events
from workbench.ui.widgets.article import article_html
from workbench.ui.widgets.process_diagram import BOXES, diagram_html
from workbench.ui.widgets.step_view import PARTS_OF_BOX, step_html

_PARTS = [name for parts in PARTS_OF_BOX.values() for name in parts]


def made_up_step():
    pair = SimpleNamespace(similarity=0.5, label=None, loss_share=0.25, pull=0.01, before=0.4, after=0.6)
    return SimpleNamespace(
        examples=[SimpleNamespace(texts=("<b>first", "second"), label=0)],
        tokens=((SimpleNamespace(tokens=("[CLS]", "[PAD]"), ids=(101, 0), mask=(1, 0)),),),
        token_embeddings_shape=(1, 2, 3),
        token_embeddings=((0.1, 0.2), (0.3, 0.4)),
        pooled_shape=(1, 3),
        pooled=((0.5, 0.6),),
        pairs=[pair],
        loss=1.5,
        loss_name="MultipleNegativesRankingLoss",
        formula="-log softmax",
        gradient_norm=2.5,
        layer_norms={"layer 1": 2.0, "layer 2": 1.0},
        learning_rate=5e-5,
        loss_model_is_model=True,
        parts=[
            SimpleNamespace(
                name=name, shape=(1, 2), code=SimpleNamespace(classic=f"C:{name}", plain=f"P:{name}")
            )
            for name in _PARTS
        ],
        notices=("no warm-up",),
    )


@pytest.fixture
def opened(monkeypatch):
    made = []

    def step(wish):
        made.append(wish)
        return made_up_step()

    monkeypatch.setattr(events, "_step", step)
    return made


def open_box(box, shown="", before=None, plain=False, **changed):
    return events.open_box(box, "en", shown, before, plain, [], *values(**changed))


def test_a_box_opens_once_and_closes_again(opened):
    first = open_box("loss")
    assert "loss.model is model  # True" in first["step"]
    assert first["button.one_step"] == gr.update(visible=True)
    second = open_box("model", "loss", first["state.opened"])
    assert len(opened) == 1
    assert "101" in second["step"] and "wb-token off" in second["step"]
    third = open_box("model", "model", first["state.opened"])
    assert third["state.box"] == "" and not third["step"]
    open_box("fit", "", first["state.opened"], epochs=9)
    assert len(opened) == 2


def test_the_effect_is_shown_once_the_step_is_taken(opened):
    before = open_box("fit")
    assert "0.6000" not in before["step"]
    after = events.take_step("en", "fit", before["state.opened"], False, [], *values())
    assert "0.4000" in after["step"] and "0.6000" in after["step"] and "+0.2000" in after["step"]
    assert len(opened) == 1


def test_the_plain_loop_stands_beside_when_it_is_asked_for(opened):
    alone = open_box("loader")["step"]
    assert "C:collate" in alone and "P:collate" not in alone
    beside = open_box("loader", plain=True)["step"]
    assert "C:collate" in beside and "P:collate" in beside


def test_an_error_of_the_form_opens_nothing(opened):
    changes = open_box("loss", epochs=0)
    assert "config-invalid" in changes["error"]
    assert not opened
    assert "unknown-box" in open_box("<b>")["error"]


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("box", sorted(BOXES))
def test_every_box_in_both_languages_without_markup_of_the_data(box, language):
    html = step_html(made_up_step(), box, language, plain=True, taken=True)
    assert "<b>first" not in html
    for part in PARTS_OF_BOX[box]:
        assert f"C:{part}" in html
    assert step_html(None, box, language, plain=True, taken=True)
    assert f'data-box="{box}"' in article_html(language)
    assert f'data-box="{box}" aria-expanded="true"' in diagram_html(language, box)


def test_the_article_comes_and_goes():
    shown = events.follow_article("ko", False)
    assert shown["article_steps"].count("<li>") == 5
    assert not events.follow_article("ko", shown["state.article"])["article_steps"]
