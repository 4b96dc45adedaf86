"""A proof from models to verdict, and its report as HTML and JSON, on embeddings made for the purpose."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from workbench.compare.detectable import before_training, from_difference, more_items
from workbench.compare.forgetting import forgetting, worst
from workbench.compare.held_out import ScoredPairs, scored_pairs
from workbench.compare.item_scores import ItemScores
from workbench.compare.judged_models import JudgedModel, embedded_now, stored_model
from workbench.compare.leaks import LeakFacts, find_leaks
from workbench.compare.proof import general_sets, prove, smallest_before_training
from workbench.compare.proof_html import proof_html
from workbench.compare.proof_reasons import ENGLISH, ENGLISH_LABELS
from workbench.compare.proof_report import proof_dict, proof_json
from workbench.compare.proof_results import Proof, ProofSettings, best_other
from workbench.compare.seeds import seed_spread
from workbench.compare.significance import paired_difference
from workbench.compare.verdict import verdict
from workbench.errors import Cancelled, InvalidValueError

QUICK = ProofSettings(resamples=300)
ITEMS = 80


def data(items: int = ITEMS) -> ScoredPairs:
    gold = np.random.default_rng(1).random(items)
    return scored_pairs([f"<a{row}>" for row in range(items)], [f"<b{row}>" for row in range(items)], gold)  # type: ignore[arg-type]


def model(name: str, noise: float, draw: int = 0, **kwargs: Any) -> JudgedModel:
    """Pairs at the angle that gold asks for, up to noise."""
    found = data()
    rng = np.random.default_rng(draw)
    cosines = np.clip(np.asarray(found.gold) + noise * rng.normal(size=ITEMS), -1, 1)
    left, aside = rng.normal(size=(2, ITEMS, 16))
    left /= np.linalg.norm(left, axis=1, keepdims=True)
    aside -= (aside * left).sum(axis=1, keepdims=True) * left
    aside /= np.linalg.norm(aside, axis=1, keepdims=True)
    right = cosines[:, None] * left + np.sqrt(1 - cosines**2)[:, None] * aside
    return stored_model(name, found.sentences1 + found.sentences2, np.vstack([left, right]), **kwargs)


def proof(tuned_noise: float = 0.05, **kwargs: Any) -> Proof:
    kwargs = {"general": {}, "settings": QUICK} | kwargs
    return prove(data(), model("base", 0.25, 1), [model("tuned", tuned_noise, 2, seed=7)], **kwargs)


def keys(found: Proof) -> list[str]:
    return [reason.key for reason in found.verdict.reasons]


@pytest.mark.parametrize(("noise", "outcome"), [(0.05, "better"), (9.0, "worse"), (0.25, "not shown")])
def test_the_verdict(noise: float, outcome: str) -> None:
    found = proof(noise)
    assert found.verdict.outcome == outcome
    assert keys(found)[0] == outcome.replace(" ", "-")
    assert {"leaks-unknown", "one-seed"} <= set(keys(found))
    assert ("smallest" in keys(found)) == (outcome == "not shown")
    assert found.primary == found.differences[0].metric == "spearman_cosine"
    assert found.after.smallest and found.before and found.before.smallest


def test_the_same_model_is_not_shown_with_a_difference_of_zero() -> None:
    found = prove(data(), model("base", 0.5), [model("copy", 0.5)], general={}, settings=QUICK)
    assert (found.verdict.outcome, found.differences[0].value) == ("not shown", 0.0)
    assert keys(found)[0] == "no-difference"
    assert found.after.smallest is None
    assert proof_json(found)


def test_a_better_untuned_model_is_told() -> None:
    found = prove(
        data(),
        model("base", 2.0, 1),
        [model("tuned", 0.5, 2)],
        others=[model("bigger", 0.02, 3), model("weak", 3.0, 4)],
        general={},
        settings=QUICK,
    )
    assert (found.verdict.outcome, found.verdict.choice) == ("better", "bigger")
    assert {"other-better", "other-beaten"} <= set(keys(found))
    assert "bigger" in proof_html(found)


def test_seeds_widen_the_interval_and_a_failed_one_ends_it() -> None:
    base, tuned = model("base", 0.5, 1), [model("tuned", 0.3, seed, seed=seed) for seed in (2, 3, 4)]
    found = prove(data(), base, tuned, general={}, settings=QUICK)
    first = found.differences[0]
    assert first.seeds == 3 and first.seed_error > 0 and first.candidate == "tuned (3 seeds)"
    assert found.seeds[0].seeds == (2, 3, 4)
    assert first.candidate_score == pytest.approx(np.mean(found.seeds[0].values))
    assert found.seeds[0].deviation == pytest.approx(np.std(found.seeds[0].values, ddof=1))
    texts = data().sentences1 + data().sentences2
    burst = stored_model("tuned", texts, np.full((2 * ITEMS, 3), np.nan), seed=5)
    broken = prove(data(), base, [*tuned, burst], general={}, settings=QUICK)
    assert broken.verdict.outcome == "not shown"
    assert keys(broken)[0] == "undefined"
    assert "NaN" in proof_html(broken)
    assert json.loads(proof_json(broken))["differences"][0]["value"] is None


def test_leaked_items_are_left_out() -> None:
    leak = find_leaks(data(), [("<a0>", "<b0>"), ("<a3>", "<b3>"), ("<a5>", "other")])
    found = proof(leak=leak)
    assert found.items == ITEMS - 2
    assert {"leaks-left-out", "texts-shared"} <= set(keys(found))
    with pytest.raises(InvalidValueError, match="all-items-leaked"):
        proof(leak=LeakFacts(9, ITEMS, leaked_items=tuple(range(ITEMS))))
    with pytest.raises(InvalidValueError, match="leaks-of-other-data"):
        proof(leak=LeakFacts(9, 5, near_items=(1,)))


def test_forgetting_has_three_ends() -> None:
    gold = np.asarray(data().gold)

    def on_general(before: float, after: float) -> Any:
        rng = np.random.default_rng(0)
        sides = [
            ItemScores("s", gold + noise * rng.normal(size=ITEMS), gold, "spearman")
            for noise in (before, after)
        ]
        return forgetting(paired_difference(sides[0], sides[1:], resamples=300), "general").state

    assert (on_general(0.05, 2.0), on_general(0.5, 0.05), on_general(0.6, 0.6)) == (
        "fell",
        "held",
        "not shown",
    )
    texts, general = data(), {"mine": data()}
    assert texts.items == ITEMS
    found = proof(general=general)
    assert found.forgetting[0].source == "mine" and worst(found.forgetting) == "held"
    assert worst([]) is None
    assert next(iter(general_sets().values())).items >= 120


def test_the_smallest_difference_is_shown_as_often_as_said() -> None:
    rng = np.random.default_rng(0)
    known = from_difference(
        paired_difference(
            ItemScores("m", rng.normal(size=200)), [ItemScores("m", rng.normal(size=200))], resamples=2000
        ),
        "observed",
    )
    # Two independent sides of variance 1: the error of the difference is the root of 2 / 200.
    assert known.error == pytest.approx(0.1, rel=0.15)
    assert known.smallest == pytest.approx(2.8016 * (known.error or 0), rel=1e-3)
    # Twice as fine takes four times the items.
    assert more_items((known.smallest or 0) / 2, known) == pytest.approx(600, abs=1)
    assert more_items(known.smallest or 0, known) in (0, 1)
    assert more_items(0.0, known) is None
    assert more_items(0.05, replace(known, seed_error=0.2)) is None
    shown = 0
    for number in range(150):
        before, after = rng.normal(size=200), rng.normal(size=200) + 2.8016 * 0.1
        shown += paired_difference(
            ItemScores("m", before), [ItemScores("m", after)], resamples=400, seed=number
        ).better
    assert 0.68 <= shown / 150 <= 0.9


def test_what_data_can_show_is_known_before_training() -> None:
    found = smallest_before_training(data(), model("base", 0.5), [model("other", 0.5, 3)], settings=QUICK)
    assert found is not None and found.smallest and found.basis.startswith("base against")
    with pytest.raises(InvalidValueError, match="no-stand-in"):
        before_training(ItemScores("m", np.ones(3)), [])
    with pytest.raises(InvalidValueError, match="power-out-of-range"):
        from_difference(proof().differences[0], "", power=1.0)


def test_a_proof_can_be_watched_stopped_and_refused() -> None:
    told: list[tuple[int, int, str]] = []
    proof(progress=lambda *step: told.append(step))
    assert told == [(0, 2, "base"), (1, 2, "tuned")]
    with pytest.raises(Cancelled):
        proof(cancelled=lambda: True)
    base = model("base", 0.5)
    with pytest.raises(InvalidValueError, match="no-tuned-model"):
        prove(data(), base, [], general={})
    with pytest.raises(InvalidValueError, match="model-twice"):
        prove(data(), base, [base], general={})


class Page(HTMLParser):
    """The tags and addresses of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [
            str(value) for name, value in attrs if name in ("src", "href") or name.startswith("on")
        ]


