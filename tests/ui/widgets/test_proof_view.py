"""A proof on the page: the verdict first, both languages whole, nothing of the data as markup."""

from __future__ import annotations

import re
import string

import pytest

from tests.compare.test_proof_reading import proof as proof
from workbench.compare.proof_reasons import ENGLISH, ENGLISH_LABELS
from workbench.ui.texts_korean_proof import KOREAN_PROOF, KOREAN_PROOF_LABELS
from workbench.ui.widgets.proof_view import proofs_html


def _names(template):
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


@pytest.mark.parametrize(
    ("english", "korean"), [(ENGLISH, KOREAN_PROOF), (ENGLISH_LABELS, KOREAN_PROOF_LABELS)]
)
def test_korean_says_what_english_says(english, korean):
    assert set(english) == set(korean)
    for key, text in english.items():
        assert _names(korean[key]) <= _names(text), key
        assert key == "p" or re.search("[가-힣]", korean[key]), key


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_verdict_stands_first_and_the_differences_are_open(language, proof):
    html = proofs_html([("own", proof)], language)
    assert html.index("wb-verdict") < html.index("<details")
    assert f'data-outcome="{proof.verdict.outcome}"' in html
    assert html.count("<details") >= 6
    assert '<svg class="iv' in html
    for reason in proof.verdict.reasons:
        assert reason.key in (ENGLISH if language == "en" else KOREAN_PROOF)


def test_several_ways_are_told_apart(proof):
    html = proofs_html([("own", proof), ("up<b>", proof)], "en")
    assert "Trained by own" in html
    assert "up&lt;b&gt;" in html


def test_no_proof_shows_nothing():
    assert proofs_html([], "en") == ""
