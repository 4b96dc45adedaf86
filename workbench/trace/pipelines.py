"""Pipelines that can be recorded: contenders, and any tokenizer and model with a user's pooling."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from workbench.compare.noise_floor import sample
from workbench.contenders.contract import Contender, ModelPaths
from workbench.contenders.manual.pipeline import ManualPipeline, to_unit_length
from workbench.contenders.manual.record import record_pipeline
from workbench.contenders.trace_contract import Trace
from workbench.errors import InvalidValueError
from workbench.trace.floors import measure_floors

if TYPE_CHECKING:
    from workbench.models.folder import CheckedModel


class Record(Protocol):
    """Records some texts; with ``left`` and ``stages``, its values are put in at those stages."""

    def __call__(
        self, texts: Sequence[str], left: Trace | None = None, stages: frozenset[str] = frozenset()
    ) -> Trace: ...


@dataclass(frozen=True)
class Pipeline:
    """A live pipeline.

    Attributes:
        name: For sentences.
        record: Runs it under a watcher.
        encoder: Its encoder, whose attention kernel is exchanged when the noise floor is measured.
    """

    name: str
    record: Record
    encoder: Any


def contender_pipeline(contender: str, model: str, *, name: str = "", **overrides: Any) -> Pipeline:
    """Open a contender around an admitted model.

    Args:
        contender: One that can be recorded: ``own``, ``upstream`` or ``manual``.
        model: Bundled name, folder, or Hub name.
        name: Of the pipeline; by default the contender's.
        overrides: Fields of ``Settings``.

    Raises:
        UnknownNameError, InvalidValueError, ModelFolderError, ModelSourceError: As the rooms below.
    """
    from workbench.compare.settings import settings_for
    from workbench.contenders.registry import contender_kind
    from workbench.models.folder import open_model

    recorder_of(contender)
    checked = open_model(model)
    settings = settings_for(checked, **overrides)
    opened = contender_kind(contender).open(ModelPaths(checked.root, checked.encoder), settings)
    return opened_pipeline(opened, checked, name=name)


def recorder_of(contender: str) -> Callable[..., Trace]:
    """What records a contender.

    Raises:
        InvalidValueError: ``contender-not-traced``: an engine's graph shows no stages in between.
        UnknownNameError: No such contender.
    """
    from workbench.contenders.registry import contender_kind, traced_contenders

    recorder = contender_kind(contender).record
    if recorder is None:
        raise InvalidValueError(
            "contender-not-traced",
            f"Contender {contender!r} cannot be traced stage by stage: its engine gives hidden states only",
            expected=f"one of {', '.join(traced_contenders())}",
            fix="Compare its final vectors instead",
        )
    return recorder


def opened_pipeline(opened: Contender, checked: CheckedModel, *, name: str = "") -> Pipeline:
    """Make a contender that is open already recordable.

    Args:
        opened: The contender.
        checked: The model that it was opened on.
        name: Of the pipeline; by default the contender's.

    Raises:
        InvalidValueError: ``contender-not-traced``.
        UnknownNameError: No such contender.
    """
    recorder = recorder_of(opened.name)
    paths = ModelPaths(checked.root, checked.encoder)
    label = name or opened.name
    facts = {
        "model": checked.admitted.name,
        "model_sha256": checked.admitted.sha256,
        "files": {name: file.sha256 for name, file in sorted(checked.admitted.files.items())},
        "device": opened.settings.device,
    }

    def record(
        texts: Sequence[str], left: Trace | None = None, stages: frozenset[str] = frozenset()
    ) -> Trace:
        trace = recorder(opened, paths, texts, left, stages)
        return _named(trace, label, facts)

    inner: Any = opened.model  # type: ignore[attr-defined]
    encoder = inner if opened.name == "manual" else getattr(inner[0], "auto_model", None)
    return Pipeline(label, record, encoder)


def pair_pipeline(
    tokenizer: Any,
    model: Any,
    pool: Callable[[Any, Any], Any],
    *,
    normalize: bool = True,
    max_length: int | None = None,
    prompt: str = "",
    batch_size: int = 32,
) -> ManualPipeline:
    """Steps around a Hugging Face tokenizer and model.

    Args:
        tokenizer: A fast tokenizer.
        model: An encoder; it is used as it is, training mode included.
        pool: Hidden states, shape ``(batch, tokens, dim)``, and attention mask, shape ``(batch, tokens)``,
            to one vector a text.
        normalize: Scale each vector to unit length.
        max_length: Longest input in tokens; None takes the tokenizer's own.
        prompt: Put before every text.

    Raises:
        InvalidValueError: The tokenizer is not a fast one.
    """
    if not hasattr(tokenizer, "backend_tokenizer"):
        raise InvalidValueError(
            "tokenizer-not-fast",
            f"{type(tokenizer).__name__} shows no steps",
            expected="a fast tokenizer of transformers",
            fix="Load it with AutoTokenizer.from_pretrained",
        )

    def tokenize(tokenizer: Any, texts: list[str]) -> Any:
        return tokenizer(texts, padding=True, truncation=True, max_length=max_length, return_tensors="pt")

    def pooled(outputs: Any, hidden: Any, batch: Any) -> Any:
        return pool(hidden, batch["attention_mask"])

    def prepare(texts: list[str]) -> list[str]:
        return [prompt + text for text in texts]

    return ManualPipeline(
        tokenizer=tokenizer,
        encoder=model,
        tokenize=tokenize,
        pool=pooled,
        prepare=prepare,
        modules=(("Normalize", to_unit_length),) if normalize else (),
        batch_size=batch_size,
        device=str(getattr(model, "device", "cpu")),
    )


def manual_pipeline(steps: ManualPipeline, name: str = "pair", **known: Any) -> Pipeline:
    """Make steps recordable.

    Args:
        known: ``settings``, ``provenance``, ``scores`` and ``similarity`` of ``record_pipeline``.
    """

    def record(
        texts: Sequence[str], left: Trace | None = None, stages: frozenset[str] = frozenset()
    ) -> Trace:
        return record_pipeline(steps, texts, name=name, left=left, stages=stages, **known)

    return Pipeline(name, record, steps.encoder)


def record(pipeline: Pipeline, texts: Sequence[str], *, floors: bool = True) -> Trace:
    """Record a pipeline and, unless told otherwise, the noise floor of the case.

    Raises:
        InvalidValueError: No texts.
    """
    if not texts:
        raise InvalidValueError("texts-missing", "No texts", expected="at least one text to record")
    trace = pipeline.record(texts)
    if not floors:
        return trace
    few = [texts[index] for index in sample(texts, 6)]
    together = trace if few == list(texts) else None
    floors_found = measure_floors(pipeline.record, few, lambda: kernel(pipeline.encoder, "eager"), together)
    return replace(trace, floors=floors_found)


def record_pair(
    tokenizer: Any,
    model: Any,
    pool: Callable[[Any, Any], Any],
    texts: Sequence[str],
    *,
    name: str = "pair",
    floors: bool = True,
    **options: Any,
) -> Trace:
    """Record a Hugging Face tokenizer and model with a pooling function; options as ``pair_pipeline``."""
    return record(
        manual_pipeline(pair_pipeline(tokenizer, model, pool, **options), name), texts, floors=floors
    )


_KERNEL = threading.Lock()


@contextmanager
def kernel(encoder: Any, name: str) -> Iterator[bool]:
    """Run an encoder with another attention kernel; gives False where it has only one."""
    config = getattr(encoder, "config", None)
    before = getattr(config, "_attn_implementation", None)
    change = getattr(encoder, "set_attn_implementation", None)
    # Families that write their attention themselves have one kernel.
    can = getattr(encoder, "_can_set_attn_implementation", lambda: True)
    if before is None or change is None or before == name or not can():
        yield False
        return
    with _KERNEL:
        try:
            change(name)
            changed = True
        except (ValueError, ImportError, TypeError):
            changed = False
        try:
            yield changed
        finally:
            if changed:
                change(before)


def _named(trace: Trace, name: str, facts: Mapping[str, Any]) -> Trace:
    provenance = trace.stages["provenance"]
    merged = replace(provenance, facts={**provenance.facts, **facts})
    return replace(trace, name=name, stages={**trace.stages, "provenance": merged})
