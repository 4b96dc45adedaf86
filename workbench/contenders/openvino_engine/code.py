"""The OpenVINO column as a script."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.contenders.contract import Settings
from workbench.contenders.graph_code import graph_code
from workbench.contenders.openvino_engine.encode import HINTS
from workbench.errors import UnknownNameError

_IMPORTS = (
    "import sys",
    "",
    'sys.modules["openvino_telemetry"] = None  # without it nothing is sent to an analytics service',
    "import openvino",
)


def openvino_code(model: str, settings: Settings, texts: Sequence[str]) -> str:
    """A whole script; it needs openvino, onnx, torch and transformers, and nothing of this package.

    Raises:
        UnknownNameError: An unknown pooling mode, or a precision that the engine does not compute in.
    """
    if settings.precision not in HINTS:
        raise UnknownNameError(
            "unknown-precision",
            f"Precision {settings.precision!r} in openvino",
            expected=f"one of {', '.join(HINTS)}",
        )
    start = [
        "core = openvino.Core()",
        "compiled = core.compile_model(",
        "    core.read_model(str(path)),",
        '    "CPU",',
        "    {",
        f'        "INFERENCE_PRECISION_HINT": "{HINTS[settings.precision]}",',
        f'        "INFERENCE_NUM_THREADS": {int(settings.threads)},',
        '        "NUM_STREAMS": 1,',
        "    },",
        ")",
        "wanted = [one.get_any_name() for one in compiled.inputs]",
        "",
        "",
        "def run(feed):",
        "    return compiled(feed)[0]",
        "",
    ]
    return graph_code("OpenVINO", _IMPORTS, start, model, settings, texts)
