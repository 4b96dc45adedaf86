"""The command line of tracing: record, diff, prove, lint, black-box, gallery."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.telling import errors_told
from workbench.errors import InvalidValueError
from workbench.persistence.source import BUNDLED

if TYPE_CHECKING:
    from workbench.trace.pipelines import Pipeline
    from workbench.trace.results import Difference

app = typer.Typer(
    help="Name the first stage where two pipelines part, prove it, and give the fix.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Model = Annotated[str, typer.Option(help="The bundled model, a folder, or a name on the Hub")]
AsJson = Annotated[bool, typer.Option("--json", help="The result as JSON")]
Contender = Annotated[str, typer.Option(help="own, upstream or manual")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="A setting, such as max_length=128 or pooling=cls; repeat it"),
]
Texts = Annotated[
    str | None,
    typer.Option(help="TXT, CSV, TSV, JSONL or Parquet with the texts; by default the standard probe set"),
]


@app.command()
def record(
    out: Annotated[Path, typer.Argument(help="Common name of the two files to write")],
    contender: Contender = "own",
    model: Model = BUNDLED,
    set_: Set = None,
    texts: Texts = None,
    name: Annotated[str, typer.Option(help="Of the pipeline; by default the contender's")] = "",
    whole: Annotated[bool, typer.Option("--whole", help="Keep every token vector, for a proof")] = False,
) -> None:
    """Record a pipeline over the probe set and write its trace."""
    with errors_told():
        from workbench.trace.pipelines import record as record_pipeline
        from workbench.trace.portable import TOKEN_ROWS, save_trace

        trace = record_pipeline(_pipeline(contender, model, set_, name), _texts(texts))
        files = save_trace(trace, out, None if whole else TOKEN_ROWS)
        size = sum(file.stat().st_size for file in files) / 1e6
    typer.echo(f"{len(trace.texts)} texts, {size:.1f} MB: {', '.join(str(file) for file in files)}", err=True)


@app.command()
def diff(left: Path, right: Path, as_json: AsJson = False) -> None:
    """Compare two recorded traces. Ends with 1 where they are different."""
    with errors_told():
        from workbench.trace.diff import diff as compare
        from workbench.trace.portable import load_trace
        from workbench.trace.report import difference_dict
        from workbench.trace.text_report import difference_text

        found = compare(load_trace(left), load_trace(right))
        _echo(difference_dict(found) if as_json else difference_text(found))
    _end(found)


@app.command()
def prove(
    left: Annotated[
        str, typer.Argument(help="A contender to hold as right, or a trace recorded with --whole")
    ],
    contender: Contender = "manual",
    model: Model = BUNDLED,
    set_: Set = None,
    texts: Texts = None,
    as_json: AsJson = False,
) -> None:
    """Find every fault of a pipeline in turn, and prove each by swapping its stage."""
    with errors_told():
        from workbench.trace.pipelines import record as record_pipeline
        from workbench.trace.portable import load_trace
        from workbench.trace.prove import prove as prove_pipeline
        from workbench.trace.report import proof_dict
        from workbench.trace.text_report import proof_text

        if left in ("own", "upstream", "manual"):
            reference = record_pipeline(_pipeline(left, model, None, f"{left} (reference)"), _texts(texts))
        else:
            reference = load_trace(Path(left))
        found = prove_pipeline(reference, _pipeline(contender, model, set_, ""))
        _echo(proof_dict(found) if as_json else proof_text(found))
    _end(found.difference)


@app.command()
def lint(
    model: Annotated[str, typer.Argument(help="A folder; by default the bundled model's")] = BUNDLED,
    contract: Annotated[
        Path | None, typer.Option(help="Write what a correct runtime must do to this file")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Look a model folder over without running it. Ends with 1 where there is an error or a warning."""
    with errors_told():
        from workbench.persistence.source import bundled_folder
        from workbench.trace.lint import findings_dict, findings_text, lint_folder
        from workbench.trace.model_contract import write_contract

        folder = bundled_folder() if model == BUNDLED else Path(model)
        found = lint_folder(folder)
        _echo(findings_dict(found) if as_json else findings_text(found))
        if contract is not None:
            write_contract(folder, contract)
    if any(finding.severity != "note" for finding in found):
        raise typer.Exit(1)


@app.command("black-box")
def black_box(
    texts: Annotated[str, typer.Argument(help="The texts that were embedded")],
    vectors: Annotated[Path, typer.Argument(help="Their vectors: npy, CSV, JSON, JSONL or Parquet")],
    model: Model = BUNDLED,
    prompt: Annotated[list[str] | None, typer.Option(help="A prompt to try; repeat it")] = None,
    as_json: AsJson = False,
) -> None:
    """Find the fewest changes to a model's recipe that reproduce given vectors."""
    with errors_told():
        from workbench.trace.black_box import search_black_box
        from workbench.trace.report import black_box_dict
        from workbench.trace.vector_files import read_vectors

        found = search_black_box(_texts(texts), read_vectors(vectors), model, prompts=tuple(prompt or ()))
        _echo(black_box_dict(found) if as_json else found.sentence)
    if not found.reproduced:
        raise typer.Exit(1)


@app.command()
def gallery(
    card: Annotated[
        str | None, typer.Argument(help="A card to replay; without one the cards are listed")
    ] = None,
    model: Model = BUNDLED,
) -> None:
    """Replay a bug from a public tracker: find the stage, prove it, show the fix."""
    with errors_told():
        from workbench.trace.gallery import replay
        from workbench.trace.gallery_cards import CARDS
        from workbench.trace.text_report import proof_text

        if card is None:
            _echo("\n".join(f"{key:20} {one.title} ({one.link})" for key, one in CARDS.items()))
        else:
            _echo(proof_text(replay(card, model)))


def _echo(result: Any) -> None:
    typer.echo(result if isinstance(result, str) else json.dumps(result, ensure_ascii=False, indent=2))


def _end(found: Difference) -> None:
    if found.verdict == "different":
        raise typer.Exit(1)


def _texts(file: str | None) -> tuple[str, ...]:
    if file is None:
        from workbench.trace.probe import PROBE

        return PROBE
    from workbench.data.sentence_files import read_sentences

    found = read_sentences(Path(file).resolve(), Path(file).name, limit=10_000)
    return tuple(found.texts)


def _pipeline(contender: str, model: str, pairs: list[str] | None, name: str) -> Pipeline:
    from workbench.trace.pipelines import contender_pipeline

    return contender_pipeline(contender, model, name=name, **_settings(pairs or []))


def _settings(pairs: list[str]) -> dict[str, Any]:
    from dataclasses import fields

    from workbench.contenders.contract import Settings

    types = {field.name: str(field.type) for field in fields(Settings)}
    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or name not in types:
            raise InvalidValueError(
                "set-not-understood",
                f"{pair!r}",
                expected=f"NAME=VALUE with one of {', '.join(types)}",
                where="--set",
            )
        found[name] = _value(text, types[name], pair)
    return found


def _value(text: str, kind: str, pair: str) -> Any:
    if kind == "int" and text.isdecimal():
        return int(text)
    if kind.startswith("bool") and text.lower() in ("true", "yes", "on", "false", "no", "off"):
        return text.lower() in ("true", "yes", "on")
    if kind in ("str", "Precision"):
        return text
    raise InvalidValueError("set-value", f"{pair!r}", expected=f"a value of {kind}", where="--set")
