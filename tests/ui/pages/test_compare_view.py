"""Sections of the page: each event changes what it must, limits hold, and texts never become markup."""

from __future__ import annotations

import re

import pytest

from tests.ui.made_up import columns
from workbench.compare.results import Progress
from workbench.ui.pages.compare_view import ALL_SECTIONS, Look, render, sections_after, shown_pair
from workbench.ui.snapshot import Snapshot
from workbench.ui.texts import TEXTS

_HOSTILE = "<img src=x onerror=alert(1)>"
_ALLOWED = set(
    (
        "b blockquote button caption div em figcaption figure h2 h3 h4 i output p small span "
        "table tbody td th thead tr"
    ).split()
)


@pytest.mark.parametrize("language", TEXTS)
def test_hostile_texts_never_become_elements(snapshot_of, language):
    texts = (_HOSTILE, "</span><script>alert(1)</script>", '" onclick="alert(1)')
    snapshot = snapshot_of(texts, columns("own", "manual", prompt=_HOSTILE))
    for section, value in render(snapshot, ALL_SECTIONS, Look(language)).items():
        markup = value.to_json() if section == "map" else value
        assert "<img" not in markup and "<script" not in markup
        if section != "map":
            assert set(re.findall(r"<([a-zA-Z0-9]+)", markup)) <= _ALLOWED, section
            assert not re.search(r"<[^>]*\son[a-z]+=", markup), section


@pytest.mark.parametrize("language", TEXTS)
def test_an_empty_page_has_words_everywhere_they_are_needed(language):
    shown = render(Snapshot(), ALL_SECTIONS, Look(language))
    for section in ("verdict", "board", "difference", "agreement", "speed", "opened"):
        assert re.sub(r"<[^>]+>", "", shown[section]).strip(), section
    assert shown["map"] is None


def test_many_texts_are_sampled_and_it_is_said(snapshot_of):
    texts = [f"text number {place}" for place in range(700)]
    snapshot = snapshot_of(texts, columns("own", "manual"))
    shown = render(snapshot, ALL_SECTIONS, Look())
    assert shown["board"].count("<i class=q") == 2 * 60 * 60
    assert "60 of 700 texts" in shown["board"]
    assert all(len(trace.x) == 500 for trace in shown["map"].data)
    assert "500 of 700 texts" in shown["map_note"]
    assert shown["sentences"].count("<button") == 700
    assert shown["points"].count("<tr>") == 61
    assert sum(len(value) for name, value in shown.items() if name != "map") < 600_000


def test_the_difference_map_shows_the_wanted_pair_else_the_widest(snapshot_of):
    snapshot = snapshot_of(("a b", "c d", "e"), columns("own", "upstream", "manual", pooling="cls"))
    assert shown_pair(snapshot, None) == ("own", "manual")
    assert shown_pair(snapshot, ("own", "upstream")) == ("own", "upstream")
    assert shown_pair(snapshot, ("own", "gone")) == ("own", "manual")
    assert shown_pair(Snapshot(), None) is None
    equal = render(snapshot, ["difference"], Look(pair=("own", "upstream")))["difference"]
    assert "equal to the last bit" in equal


def test_one_text_and_one_column_are_enough_for_a_page(snapshot_of):
    shown = render(snapshot_of(("alone",), columns("own")), ALL_SECTIONS, Look())
    assert shown["board"].count("<i class=q") == 1
    assert "Two columns" in shown["difference"]
    assert "Two texts" in shown["pairs"]


def test_progress_alone_redraws_nothing_else():
    assert sections_after(Progress("encoding", "own", 1, 2)) == ("progress",)
    assert sections_after(()) == ("speed",)
