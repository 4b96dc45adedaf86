"""The sentences of a proof and the words of its report in English; another language has the same keys."""

from __future__ import annotations

from collections.abc import Mapping

# The verdict's sentences, without a full stop. A key with ``.one`` is taken where ``count`` is 1.
ENGLISH: Mapping[str, str] = {
    "better": (
        "{candidate} is better than {reference}: {metric} {value:+.4f}, {level:.0%} interval {low:+.4f} to "
        "{high:+.4f} over {items:,} items (p {p:.2g} against {alpha:.1%})"
    ),
    "worse": (
        "{candidate} is worse than {reference}: {metric} {value:+.4f}, {level:.0%} interval {low:+.4f} to "
        "{high:+.4f} over {items:,} items (p {p:.2g} against {alpha:.1%})"
    ),
    "not-shown": (
        "No difference is shown between {candidate} and {reference}: {metric} {value:+.4f}, {level:.0%} "
        "interval {low:+.4f} to {high:+.4f} over {items:,} items"
    ),
    "not-shown-corrected": (
        "The interval alone would show a difference between {candidate} and {reference} ({metric} "
        "{value:+.4f}, {low:+.4f} to {high:+.4f}), but its p-value, after the swap test and "
        "Holm's correction for several models, is {p:.2g} and not within {alpha:.1%}"
    ),
    "no-difference": (
        "{candidate} and {reference} are alike: {metric} is the same on every resample of the {items:,} items"
    ),
    "undefined": "{metric} has no value, so nothing is shown: {why}",
    "smallest": (
        "With {items:,} items, a true difference of {smallest:.4f} in {metric} or more would be shown in "
        "{power:.0%} of cases; a smaller one mostly not"
    ),
    "more-items": (
        "If the difference is really {value:+.4f}, about {more:,} more items would show it in "
        "{power:.0%} of cases"
    ),
    "more-seeds": (
        "More items alone cannot show this difference: the {seeds} seeds vary too much; "
        "train with more of them"
    ),
    "other-better": (
        "{reference}, untuned, is better than {candidate} by {value:.4f} in {metric}: tuning this base may "
        "be the wrong choice"
    ),
    "other-ahead": (
        "{reference}, untuned, scores {value:.4f} higher in {metric}, and {candidate} is not shown "
        "to be better"
    ),
    "other-beaten": "{candidate} is also better than {reference}, untuned, by {value:.4f} in {metric}",
    "other-not-beaten": (
        "{candidate} is {value:.4f} ahead of {reference}, untuned, in {metric}, which is not shown to "
        "be a difference"
    ),
    "other-undefined": "{reference} cannot be compared: {why}",
    "forgetting-fell": (
        "It has forgotten: on {source} it is worse than its base by {value:+.4f} ({low:+.4f} to {high:+.4f})"
    ),
    "forgetting-held": (
        "It has not forgotten: on {source} it lost no more than {margin:g} ({value:+.4f}, "
        "{low:+.4f} to {high:+.4f})"
    ),
    "forgetting-not-shown": (
        "Whether it has forgotten cannot be told from {items:,} items of {source}: {value:+.4f}, "
        "{low:+.4f} to {high:+.4f}"
    ),
    "leaks-unknown": "Nobody looked whether the held-out items stand in the training data",
    "leaks-left-out": "{count} of {items:,} held-out items stand in the training data and were left out",
    "leaks-left-out.one": "{count} of {items:,} held-out items stands in the training data and was left out",
    "texts-shared": "{count} of {texts:,} held-out texts stand in some training row",
    "texts-shared.one": "{count} of {texts:,} held-out texts stands in some training row",
    "few-items": "Only {items} items: below {least}, a verdict means little whatever it says",
    "one-seed": (
        "One seed: this is about {candidate} as it came out, and not about what another training would give"
    ),
    "few-seeds": "Only {seeds} seeds: their spread is hardly known, which widens the interval",
}

# Headings and words of the report.
ENGLISH_LABELS: Mapping[str, str] = {
    "title": "Proof of a fine-tune",
    "better": "Better",
    "worse": "Worse",
    "not shown": "Not shown",
    "fell": "Fell",
    "held": "Held",
    "choice": "Before you use it: {choice}, untuned, is not behind",
    "baselines": "Baselines",
    "baselines-note": (
        "What there is without any training: {metric} on the same {items:,} items, and the tuned model's "
        "difference from it."
    ),
    "best-other": "best other, untuned",
    "no-other": "No other untuned model was judged.",
    "differences": "Tuned minus untuned, on held-out data",
    "differences-note": (
        "Bars are {level:.0%} intervals from {resamples:,} paired resamples, seeds included. p is one-sided "
        "and corrected by Holm over the models of a metric. The verdict is about {primary} against the base."
    ),
    "scores": "Scores",
    "scores-note": (
        "Each interval is of the score alone. Overlapping intervals do not mean that there is no difference."
    ),
    "seeds": "Seeds",
    "seeds-note": "Mean {mean:.4f}, standard deviation {deviation}, over {count} trainings",
    "detectable": "What this data can show",
    "detectable-note": "{basis}: a difference of {smallest:.4f} in {metric} is shown in {power:.0%} of cases",
    "detectable-unknown": "{basis}: the two do not vary against each other, which says nothing of a third",
    "forgetting": "General set",
    "movement": "What moved",
    "movement-note": (
        "On average a text kept {kept:.0%} of its {neighbours} nearest texts, among {texts:,} compared. "
        "Vectors of the two models must not be mixed in one index."
    ),
    "improved": "Items that improved most",
    "worsened": "Items that got worse most",
    "data": "Data",
    "split": "Split",
    "leak": "Leak check",
    "leak-note": (
        "{left_out:,} of {items:,} items left out; {shared:,} of {texts:,} held-out texts stand in one of "
        "{rows:,} training rows ({how})"
    ),
    "leak-unknown": "Not done",
    "models": "Models",
    "conditions": "Conditions",
    "metric": "Metric",
    "against": "Against",
    "difference": "Difference",
    "interval": "Interval",
    "p": "p",
    "model": "Model",
    "role": "Role",
    "seed": "Seed",
    "identity": "Identity",
    "score": "Score",
    "text": "Text",
    "kept": "Kept",
    "nearest-before": "Nearest before",
    "nearest-after": "Nearest after",
    "before": "Before",
    "after": "After",
    "gold": "Gold",
    "items": "Items",
    "shape": "Shape",
    "base": "base",
    "tuned": "tuned",
    "other": "other, untuned",
    "none": "none",
    "undefined": "undefined",
}
