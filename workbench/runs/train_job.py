"""The job that trains: each way and seed in turn, then the proof. It goes on where it was stopped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.errors import InvalidValueError
from workbench.runs.files import get_json, put_json
from workbench.runs.job import JobContext

# The trainers that this job can run; the page offers what stands here.
WAYS: tuple[str, ...] = ("own",)
_DONE = "done.json"
_MOST_SEEDS = 10


@dataclass
class _Progress:
    """Where the job stands among all its trainings."""

    context: JobContext
    total: int
    done: int = 0
    part: dict[str, float] = field(default_factory=dict)
    steps_of_part: int = 0

    def hear(self, event: object) -> None:
        """Report a step or a score of the training that runs."""
        from workbench.training.events import Evaluated, Started, Stepped

        if isinstance(event, Started):
            self.steps_of_part = event.total_steps
            self.context.resumed(self.done + event.first_step)
        elif isinstance(event, Stepped):
            self.context.report(
                self.done + event.global_step,
                self.total,
                loss=event.losses[0],
                learning_rate=event.learning_rates[0],
                gradient_norm=event.gradient_norms[0],
                tokens_per_second=event.tokens_per_second,
                seconds_left=event.seconds_left,
                **self.part,
            )
        elif isinstance(event, Evaluated) and event.score is not None:
            self.context.report(self.done + event.global_step, self.total, score=event.score, **self.part)


def train(context: JobContext) -> Mapping[str, Any] | None:
    """Train every way and seed that the settings name, and judge what came out.

    Settings: ``training`` (a ``TrainingConfig``), ``ways`` (names of trainers), ``seeds`` (how many, from the
    config's own on), ``prove`` (whether a proof ends it), ``others`` (untuned models to judge beside).

    Raises:
        WorkbenchError: Whatever is wrong with the settings, the data or the model.
    """
    from workbench.recipe.prepare import prepare

    config, ways, seeds = _read(context)
    prepared = prepare(config)
    progress = _Progress(context, prepared.total_steps * len(ways) * len(seeds))
    folders: dict[str, dict[int, Path]] = {}
    facts: list[dict[str, Any]] = []
    for number, way in enumerate(ways):
        for seed in seeds:
            progress.part = {"way": number, "seed": seed}
            folder = context.folder / f"{way}-{seed}"
            done = _train_one(context, config.model_copy(update={"seed": seed}), way, folder, progress)
            if done is None:
                return None
            progress.done += prepared.total_steps
            folders.setdefault(way, {})[seed] = folder / "model"
            facts.append(done)
    result: dict[str, Any] = {"trainings": facts, "notices": list(prepared.examples.notices)}
    if context.config.get("prove", True):
        result["proofs"] = _prove(context, config, prepared.examples, folders)
    return result


def _read(context: JobContext) -> tuple[Any, list[str], list[int]]:
    from workbench.recipe.config import checked_config

    given = context.config
    config = checked_config(given.get("training") or {})
    source = config.data.source
    if source.startswith("input:"):
        # A file that came with the run lies under a name of ours.
        data = config.data.model_copy(update={"source": str(context.inputs / Path(source[6:]).name)})
        config = config.model_copy(update={"data": data})
    ways = given.get("ways") or [config.trainer]
    count = given.get("seeds", 1)
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= _MOST_SEEDS:
        raise InvalidValueError("seeds-out-of-range", repr(count)[:80], expected=f"1 to {_MOST_SEEDS}")
    if not isinstance(ways, list) or not ways or len(set(ways)) < len(ways) or not set(ways) <= set(WAYS):
        raise InvalidValueError("ways-unknown", repr(ways)[:80], expected=f"a list of {', '.join(WAYS)}")
    return config, list(ways), [(config.seed + number) % 2**32 for number in range(count)]


def _train_one(
    context: JobContext, config: Any, way: str, folder: Path, progress: _Progress
) -> dict[str, Any] | None:
    """One training; one that ended in an earlier attempt is not done again. None where it was stopped."""
    from workbench.recipe.train import train as run

    done = folder / _DONE
    if done.is_file():
        found: dict[str, Any] = get_json(done)
        return found
    resume = (folder / "checkpoints").is_dir()
    trained = run(config, folder, progress=progress.hear, stop=context.stop, resume=resume)
    if trained.result.status == "cancelled":
        return None
    result = trained.result
    facts = {
        "way": way,
        "seed": config.seed,
        "steps": result.global_step,
        "seconds": round(result.seconds, 3),
        "final_loss": result.losses[-1][0] if result.losses else None,
        "best_score": result.best_score,
        "status": result.status,
        "model": f"{folder.name}/model",
        "notices": list(result.notices),
    }
    put_json(done, facts)
    return facts


def _prove(
    context: JobContext, config: Any, examples: Any, folders: Mapping[str, Mapping[int, Path]]
) -> list[dict[str, Any]]:
    from workbench.compare.proof_html import proof_html
    from workbench.compare.proof_report import proof_dict, proof_json
    from workbench.recipe.judge import judge

    found = []
    for way, tuned in folders.items():
        proof = judge(
            config,
            examples,
            tuned,
            name=f"trained by {way}",
            others=[str(other) for other in context.config.get("others", [])],
            cancelled=context.stop,
        )
        (context.folder / f"proof-{way}.html").write_text(proof_html(proof), encoding="utf-8")
        (context.folder / f"proof-{way}.json").write_text(proof_json(proof), encoding="utf-8")
        found.append({"way": way, **proof_dict(proof)})
    return found
