"""The gallery: each card's bug is named at the stage it states, on the bundled model."""

from __future__ import annotations

from urllib.parse import urlparse

import pytest
import torch

from workbench.trace.faults import FAULTS
from workbench.trace.gallery import replay
from workbench.trace.gallery_cards import CARDS, card

_SHORT = ("padding-baked", "cls-pooling", "case-kept", "float-noise")


def test_the_cards_are_whole() -> None:
    assert len(CARDS) >= 12
    for key, one in CARDS.items():
        assert urlparse(one.link).scheme == "https" and one.link.rsplit("/", 1)[-1].isdigit(), key
        assert one.title and one.reported and one.see
        assert [FAULTS[fault].stage for fault in one.faults] == [one.stage]


def test_an_unknown_card_is_refused() -> None:
    with pytest.raises(KeyError, match="unknown-card"):
        card("nothing")


@pytest.mark.parametrize(
    "key", [key if key in _SHORT else pytest.param(key, marks=pytest.mark.full) for key in CARDS]
)
def test_a_card_is_named_and_its_swap_closes_the_gap(key: str) -> None:
    torch.manual_seed(0)
    proof = replay(key)
    if not CARDS[key].stage:
        assert proof.difference.verdict in ("identical", "float noise") and not proof.faults
        return
    assert proof.faults[0].cause.stage == CARDS[key].stage
    assert proof.closed
