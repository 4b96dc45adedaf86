"""The table of contenders. One more is one line here and one folder beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from workbench.contenders.contract import Contender, ModelPaths, Settings
from workbench.contenders.trace_contract import Trace
from workbench.errors import MissingExtraError, UnknownNameError


@dataclass(frozen=True)
class ContenderKind:
    """A library that can be compared.

    Attributes:
        title: Name for a menu.
        description: One line.
        open: Loads the admitted copy of a model under settings.
        code: Model name as the user gave it, settings, texts → a script in plain code of that library.
        applies_all_modules: Whether it runs every module of a folder, a Dense layer for one.
        record: An opened contender, its model's paths and texts → a trace; with a left trace and stages, its
            values are put in there. None where a pipeline cannot be looked into stage by stage.
        needs: Packages beyond the workbench's own, by the name under which they are imported and installed.
    """

    title: str
    description: str
    open: Callable[[ModelPaths, Settings], Contender]
    code: Callable[[str, Settings, Sequence[str]], str]
    applies_all_modules: bool = True
    record: Callable[[Any, ModelPaths, Sequence[str], Trace | None, frozenset[str]], Trace] | None = None
    needs: tuple[str, ...] = ()


def contender_kind(name: str) -> ContenderKind:
    """Look a contender up.

    Raises:
        UnknownNameError: The table does not hold it.
    """
    if name not in CONTENDERS:
        raise UnknownNameError(
            "unknown-contender", f"Contender {name!r}", expected=f"one of {', '.join(CONTENDERS)}"
        )
    return CONTENDERS[name]


def missing_packages(name: str) -> tuple[str, ...]:
    """What a contender needs and this Python does not have; nothing is imported.

    Raises:
        UnknownNameError: The table does not hold it.
    """
    return tuple(package for package in contender_kind(name).needs if find_spec(package) is None)


def installed_contenders() -> tuple[str, ...]:
    """Names of the contenders that can be opened here, in the order of the table."""
    return tuple(name for name in CONTENDERS if not missing_packages(name))


def traced_contenders() -> tuple[str, ...]:
    """Names of the contenders that can be looked into stage by stage."""
    return tuple(name for name, kind in CONTENDERS.items() if kind.record is not None)


def require_installed(name: str) -> None:
    """Refuse a contender whose packages are not here.

    Raises:
        MissingExtraError: ``contender-not-installed``.
        UnknownNameError: The table does not hold it.
    """
    if missing := missing_packages(name):
        raise MissingExtraError(
            "contender-not-installed",
            f"Contender {name!r} needs {' and '.join(missing)}, and this Python does not have it",
            expected=f"one of {', '.join(installed_contenders())}",
            fix=f"pip install {' '.join(missing)}",
        )


# The libraries are heavy: each function imports its own when it is first called.
def _open_own(paths: ModelPaths, settings: Settings) -> Contender:
    from workbench.contenders.own.encode import open_own

    return open_own(paths, settings)


def _open_upstream(paths: ModelPaths, settings: Settings) -> Contender:
    from workbench.contenders.upstream.encode import open_upstream

    return open_upstream(paths, settings)


def _open_manual(paths: ModelPaths, settings: Settings) -> Contender:
    from workbench.contenders.manual.encode import open_manual

    return open_manual(paths, settings)


def _open_onnxruntime(paths: ModelPaths, settings: Settings) -> Contender:
    require_installed("onnxruntime")
    from workbench.contenders.onnxruntime_engine.encode import open_onnxruntime

    return open_onnxruntime(paths, settings)


def _open_openvino(paths: ModelPaths, settings: Settings) -> Contender:
    require_installed("openvino")
    from workbench.contenders.openvino_engine.encode import open_openvino

    return open_openvino(paths, settings)


def _own_code(model: str, settings: Settings, texts: Sequence[str]) -> str:
    from workbench.contenders.own.code import own_code

    return own_code(model, settings, texts)


def _upstream_code(model: str, settings: Settings, texts: Sequence[str]) -> str:
    from workbench.contenders.upstream.code import upstream_code

    return upstream_code(model, settings, texts)


def _manual_code(model: str, settings: Settings, texts: Sequence[str]) -> str:
    from workbench.contenders.manual.code import manual_code

    return manual_code(model, settings, texts)


def _onnxruntime_code(model: str, settings: Settings, texts: Sequence[str]) -> str:
    from workbench.contenders.onnxruntime_engine.code import onnxruntime_code

    return onnxruntime_code(model, settings, texts)


def _openvino_code(model: str, settings: Settings, texts: Sequence[str]) -> str:
    from workbench.contenders.openvino_engine.code import openvino_code

    return openvino_code(model, settings, texts)


def _record_own(
    contender: Any, paths: ModelPaths, texts: Sequence[str], left: Trace | None, stages: frozenset[str]
) -> Trace:
    from workbench.contenders.own.record import record_own

    return record_own(contender, paths, texts, left, stages)


def _record_upstream(
    contender: Any, paths: ModelPaths, texts: Sequence[str], left: Trace | None, stages: frozenset[str]
) -> Trace:
    from workbench.contenders.upstream.record import record_upstream

    return record_upstream(contender, paths, texts, left, stages)


def _record_manual(
    contender: Any, paths: ModelPaths, texts: Sequence[str], left: Trace | None, stages: frozenset[str]
) -> Trace:
    from workbench.contenders.manual.record import record_manual

    return record_manual(contender, paths, texts, left, stages)


CONTENDERS: dict[str, ContenderKind] = {
    "own": ContenderKind(
        "This workbench",
        "The package's own pipeline: packed batches, no padding",
        _open_own,
        _own_code,
        record=_record_own,
    ),
    "upstream": ContenderKind(
        "sentence-transformers",
        "The upstream library, SentenceTransformer.encode",
        _open_upstream,
        _upstream_code,
        record=_record_upstream,
    ),
    "manual": ContenderKind(
        "Transformers by hand",
        "AutoModel with pooling written by hand",
        _open_manual,
        _manual_code,
        record=_record_manual,
        applies_all_modules=False,
    ),
    "onnxruntime": ContenderKind(
        "ONNX Runtime",
        "The encoder exported by torch, run by ONNX Runtime on the CPU",
        _open_onnxruntime,
        _onnxruntime_code,
        applies_all_modules=False,
        needs=("onnxruntime", "onnx"),
    ),
    "openvino": ContenderKind(
        "OpenVINO",
        "The encoder exported by torch, run by OpenVINO on the CPU",
        _open_openvino,
        _openvino_code,
        applies_all_modules=False,
        needs=("openvino", "onnx"),
    ),
}
