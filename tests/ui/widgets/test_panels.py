"""The panels beside the plots: figures in the right cells, notes, and no markup from outside."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from tests.ui.made_up import columns
from workbench.compare.results import Coverage, Progress, Speed
from workbench.contenders.contract import TokenCount, TokenView
from workbench.ui.snapshot import Snapshot
from workbench.ui.texts import TEXTS, say
from workbench.ui.widgets.agreement_table import agreement_html
from workbench.ui.widgets.coverage_line import coverage_html
from workbench.ui.widgets.opened_sentence import Opened, OpenedColumn, opened_html, stripes
from workbench.ui.widgets.pair_table import pair_table_html, point_table_html
from workbench.ui.widgets.progress_line import idle_html, progress_html
from workbench.ui.widgets.sentence_list import sentence_list_html
from workbench.ui.widgets.speed_bars import speed_html

_TEXTS = ("red bicycle", "crimson bike", "the tax office is closed", "<script>alert(1)</script>")
_HOSTILE = "<img src=x onerror=alert(1)>"


def _words(markup):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", markup)).strip()


@pytest.mark.parametrize("language", TEXTS)
def test_the_agreement_table_has_a_row_a_pair_and_its_reason(snapshot_of, language):
    snapshot = snapshot_of(_TEXTS, columns("own", "upstream", "manual", pooling="cls"))
    markup = agreement_html(snapshot, language)
    assert markup.count('scope="row"') == 3
    assert markup.count("wb-badge good") == 1
    assert markup.count("wb-badge bad") == 2
    assert "cls" in markup
    assert "1.0e-7" in _words(markup)


def test_the_agreement_table_waits_for_two_columns(snapshot_of):
    assert "two columns" in agreement_html(Snapshot(), "en")


def test_coverage_joins_columns_with_the_same_figures_and_warns_once():
    told = Coverage("own", 0.078, 1.64, 2, 8, 1, "spelled out <b>", "", {})
    snapshot = Snapshot(
        requested=columns("own", "upstream", "manual"),
        coverage=(told, replace(told, label="upstream"), Coverage("manual", 0.0, 1.1, 0, 8, 0, "")),
    )
    markup = coverage_html(snapshot, "en")
    words = _words(markup)
    assert "own upstream 7.8% unknown tokens, 1.6 tokens a word, 2 of 8 texts cut, 1 without" in words
    assert "manual 0% unknown tokens" in words
    assert markup.count("wb-box warn") == 1
    assert "spelled out &lt;b&gt;." in markup
    assert coverage_html(Snapshot(), "en") == ""


def test_a_script_without_words_asks_for_another_model_in_both_languages():
    values = {"count": 8, "texts": 8, "scripts": "Hangul", "tokens_per_letter": 1.6}
    told = Coverage("own", 0.0, 6.0, 0, 8, 0, "english", "script-unread", values)
    snapshot = Snapshot(requested=columns("own", "manual"), coverage=(told,))
    assert "multilingual model" in coverage_html(snapshot, "en")
    assert "다국어 모델" in coverage_html(snapshot, "ko")
    assert "english" not in coverage_html(snapshot, "ko")


def test_speed_bars_are_relative_to_the_fastest():
    snapshot = Snapshot(
        texts=_TEXTS,
        requested=columns("own", "manual"),
        speeds=(
            Speed("own", 5, 200.0, 3000.0, 40.0, 44.0, "cpu", 2, 512.4),
            Speed("manual", 5, 50.0, 700.0, 160.0, 170.0, "cpu", 2),
        ),
    )
    markup = speed_html(snapshot, "en")
    assert "width:100.0%" in markup and "width:25.0%" in markup
    words = _words(markup)
    assert "40.0 / 44.0 ms 512 MB" in words
    assert "160 / 170 ms not measured" in words
    assert words.endswith("cpu, 2 threads.")
    few = replace(snapshot, speeds=(Speed("own", 2, 200.0, 3000.0, 40.0, 44.0, "cpu", 2),))
    assert "40.0 / – ms" in _words(speed_html(few, "en"))
    assert "Not timed" in speed_html(Snapshot(), "en")


def test_the_list_numbers_texts_tells_tokens_and_marks_the_open_one(snapshot_of):
    snapshot = snapshot_of((*_TEXTS, " \u200b "), columns("own", "manual", max_length=3))
    markup = sentence_list_html(snapshot, 2, "en")
    assert re.findall(r'data-i="(\d)"', markup) == ["0", "1", "2", "3", "4"]
    assert re.findall(r'aria-pressed="true"', markup) == ['aria-pressed="true"']
    assert "cut in 1 of 2" in markup
    assert "<script" not in markup
    assert sentence_list_html(Snapshot(), None, "en") == ""


def test_pairs_on_which_columns_differ_come_first(snapshot_of):
    snapshot = snapshot_of(_TEXTS, columns("own", "manual"))
    matrices = {"own": np.eye(3), "manual": np.eye(3)}
    matrices["manual"] = matrices["manual"].copy()
    matrices["manual"][1, 2] = 0.5
    markup = pair_table_html(snapshot, matrices, (0, 4, 9), "en")
    assert re.findall(r'scope="row">([^<]+)', markup) == ["5 × 10", "1 × 5", "1 × 10"]
    assert "5.0e-1" in markup
    assert "Two texts" in pair_table_html(snapshot, matrices, (0,), "en")
    points = {"own": np.array([[0.5, -1.0]])}
    assert "0.500, \u22121.000" in point_table_html(snapshot, points, (7,), "en")


def _opened(**changes):
    view = TokenView(("[CLS]", _HOSTILE, "[UNK]"), (101, 7, 100), (1, 1, 0))
    one = OpenedColumn(
        "own", 0, view, TokenCount(3, 5, 1), np.array([3.0, -4.0], dtype=np.float32), ((1, 0.9),)
    )
    two = replace(one, label="manual", colour=1, vector=np.array([3.0, -4.5], dtype=np.float32))
    return Opened(0, _HOSTILE, (one, replace(two, **changes)))


def test_an_opened_sentence_shows_tokens_vectors_differences_and_neighbours():
    markup = opened_html(_opened(), _TEXTS, "en")
    words = _words(markup)
    assert "Sentence 1" in words
    # Two columns that see the same tokens share a row.
    assert markup.count("wb-tokens-row") == 1
    assert "3 of 5 tokens kept, 1 unknown" in words
    assert markup.count('class="wb-token unk off"') == 1
    assert markup.count('class="wb-strip"') == 3
    assert "norm 5.0000 [ 3.0000 \u22124.0000 … ]" in words
    assert "difference, at most 5.0e-1" in words
    assert "2 crimson bike 0.900" in words
    assert "<img" not in markup


def test_other_tokens_and_other_dimensions_are_shown_apart():
    other = TokenView(("[CLS]",), (101,), (1,))
    markup = opened_html(_opened(view=other, vector=np.zeros(5, dtype=np.float32)), _TEXTS, "en")
    assert markup.count("wb-tokens-row") == 2
    assert markup.count('class="wb-strip"') == 2
    assert "nothing to subtract" in markup
    assert "Open a sentence" in opened_html(None, (), "en")


def test_a_long_vector_is_drawn_by_its_largest_numbers():
    vector = np.zeros(1000, dtype=np.float32)
    vector[[5, 999]] = -2.0, 1.0
    shown, each = stripes(vector)
    assert each == 3 and len(shown) == 334
    assert shown[1] == -2.0 and shown[-1] == 1.0
    assert stripes(np.zeros(384, dtype=np.float32))[1] == 1
    assert len(stripes(np.zeros(0, dtype=np.float32))[0]) == 0


def test_progress_tells_counts_and_grows():
    line = progress_html(Progress("encoding", _HOSTILE, 320, 1000), 1, 4, "en")
    assert "320 of 1,000" in line and "width:33.0%" in line and "<img" not in line
    assert "running" in progress_html(None, 0, 3, "en")
    assert "running" not in idle_html(say("en", "progress.cancelled"))
    for stage in ("loading", "noise floor", "speed"):
        assert _words(progress_html(Progress(stage, "own", 1, 2), 0, 1, "ko"))
