"""The results of a benchmark: raw seconds, the conditions, and what could not be measured with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from workbench.compare.bench_plan import BenchPlan, Variant
from workbench.compare.bench_statistics import Ratio, percentile_ms
from workbench.compare.bench_tradeoff import Tradeoff
from workbench.compare.busy import Busy
from workbench.compare.gemm_peak import GemmPeak
from workbench.compare.memory import FreshProcess
from workbench.compare.results import Conditions
from workbench.errors import DataFileError

FORMAT = 1


@dataclass(frozen=True)
class Quality:
    """What a variant's embeddings are worth beside the reference, which is exact float32.

    Attributes:
        mean_cosine, min_cosine: Text by text to the reference's rows; None where the dimensions differ.
        spearman: Rank correlation of all pairs' similarities with the reference's; None where undefined.
        gold_spearman: Rank correlation with the gold scores of the bundled scored pairs.
    """

    mean_cosine: float | None
    min_cosine: float | None
    spearman: float | None
    gold_spearman: float | None


@dataclass(frozen=True)
class Measured:
    """One variant on one corpus.

    Attributes:
        variant: What was timed.
        corpus: Name of the corpus.
        texts, tokens: In a call; tokens are those kept, special tokens included.
        first_call_seconds: The first call after loading, which pays for what later ones find ready.
        seconds: Of every timed call, in the order of the rounds.
        ratio: To the baseline; None where there is none.
        peak_share: Operations a second without padding over the machine's GEMM peak; None where unknown.
        shares: Part of a call → its share of the time; None where the contender cannot be looked into.
        quality: Beside the float32 reference.
        fresh: In a process of its own; None where it was not measured, as on all corpora but the longest.
    """

    variant: Variant
    corpus: str
    texts: int
    tokens: int
    first_call_seconds: float
    seconds: tuple[float, ...]
    ratio: Ratio | None = None
    peak_share: float | None = None
    shares: Mapping[str, float] | None = None
    quality: Quality | None = None
    fresh: FreshProcess | None = None

    @property
    def p50_ms(self) -> float:
        """Median of the calls."""
        return percentile_ms(self.seconds, 50)

    @property
    def p95_ms(self) -> float:
        """95th percentile of the calls."""
        return percentile_ms(self.seconds, 95)

    @property
    def p99_ms(self) -> float:
        """99th percentile of the calls."""
        return percentile_ms(self.seconds, 99)

    @property
    def sentences_per_second(self) -> float:
        """Texts of a call over its median time."""
        return self.texts / self.p50_ms * 1000

    @property
    def tokens_per_second(self) -> float:
        """Tokens of a call over its median time."""
        return self.tokens / self.p50_ms * 1000


@dataclass(frozen=True)
class NotRun:
    """A variant that was asked for and could not be measured.

    Attributes:
        variant: Which.
        code, reason: Why, as its error said.
    """

    variant: Variant
    code: str
    reason: str


@dataclass(frozen=True)
class BenchVerdict:
    """Who is fastest on one corpus, device and precision, or why nobody is called so.

    Attributes:
        corpus, device, precision: Of whom.
        winner: Label of the fastest variant; empty where none is called.
        fastest: Label of the one with the shortest median, called a winner or not.
        over: Label of the next contender's best variant; empty where there is none.
        ratio: Of the two; None without a second one.
        reason_key: ``winner``, ``busy``, ``interval``, ``few-rounds`` or ``alone``.
        reason_values: What a sentence of that key needs.
    """

    corpus: str
    device: str
    precision: str
    winner: str
    fastest: str
    over: str
    ratio: Ratio | None
    reason_key: str
    reason_values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class BenchResult:
    """All of it.

    Attributes:
        plan: What was measured, its zeros replaced.
        plan_hash: Results of one hash can be compared over time.
        model_sha256: Hash over the model's admitted files.
        measured: One a variant and corpus.
        not_run: What could not be measured.
        verdicts: One a corpus, device and precision.
        busy: Corpus and device, as ``"sentences · cpu"`` → what others used meanwhile.
        peaks: The measured ceilings.
        tradeoff: Quality against speed; None where it was not measured.
        notices: What the reader should know, in English.
        conditions: Under which the figures hold.
        seconds: The whole took.
    """

    plan: BenchPlan
    plan_hash: str
    model_sha256: str
    measured: tuple[Measured, ...]
    not_run: tuple[NotRun, ...]
    verdicts: tuple[BenchVerdict, ...]
    busy: Mapping[str, Busy]
    peaks: tuple[GemmPeak, ...]
    tradeoff: Tradeoff | None
    notices: tuple[str, ...]
    conditions: Conditions
    seconds: float


@dataclass(frozen=True)
class BenchProgress:
    """An event: what is being done, how much of the whole is over, how long it will still take.

    Attributes:
        stage: ``open``, ``first``, ``rounds``, ``shares``, ``quality``, ``peak``, ``tradeoff`` or ``memory``.
        label: Of whom.
        done: 0 to 1 of the whole.
        seconds_left: An estimate.
    """

    stage: str
    label: str
    done: float
    seconds_left: float


def case_name(corpus: str, device: str) -> str:
    """What is measured in the same rounds."""
    return f"{corpus} · {device}"


def bench_dict(result: BenchResult) -> dict[str, Any]:
    """Plain values for JSON, the derived figures beside the raw ones."""
    values = {"format": FORMAT, **asdict(result)}
    for plain, one in zip(values["measured"], result.measured, strict=True):
        plain["derived"] = {
            name: getattr(one, name)
            for name in ("p50_ms", "p95_ms", "p99_ms", "sentences_per_second", "tokens_per_second")
        }
    return values


def bench_from_dict(values: object) -> BenchResult:
    """The inverse of `bench_dict`; every value is checked for its type.

    Raises:
        DataFileError: ``bench-result-broken``, ``bench-result-format``.
    """
    if not isinstance(values, Mapping) or values.get("format") != FORMAT:
        raise DataFileError(
            "bench-result-format", "something else", expected=f"a benchmark's result of format {FORMAT}"
        )
    try:
        return _adapter().validate_python(
            {
                **{name: value for name, value in values.items() if name != "format"},
                "measured": [
                    {name: value for name, value in one.items() if name != "derived"}
                    for one in values.get("measured", ())
                ],
            }
        )
    except (ValidationError, AttributeError, TypeError) as error:
        raise DataFileError(
            "bench-result-broken", str(error)[:300], expected="a result as it was stored"
        ) from error


@cache
def _adapter() -> TypeAdapter[BenchResult]:
    return TypeAdapter(BenchResult)
