"""The settings that a model folder implies, stated in full, and the check of settings before use."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from typing import Any

from workbench.compare.conditions import cpu_cores
from workbench.contenders.contract import Settings
from workbench.errors import InvalidTypeError, InvalidValueError, UnknownNameError
from workbench.models.folder import CheckedModel

POOLING_MODES = ("cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken")
PRECISIONS = ("float32", "bfloat16", "float16", "int8")
# More intra-op threads than this gain nothing on short texts.
_MOST_THREADS = 8
_LARGEST_BATCH = 4096

_TYPES: dict[str, tuple[type, ...]] = {
    "pooling": (str,),
    "normalize": (bool,),
    "max_length": (int,),
    "prompt": (str,),
    "lowercase": (bool, type(None)),
    "use_mask": (bool,),
    "precision": (str,),
    "device": (str,),
    "threads": (int,),
    "batch_size": (int,),
}


def settings_for(model: CheckedModel, **overrides: Any) -> Settings:
    """State what the model folder implies; each override replaces one of its settings.

    Args:
        model: An admitted model.
        overrides: Fields of ``Settings``.

    Raises:
        UnknownNameError: An override that ``Settings`` does not have.
        InvalidValueError, InvalidTypeError: As ``validate_settings``.
    """
    known = [field.name for field in fields(Settings)]
    if unknown := sorted(set(overrides) - set(known)):
        raise UnknownNameError(
            "unknown-setting", ", ".join(map(repr, unknown)), expected=f"one of {', '.join(known)}"
        )
    implied = Settings(
        pooling=model.pooling,
        normalize=model.normalize,
        max_length=model.max_length,
        prompt=model.prompts.get(model.default_prompt_name or "", ""),
        threads=min(cpu_cores(), _MOST_THREADS),
    )
    settings = replace(implied, **overrides)
    validate_settings(settings, model)
    return settings


def validate_settings(settings: Settings, model: CheckedModel) -> None:
    """Check settings against the model and this machine.

    Raises:
        InvalidTypeError: A value of another type than the setting has.
        InvalidValueError: A value that this model or machine cannot honour; the message has the cure.
        UnknownNameError: An unknown pooling mode or precision.
    """
    for name, types in _TYPES.items():
        _check_type(name, getattr(settings, name), types)
    # Empty is the pooling of a static embedding table, which has no Pooling module.
    modes = settings.pooling.split("+") if settings.pooling or model.pooling else []
    if unknown := [mode for mode in modes if mode not in POOLING_MODES]:
        raise UnknownNameError(
            "unknown-pooling",
            f"Pooling {', '.join(map(repr, unknown))}",
            expected=f"{', '.join(POOLING_MODES)}, or several joined by +",
            where="pooling",
        )
    if len(set(modes)) < len(modes):
        raise InvalidValueError(
            "pooling-repeated",
            f"Pooling {settings.pooling!r}",
            expected="each mode once",
            fix="Name a mode once; its values would only be repeated",
            where="pooling",
        )
    if settings.precision not in PRECISIONS:
        raise UnknownNameError(
            "unknown-precision",
            f"Precision {settings.precision!r}",
            expected=f"one of {', '.join(PRECISIONS)}",
            where="precision",
        )
    if model.position_limit:
        _check_range("max_length", settings.max_length, 1, model.position_limit, "the model's positions")
    _check_range("threads", settings.threads, 1, max(cpu_cores(), 1), "the cores of this machine")
    _check_range("batch_size", settings.batch_size, 1, _LARGEST_BATCH, "texts a batch")
    _check_device(settings.device)


def _check_type(name: str, value: object, types: tuple[type, ...]) -> None:
    # bool is a kind of int in Python; batch_size=True is a mistake all the same.
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        wanted = " or ".join("None" if kind is type(None) else kind.__name__ for kind in types)
        raise InvalidTypeError(
            "setting-type", f"{type(value).__name__} {value!r}"[:120], expected=wanted, where=name
        )


def _check_range(name: str, value: int, low: int, high: int, what: str) -> None:
    if not low <= value <= high:
        raise InvalidValueError(
            "setting-range",
            f"{value}",
            expected=f"{low} to {high} ({what})",
            fix=f"Choose {name} in this range",
            where=name,
        )


def _check_device(device: str) -> None:
    import torch

    if not re.fullmatch(r"cpu|cuda(:[0-9]{1,2})?", device, re.ASCII):
        raise InvalidValueError(
            "unknown-device", f"{device!r}"[:60], expected="cpu, cuda, or cuda:0 and so on", where="device"
        )
    if device == "cpu":
        return
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    index = int(device.partition(":")[2] or 0)
    if index >= count:
        raise InvalidValueError(
            "device-missing",
            f"Device {device!r} was asked for, and torch finds {count} CUDA GPUs on this machine",
            expected="cpu" if count == 0 else f"cpu, or cuda:0 to cuda:{count - 1}",
            fix="Choose the CPU, or run on a machine with a GPU and a CUDA build of torch",
            where="device",
        )
