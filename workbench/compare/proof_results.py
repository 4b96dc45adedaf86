"""What a proof holds: raw values, undefined ones with their reason, and the settings and conditions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workbench.compare.detectable import POWER, Detectable
from workbench.compare.forgetting import MARGIN, Forgetting
from workbench.compare.leaks import LeakFacts
from workbench.compare.movement import Movement
from workbench.compare.results import Conditions
from workbench.compare.seeds import SeedSpread
from workbench.compare.significance import LEVEL, RESAMPLES, Difference
from workbench.compare.verdict import ProofVerdict
from workbench.evaluation.metrics.score import Score, Undefined


@dataclass(frozen=True)
class ProofSettings:
    """How a proof is taken.

    Attributes:
        level: Of the intervals; half of what it leaves is the accepted chance of a false "better".
        power: Chance with which the smallest showable difference is shown.
        resamples: Of each bootstrap and swap test.
        seed: Of the resampling, not of a training.
        margin: Fall on the general set that counts as harmless.
    """

    level: float = LEVEL
    power: float = POWER
    resamples: int = RESAMPLES
    seed: int = 0
    margin: float = MARGIN


@dataclass(frozen=True)
class ModelFacts:
    """A model of the proof: its role is ``base``, ``tuned`` or ``other`` (untuned)."""

    name: str
    role: str
    seed: int | None
    identity: Mapping[str, str]


@dataclass(frozen=True)
class ModelScore:
    """One metric of one model, with the bootstrap interval of the score alone; None where it is undefined."""

    model: str
    role: str
    seed: int | None
    metric: str
    score: Score
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Proof:
    """All of it.

    Attributes:
        shape: Of the held-out data.
        primary: The metric of the verdict.
        items: Items judged by, leaked ones left out.
        models: The base first, then the tuned ones, then the others.
        scores: Model by model, metric by metric.
        differences: Tuned minus base and minus each other model, metric by metric, the primary first.
        seeds: For each metric the spread over seeds; empty where a tuned model has no score.
        before: What the data could show as far as it was known before training.
        after: What it could show by the variation that was observed.
        forgetting: One for each general set.
        movement: Between the base and the first tuned model; None where there is nothing to compare.
        leak: None where nobody looked.
        verdict: The verdict.
        settings: How it was taken.
        conditions: Versions and machine.
    """

    shape: str
    primary: str
    items: int
    models: tuple[ModelFacts, ...]
    scores: tuple[ModelScore, ...]
    differences: tuple[Difference, ...]
    seeds: tuple[SeedSpread, ...]
    before: Detectable | None
    after: Detectable
    forgetting: tuple[Forgetting, ...]
    movement: Movement | None
    leak: LeakFacts | None
    verdict: ProofVerdict
    settings: ProofSettings
    conditions: Conditions


def best_other(proof: Proof) -> ModelScore | None:
    """The primary score of the best untuned model beside the base; None where no other has a score."""
    scored = [
        (row.score, row)
        for row in proof.scores
        if row.role == "other" and row.metric == proof.primary and not isinstance(row.score, Undefined)
    ]
    return max(scored, key=lambda one: one[0])[1] if scored else None
