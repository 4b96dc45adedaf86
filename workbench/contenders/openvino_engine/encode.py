"""OpenVINO on the CPU as a contender, in float32 or bfloat16."""

from __future__ import annotations

import sys
import threading
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.contenders.contract import ModelPaths, Precision, Settings
from workbench.contenders.graph_contender import GraphContender, Run, open_graph
from workbench.contenders.onnx_export import ExportedEncoder
from workbench.errors import InvalidValueError

# Precision → OpenVINO's name of it.
HINTS: dict[Precision, str] = {"float32": "f32", "bfloat16": "bf16"}
# Two threads that ask for the core first would each make one.
_CORE = threading.Lock()


def open_openvino(paths: ModelPaths, settings: Settings) -> GraphContender:
    """Compile the exported encoder.

    Raises:
        InvalidValueError: ``precision-not-supported``: this processor does not compute in bfloat16; and as
            ``open_graph``.
        ModelFolderError, UnknownNameError: As ``open_graph``.
    """
    return open_graph("openvino", paths, settings, tuple(HINTS), _start)


def quiet_openvino() -> Any:
    """The library, imported so that it reports nothing.

    By itself it sends an event to an analytics service when it is imported, and keeps an id in the home
    folder; its only switch is a file there. Where its telemetry package cannot be imported it goes without.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type] # None makes its import fail
    import openvino

    return openvino


@cache
def _core() -> Any:
    """OpenVINO's core, one a process and never let go of.

    Its CPU plugin gives the thread that loads it an alternate signal stack, on which Python's signal handlers
    run, and unmaps it when the last core is dropped, in whichever thread that is. If it is another one, the
    next signal, such as that of an ended child, ends the process by a segmentation fault.
    """
    return quiet_openvino().Core()


def _start(exported: ExportedEncoder, settings: Settings) -> Run:
    with _CORE:
        core = _core()
    hint = HINTS[settings.precision]
    if hint == "bf16" and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        # The hint would be taken without a word, and the numbers be those of float32.
        raise InvalidValueError(
            "precision-not-supported",
            "OpenVINO finds no bfloat16 on this processor",
            expected="precision float32",
            where="precision",
        )
    compiled = core.compile_model(
        core.read_model(str(exported.path)),
        "CPU",
        {
            "INFERENCE_PRECISION_HINT": hint,
            "INFERENCE_NUM_THREADS": settings.threads,
            "NUM_STREAMS": 1,
        },
    )
    request = compiled.create_infer_request()

    def run(feed: dict[str, NDArray[np.int64]]) -> NDArray[np.float32]:
        hidden: NDArray[np.float32] = request.infer(feed)[0]
        return hidden

    return run
