"""The verdict in words: who agrees, who differs, and the line that says why."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.compare.columns import encoded, floor_of
from tests.ui.made_up import columns
from workbench.compare.agreement import agreements
from workbench.errors import ModelSourceError
from workbench.ui.snapshot import Snapshot
from workbench.ui.texts import TEXTS
from workbench.ui.verdict import agreeing_groups, verdict_html, verdict_of

_RNG = np.random.default_rng(0)
_UNIT = _RNG.normal(size=(4, 6))
_UNIT /= np.linalg.norm(_UNIT, axis=1, keepdims=True)


def _shown(*found, texts=4, failures=None):
    agreed = agreements(found, floor_of(1e-7, *found)) if len(found) > 1 else ()
    requested = tuple(one.column for one in found)
    return Snapshot(
        texts=tuple(f"text {i}" for i in range(texts)),
        requested=requested,
        columns=found,
        agreements=agreed,
        failures=failures or {},
    )


def _words(markup):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", markup)).strip()


def _verdict(*found, language="en", **settings):
    verdict = verdict_of(_shown(*found, **settings), language)
    return verdict.tone, _words(verdict.sentence), _words(verdict.why)


def test_identical_columns_are_called_so():
    tone, sentence, why = _verdict(encoded("own", _UNIT), encoded("upstream", _UNIT))
    assert tone == "good"
    assert sentence == "own upstream are identical, bit for bit."
    assert "Break one column" in why


def test_float_noise_is_agreement_with_its_size():
    tone, sentence, _ = _verdict(encoded("own", _UNIT), encoded("upstream", _UNIT + 1.2e-7))
    assert tone == "good"
    assert re.fullmatch(r"own upstream agree to float noise \(1\.\de-7\)\.", sentence)


def test_a_deviating_column_is_named_with_its_differences_and_the_cut_text():
    other = _UNIT.copy()
    other[2] = _UNIT[1]
    full = [8, 9, 301, 10]
    tone, sentence, why = _verdict(
        encoded("own", _UNIT, full=full, max_length=256),
        encoded("upstream", _UNIT, full=full, max_length=256),
        encoded("manual", other, full=full, max_length=512),
    )
    assert tone == "bad"
    assert sentence.startswith(
        "own upstream are identical, bit for bit; manual differs: 1 of 4 texts, by up to "
    )
    assert why == "Text 3 has 301 tokens: manual at 512 read all of it, the others stopped at 256."


def test_two_columns_that_differ_have_no_majority():
    tone, sentence, why = _verdict(encoded("own", _UNIT), encoded("manual", _UNIT[::-1], pooling="cls"))
    assert tone == "bad"
    assert sentence.startswith("manual differs: 4 of 4 texts")
    assert why.startswith("manual takes cls pooling, own mean")


def test_missing_normalisation_tells_the_length():
    _, _, why = _verdict(encoded("own", _UNIT), encoded("manual", _UNIT * 5.86, normalize=False))
    assert "manual leaves its vectors at length 5.86 instead of 1" in why


def test_a_setting_without_effect_is_said_to_have_none():
    tone, _, why = _verdict(encoded("own", _UNIT), encoded("manual", _UNIT, max_length=512))
    assert tone == "good"
    assert why == "manual is set differently (max tokens), and these texts do not show it."


def test_other_dimensions_are_named():
    _, sentence, _ = _verdict(encoded("own", _UNIT), encoded("manual", _UNIT[:, :4], sha256="1" * 64))
    assert "manual gives 4 numbers a text where own gives 6" in sentence


def test_precision_is_a_milder_verdict():
    tone, sentence, _ = _verdict(encoded("own", _UNIT), encoded("manual", _UNIT + 1e-3, precision="bfloat16"))
    assert tone == "warn"
    assert "manual differs only as its precision does" in sentence


def test_an_unexplained_difference_says_that_no_setting_explains_it():
    _, _, why = _verdict(encoded("own", _UNIT), encoded("manual", _UNIT[::-1]))
    assert why.startswith("No setting explains it")


def test_a_failed_column_stays_in_sight():
    wanted = columns("own", "upstream", "manual")
    snapshot = _shown(
        encoded("own", _UNIT),
        encoded("manual", _UNIT),
        failures={"upstream": ModelSourceError("gone", "gone")},
    )
    snapshot = Snapshot(**{**vars(snapshot), "requested": wanted})
    assert "upstream could not be encoded." in _words(verdict_of(snapshot, "en").sentence)


def test_the_stages_before_the_verdict_have_words():
    wanted = columns("own", "upstream")
    nothing = Snapshot(texts=("a",), requested=wanted)
    one = Snapshot(texts=("a",) * 4, requested=wanted, columns=(encoded("own", _UNIT),))
    both = Snapshot(
        texts=("a",) * 4, requested=wanted, columns=(encoded("own", _UNIT), encoded("upstream", _UNIT))
    )
    alone = Snapshot(texts=("a",) * 4, requested=wanted[:1], columns=(encoded("own", _UNIT),))
    failed = Snapshot(texts=("a",), requested=wanted, failures={"own": ModelSourceError("gone", "gone")})
    said = [_words(verdict_of(one, "en").sentence) for one in (nothing, one, both, alone, failed)]
    assert "first column" in said[0]
    assert "own has arrived" in said[1]
    assert "noise floor" in said[2]
    assert "add a column" in said[3]
    assert "No column" in said[4]


@pytest.mark.parametrize("language", TEXTS)
def test_hostile_names_stay_text(language):
    hostile = "<img src=x onerror=alert(1)>"
    snapshot = _shown(encoded(hostile, _UNIT), encoded("manual", _UNIT[::-1], model=hostile, sha256="1" * 64))
    markup = verdict_html(verdict_of(snapshot, language))
    assert "<img" not in markup
    assert "&lt;img" in markup


def test_groups_follow_agreement_not_order():
    found = [encoded("a", _UNIT), encoded("b", _UNIT[::-1]), encoded("c", _UNIT), encoded("d", _UNIT)]
    agreed = agreements(found, floor_of(1e-7, *found))
    assert agreeing_groups(["a", "b", "c", "d"], agreed) == [["a", "c", "d"], ["b"]]
    assert agreeing_groups(["a", "b"], ()) == [["a"], ["b"]]
