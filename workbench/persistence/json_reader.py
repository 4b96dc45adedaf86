"""A strict, bounded reader of the JSON files of a model folder, and the scan for keys that steer loaders."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from pathlib import Path
from typing import Any

from workbench.errors import ModelFolderError
from workbench.persistence.names import JSON_BYTES, shown, size_limit

MAX_DEPTH = 32

# Keys whose values have made loaders fetch or run something. None of them is needed to build a model here.
REFUSED_KEYS = frozenset(
    {
        "trust_remote_code",
        "auto_map",
        "attn_implementation",
        "quantization_config",
        "weights_only",
        "use_safetensors",
        "offload_folder",
        "base_model_name_or_path",
        "tokenizer_name_or_path",
    }
)
REFUSED_PREFIXES = ("custom_", "_attn_implementation")
# A flag that transformers 4.46 to 4.50 wrote into every config.json: a bool names nothing to load.
HARMLESS_FLAG = "_attn_implementation_autoset"
# Objects whose keys are the author's own words: a label may be called "custom_fee".
FREE_KEYS = frozenset({"prompts", "label2id", "id2label"})

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class _Refused(ValueError):
    """Raised inside the parser's hooks, where the file is not known."""


def read_json(path: Path, *, limit_bytes: int | None = None, where: str = "") -> Any:
    """Read one JSON file of a model folder.

    Args:
        path: The file.
        limit_bytes: Size limit; by default the one of the file's name: 64 MiB for ``tokenizer.json``,
            1 MiB for most others.
        where: How to name the file in an error; by default its name.

    Raises:
        ModelFolderError: ``json-missing``, ``json-unreadable``, ``json-too-big``, ``json-not-utf8``,
            ``json-broken``, ``json-duplicate-key``, ``json-not-finite``, ``json-too-deep``,
            ``json-surrogate``.
    """
    name = where or path.name
    limit = (size_limit(path.name) or JSON_BYTES) if limit_bytes is None else limit_bytes
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except FileNotFoundError:
        raise ModelFolderError(
            "json-missing",
            "the file is not there",
            where=name,
            fix="Check that the folder holds the whole model",
        ) from None
    except (OSError, ValueError) as error:
        raise ModelFolderError("json-unreadable", f"the file cannot be read: {error}", where=name) from error
    if len(data) > limit:
        raise ModelFolderError(
            "json-too-big",
            f"more than {limit:,} bytes",
            expected=f"at most {limit:,} bytes",
            where=name,
            fix="Check that the file is what its name says",
        )
    return parse_json(data, name)


def parse_json(data: bytes, where: str) -> Any:
    """Parse JSON bytes strictly: UTF-8 (a byte order mark is skipped), unique keys, finite numbers, depth 32.

    Args:
        data: The bytes.
        where: How to name the file in an error.

    Raises:
        ModelFolderError: As ``read_json``.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ModelFolderError(
            "json-not-utf8",
            f"byte {error.start} is not UTF-8",
            expected="UTF-8 text",
            where=where,
            fix="Save the file as UTF-8",
        ) from error
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_float=_finite, parse_constant=_no_constant)
    except _Refused as error:
        code, came = error.args
        raise ModelFolderError(code, came, where=where, fix="Mend the file or fetch it again") from error
    except RecursionError as error:
        raise _too_deep(where) from error
    except ValueError as error:
        raise ModelFolderError(
            "json-broken",
            str(error)[:200],
            expected="one JSON value",
            where=where,
            fix="Mend the file or fetch it again",
        ) from error
    _check_depth(value, where)
    if _SURROGATE.search(data):
        _check_surrogates(value, where)
    return value


def scan_keys(value: Any, where: str) -> None:
    """Refuse, at any depth, a key that has made a loader fetch or run something.

    A null value is let pass, and so are the keys of objects that hold only the author's own words
    (``prompts``, ``label2id``, …) with plain values.

    Args:
        value: What ``read_json`` gave.
        where: How to name the file in an error.

    Raises:
        ModelFolderError: ``config-key-refused``, or ``model-custom-code`` for ``auto_map``.
    """
    stack: list[Any] = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, list):
            stack.extend(item)
        elif isinstance(item, dict):
            for key, child in item.items():
                _check_key(key, child, where)
                if not (key in FREE_KEYS and _is_flat(child)):
                    stack.append(child)


def _check_key(key: str, child: Any, where: str) -> None:
    if child is None or (key == HARMLESS_FLAG and isinstance(child, bool)):
        return
    if key == "auto_map":
        raise ModelFolderError(
            "model-custom-code",
            "the model asks for Python code of its own (auto_map)",
            expected="a model type that Transformers knows",
            where=where,
            fix="Choose another model: code that comes with a model is never run here",
        )
    if key in REFUSED_KEYS or key.startswith(REFUSED_PREFIXES):
        raise ModelFolderError(
            "config-key-refused",
            f"the key {shown(key)!r}, which steers how a loader works",
            expected="a file that only describes the model",
            where=where,
            fix="Remove the key, or choose another model",
        )


def _is_flat(value: Any) -> bool:
    return isinstance(value, dict) and not any(isinstance(child, dict | list) for child in value.values())


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        double = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise _Refused("json-duplicate-key", f"the key {shown(double)!r} stands twice in one object")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _Refused("json-not-finite", f"the number {shown(text)} is beyond a 64-bit float")
    return number


def _no_constant(text: str) -> float:
    raise _Refused("json-not-finite", f"{text}, which is not JSON")


def _check_depth(value: Any, where: str) -> None:
    # Level by level, so that no depth can exhaust the stack.
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_DEPTH):
        if not level:
            return
        level = [child for item in level for child in _children(item) if isinstance(child, dict | list)]
    if level:
        raise _too_deep(where)


def _check_surrogates(value: Any, where: str) -> None:
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            stack.extend(item)
        if isinstance(item, dict | list):
            stack.extend(_children(item))
        elif isinstance(item, str) and not _is_text(item):
            raise ModelFolderError(
                "json-surrogate",
                "a \\u escape that is half a character",
                expected="whole characters",
                where=where,
                fix="Mend the file or fetch it again",
            )


def _children(item: Any) -> Any:
    return item.values() if isinstance(item, dict) else item


def _is_text(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _too_deep(where: str) -> ModelFolderError:
    return ModelFolderError(
        "json-too-deep",
        f"more than {MAX_DEPTH} levels",
        expected=f"at most {MAX_DEPTH}",
        where=where,
        fix="Fetch the file again",
    )
