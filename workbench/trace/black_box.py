"""Black box: which few changes to a model's own recipe reproduce vectors that someone else made."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.compare.agreement import ROUNDING
from workbench.compare.noise_floor import MARGIN
from workbench.compare.results import Verdict
from workbench.compare.similarity_matrix import row_cosines
from workbench.errors import Cancelled, InvalidValueError, ShapeMismatchError
from workbench.trace.recipe import CHEAP, COSTLY, Recipe, RecipeRunner, open_runner

_MOST_TEXTS = 24
_MOST_CHANGES = 3
_SHOWN = 5
_PROMPTS = ("query: ", "passage: ", "search_query: ", "search_document: ")


@dataclass(frozen=True)
class Candidate:
    """One recipe and how near it comes.

    Attributes:
        changes: Toggle → value, those alone that are not the model's own.
        max_abs: Largest absolute difference to the vectors.
        cosine_mean, cosine_min: Over the texts.
        verdict: ``identical`` or ``float noise`` reproduces the vectors; ``precision`` does so to the
            rounding of a half precision; ``different`` does not.
    """

    changes: Mapping[str, Any]
    max_abs: float
    cosine_mean: float
    cosine_min: float
    verdict: Verdict


@dataclass(frozen=True)
class BlackBox:
    """What the search found.

    Attributes:
        best: The smallest set of changes that reproduces the vectors; else the nearest.
        others: The next nearest of other recipes.
        reproduced: Whether ``best`` does.
        tried: Recipes compared.
        texts: Indices of the texts that were compared.
    """

    best: Candidate
    others: tuple[Candidate, ...]
    reproduced: bool
    tried: int
    texts: tuple[int, ...]

    @property
    def sentence(self) -> str:
        """In English, without a full stop."""
        if not self.best.changes and self.reproduced:
            return "The model's own recipe reproduces the vectors"
        changes = ", ".join(f"{name} = {value!r}" for name, value in self.best.changes.items())
        if self.reproduced:
            return f"The vectors are the model's with {changes}"
        return (
            f"No recipe of {self.tried} reproduces the vectors; the nearest ({changes or 'no change'}) has a "
            f"mean cosine of {self.best.cosine_mean:.4f}"
        )


def search_black_box(
    texts: Sequence[str],
    vectors: NDArray[Any],
    model: str,
    *,
    prompts: Sequence[str] = (),
    max_lengths: Sequence[int] = (128, 256, 512),
    cancelled: Callable[[], bool] = lambda: False,
) -> BlackBox:
    """Search the grid of toggles: pooling, normalise, length, prompt, special tokens, case, type ids, layer.

    Args:
        texts: What was embedded.
        vectors: What came out. Shape ``(texts, dim)``.
        model: Bundled name, folder, or Hub name.
        prompts: To try beside those of the folder and the usual ones.
        max_lengths: To try beside the folder's.
        cancelled: Asked before each recipe.

    Raises:
        Cancelled: ``cancelled`` said so.
        ShapeMismatchError: Another number of vectors than texts.
        InvalidValueError: No texts, or vectors that are not finite.
        ModelFolderError, ModelSourceError: As ``open_model``.
    """
    target = _checked(texts, vectors)
    rows = _chosen(texts)
    runner = open_runner(
        model, [texts[row] for row in rows], prompts=(*prompts, *_PROMPTS), lengths=max_lengths
    )
    wanted = target[list(rows)]
    found: list[Candidate] = []
    tried = 0
    for changes in range(_MOST_CHANGES + 1):
        for recipe in _recipes(runner, changes):
            if cancelled():
                raise Cancelled
            given = runner.vectors(recipe)
            if given is None:
                continue
            tried += 1
            found.append(_compared(recipe, given, wanted, runner.own))
        matches = [candidate for candidate in found if candidate.verdict != "different"]
        if matches:
            break
    exact = [c for c in found if c.verdict in ("identical", "float noise")]
    pool = exact or [c for c in found if c.verdict == "precision"] or found
    fewest = min(len(c.changes) for c in pool) if exact else 0
    best = min(pool, key=lambda c: (len(c.changes) if fewest else 0, c.max_abs))
    rest = sorted((c for c in found if c is not best), key=lambda c: (-c.cosine_mean, c.max_abs))
    return BlackBox(best, tuple(rest[:_SHOWN]), best.verdict != "different", tried, rows)


def _recipes(runner: RecipeRunner, changes: int) -> Iterator[Recipe]:
    """All recipes with exactly so many changes; those that share a forward pass come together."""
    for costly in range(min(changes, len(COSTLY)) + 1):
        for names in itertools.combinations(COSTLY, costly):
            for values in itertools.product(*(runner.options[name] for name in names)):
                changed = dict(zip(names, values, strict=True))
                for cheap in itertools.combinations(CHEAP, changes - costly):
                    for others in itertools.product(*(runner.options[name] for name in cheap)):
                        yield runner.own | changed | dict(zip(cheap, others, strict=True))


def _compared(recipe: Recipe, given: NDArray[Any], wanted: NDArray[Any], own: Recipe) -> Candidate:
    changes = {name: value for name, value in recipe.items() if own[name] != value}
    if given.shape != wanted.shape:
        return Candidate(changes, float("inf"), float("nan"), float("nan"), "different")
    cosines = row_cosines(given, wanted)
    largest = float(np.abs(given - wanted).max(initial=0.0))
    limit = MARGIN * 2.0**-18 * max(float(np.abs(wanted).max(initial=0.0)), 1e-12)
    verdict: Verdict = "different"
    if np.array_equal(given, wanted):
        verdict = "identical"
    elif largest <= limit:
        verdict = "float noise"
    else:
        lengths = np.maximum(np.linalg.norm(given, axis=1), np.linalg.norm(wanted, axis=1))
        if np.all(np.linalg.norm(given - wanted, axis=1) <= ROUNDING["bfloat16"] / 2 * lengths):
            verdict = "precision"
    return Candidate(changes, largest, float(cosines.mean()), float(cosines.min()), verdict)


def _checked(texts: Sequence[str], vectors: NDArray[Any]) -> NDArray[np.float64]:
    target = np.asarray(vectors, dtype=np.float64)
    if not len(texts):
        raise InvalidValueError("texts-missing", "No texts", expected="the texts that were embedded")
    if target.ndim != 2 or len(target) != len(texts):
        raise ShapeMismatchError(
            "vectors-mismatch",
            f"{len(texts)} texts and vectors of shape {target.shape}",
            expected="one vector a text, in the same order",
        )
    if not np.isfinite(target).all():
        raise InvalidValueError(
            "vectors-not-finite",
            f"{int((~np.isfinite(target)).any(axis=1).sum())} vectors hold NaN or infinity",
            expected="finite numbers",
        )
    return target


def _chosen(texts: Sequence[str]) -> tuple[int, ...]:
    """A few texts that tell recipes apart: spread over the lengths, both ends included."""
    by_length = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    places = np.unique(np.linspace(0, len(texts) - 1, min(len(texts), _MOST_TEXTS)).astype(int))
    return tuple(sorted(by_length[place] for place in places))
