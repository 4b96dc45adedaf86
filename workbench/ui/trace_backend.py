"""The doors to the room of tracing, which needs torch: each opens on its first use."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.contenders.trace_contract import Trace
from workbench.errors import Cancelled, InvalidValueError
from workbench.persistence.source import BUNDLED, resolve
from workbench.ui.columns import ColumnForm, overrides_of

if TYPE_CHECKING:
    from workbench.contenders.manual.encode import ManualContender
    from workbench.trace.black_box import BlackBox
    from workbench.trace.lint import Finding
    from workbench.trace.pipelines import Pipeline
    from workbench.trace.results import Difference, Proof

Cancel = Callable[[], bool]


@dataclass(frozen=True)
class Live:
    """A pipeline that can run, and the tokenizer that names its ids."""

    pipeline: Pipeline
    tokenizer: Any


def open_side(form: ColumnForm, name: str, faults: Sequence[str] = ()) -> Live:
    """Open one side of a comparison; Compare's pool of open pipelines is shared.

    Args:
        form: Pipeline and settings.
        name: For the sentences.
        faults: Keys of the table of faults, put into a manual pipeline.

    Raises:
        WorkbenchError: The model is not admitted, or a setting or a fault does not fit it.
    """
    from workbench.compare.pool import SHARED
    from workbench.compare.settings import settings_for
    from workbench.models.folder import open_model
    from workbench.trace.pipelines import opened_pipeline, recorder_of

    # Before a model is loaded for it.
    recorder_of(form.contender)
    if faults and form.contender != "manual":
        raise InvalidValueError(
            "fault-needs-manual",
            f"Faults for the pipeline {form.contender}",
            expected="the manual pipeline, whose steps can be replaced",
            fix="Choose manual as the second pipeline, or take the faults out",
        )
    checked = open_model(form.model or BUNDLED)
    opened: Any = SHARED.open(form.contender, checked, settings_for(checked, **overrides_of(form)))
    if faults:
        return _faulty(opened, name, faults)
    tokenizer = (
        opened.tokenizer if form.contender == "manual" else getattr(opened.model[0], "tokenizer", None)
    )
    return Live(opened_pipeline(opened, checked, name=name), tokenizer)


def _faulty(opened: ManualContender, name: str, faults: Sequence[str]) -> Live:
    from workbench.trace.faults import inject
    from workbench.trace.pipelines import manual_pipeline

    steps = inject(opened.pipeline(), faults)
    pipeline = manual_pipeline(steps, name, settings={**asdict(opened.settings), "faults": list(faults)})
    return Live(pipeline, steps.tokenizer)


def open_card(key: str) -> tuple[Live, Live]:
    """The sound and the broken pipeline of a card of the gallery, on the bundled model."""
    from workbench.compare.pool import SHARED
    from workbench.compare.settings import settings_for
    from workbench.models.folder import open_model
    from workbench.trace.gallery import pipelines
    from workbench.trace.gallery_cards import card

    checked = open_model(BUNDLED)
    opened: Any = SHARED.open("manual", checked, settings_for(checked, prompt=card(key).prompt))
    # Few texts shall make more than one batch.
    steps = replace(opened.pipeline(), batch_size=4)
    sound, broken = pipelines(key, steps=steps)
    return Live(sound, opened.tokenizer), Live(broken, opened.tokenizer)


def stoppable(live: Live, cancelled: Cancel) -> Live:
    """The same pipeline, which asks before each run whether it shall still run."""
    run = live.pipeline.record

    def record(
        texts: Sequence[str], left: Trace | None = None, stages: frozenset[str] = frozenset()
    ) -> Trace:
        if cancelled():
            raise Cancelled
        return run(texts, left, stages)

    return replace(live, pipeline=replace(live.pipeline, record=record))


def record(live: Live, texts: Sequence[str], *, floors: bool) -> Trace:
    """Record a pipeline; see ``workbench.trace.pipelines.record``."""
    from workbench.trace.pipelines import record as record_pipeline

    return record_pipeline(live.pipeline, texts, floors=floors)


def compare_traces(left: Trace, right: Trace) -> Difference:
    """See ``workbench.trace.diff.diff``."""
    from workbench.trace.diff import diff

    return diff(left, right)


def prove(left: Trace, live: Live, right: Trace) -> Proof:
    """See ``workbench.trace.prove.prove``."""
    from workbench.trace.prove import prove as prove_pipeline

    return prove_pipeline(left, live.pipeline, right)


def token_names(live: Live, trace: Trace) -> Mapping[int, str]:
    """The token of each id in a trace."""
    plain = {**trace.stage("tokens").plain, **trace.stage("specials").plain}
    ids = sorted({int(index) for rows in plain.values() for row in rows for index in row})
    convert = getattr(live.tokenizer, "convert_ids_to_tokens", None)
    if convert is not None:
        return dict(zip(ids, map(str, convert(ids)), strict=True))
    one = getattr(live.tokenizer, "id_to_token", None)
    return {index: str(one(index)) for index in ids} if one is not None else {}


def load_trace(path: Path, arrays: Path) -> Trace:
    """Read a recorded trace; see ``workbench.trace.portable.load_trace``."""
    from workbench.trace.portable import load_trace as load

    return load(path, arrays)


def save_trace(trace: Trace, path: Path) -> tuple[Path, Path]:
    """Write a trace; see ``workbench.trace.portable.save_trace``."""
    from workbench.trace.portable import save_trace as save

    return save(trace, path)


def model_folder(model: str) -> Path:
    """The folder of a model: the bundled one or one below the app's root as it lies there, else the copy
    that was admitted from the Hub.

    Raises:
        WorkbenchError: As ``open_model``; a local folder is not asked to be admissible.
    """
    source = resolve(model or BUNDLED)
    if source.folder is not None:
        return source.folder
    from workbench.persistence.checked_folder import admit

    return admit(model).path


def lint(model: str) -> tuple[tuple[Finding, ...], dict[str, Any]]:
    """Findings and contract of a model's folder."""
    from workbench.trace.lint import lint_folder
    from workbench.trace.model_contract import model_contract

    folder = model_folder(model)
    return lint_folder(folder), model_contract(folder)


def search(
    texts: Sequence[str], vectors: Any, model: str, prompts: Sequence[str], cancelled: Cancel
) -> BlackBox:
    """See ``workbench.trace.black_box.search_black_box``."""
    from workbench.trace.black_box import search_black_box

    return search_black_box(texts, vectors, model or BUNDLED, prompts=prompts, cancelled=cancelled)


def read_vectors(path: Path) -> Any:
    """See ``workbench.trace.vector_files.read_vectors``."""
    from workbench.trace.vector_files import read_vectors as read

    return read(path)


def example_vectors(texts: Sequence[str]) -> Any:
    """What somebody's pipeline gave for some texts: the first token's vector, not normalised."""
    from workbench.compare.pool import SHARED
    from workbench.compare.settings import settings_for
    from workbench.models.folder import open_model

    checked = open_model(BUNDLED)
    settings = settings_for(checked, pooling="cls", normalize=False)
    return SHARED.open("manual", checked, settings).encode(texts)