def test_the_report_is_whole_and_nothing_in_it_runs() -> None:
    evil = "<script>alert('x')</script>\"&"
    found = prove(
        data(),
        replace(model("base", 0.5, 1), name=evil),
        [replace(model("tuned", 0.05, 2), name="<img src=x onerror=alert(1)>", identity={evil: evil})],
        leak=replace(find_leaks(data(), [("<a0>", "<b0>")]), split=evil),
        general={evil: data()},
        settings=QUICK,
    )
    text = proof_html(found)
    page = Page()
    page.feed(text)
    assert not page.tags & {"script", "img", "link", "iframe"} and page.links == []
    assert "http" not in text
    root = ElementTree.fromstring(text.removeprefix("<!DOCTYPE html>\n"))
    said = "".join(root.itertext())
    assert evil in said and "Better" in said and "<a1>" in said
    assert len(list(root.iter("svg"))) >= 6
    assert "prefers-color-scheme:dark" in text


def test_the_json_holds_finite_numbers_and_reasons() -> None:
    found = proof()
    read = json.loads(proof_json(found))
    assert read == json.loads(json.dumps(proof_dict(found), allow_nan=False))
    assert (read["format"], read["version"], read["verdict"]["outcome"]) == ("workbench-proof", 1, "better")
    assert read["differences"][0]["low"] == found.differences[0].low
    assert read["models"][1] == {"name": "tuned", "role": "tuned", "seed": 7, "identity": {}}
    assert read["verdict"]["reasons"][0]["text"].startswith("tuned is better than base")
    flat = replace(found, differences=(replace(found.differences[0], error=float("nan")),))
    row = proof_dict(flat)["differences"][0]  # type: ignore[index]
    assert (row["error"], row["error_undefined"]) == (None, "not a finite number")


