"""``bench``: contenders timed side by side, a table, and one line of JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.telling import errors_told, tell
from workbench.errors import DataFileError
from workbench.persistence.source import BUNDLED

if TYPE_CHECKING:
    from workbench.compare.bench_plan import BenchPlan
    from workbench.compare.bench_results import BenchResult

# With which the command ends where it names no winner: the figures stand, the claim does not.
NO_WINNER = 3


def bench(
    model: Annotated[str, typer.Option(help="The bundled model, a folder, or a name on the Hub")] = BUNDLED,
    contender: Annotated[
        list[str] | None, typer.Option(help="own, upstream, manual, …; repeat it", show_default=False)
    ] = None,
    precision: Annotated[
        list[str] | None, typer.Option(help="float32, bfloat16, float16 or int8; repeat it")
    ] = None,
    batch_size: Annotated[list[int] | None, typer.Option(help="Texts a forward call; repeat it")] = None,
    corpus: Annotated[
        list[str] | None, typer.Option(help="sentences, paragraphs or documents, bundled; repeat it")
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="Texts of your own: TXT, CSV, TSV, JSONL or Parquet")
    ] = None,
    column: Annotated[str | None, typer.Option(help="Column of the file")] = None,
    device: Annotated[list[str] | None, typer.Option(help="cpu, cuda, cuda:0, …; repeat it")] = None,
    threads: Annotated[int | None, typer.Option(help="On the CPU; by default every core, 8 at most")] = None,
    max_length: Annotated[
        int | None, typer.Option(help="Longest input in tokens; by default the model's")
    ] = None,
    words: Annotated[int | None, typer.Option(help="About so many words of a bundled corpus a call")] = None,
    baseline: Annotated[str | None, typer.Option(help="The contender that ratios are against")] = None,
    rounds: Annotated[int | None, typer.Option(help="Timed calls of each, at most")] = None,
    budget: Annotated[float | None, typer.Option(help="Seconds for all timed calls")] = None,
    memory: Annotated[bool, typer.Option(help="Peak memory and start, each in a process of its own")] = True,
    tradeoff: Annotated[bool, typer.Option(help="Quality against speed by dimension and stored form")] = True,
    before: Annotated[
        Path | None, typer.Option(help="An earlier result (JSON) of the same plan to compare with")
    ] = None,
    as_json: Annotated[Path | None, typer.Option("--json", help="Write the whole result here")] = None,
) -> None:
    """Time contenders in interleaved rounds; ends with 3 where it names no winner, and says why."""
    with errors_told():
        from workbench.compare.bench_plan import checked_plan

        earlier = _stored(before) if before is not None else None
        values: dict[str, Any] = {
            "model": model, "contenders": contender, "precisions": precision, "batch_sizes": batch_size,
            "corpora": [*(corpus or []), *(["yours"] if file else [])] or None, "devices": device,
            "threads": threads, "max_length": max_length, "words": words, "baseline": baseline,
            "rounds": rounds, "budget_seconds": budget, "memory": memory, "tradeoff": tradeoff,
            "own_texts": _texts(file, column) if file else None,
        }  # fmt: skip
        plan = checked_plan({name: value for name, value in values.items() if value is not None})
        result = _measured(plan)
        _show(result, earlier, as_json)


def _measured(plan: BenchPlan) -> BenchResult:
    from workbench.compare.bench import run_bench
    from workbench.compare.bench_results import BenchResult

    alive = sys.stderr.isatty()
    told = ""
    for event in run_bench(plan):
        if isinstance(event, BenchResult):
            if alive:
                print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            return event
        if alive:
            line = f"{event.done:4.0%}  {event.stage} {event.label}, about {event.seconds_left:.0f} s left"
            print(f"\r\x1b[K{line[:110]}", end="", file=sys.stderr, flush=True)
        elif event.stage != told:
            told = event.stage
            tell(f"{told} …")
    raise RuntimeError("a benchmark ends with its result or an error")


def _show(result: BenchResult, earlier: BenchResult | None, as_json: Path | None) -> None:
    from workbench.compare.bench_history import over_time
    from workbench.compare.bench_results import bench_dict
    from workbench.compare.bench_text import as_text, history_text, verdict_text
    from workbench.persistence.atomic import writing

    typer.echo(as_text(result))
    if earlier is not None:
        found = over_time(result, [earlier])
        typer.echo("\n" + (history_text(found) or "The earlier result is of another plan."))
    values = bench_dict(result)
    if as_json is not None:
        with writing(as_json):
            as_json.write_text(json.dumps(values, ensure_ascii=False, allow_nan=False, indent=1))
    typer.echo("\n" + json.dumps(values, ensure_ascii=True, allow_nan=False))
    refused = [one for one in result.verdicts if not one.winner and one.reason_key != "alone"]
    if refused or not result.measured:
        for verdict in refused:
            tell(f"refused: {verdict_text(verdict)}")
        if not result.measured:
            tell("refused: nothing could be measured")
        raise typer.Exit(NO_WINNER)


def _texts(file: Path, column: str | None) -> list[str]:
    from workbench.data.sentence_files import read_sentences

    return list(read_sentences(file, file.name, column=column, limit=1000).texts)


def _stored(path: Path) -> BenchResult:
    from workbench.compare.bench_results import bench_from_dict

    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataFileError(
            "bench-result-broken", str(error)[:200], expected="the JSON of a benchmark", where=path.name
        ) from error
    return bench_from_dict(values)
