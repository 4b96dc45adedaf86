"""The screen of *Train three ways*: every part of a result is said in both languages, nothing unescaped."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from workbench.compare.training_causes import SENTENCES
from workbench.compare.training_parity import QUANTITIES
from workbench.ui.texts import TEXTS
from workbench.ui.widgets.three_ways import three_ways_html

AGREEMENT = {"left": "base", "right": "own", "verdict": "different", "max_abs": 0.02, "min_cosine": 0.9,
             "spearman": None}  # fmt: skip
PARITY = {"left": "own", "right": "upstream", "agree": False, "first_step": 3, "quantity": "loss",
          "cause": "dropout-stream", "largest_loss_difference": 0.01}  # fmt: skip
RESULT: dict[str, Any] = {
    "trainings": [{"way": "own", "seconds": 12.34}, {"way": "upstream", "seconds": 23.4}],
    "parity": [PARITY, {**PARITY, "right": "transformers", "agree": True, "largest_loss_difference": 2e-7}],
    "side_by_side": {
        "sentences": ["one", "<script>x</script>"],
        "models": [
            {"name": "base", "similarity": [[1, 0.5], [0.5, 1]], "sentences_per_second": 100.0},
            {"name": "own", "similarity": [[1, None], [None, 1]], "sentences_per_second": None},
        ],
        "agreements": [AGREEMENT],
        "contenders": [
            {**AGREEMENT, "verdict": "identical", "max_abs": 0.0, "left": "own", "right": "manual"}
        ],
    },
    "proofs": [
        {
            "way": "own",
            "primary": "spearman_cosine",
            "scores": [
                {"role": "base", "metric": "spearman_cosine", "score": 0.5},
                {"role": "tuned", "metric": "spearman_cosine", "score": 0.6},
            ],
            "differences": [{"value": 0.1, "low": 0.05, "high": 0.15}],
            "verdict": {"outcome": "better"},
        }
    ],
}


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_part_is_said(language: Any) -> None:
    shown = three_ways_html(RESULT, language)
    words = TEXTS[language]
    for key in ("parity", "models", "maps", "embeddings", "contenders"):
        assert words[f"ways.{key}"] in shown
    for figure in ("0.6000", "0.5000", "[0.0500, 0.1500]", "2.0e-7", "12.3", "2.0e-2"):
        assert figure in shown
    assert words["ways.outcome.better"] in shown
    assert words["ways.cause.dropout-stream"] in shown
    assert "<script>" not in shown and "&lt;script&gt;" in shown


def test_a_run_of_one_way_shows_nothing() -> None:
    assert three_ways_html({"trainings": []}, "en") == ""


def test_without_a_proof_the_scores_are_left_open() -> None:
    result = copy.deepcopy(RESULT) | {"proofs": []}
    assert "0.6000" not in three_ways_html(result, "en")


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_cause_and_quantity_has_words(language: Any) -> None:
    for cause in SENTENCES:
        assert TEXTS[language][f"ways.cause.{cause}"]
    for quantity in QUANTITIES:
        assert TEXTS[language][f"ways.quantity.{quantity}"]
