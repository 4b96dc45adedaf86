"""What a run has brought: its proof, its files, its model in Compare; and what a measurement foretells."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from workbench.errors import InvalidValueError, WorkbenchError
from workbench.persistence.source import hand_over
from workbench.ui.download import new_folder
from workbench.ui.errors import error_box, guarded
from workbench.ui.pages.train_live import Changes
from workbench.ui.run_files import run_file
from workbench.ui.run_reports import folder_of
from workbench.ui.runs_home import runs
from workbench.ui.texts import Language, say, word
from workbench.ui.widgets.html import NOTHING, Safe, count, decimal, element, join, table
from workbench.ui.widgets.proof_view import LABELS, TEMPLATES, proofs_html
from workbench.ui.widgets.three_ways import three_ways_html

_MODEL_FILES = 2000


def proof_changes(language: Language, owner: str, run_id: str) -> Changes:
    """The proof of a complete run; nothing before."""
    from workbench.compare.proof_reading import proof_from_dict

    try:
        result = runs().result(owner, run_id)
        if result is None:
            return {}
        proofs = [(str(one["way"]), proof_from_dict(one)) for one in result.get("proofs", [])]
    except WorkbenchError as error:
        return {"proof": error_box(error, language)}
    shown = [
        three_ways_html(result, language),
        proofs_html(proofs, language),
        trainings_html(result.get("trainings", []), language),
    ]
    return {"proof": join(shown), "results": gr.update(visible=True)}


def trainings_html(trainings: Sequence[Mapping[str, Any]], language: Language) -> Safe:
    """The trainings of a run, a row each, and what they had to tell."""
    if not trainings:
        return NOTHING
    heads = [say(language, f"train.training_{name}") for name in _TRAINING]
    rows = [[_number(one.get(name)) for name in _TRAINING] for one in trainings]
    told = dict.fromkeys(str(notice) for one in trainings for notice in one.get("notices", []))
    body = [table(heads, rows), *(element("p", notice, class_="wb-note") for notice in told)]
    summary = element("summary", say(language, "train.trainings"))
    return element("details", join([summary, *body]), class_="wb-fold")


_TRAINING = ("way", "seed", "steps", "seconds", "final_loss", "best_score")


def _number(value: object) -> str:
    return "–" if value is None else decimal(value) if isinstance(value, float) else str(value)


def estimate_html(result: Mapping[str, Any], language: Language) -> Safe:
    """What a measurement of three steps foretells."""
    seeds = int(result["seeds"])
    steps, per_step, judge = int(result["steps"]), result["seconds_per_step"], result["judge_seconds"]
    told = [
        say(
            language,
            "train.estimate",
            steps=steps * seeds,
            per_step=decimal(per_step, 2),
            train=_time(steps * seeds * per_step, language),
            seeds=say(language, "train.estimate_one")
            if seeds == 1
            else say(language, "train.estimate_seeds", seeds=seeds),
            # The base and each seed's model, held-out part and general set; others on the first alone.
            judge=_time(judge * ((1 + seeds) * 1.5 + int(result.get("others", 0))), language),
            memory=count(round(result["memory_mb"])),
        )
    ]
    found = result.get("smallest")
    if found:
        told.append(
            say(
                language,
                "train.estimate_smallest",
                items=count(found["items"]),
                smallest=decimal(found["smallest"]),
                metric=found["metric"],
                power=f"{found['power']:.0%}",
            )
        )
    return element("p", join(told), class_="wb-told", role="status")


def _time(seconds: float, language: Language) -> Safe:
    whole = max(1, round(seconds))
    if whole < 100:
        return say(language, "train.seconds", seconds=whole)
    return say(language, "train.minutes", minutes=whole // 60, seconds=f"{whole % 60:02d}")


def download(language: object, owner: object, run_id: object, *, kind: str) -> Changes:
    """Write a file of a run and hand it to the hidden download button."""
    changes: Changes = _download(language, kind, owner, run_id)
    return changes


@guarded
def _download(language: Language, kind: str, owner: object, run_id: object) -> Changes:
    return {"file": str(_WRITERS[kind](language, str(owner), str(run_id)))}


@guarded
def show_code(_language: Language, owner: object, run_id: object) -> Changes:
    """The classic script that trains as the run did."""
    from workbench.recipe.classic_script import classic_script
    from workbench.recipe.config import checked_config

    run = runs().show(str(owner), str(run_id))
    config = checked_config(run.config.get("training") or {})
    return {"run_code": gr.update(value=classic_script(config), visible=True)}


def _report(language: Language, owner: str, run_id: str, ending: str) -> Path:
    from workbench.compare.proof_html import proof_html
    from workbench.compare.proof_reading import proof_from_dict
    from workbench.compare.proof_report import proof_json

    result = runs().result(owner, run_id)
    proofs = result.get("proofs", []) if result else []
    if not proofs:
        raise InvalidValueError("no-proof", word(language, "train.no_proof"))
    folder = new_folder()
    written = []
    for one in proofs:
        proof = proof_from_dict(one)
        path = folder / f"proof-{run_id}-{one['way']}.{ending}"
        if ending == "html":
            text = proof_html(
                proof, templates=TEMPLATES[language], labels=LABELS[language], language=language
            )
        else:
            text = proof_json(proof, TEMPLATES[language])
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written[0] if len(written) == 1 else _zipped(folder / f"proofs-{run_id}.zip", folder, written)


def _model_zip(language: Language, owner: str, run_id: str) -> Path:
    models = trained_models(owner, run_id)
    if not models:
        raise InvalidValueError("no-model", word(language, "train.no_model"))
    root = folder_of(runs(), owner, run_id)
    files = [
        path
        for folder in models.values()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    ]
    return _zipped(new_folder() / f"model-{run_id}.zip", root, files[:_MODEL_FILES])


_WRITERS: Mapping[str, Callable[[Language, str, str], Path]] = {
    "html": lambda language, owner, run_id: _report(language, owner, run_id, "html"),
    "json": lambda language, owner, run_id: _report(language, owner, run_id, "json"),
    "zip": _model_zip,
    "yaml_out": lambda _language, owner, run_id: run_file(runs(), owner, run_id, "yaml"),
}


def _zipped(path: Path, root: Path, files: list[Path]) -> Path:
    # Weights do not shrink: packing them would only cost time.
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for file in files:
            archive.write(file, file.relative_to(root))
    return path


def trained_models(owner: str, run_id: str) -> dict[str, Path]:
    """Name of each training → the folder of its model.

    Raises:
        UnknownNameError: ``run-unknown``.
    """
    result = runs().result(owner, run_id)
    root = folder_of(runs(), owner, run_id).resolve()
    found = {}
    for one in result.get("trainings", []) if result else []:
        folder = (root / str(one.get("model"))).resolve()
        if folder.is_dir() and folder.is_relative_to(root):
            found[f"{one['way']} · {one['seed']}"] = folder
    return found


@guarded
def to_compare(language: Language, owner: object, run_id: object) -> Changes:
    """Links that open a trained model beside its base in Compare.

    Compare reads no path of a visitor's; a model goes over under a name made here, for its owner alone.
    """
    spoken = "" if language == "en" else f"&lang={language}"
    models = trained_models(str(owner), str(run_id))
    if not models:
        raise InvalidValueError("no-model", word(language, "train.no_model"))
    links = [
        element(
            "a",
            say(language, "train.compare_open", name=name),
            href=f".?model={hand_over(folder)}{spoken}",
            class_="wb-link",
        )
        for name, folder in models.items()
    ]
    note = element("span", say(language, "train.compare_note"), class_="wb-note")
    return {"compare_link": element("p", join([*links, note], " "), class_="wb-links")}
