"""``train``, ``resume`` and ``evaluate``: a model from data, in a folder of its own, and what it is worth."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.telling import errors_told, tell
from workbench.errors import InvalidValueError
from workbench.persistence.source import BUNDLED

if TYPE_CHECKING:
    from workbench.evaluation.evaluator import SentenceEvaluator
    from workbench.recipe.config import TrainingConfig
    from workbench.recipe.train import Trained
    from workbench.training.events import Event

_DATA_HELP = "A CSV, TSV, JSONL or Parquet file, hub:owner/name, or support-desk, which is bundled"
Data = Annotated[str | None, typer.Argument(help=_DATA_HELP)]
Roles = Annotated[
    list[str] | None, typer.Option("--role", help="Role of a column, such as question=anchor; repeat it")
]
Rescale = Annotated[str | None, typer.Option(help="Scale of the scores, such as 0-5; they become 0 to 1")]
Encoding = Annotated[str | None, typer.Option(help="Encoding of a text file that is not UTF-8: cp949, …")]
HeldOut = Annotated[str | None, typer.Option(help="File to judge by; else a share of the data is kept back")]
View = Annotated[str | None, typer.Option(help="Of support-desk: pairs, answers, scored or labelled")]


def train(
    data: Data = None,
    out: Annotated[Path | None, typer.Option(help="New folder for model, checkpoints and config")] = None,
    config: Annotated[Path | None, typer.Option(help="YAML file; the options below overrule it")] = None,
    loss: Annotated[
        str | None, typer.Option(help="CosineSimilarityLoss, MultipleNegativesRankingLoss, …")
    ] = None,
    evaluator: Annotated[str | None, typer.Option(help="auto, none, or the one that fits the data")] = None,
    model: Annotated[
        str | None, typer.Option(help="The bundled model, a folder, or a name on the Hub")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the data")] = None,
    max_steps: Annotated[int | None, typer.Option(help="Stop after so many steps")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Rows a batch")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Its highest value")] = None,
    warmup: Annotated[float | None, typer.Option(help="Steps, or a share of all where below 1")] = None,
    seed: Annotated[int | None, typer.Option(help="Of order, dropout and new layers")] = None,
    precision: Annotated[str | None, typer.Option(help="fp32, bf16 or fp16")] = None,
    view: View = None,
    language: Annotated[str | None, typer.Option(help="Of support-desk: en or ko")] = None,
    role: Roles = None,
    rescale: Rescale = None,
    encoding: Encoding = None,
    held_out: HeldOut = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any setting of the config, such as loss.arguments.scale=30; repeat it"),
    ] = None,
    report_to: Annotated[
        list[str] | None, typer.Option(help="tensorboard, trackio, wandb or mlflow; repeat it")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The result as JSON")] = False,
) -> None:
    """Train a model and save the best one in OUT/model. Ctrl+C keeps a checkpoint for resume."""
    with errors_told():
        from workbench.recipe.train import train as run

        given = {
            "data": {
                "source": data, "view": view, "language": language, "rescale": rescale, "encoding": encoding,
                "held_out": held_out, "roles": _pairs(role, "--role") or None,
            },
            "model": {"name": model},
            "loss": {"name": loss},
            "evaluator": evaluator, "epochs": epochs, "max_steps": max_steps, "batch_size": batch_size,
            "learning_rate": learning_rate, "warmup": warmup, "seed": seed, "precision": precision,
        }  # fmt: skip
        chosen = _config(config, given, set_ or [])
        if out is None:
            raise InvalidValueError("out-missing", "No folder", expected="--out DIR", where="train")
        with _stopped_by_signal() as stop:
            trained = run(chosen, out, progress=_teller(), stop=stop, report_to=report_to or ())
        _show(trained, out, as_json)


def resume(
    folder: Annotated[Path, typer.Argument(help="The folder that was given to train as --out")],
    as_json: Annotated[bool, typer.Option("--json", help="The result as JSON")] = False,
) -> None:
    """Go on with a training that was interrupted; it ends with the weights it would have had without."""
    with errors_told():
        from workbench.recipe.train import resumed_config
        from workbench.recipe.train import train as run

        with _stopped_by_signal() as stop:
            trained = run(resumed_config(folder), folder, progress=_teller(), stop=stop, resume=True)
        _show(trained, folder, as_json)


def evaluate(
    model: Annotated[str, typer.Argument(help="A folder, the bundled model, or a name on the Hub")] = BUNDLED,
    data: Annotated[str, typer.Argument(help=_DATA_HELP)] = "support-desk",
    view: View = None,
    language: Annotated[str | None, typer.Option(help="Of support-desk: en or ko")] = None,
    role: Roles = None,
    rescale: Rescale = None,
    encoding: Encoding = None,
    as_json: Annotated[bool, typer.Option("--json", help="The metrics as JSON")] = False,
) -> None:
    """Measure a model on data: similarity of scored pairs, retrieval, triplets, or nearest labelled texts."""
    with errors_told():
        chosen = _config(
            None,
            {
                "data": {
                    "source": data, "view": view, "language": language, "rescale": rescale,
                    "encoding": encoding, "roles": _pairs(role, "--role") or None,
                }
            },
            [],
        )  # fmt: skip
        from workbench.recipe.build_evaluator import build_evaluator
        from workbench.recipe.read_examples import load_held_out
        from workbench.sentence_transformer import SentenceTransformer

        judge = build_evaluator("auto", load_held_out(chosen.data), name="")
        if judge is None:
            raise InvalidValueError("no-evaluator", "No evaluator fits", where="evaluate")
        metrics = judge(SentenceTransformer(model))
        _show_metrics(judge, metrics, as_json)


def _config(path: Path | None, given: dict[str, Any], pairs: list[str]) -> TrainingConfig:
    """The file's config, overruled by the options, overruled by --set."""
    import yaml

    from workbench.recipe.config import checked_config, read_config

    values = read_config(path).model_dump() if path is not None else {}
    _overlay(values, given)
    for key, text in _pairs(pairs, "--set").items():
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise InvalidValueError(
                "set-value", repr(text), expected="a value as in YAML", where=key
            ) from error
        *parents, last = key.split(".")
        place = values
        for parent in parents:
            place = place.setdefault(parent, {})
            if not isinstance(place, dict):
                raise InvalidValueError("set-setting-unknown", repr(key), where="--set")
        place[last] = value
    return checked_config(values)


