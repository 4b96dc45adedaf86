"""Which similarities an evaluator computes: those it was given, or the model's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from workbench.errors import InvalidTypeError, InvalidValueError
from workbench.models.protocols import Encoder
from workbench.util.similarity import SimilarityFunction
from workbench.util.tensor import EmbeddingLike


def similarity_names(names: Sequence[str | SimilarityFunction] | None) -> tuple[str, ...]:
    """Checked names of similarities, without repeats.

    Raises:
        InvalidTypeError: One string instead of a list of them.
        InvalidValueError: No such similarity; the message lists the known ones.
    """
    if isinstance(names, str):
        raise InvalidTypeError(
            "similarities-not-a-list",
            f"{names!r}",
            expected="a list of names",
            fix=f"Write similarity_fn_names=[{names!r}]",
        )
    return tuple(dict.fromkeys(SimilarityFunction(name).value for name in names or ()))


def main_and_names(
    main: str | SimilarityFunction | None, names: Sequence[str | SimilarityFunction] | None
) -> tuple[str | None, tuple[str, ...]]:
    """The similarity of the primary metric, and those to compute: the main one where none are named.

    Raises:
        InvalidTypeError, InvalidValueError: As `similarity_names`; a main one that is not computed.
    """
    if not main:
        return None, similarity_names(names)
    chosen, computed = SimilarityFunction(main).value, similarity_names(names or [main])
    if chosen not in computed:
        raise InvalidValueError(
            "main-similarity-not-computed",
            f"the main similarity is {chosen!r}",
            expected=f"one of similarity_fn_names: {', '.join(computed)}",
        )
    return chosen, computed


def model_similarity(model: Encoder) -> str:
    """Name of the similarity that the model was trained for; cosine where it names none."""
    return SimilarityFunction(model.similarity_fn_name or SimilarityFunction.COSINE).value


def pair_scores(name: str, left: EmbeddingLike, right: EmbeddingLike) -> NDArray[Any]:
    """Similarity of row ``i`` with row ``i``; higher is closer. Shape ``(pairs,)``."""
    scores: NDArray[Any] = (
        SimilarityFunction.to_similarity_pairwise_fn(name)(left, right).detach().cpu().numpy()
    )
    return scores
