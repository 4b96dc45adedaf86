"""Errors become words in one place; a traceback goes to the log and nowhere else."""

from __future__ import annotations

import logging
import re

import gradio as gr
import pytest

from workbench.errors import Cancelled, InvalidValueError
from workbench.ui import errors
from workbench.ui.errors import boxed, error_box, guarded, message_of


def test_a_coded_error_says_itself():
    error = InvalidValueError("too-many", "9 came", expected="at most 6", fix="Remove some")
    assert message_of(error, "en") == error.message
    assert "취소" in message_of(Cancelled(), "ko")


def test_a_fault_of_ours_is_a_number_whose_details_are_in_the_log(caplog):
    with caplog.at_level(logging.ERROR):
        try:
            raise RuntimeError("secret /home/me/token")
        except RuntimeError as error:
            told = message_of(error, "en")
    number = re.search(r"[0-9a-f]{8}", told).group()
    assert "secret" not in told
    assert number in caplog.text and "secret /home/me/token" in caplog.text


def test_a_box_escapes_what_it_frames():
    box = error_box(InvalidValueError("x", "<img src=x onerror=alert(1)>"), "en")
    assert "<img" not in box and "&lt;img" in box


def test_a_guarded_handler_warns_and_leaves_the_page_alone(monkeypatch):
    told = []
    monkeypatch.setattr(errors.gr, "Warning", lambda message, title: told.append((message, title)))

    def fails(language, value):
        raise InvalidValueError("bad", f"{value} came")

    assert guarded(fails)("ko", 7) == gr.skip()
    assert told == [("7 came. [bad]", "처리하지 못했습니다")]
    assert guarded(lambda language, value: (language, value))("nonsense", 7) == ("en", 7)


def test_a_boxed_handler_tells_its_error_in_a_section_and_empties_it_when_all_is_well():
    @boxed("told")
    def fails(language, value):
        if value:
            raise InvalidValueError("bad", f"{value} came")
        return {"other": language}

    changes = fails("ko", "<b>")
    assert set(changes) == {"told"} and "&lt;b&gt; came. [bad]" in changes["told"]
    assert fails("nonsense", "") == {"told": "", "other": "en"}


@pytest.mark.parametrize("stops", [KeyboardInterrupt, SystemExit])
def test_a_stop_of_the_process_is_no_error_of_a_handler(stops):
    def handler(language):
        raise stops

    with pytest.raises(stops):
        guarded(handler)("en")
