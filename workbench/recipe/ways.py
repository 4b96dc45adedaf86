"""Training one config in three ways: own ``fit``, upstream's Trainer, a plain Hugging Face Trainer."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.compare.training_parity import Recorded
from workbench.contenders.contract import ModelPaths, Settings
from workbench.contenders.own.train import FitRecorder
from workbench.contenders.train_contract import (
    Encodes,
    Status,
    StepRecord,
    TrainPlan,
    Trains,
)
from workbench.contenders.train_script import BATCHES_FILE, write_batches
from workbench.errors import InvalidValueError
from workbench.persistence.atomic import writing
from workbench.recipe.as_encoder import AsEncoder
from workbench.recipe.config import TrainingConfig, config_to_yaml
from workbench.recipe.prepare import Prepared, prepare
from workbench.recipe.step_file import StepFile
from workbench.recipe.train import CONFIG_FILE, MODEL_FOLDER, check_folder, fit_prepared
from workbench.recipe.way_plan import batches_of, plan_of, start_model
from workbench.recipe.way_table import WAYS, Way, check_offered, find_way, offered_losses
from workbench.training.evaluating import judge
from workbench.training.events import Evaluated, Event, Started, Stepped
from workbench.training.result import conditions

__all__ = [
    "WAYS",
    "Way",
    "WayEvent",
    "WayOutcome",
    "WayStarted",
    "batches_of",
    "find_way",
    "offered_losses",
    "plan_of",
    "train_way",
]

STEPS_FILE = "steps.jsonl"
# Run it inside the run's folder.
SCRIPT_FILE = "script.py"
# The model before its first step.
START_FOLDER = "start"


@dataclass(frozen=True)
class WayStarted:
    """A training begins, or goes on after ``first_step`` steps."""

    way: str
    total_steps: int
    first_step: int


# ``fit`` tells its own event of a step too: it knows the tokens a second.
WayEvent = WayStarted | StepRecord | Stepped | Evaluated
WayProgress = Callable[[WayEvent], None]


@dataclass(frozen=True)
class WayOutcome:
    """One training of a config, whichever way.

    Attributes:
        way: A key of ``WAYS``.
        folder: Of the run.
        model_folder: The best model by the evaluator, the last one without; None where it was cancelled
            before there was one.
        status: ``"complete"``, ``"stopped early"`` or ``"cancelled"``.
        plan: What was trained.
        steps: Every step, those before a resume too.
        evaluations: Of this call.
        best_score: None where nothing was scored.
        start: Digests of the first weights.
        seconds: Of this call.
        conditions: Versions, device, precision, threads, seed.
    """

    way: str
    folder: Path
    model_folder: Path | None
    status: Status
    plan: TrainPlan
    steps: tuple[StepRecord, ...]
    evaluations: tuple[Evaluated, ...]
    best_score: float | None
    start: tuple[str, ...]
    seconds: float
    conditions: dict[str, Any]

    @property
    def recorded(self) -> Recorded:
        """For ``training_parity``."""
        return Recorded(self.way, self.plan, self.steps, self.start)


def train_way(
    name: str,
    config: TrainingConfig,
    folder: Path,
    *,
    progress: WayProgress | None = None,
    stop: Callable[[], bool] | None = None,
    resume: bool = False,
    packed: bool = False,
) -> WayOutcome:
    """Train a config one way, into ``folder/model`` with a line a step in ``folder/steps.jsonl``.

    The config's own ``trainer`` is not looked at: all ways take the same batches from it.

    Args:
        name: A key of ``WAYS``.
        config: What to train.
        folder: New or empty; where ``resume``, one that this way left behind. A script that trains the
            same again lies in it afterwards.
        progress: Told of the start, every step and every evaluation.
        stop: Asked after each step.
        resume: Go on from the newest whole checkpoint.
        packed: Own alone: without padding, which is faster and draws other dropout than the other ways.

    Raises:
        UnknownNameError: ``way-unknown``, ``loss-not-offered``.
        InvalidValueError: ``way-cannot-resume``.
        WorkbenchError: Whatever is wrong with config, data, model or folder.
    """
    way = find_way(name)
    if resume and not way.resumes:
        raise InvalidValueError(
            "way-cannot-resume", name, expected="own", fix="Train it anew into another folder", where="resume"
        )
    check_offered(name, config.loss)
    check_folder(folder, resume)
    prepared = prepare(config)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / CONFIG_FILE).write_text(config_to_yaml(config), encoding="utf-8")
    tell = _Teller(folder / STEPS_FILE, progress)
    with tell.file:
        # The same folder for every way: the script of a run begins where the run began.
        paths, settings = start_model(prepared, folder / START_FOLDER)
        if way.trains is None:
            outcome = _train_own(name, prepared, folder, tell, stop, resume, packed)
        else:
            outcome = _train_with(name, way.trains(), paths, settings, prepared, folder, tell, stop)
        _write_script(outcome, settings, prepared)
        return outcome


class _Teller:
    """Hands on what happens, and keeps it."""

    def __init__(self, path: Path, progress: WayProgress | None) -> None:
        self.file = StepFile(path)
        self.evaluations: list[Evaluated] = []
        self._progress = progress

    def started(self, way: str, total: int, first: int) -> None:
        self.file.keep(first)
        self._tell(WayStarted(way, total, first))

    def step(self, record: StepRecord) -> None:
        self.file.append(record)
        self._tell(record)

    def fitted(self, event: Stepped) -> None:
        self._tell(event)

    def evaluated(self, event: Evaluated) -> None:
        self.evaluations.append(event)
        self._tell(event)

    def _tell(self, event: WayEvent) -> None:
        if self._progress is not None:
            self._progress(event)


def _train_own(
    name: str,
    prepared: Prepared,
    folder: Path,
    tell: _Teller,
    stop: Callable[[], bool] | None,
    resume: bool,
    packed: bool,
) -> WayOutcome:
    plan = plan_of(prepared, packed)
    recorder = FitRecorder(prepared.model, tell.step)

    def hear(event: Event) -> None:
        if isinstance(event, Started):
            tell.started(name, event.total_steps, event.first_step)
        if isinstance(event, Stepped):
            tell.fitted(event)
        recorder.hear(event)
        if isinstance(event, Evaluated):
            tell.evaluated(event)

    result = fit_prepared(prepared, folder, progress=hear, stop=stop, resume=resume, packed=plan.packed)
    told = conditions(prepared.model.device, prepared.config.precision, prepared.config.seed)
    return WayOutcome(
        name,
        folder,
        folder / MODEL_FOLDER if (folder / MODEL_FOLDER / "modules.json").is_file() else None,
        result.status,
        plan,
        tell.file.steps,
        tuple(tell.evaluations),
        result.best_score,
        recorder.distance.start,
        result.seconds,
        dict(vars(told)),
    )


def _train_with(
    name: str,
    trains: Trains,
    paths: ModelPaths,
    settings: Settings,
    prepared: Prepared,
    folder: Path,
    tell: _Teller,
    stop: Callable[[], bool] | None,
) -> WayOutcome:
    plan = plan_of(prepared)
    tell.started(name, plan.total_steps, 0)
    outcome = trains(
        paths,
        settings,
        batches_of(prepared),
        plan,
        out=folder / MODEL_FOLDER,
        on_step=tell.step,
        on_evaluate=None if prepared.evaluator is None else _asking(prepared, plan, folder, tell),
        stop=stop,
    )
    return WayOutcome(
        name,
        folder,
        outcome.model_folder,
        outcome.status,
        plan,
        tell.file.steps,
        tuple(tell.evaluations),
        outcome.best_score,
        outcome.start,
        outcome.seconds,
        dict(outcome.conditions),
    )


def _asking(
    prepared: Prepared, plan: TrainPlan, folder: Path, tell: _Teller
) -> Callable[[Encodes, int], float | None]:
    evaluator: Any = prepared.evaluator

    def ask(model: Encodes, step: int) -> float | None:
        started = time.monotonic()
        epoch, within = divmod(step - 1, plan.epoch_steps)
        shown = -1 if within + 1 == plan.epoch_steps else within + 1
        found = judge(evaluator, AsEncoder(model, prepared.model), None, epoch, shown)  # type: ignore[arg-type]
        scores = [event.score for event in tell.evaluations if event.score is not None]
        best = found.score is not None and all(found.score > score for score in scores)
        seconds = time.monotonic() - started
        tell.evaluated(Evaluated(epoch, shown, step, found.score, found.metrics, best, seconds))
        return found.score

    return ask


def _write_script(outcome: WayOutcome, settings: Settings, prepared: Prepared) -> None:
    """Write the script that trains the same again from the run's folder, and the file that it may read."""
    model, batches = prepared.config.model, batches_of(prepared)
    unchanged = model.pooling is None and model.dense is None and model.normalize is None
    source = START_FOLDER + "/"
    if unchanged:
        # The script runs in the folder of the run: a path has to be whole.
        source = str(Path(model.name).resolve()) if Path(model.name).is_dir() else model.name
    seen = [step.loss for step in outcome.steps]
    code = WAYS[outcome.way].code(source, settings, batches, outcome.plan, seen)
    with writing(outcome.folder):
        (outcome.folder / SCRIPT_FILE).write_text(code, encoding="utf-8")
        if BATCHES_FILE in code:
            write_batches(outcome.folder / BATCHES_FILE, batches, settings.prompt)
