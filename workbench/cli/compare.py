"""``compare`` and ``encode``: sentences of a file through pipelines, or through one model into a file."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.telling import errors_told, tell
from workbench.contenders.contract import Settings
from workbench.errors import InvalidValueError, UnknownNameError, WorkbenchError
from workbench.persistence.source import BUNDLED

if TYPE_CHECKING:
    from workbench.compare.results import Column, Comparison
    from workbench.data.sentence_files import SentenceFile

_WORDS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}

File = Annotated[
    str, typer.Argument(help="TXT, CSV, TSV, JSONL or Parquet; - reads one sentence a line from stdin")
]
FileColumn = Annotated[
    str | None, typer.Option("--column", help="Column of the file that holds the sentences")
]
Model = Annotated[str, typer.Option(help="The bundled model, a folder, or a name on the Hub")]


def compare(
    file: File,
    contender: Annotated[
        list[str] | None, typer.Option(help="own, upstream, manual, onnxruntime, openvino; repeat it")
    ] = None,
    model: Model = BUNDLED,
    pooling: Annotated[str | None, typer.Option(help="mean, cls, max, …, joined by +")] = None,
    max_length: Annotated[int | None, typer.Option(help="Longest input in tokens")] = None,
    normalize: Annotated[bool | None, typer.Option("--normalize/--no-normalize", help="Unit length")] = None,
    prompt: Annotated[str | None, typer.Option(help="Text put before every sentence")] = None,
    precision: Annotated[str | None, typer.Option(help="float32, bfloat16, float16 or int8")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:0, …")] = None,
    threads: Annotated[int | None, typer.Option(help="Threads on CPU")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Sentences a forward call")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="A setting of one column only, such as manual.max_length=512; repeat it"),
    ] = None,
    rounds: Annotated[int, typer.Option(min=0, help="Timed rounds; 0 leaves speed out")] = 5,
    memory: Annotated[bool, typer.Option("--memory", help="Measure peak memory, a process a column")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Sentences to take from the file")] = 1000,
    column: FileColumn = None,
    as_json: Annotated[bool, typer.Option("--json", help="The whole report as JSON")] = False,
) -> None:
    """Embed the same sentences with several pipelines and say where they agree."""
    # The libraries show a bar for every file they load; the one line of _run says enough.
    os.environ.setdefault("TQDM_DISABLE", "1")
    common = {
        "pooling": pooling,
        "max_length": max_length,
        "normalize": normalize,
        "prompt": prompt,
        "precision": precision,
        "device": device,
        "threads": threads,
        "batch_size": batch_size,
    }
    with errors_told():
        labels = _labels(contender or ["own", "upstream", "manual"])
        own_settings = _settings_by_column(set_ or [], labels)
        sentences = _sentences(file, column, limit)
        given = {name: value for name, value in common.items() if value is not None}
        columns = _columns(labels, model, given, own_settings)
        comparison = _run(columns, sentences.texts, rounds, memory)
        _show(comparison, as_json)
    if comparison.failures:
        raise typer.Exit(2)


def encode(
    file: File,
    out: Annotated[Path, typer.Option(help="The Parquet file to write: columns text and embedding")],
    model: Model = BUNDLED,
    prompt: Annotated[str | None, typer.Option(help="Text put before every sentence")] = None,
    precision: Annotated[str, typer.Option(help="float32, binary or ubinary")] = "float32",
    normalize: Annotated[
        bool, typer.Option("--normalize/--no-normalize", help="Scale to unit length too")
    ] = False,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:0, …")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Most sentences a forward call")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Sentences to take; all without it")] = None,
    column: FileColumn = None,
    compute: Annotated[
        str, typer.Option(help="float32 is exact; bfloat16 and int8 are faster, at the cost in docs/speed.md")
    ] = "float32",
) -> None:
    """Embed the sentences of a file and write them with their vectors to a Parquet file."""
    with errors_told():
        if out.suffix.lower() != ".parquet":
            raise InvalidValueError(
                "out-not-parquet", f"{out.name!r}", expected="a name ending in .parquet", where="--out"
            )
        with _file_of(file) as (path, name):
            from workbench.data.sentence_files import stream_sentences
            from workbench.sentence_transformer import SentenceTransformer

            texts = stream_sentences(path, name, column=column, limit=limit, told=tell)
            # The first is asked for before a model is loaded: a file that cannot be read is told at once.
            head = list(islice(texts, 1))
            encoder = SentenceTransformer(model, device=device)
            report = encoder.encode_to_parquet(
                chain(head, texts),
                out,
                prompt=prompt,
                batch_size=batch_size,
                precision=precision,  # type: ignore[arg-type] # checked there, with a coded error
                normalize_embeddings=normalize,
                compute=compute,
            )
    tell(f"{report.texts:,} embeddings in {out}")


@contextmanager
def _file_of(file: str) -> Iterator[tuple[Path, str]]:
    """Where the sentences lie, and the name that tells their format; - is the standard input."""
    if file != "-":
        # Links are followed here: it is the user's own machine and path.
        yield Path(file).resolve(), Path(file).name
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "stdin.txt"
        with copy.open("wb") as sink:
            shutil.copyfileobj(sys.stdin.buffer, sink)
        yield copy, "stdin.txt"


def _sentences(file: str, column: str | None, limit: int) -> SentenceFile:
    from workbench.data.sentence_files import read_sentences

    with _file_of(file) as (path, name):
        found = read_sentences(path, name, column=column, limit=limit)
    for notice in found.notices:
        tell(notice)
    return found


def _labels(contenders: Sequence[str]) -> dict[str, str]:
    """Column label → contender; the second ``own`` is called ``own-2``."""
    seen: Counter[str] = Counter()
    labels: dict[str, str] = {}
    for name in contenders:
        seen[name] += 1
        labels[name if seen[name] == 1 else f"{name}-{seen[name]}"] = name
    return labels


def _settings_by_column(pairs: Sequence[str], labels: Mapping[str, str]) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = {label: {} for label in labels}
    for pair in pairs:
        target, equals, text = pair.partition("=")
        label, dot, setting = target.partition(".")
        if not equals or not dot:
            raise InvalidValueError(
                "set-not-understood",
                f"{pair!r}",
                expected="COLUMN.SETTING=VALUE, such as manual.max_length=512",
                where="--set",
            )
        if label not in found:
            raise UnknownNameError(
                "set-column-unknown", f"{label!r}", expected=f"one of {', '.join(labels)}", where="--set"
            )
        if setting not in _PARSERS:
            raise UnknownNameError(
                "set-setting-unknown", f"{setting!r}", expected=f"one of {', '.join(_PARSERS)}", where="--set"
            )
        found[label][setting] = _PARSERS[setting](text, f"--set {target}")
    return found


def _whole_number(text: str, where: str) -> int:
    if not text.isdecimal():
        raise InvalidValueError("set-value", f"{text!r}", expected="a whole number", where=where)
    return int(text)


def _yes_or_no(text: str, where: str) -> bool:
    if text.lower() not in _WORDS:
        raise InvalidValueError("set-value", f"{text!r}", expected="yes or no", where=where)
    return _WORDS[text.lower()]


def _as_it_is(text: str, where: str) -> str:
    return text


def _yes_no_or_auto(text: str, where: str) -> bool | None:
    return None if text.lower() == "auto" else _yes_or_no(text, where)


_BY_TYPE: dict[str, Callable[[str, str], object]] = {
    "int": _whole_number,
    "bool": _yes_or_no,
    "bool | None": _yes_no_or_auto,
    "str": _as_it_is,
    "Precision": _as_it_is,
}
_PARSERS = {field.name: _BY_TYPE[str(field.type)] for field in fields(Settings)}


def _columns(
    labels: Mapping[str, str], model: str, common: Mapping[str, Any], own: Mapping[str, Mapping[str, Any]]
) -> list[Column]:
    from workbench.compare.results import Column
    from workbench.compare.settings import settings_for
    from workbench.contenders.registry import require_installed
    from workbench.models.folder import open_model

    for name in labels.values():
        require_installed(name)
    checked = open_model(model)
    for notice in checked.notices:
        tell(notice)
    return [
        Column(label, name, model, settings_for(checked, **{**common, **own[label]}))
        for label, name in labels.items()
    ]


def _run(columns: Sequence[Column], texts: Sequence[str], rounds: int, memory: bool) -> Comparison:
    from workbench.compare.results import Comparison, Progress
    from workbench.compare.run import run_comparison

    alive = sys.stderr.isatty()
    result: Comparison | None = None
    for event in run_comparison(columns, texts, speed_rounds=rounds, measure_memory=memory):
        if isinstance(event, Comparison):
            result = event
        elif isinstance(event, Progress) and alive:
            print(
                f"\r\x1b[K{event.stage} {event.label} {event.done}/{event.total}",
                end="",
                file=sys.stderr,
                flush=True,
            )
    if alive:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    if result is None:
        raise WorkbenchError("comparison-unfinished", "The comparison ended without a result")
    return result


def _show(comparison: Comparison, as_json: bool) -> None:
    from workbench.compare.report import comparison_dict
    from workbench.compare.text_report import as_text

    for label, error in comparison.failures.items():
        tell(f"error: column {label}: {error}")
    if as_json:
        typer.echo(json.dumps(comparison_dict(comparison), ensure_ascii=False, indent=2, allow_nan=False))
        return
    typer.echo(as_text(comparison))