def test_every_reason_has_a_sentence() -> None:
    for key, template in ENGLISH.items():
        assert not template.endswith("."), key
    spread = seed_spread("m", [None], [0.5])
    assert (spread.deviation, spread.low) == (None, None)
    lone = verdict(proof().differences[0])
    assert all(reason.text() for reason in lone.reasons)


def test_another_language_fills_the_same_keys() -> None:
    found = proof()
    upper = {key: template.split("{", 1)[0].upper() or "·" for key, template in ENGLISH.items()}
    labels = {key: f"«{word}»" for key, word in ENGLISH_LABELS.items()}
    text = proof_html(found, templates=upper, labels=labels, language="ko")
    assert '<html lang="ko">' in text and "«Proof of a fine-tune»" in text and "«Better»" in text
    words = {word for word in ENGLISH_LABELS.values() if "{" not in word and len(word) > 6}
    body = text.split("<body>")[1]
    assert not [word for word in words if body.count(word) > body.count(f"«{word}»")]


def test_the_best_other_untuned_model_stands_beside_the_base() -> None:
    others = [model("poor", 0.9, 3), model("<strong>", 0.1, 4), model("middling", 0.3, 5)]
    found = proof(0.2, others=others)
    best = best_other(found)
    assert best is not None and best.model == "<strong>"
    assert proof_dict(found)["best_other"] == "<strong>"
    page = proof_html(found)
    shown = page.split(f"<h2>{ENGLISH_LABELS['baselines']}</h2>")[1].split("<h2>")[0]
    assert "<td>base</td>" in shown and "<td>&lt;strong&gt;</td>" in shown
    assert "poor" not in shown and "middling" not in shown
    gain = next(row for row in found.differences if row.reference == "<strong>")
    assert f"{best.score:.4f}" in shown and f"{gain.value:+.4f}" in shown


def test_without_another_model_the_report_says_so() -> None:
    found = proof()
    assert best_other(found) is None and proof_dict(found)["best_other"] is None
    assert ENGLISH_LABELS["no-other"] in proof_html(found)


def test_a_model_that_could_not_be_judged_is_told_and_costs_nothing() -> None:
    found = proof(unjudged={"a/gone": "No such model [hub-not-found]"})
    told = [one.text(ENGLISH) for one in found.verdict.reasons]
    assert "a/gone cannot be compared: No such model [hub-not-found]" in told
    assert found.verdict.outcome == proof().verdict.outcome


def test_embeddings_taken_now_are_those_of_the_model() -> None:
    asked: list[int] = []

    def encode(texts: Any) -> Any:
        asked.append(len(texts))
        return np.stack([np.full(4, float(len(text))) + np.arange(4) for text in texts])

    alive = JudgedModel("one", encode, seed=3, identity={"run": "r"})
    kept = embedded_now(alive, data())
    assert asked == [2 * ITEMS]
    rows = kept.encode(["<a3>", "<b14>"])
    assert asked == [2 * ITEMS]
    np.testing.assert_array_equal(rows, encode(["<a3>", "<b14>"]))
    assert (kept.name, kept.seed, kept.identity) == ("one", 3, {"run": "r"})