def _overlay(values: dict[str, Any], given: dict[str, Any]) -> None:
    for key, value in given.items():
        if isinstance(value, dict) and key != "roles":
            _overlay(values.setdefault(key, {}), value)
        elif value is not None:
            values[key] = value


def _pairs(given: list[str] | None, where: str) -> dict[str, str]:
    found = {}
    for pair in given or []:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise InvalidValueError("pair-not-understood", repr(pair), expected="NAME=VALUE", where=where)
        found[name] = value
    return found


@contextmanager
def _stopped_by_signal() -> Iterator[Callable[[], bool]]:
    """Ctrl+C and SIGTERM ask the training to stop at the next step; a second one ends it at once."""
    asked = False

    def hear(number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        tell("Stopping at the next step; press Ctrl+C again to stop at once.")

    before = {number: signal.signal(number, hear) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _teller() -> Callable[[Event], None]:
    """Tells what happens: a line that is rewritten on a terminal, else one now and then."""
    from workbench.training.events import CheckpointSaved, Evaluated, Started, Stepped

    os.environ.setdefault("TQDM_DISABLE", "1")
    alive = sys.stderr.isatty()
    total = 0

    def tell_event(event: Event) -> None:
        nonlocal total
        if isinstance(event, Started):
            total = event.total_steps
            tell(f"{total} steps, {event.steps_per_epoch} an epoch" + _from(event.first_step))
            for notice in event.notices:
                tell(notice)
        elif isinstance(event, Stepped):
            line = (
                f"step {event.global_step}/{total}  loss {event.losses[0]:.4f}  "
                f"{event.tokens_per_second:,.0f} tokens/s  {event.seconds_left:,.0f} s left"
            )
            if alive:
                print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)
            elif event.global_step % max(1, total // 20) == 0:
                tell(line)
        elif isinstance(event, Evaluated):
            score = "undefined" if event.score is None else f"{event.score:.4f}"
            tell(f"{chr(13) if alive else ''}step {event.global_step}: score {score}{' (best)' * event.best}")
        elif isinstance(event, CheckpointSaved) and alive:
            print(f"\r\x1b[Kcheckpoint {event.folder.name}", end="", file=sys.stderr, flush=True)

    return tell_event


def _from(step: int) -> str:
    return f", going on after step {step}" if step else ""


def _show(trained: Trained, out: Path, as_json: bool) -> None:
    result = trained.result
    facts = {
        "status": result.status,
        "steps": result.global_step,
        "total_steps": result.total_steps,
        "final_loss": result.losses[-1][0] if result.losses else None,
        "best_score": result.best_score,
        "seconds": round(result.seconds, 2),
        "model": str(trained.model_folder) if trained.model_folder else None,
        "notices": [*trained.prepared.examples.notices, *result.notices],
    }
    if as_json:
        typer.echo(json.dumps(facts, ensure_ascii=False, indent=2))
    elif trained.model_folder:
        score = "" if result.best_score is None else f", best score {result.best_score:.4f}"
        typer.echo(f"{result.global_step} steps in {result.seconds:.0f} s{score}: {trained.model_folder}")
    if result.status == "cancelled":
        tell(f"Cancelled after step {result.global_step}. Go on with: python -m workbench resume {out}")
        raise typer.Exit(130)


def _show_metrics(judge: SentenceEvaluator, metrics: dict[str, float | None], as_json: bool) -> None:
    if as_json:
        undefined = dict(judge.undefined)
        primary = judge.primary_metric
        typer.echo(
            json.dumps({"primary_metric": primary, "metrics": metrics, "undefined": undefined}, indent=2)
        )
        return
    width = max(map(len, metrics))
    for name, value in metrics.items():
        shown = "undefined: " + judge.undefined[name] if value is None else f"{value:.4f}"
        typer.echo(f"{name:<{width}}  {shown}{'  *' if name == judge.primary_metric else ''}")
    for notice in judge.notices:
        tell(notice)
