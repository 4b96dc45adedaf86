"""The form of the Speed page: its fields, their defaults, and the plan that they stand for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from workbench.compare.bench_corpora import OWN_TEXTS
from workbench.compare.bench_plan import BenchPlan, checked_plan
from workbench.errors import InvalidTypeError, InvalidValueError
from workbench.ui.pages.train_checks import choice_of, number_of, text_of, whole_of

DEVICES: Mapping[str, tuple[str, ...]] = {"cpu": ("cpu",), "gpu": ("cuda",), "both": ("cpu", "cuda")}
_DEFAULT = BenchPlan()
# Name of a control → what it holds at first; the order in which the events get them.
DEFAULTS: Mapping[str, Any] = {
    "contenders": list(_DEFAULT.contenders),
    "precisions": list(_DEFAULT.precisions),
    "corpora": list(_DEFAULT.corpora),
    "pasted": "",
    "file": None,
    "batch_sizes": [str(size) for size in _DEFAULT.batch_sizes],
    "device": "cpu",
    "model": _DEFAULT.model,
    "baseline": _DEFAULT.baseline,
    "threads": 0,
    "max_length": 0,
    "words": _DEFAULT.words,
    "rounds": _DEFAULT.rounds,
    "budget_seconds": _DEFAULT.budget_seconds,
    "memory": True,
    "tradeoff": True,
}
FIELDS = tuple(DEFAULTS)
_WHOLE = ("threads", "max_length", "words", "rounds")
_MOST_CHARACTERS = 2_000_000
_MOST_TEXTS = 1000
_MOST_NAMES = 40


@dataclass(frozen=True)
class Wish:
    """What a visitor wants measured.

    Attributes:
        plan: Checked.
    """

    plan: BenchPlan

    def settings(self) -> dict[str, Any]:
        """The run's settings: the plan without the texts, which go along as a file."""
        return {
            "plan": {
                field.name: list(value) if isinstance(value, tuple) else value
                for field in fields(BenchPlan)
                if field.name != "own_texts"
                for value in (getattr(self.plan, field.name),)
            }
        }

    @contextmanager
    def inputs(self) -> Iterator[dict[str, Path]]:
        """The files that go with the run."""
        import json

        from workbench.runs.bench_job import TEXTS_FILE

        if not self.plan.own_texts:
            yield {}
            return
        with TemporaryDirectory(prefix="workbench-") as folder:
            path = Path(folder) / TEXTS_FILE
            path.write_text(json.dumps(list(self.plan.own_texts), ensure_ascii=True), encoding="utf-8")
            yield {TEXTS_FILE: path}

    def name(self) -> str:
        """What the run is called in lists."""
        return " · ".join((" ".join(self.plan.contenders), " ".join(self.plan.precisions)))[:200]


def wish_of(values: Sequence[object]) -> Wish:
    """The wish of a form's values, which a caller of the API may have set to anything.

    Raises:
        WorkbenchError: A value that is none, with its field.
    """
    from workbench.ui.pages.train_form import admitted_model

    if len(values) != len(FIELDS):
        raise InvalidTypeError("not-a-form", f"{len(values)} values", expected=f"{len(FIELDS)}")
    given = dict(zip(FIELDS, values, strict=True))
    corpora = names_of(given["corpora"], "corpora")
    plan: dict[str, Any] = {
        "contenders": names_of(given["contenders"], "contenders"),
        "precisions": names_of(given["precisions"], "precisions"),
        "corpora": corpora,
        "batch_sizes": [
            whole_of(one, "batch_sizes") for one in names_of(given["batch_sizes"], "batch_sizes")
        ],
        "devices": list(DEVICES[choice_of(given["device"], tuple(DEVICES), "device")]),
        "model": admitted_model(text_of(given["model"], "model", 300).strip() or _DEFAULT.model),
        "baseline": text_of(given["baseline"], "baseline", 100),
        **{name: whole_of(given[name], name) for name in _WHOLE},
        "budget_seconds": number_of(given["budget_seconds"], "budget_seconds"),
        "memory": bool(given["memory"]),
        "tradeoff": bool(given["tradeoff"]),
        "own_texts": own_texts(given["pasted"], given["file"]) if OWN_TEXTS in corpora else [],
    }
    return Wish(checked_plan(plan))


def names_of(value: object, where: str) -> list[str]:
    """A list of short texts.

    Raises:
        InvalidTypeError: ``not-a-list``.
    """
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise InvalidTypeError("not-a-list", type(value).__name__, expected="a list of names", where=where)
    return value[:_MOST_NAMES]


def own_texts(pasted: object, file: object) -> list[str]:
    """The visitor's texts: those of the file, else what was pasted, one a line.

    Raises:
        DataFileError: The file cannot be read.
        InvalidValueError: ``bench-too-many-texts``, ``not-an-upload``.
    """
    from workbench.data.sentence_files import read_sentences
    from workbench.ui.sentences import stored_upload

    path = stored_upload(file)
    if path:
        return list(read_sentences(Path(path), Path(path).name, limit=_MOST_TEXTS).texts)
    lines = text_of(pasted, "pasted", _MOST_CHARACTERS).splitlines()
    texts = [line for line in lines if line.strip()]
    if len(texts) > _MOST_TEXTS:
        raise InvalidValueError(
            "bench-too-many-texts", f"{len(texts):,} lines", expected=f"at most {_MOST_TEXTS:,}"
        )
    return texts
