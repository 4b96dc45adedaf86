"""The visible words of the Runs page in English."""

from __future__ import annotations

RUNS_ENGLISH: dict[str, str] = {
    "nav.runs": "Runs",
    # What is wrong with the history
    "notice.history-rebuilt": "{message}",
    "notice.history-newer": "{message}",
    "notice.history-off": "{message}",
    "notice.history-not-written": "{message}",
    # Curves
    "curve.loss": "Loss",
    "curve.learning_rate": "Learning rate",
    "curve.gradient_norm": "Gradient norm",
    "curve.score": "Score",
    "curve.step": "step",
    "curve.table": "As a table",
    "curve.none": "No curve yet: a point comes with each step.",
    "curve.thinned": "At most {points} points of each curve are drawn; its peaks are kept.",
    "curve.gap": "undefined",
    "curve.described": "{name} over steps {first} to {last}, from {low} to {high}. The table below holds the points.",
    "curve.empty": "{name}: no point is defined.",
}
