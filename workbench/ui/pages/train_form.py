"""The form of the Train page: its fields, their defaults, and the config of a run they stand for."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from workbench.errors import InvalidTypeError, InvalidValueError, WorkbenchError
from workbench.persistence.source import BUNDLED, resolve
from workbench.recipe.config import TrainingConfig, checked_config
from workbench.runs.environment import on_zero_gpu
from workbench.ui.pages.train_checks import choice_of, maybe_whole_of, number_of, shown, text_of, whole_of
from workbench.ui.pages.train_data import DataWish, data_values
from workbench.ui.sentences import stored_upload

SOURCES = ("support-desk", "paste", "file", "hub")
VIEWS = ("answers", "pairs", "scored", "labelled")
ROLE_SLOTS = 8
AUTO = "auto"
OWN = "model"
MAX_SEEDS = 10
MAX_OTHERS = 5
MAX_PASTED = 1_000_000
Place = Literal["data", "modules", "settings"]

# Field → what its control holds at first. The order is that of the values of every event.
DEFAULTS: Mapping[str, Any] = {
    "source": "support-desk",
    "view": "answers",
    "desk_language": "en",
    "pasted": "",
    "file": None,
    "hub_name": "",
    "hub_subset": "",
    "hub_split": "train",
    "encoding": AUTO,
    "rescale": AUTO,
    "held_out_share": 0.2,
    **{f"role_{slot}": AUTO for slot in range(ROLE_SLOTS)},
    "model": BUNDLED,
    "max_seq_length": "",
    "pooling": OWN,
    "dense": "",
    "normalize": OWN,
    "loss": "MultipleNegativesRankingLoss",
    "loss_arguments": "",
    "inner": "MultipleNegativesRankingLoss",
    "evaluator": AUTO,
    # Where it is the base itself, it stands there already and is left out.
    "others": (BUNDLED,),
    "epochs": 2,
    "batch_size": 16,
    "learning_rate": "5e-5",
    "warmup": 0.1,
    "seeds": 1,
    "seed": 42,
    "scheduler": "WarmupLinear",
    "weight_decay": 0.01,
    "max_grad_norm": 1.0,
    "gradient_accumulation_steps": 1,
    "precision": "fp32",
    "threads": "",
    "dropout": True,
    "max_steps": 0,
    "evaluation_steps": 0,
    "checkpoint_steps": 100,
    "early_stopping_patience": "",
}
FIELDS = tuple(DEFAULTS)
WRAPPERS = ("MatryoshkaLoss", "AdaptiveLayerLoss", "Matryoshka2dLoss")
_WHOLE = (
    "epochs", "batch_size", "seed", "gradient_accumulation_steps", "max_steps", "evaluation_steps",
    "checkpoint_steps",
)  # fmt: skip
_NUMBERS = ("learning_rate", "warmup", "weight_decay", "max_grad_norm")
_MAYBE_WHOLE = ("threads", "early_stopping_patience")
_NORMALIZE: Mapping[str, bool | None] = {OWN: None, "yes": True, "no": False}


class FormError(Exception):
    """An error with the part of the form that it belongs to."""

    def __init__(self, place: Place, error: WorkbenchError) -> None:
        self.place = place
        self.error = error
        super().__init__(error.message)


@dataclass(frozen=True)
class Wish:
    """A run as the form asks for it.

    Attributes:
        config: Its settings.
        seeds: How many trainings.
        data: Where its rows come from.
        others: Other untuned models to judge beside the base.
    """

    config: TrainingConfig
    seeds: int
    data: DataWish
    others: tuple[str, ...] = ()


def by_name(values: Sequence[object]) -> dict[str, Any]:
    """The raw values of the controls by field.

    Raises:
        InvalidValueError: ``form-values``: another number of them.
    """
    if len(values) != len(FIELDS):
        raise InvalidValueError("form-values", f"{len(values)} values", expected=f"{len(FIELDS)}")
    return dict(zip(FIELDS, values, strict=True))


def wish_of(values: Sequence[object], columns: object) -> Wish:
    """The run that the form asks for, every value checked: API callers skip what the controls enforce.

    Args:
        values: In the order of ``FIELDS``.
        columns: Names of the columns that the role controls stand for.

    Raises:
        FormError: With the part of the form that the error belongs to.
    """
    given = by_name(values)
    data = _at("data", lambda: _data(given, columns))
    rows = _at("data", lambda: data_values(data))
    model = _at("modules", lambda: _model(given))
    loss = _at("modules", lambda: _loss(given))
    others = _at("modules", lambda: _others(given["others"], model["name"]))
    settings = _at("settings", lambda: _settings(given))
    seeds = _at("settings", lambda: whole_of(given["seeds"], "seeds"))
    if not 1 <= seeds <= MAX_SEEDS:
        raise FormError(
            "settings",
            InvalidValueError("seeds-out-of-range", f"{seeds}", expected=f"1 to {MAX_SEEDS}", where="seeds"),
        )
    device = "cpu" if on_zero_gpu(os.environ) else None
    whole = {"data": rows, "model": model, "loss": loss, "device": device, **settings}
    try:
        config = checked_config(whole, "settings")
    except WorkbenchError as error:
        key = error.came.split(":")[0].split(".")[0]
        place: Place = "data" if key == "data" else "modules" if key in ("model", "loss") else "settings"
        raise FormError(place, error) from error
    return Wish(config, seeds, data, others)


def form_values(
    config: TrainingConfig, seeds: int = 1, others: Sequence[str] | None = None
) -> dict[str, Any]:
    """Field → what its control shows of a config; the data of a file are not among them.

    The inverse of ``wish_of`` for everything that a control can show.
    """
    data, model, loss = config.data, config.model, config.loss
    found: dict[str, Any] = {
        "held_out_share": data.held_out_share,
        "encoding": data.encoding or AUTO,
        "rescale": data.rescale or AUTO,
        "model": model.name,
        "max_seq_length": shown(model.max_seq_length),
        "pooling": model.pooling or OWN,
        "dense": shown(model.dense),
        "normalize": next(key for key, value in _NORMALIZE.items() if value is model.normalize),
        "loss": loss.name,
        "loss_arguments": yaml.safe_dump(dict(loss.arguments), sort_keys=False) if loss.arguments else "",
        "evaluator": config.evaluator,
        "learning_rate": f"{config.learning_rate:g}",
        "seeds": seeds,
    }
    if others is not None:
        found["others"] = list(others)
    if loss.inner is not None:
        found["inner"] = loss.inner.name
    if data.source == "support-desk":
        found |= {"source": data.source, "view": data.view, "desk_language": data.language}
    elif data.source.startswith("hub:"):
        found |= {
            "source": "hub",
            "hub_name": data.source.removeprefix("hub:"),
            "hub_subset": data.subset or "",
            "hub_split": data.split,
        }
    stated = config.model_dump()
    for name in (*_WHOLE, *_NUMBERS[1:], "scheduler", "precision", "dropout"):
        found[name] = stated[name]
    for name in _MAYBE_WHOLE:
        found[name] = shown(stated[name])
    return found


def new_key() -> str:
    """A key under which one press of a button counts once."""
    return secrets.token_hex(8)


def _at(place: Place, read: Callable[[], Any]) -> Any:
    try:
        return read()
    except WorkbenchError as error:
        raise FormError(place, error) from error


def _data(given: Mapping[str, Any], columns: object) -> DataWish:
    source = choice_of(given["source"], SOURCES, "source")
    names = [name for name in columns if isinstance(name, str)] if isinstance(columns, list) else []
    roles = {
        name: text_of(given[f"role_{slot}"], "role", 40)
        for slot, name in enumerate(names[:ROLE_SLOTS])
        if given[f"role_{slot}"] not in (AUTO, None, "")
    }
    encoding, rescale = (text_of(given[name], name, 40) for name in ("encoding", "rescale"))
    path = stored_upload(given["file"])
    return DataWish(
        source=source,
        view=choice_of(given["view"], VIEWS, "view"),
        language=choice_of(given["desk_language"], ("en", "ko"), "language"),
        pasted=text_of(given["pasted"], "pasted", MAX_PASTED),
        path=Path(path) if path else None,
        hub_name=text_of(given["hub_name"], "hub name", 200).strip(),
        subset=text_of(given["hub_subset"], "subset", 200).strip() or None,
        split=text_of(given["hub_split"], "split", 100).strip() or "train",
        encoding=None if encoding in (AUTO, "") else encoding,
        rescale=None if rescale in (AUTO, "") else rescale,
        roles=roles if source != "support-desk" else {},
        held_out_share=number_of(given["held_out_share"], "held_out_share"),
    )


def _model(given: Mapping[str, Any]) -> dict[str, Any]:
    pooling = text_of(given["pooling"], "pooling", 100)
    return {
        "name": admitted_model(text_of(given["model"], "model", 300).strip() or BUNDLED),
        "max_seq_length": maybe_whole_of(given["max_seq_length"], "max_seq_length"),
        "pooling": None if pooling in (OWN, "") else pooling,
        "dense": maybe_whole_of(given["dense"], "dense"),
        "normalize": _NORMALIZE[choice_of(given["normalize"], tuple(_NORMALIZE), "normalize")],
    }


def admitted_model(name: str) -> str:
    """The name as the run's process may take it: a folder is held to the app's root here, where it is known.

    Raises:
        ModelSourceError: See ``resolve``.
    """
    found = resolve(name)
    return str(found.folder) if found.kind == "folder" else name


def _others(names: object, base: str) -> tuple[str, ...]:
    """Other untuned models, each once and none of them the base; whether one can be loaded is not asked here.

    Raises:
        InvalidTypeError: ``not-text``.
        InvalidValueError: ``too-many-others``.
        ModelSourceError: See ``resolve``.
    """
    given = [names] if isinstance(names, str) else names
    if not isinstance(given, list | tuple | None):
        raise InvalidTypeError("not-text", type(names).__name__, expected="a list of names", where="others")
    asked = [text_of(name, "others", 300).strip() for name in given or ()]
    found: dict[object, str] = {_identity(base): ""}
    for name in filter(None, asked):
        found.setdefault(_identity(name), admitted_model(name))
    others = tuple(name for name in found.values() if name)
    if len(others) > MAX_OTHERS:
        raise InvalidValueError(
            "too-many-others", f"{len(others)} models", expected=f"at most {MAX_OTHERS}", where="others"
        )
    return others


def _identity(name: str) -> object:
    found = resolve(name)
    return found.folder or found.repo


def _loss(given: Mapping[str, Any]) -> dict[str, Any]:
    name = text_of(given["loss"], "loss", 100)
    arguments = loss_arguments(text_of(given["loss_arguments"], "loss arguments", 2000))
    if "guide" in arguments:
        arguments["guide"] = admitted_model(str(arguments["guide"]))
    inner = {"name": text_of(given["inner"], "inner loss", 100)} if name in WRAPPERS else None
    return {"name": name, "arguments": arguments, "inner": inner}


def loss_arguments(text: str) -> dict[str, Any]:
    """Arguments of a loss, one ``name: value`` a line.

    Raises:
        InvalidValueError: ``loss-arguments-format``.

    Example:
        >>> loss_arguments("scale: 30")
        {'scale': 30}
    """
    try:
        found = yaml.safe_load(text) if "&" not in text and "*" not in text else text
    except (yaml.YAMLError, ValueError, RecursionError):
        found = text
    if found is None:
        return {}
    if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
        raise InvalidValueError(
            "loss-arguments-format",
            f"{text[:60]!r}",
            expected="one argument a line, such as scale: 20",
            where="loss arguments",
        )
    return found


def _settings(given: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{name: whole_of(given[name], name) for name in _WHOLE},
        **{name: number_of(given[name], name) for name in _NUMBERS},
        **{name: maybe_whole_of(given[name], name) for name in _MAYBE_WHOLE},
        "scheduler": text_of(given["scheduler"], "scheduler", 100),
        "precision": text_of(given["precision"], "precision", 20),
        "dropout": bool(given["dropout"]),
        "evaluator": text_of(given["evaluator"], "evaluator", 100) or AUTO,
    }
