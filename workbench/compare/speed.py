"""Speed of opened contenders, taken in interleaved rounds: A B C, A B C, …"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from workbench.compare.interleaved import interleaved, synchronize
from workbench.compare.results import Progress, Speed
from workbench.contenders.contract import Contender, TokenCount
from workbench.errors import Cancelled

ROUNDS = 5
BUDGET_SECONDS = 30.0
# A first call pays for what later ones find ready: thread pools, memory, kernels of a shape.
_WARM_UP_TEXTS = 64


def measure_speed(
    contenders: Mapping[str, Contender],
    texts: Sequence[str],
    token_counts: Mapping[str, Sequence[TokenCount]],
    *,
    rounds: int = ROUNDS,
    budget_seconds: float = BUDGET_SECONDS,
    cancelled: Callable[[], bool] | None = None,
) -> Iterator[Progress | tuple[Speed, ...]]:
    """Time whole passes over the texts, one contender after the other within each round.

    Rounds are those of `interleaved`; the median drops single disturbances. Every contender has had a
    warm-up.

    Args:
        contenders: Column label → opened contender.
        texts: What is encoded in every call.
        token_counts: Column label → counts of these texts.
        rounds: At most so many.
        budget_seconds: Time for all rounds, warm-up excluded.
        cancelled: Asked between any two calls.

    Yields:
        Progress after each call, then one tuple of results in the order of ``contenders``.

    Raises:
        Cancelled: ``cancelled`` said so.
    """
    stop = cancelled or (lambda: False)
    for label, contender in contenders.items():
        _check(stop)
        contender.encode(texts[:_WARM_UP_TEXTS])
        yield Progress("speed", label, 0, rounds)
    seconds: dict[str, list[float]] = {label: [] for label in contenders}
    calls = {label: whole_pass(contender, texts) for label, contender in contenders.items()}
    for timed in interleaved(calls, rounds=rounds, budget_seconds=budget_seconds, stop=stop):
        seconds[timed.label].append(timed.seconds)
        yield Progress("speed", timed.label, timed.round, rounds)
    yield tuple(
        _speed(label, contender, seconds[label], len(texts), sum(count.kept for count in token_counts[label]))
        for label, contender in contenders.items()
    )


def whole_pass(contender: Contender, texts: Sequence[str]) -> Callable[[], object]:
    """A call that encodes all the texts and waits until that is done."""
    # A call before it may have left a GPU at work.
    synchronize(contender.settings.device)

    def run() -> None:
        contender.encode(texts)
        synchronize(contender.settings.device)

    return run


def _speed(label: str, contender: Contender, seconds: list[float], texts: int, tokens: int) -> Speed:
    median = float(np.median(seconds))
    return Speed(
        label=label,
        rounds=len(seconds),
        sentences_per_second=texts / median,
        tokens_per_second=tokens / median,
        p50_ms=median * 1000,
        p95_ms=float(np.percentile(seconds, 95)) * 1000,
        device=contender.settings.device,
        threads=contender.settings.threads,
    )


def _check(stop: Callable[[], bool]) -> None:
    if stop():
        raise Cancelled
