"""What a benchmark measures: contenders × precisions × batch sizes × corpora × devices, and how long."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, get_args

from workbench.compare.bench_corpora import CORPORA, OWN_TEXTS
from workbench.compare.conditions import cpu_cores
from workbench.contenders.contract import Precision
from workbench.contenders.registry import CONTENDERS
from workbench.errors import InvalidTypeError, InvalidValueError, UnknownNameError
from workbench.persistence.source import BUNDLED

# int8 is asked of every contender, and each says itself whether it can.
PRECISIONS: tuple[str, ...] = tuple(dict.fromkeys((*get_args(Precision), "int8")))
MOST_VARIANTS = 60
MOST_CALLS = 120
MOST_THREADS = 8
# Left out of the identity of a plan: they change how sure a figure is, not what is measured.
_NOT_IDENTITY = ("rounds", "budget_seconds", "memory", "tradeoff")


@dataclass(frozen=True, kw_only=True)
class BenchPlan:
    """A benchmark, stated in full.

    Attributes:
        model: Bundled name, folder or Hub name.
        contenders: Keys of the contender table.
        precisions: Types in which encoders compute; a contender that cannot is listed with its reason.
        batch_sizes: Texts a forward call.
        corpora: Names of ``bench_corpora.CORPORA``, or ``yours`` for ``own_texts``.
        devices: ``cpu``, ``cuda``, ``cuda:0``, …
        threads: On the CPU, for everyone; 0 is every core, eight at most.
        max_length: Longest input in tokens, for everyone; 0 is the model's own.
        words: About so many words of a bundled corpus are encoded in a call.
        baseline: The contender that ratios are against, in float32 and at its best batch size.
        rounds: Timed calls of each variant, at most.
        budget_seconds: Time for all timed rounds; rounds that do not fit are left out.
        memory: Whether peak memory and the start are measured, each in a process of its own.
        tradeoff: Whether quality is measured against speed over dimensions and stored forms.
        own_texts: Texts that were brought.
    """

    model: str = BUNDLED
    contenders: tuple[str, ...] = ("own", "upstream", "manual")
    precisions: tuple[str, ...] = ("float32",)
    batch_sizes: tuple[int, ...] = (32,)
    corpora: tuple[str, ...] = ("sentences", "paragraphs")
    devices: tuple[str, ...] = ("cpu",)
    threads: int = 0
    max_length: int = 0
    words: int = 1000
    baseline: str = "upstream"
    rounds: int = 7
    budget_seconds: float = 30.0
    memory: bool = True
    tradeoff: bool = True
    own_texts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Variant:
    """What is timed: one contender in one precision, batch size and device."""

    contender: str
    precision: str
    batch_size: int
    device: str

    @property
    def label(self) -> str:
        """Unique within a plan."""
        return f"{self.contender} · {self.precision} · {self.batch_size} · {self.device}"


def variants_of(plan: BenchPlan) -> list[Variant]:
    """Every variant of a plan, contenders innermost, so that neighbours in a round are comparable."""
    return [
        Variant(contender, precision, batch_size, device)
        for device in plan.devices
        for precision in plan.precisions
        for batch_size in plan.batch_sizes
        for contender in plan.contenders
    ]


def plan_hash(plan: BenchPlan) -> str:
    """Identity of what a plan measures: plans of one hash can be compared over time."""
    values = {name: value for name, value in asdict(plan).items() if name not in _NOT_IDENTITY}
    text = json.dumps(values, ensure_ascii=True, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def checked_plan(values: Mapping[str, Any]) -> BenchPlan:
    """A plan from plain values, each of them checked.

    Raises:
        UnknownNameError: ``unknown-setting``, ``unknown-contender``, ``unknown-precision``,
            ``unknown-corpus``.
        InvalidTypeError: ``setting-type``.
        InvalidValueError: ``setting-range``, ``unknown-device``, ``bench-empty``, ``bench-baseline``,
            ``bench-too-big``, ``bench-without-texts``.
    """
    known = {field.name: field for field in fields(BenchPlan)}
    if unknown := sorted(set(values) - set(known)):
        raise UnknownNameError(
            "unknown-setting", ", ".join(map(repr, unknown))[:200], expected=f"one of {', '.join(known)}"
        )
    defaults = BenchPlan()
    plan = BenchPlan(**{name: _typed(name, value, getattr(defaults, name)) for name, value in values.items()})
    for name, names in (
        ("contenders", tuple(CONTENDERS)),
        ("precisions", PRECISIONS),
        ("corpora", (*CORPORA, OWN_TEXTS)),
    ):
        _check_names(name, getattr(plan, name), names)
    _check_devices(plan.devices)
    for name, low, high in (
        ("threads", 0, max(cpu_cores(), 1)),
        ("max_length", 0, 1 << 17),
        ("words", 10, 200_000),
        ("rounds", 1, MOST_CALLS),
        ("budget_seconds", 1, 3600),
    ):
        _check_range(name, getattr(plan, name), low, high)
    if not plan.batch_sizes:
        raise InvalidValueError("bench-empty", "none", expected="at least one", where="batch_sizes")
    for size in plan.batch_sizes:
        _check_range("batch_sizes", size, 1, 4096)
    if plan.baseline not in plan.contenders:
        raise InvalidValueError(
            "bench-baseline",
            repr(plan.baseline)[:60],
            expected=f"one of the contenders: {', '.join(plan.contenders)}",
            fix="Measure the baseline too, or choose another one",
            where="baseline",
        )
    if len(variants_of(plan)) * len(plan.corpora) > MOST_VARIANTS:
        raise InvalidValueError(
            "bench-too-big",
            f"{len(variants_of(plan)) * len(plan.corpora)} measurements",
            expected=f"at most {MOST_VARIANTS}",
            fix="Leave out some contenders, precisions, batch sizes or corpora",
        )
    if OWN_TEXTS in plan.corpora and not plan.own_texts:
        raise InvalidValueError(
            "bench-without-texts", "no text of your own", fix="Paste some texts, one a line", where=OWN_TEXTS
        )
    return plan


def stated(plan: BenchPlan, model_max_length: int) -> BenchPlan:
    """The plan with its zeros replaced by what they stand for."""
    return replace(
        plan,
        threads=plan.threads or min(cpu_cores(), MOST_THREADS),
        max_length=plan.max_length or model_max_length,
    )


def _typed(name: str, value: Any, default: Any) -> Any:
    if isinstance(default, tuple):
        number = name == "batch_sizes"
        if not isinstance(value, list | tuple) or not all(
            isinstance(one, int if number else str) and not isinstance(one, bool) for one in value
        ):
            raise _wrong_type(name, value, f"a list of {'whole numbers' if number else 'texts'}")
        return tuple(dict.fromkeys(value)) if name != "own_texts" else tuple(value)
    kinds: tuple[type, ...] = (int, float) if isinstance(default, float) else (type(default),)
    if not isinstance(value, kinds) or (isinstance(value, bool) and not isinstance(default, bool)):
        raise _wrong_type(name, value, kinds[0].__name__)
    return float(value) if isinstance(value, int) and isinstance(default, float) else value


def _wrong_type(name: str, value: object, expected: str) -> InvalidTypeError:
    return InvalidTypeError(
        "setting-type", f"{type(value).__name__} {value!r}"[:120], expected=expected, where=name
    )


def _check_names(name: str, given: tuple[str, ...], known: tuple[str, ...]) -> None:
    if not given:
        raise InvalidValueError("bench-empty", "none", expected=f"one of {', '.join(known)}", where=name)
    singular = {"contenders": "contender", "precisions": "precision", "corpora": "corpus"}[name]
    if unknown := [one for one in given if one not in known]:
        raise UnknownNameError(
            f"unknown-{singular}",
            ", ".join(map(repr, unknown))[:200],
            expected=f"one of {', '.join(known)}",
            where=name,
        )


def _check_devices(given: tuple[str, ...]) -> None:
    if not given:
        raise InvalidValueError("bench-empty", "none", expected="cpu or cuda", where="devices")
    for device in given:
        if not re.fullmatch(r"cpu|cuda(:[0-9]{1,2})?", device, re.ASCII):
            raise InvalidValueError(
                "unknown-device",
                f"{device!r}"[:60],
                expected="cpu, cuda, or cuda:0 and so on",
                where="devices",
            )


def _check_range(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise InvalidValueError("setting-range", f"{value}", expected=f"{low} to {high}", where=name)
