"""The ONNX Runtime column as a script."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.contenders.contract import Settings
from workbench.contenders.graph_code import graph_code
from workbench.contenders.onnxruntime_engine.encode import PRECISIONS
from workbench.errors import UnknownNameError

_QUANTIZE = (
    'quantize_dynamic(path, path.with_name("int8.onnx"), op_types_to_quantize=["MatMul"], per_channel=True)',
    'path = path.with_name("int8.onnx")',
)


def onnxruntime_code(model: str, settings: Settings, texts: Sequence[str]) -> str:
    """A whole script; it needs onnxruntime, onnx, torch and transformers, and nothing of this package.

    Raises:
        UnknownNameError: An unknown pooling mode, or a precision that the engine does not compute in.
    """
    if settings.precision not in PRECISIONS:
        raise UnknownNameError(
            "unknown-precision",
            f"Precision {settings.precision!r} in onnxruntime",
            expected=f"one of {', '.join(PRECISIONS)}",
        )
    whole = settings.precision == "int8"
    start = [
        *(_QUANTIZE if whole else ()),
        "options = onnxruntime.SessionOptions()",
        f"options.intra_op_num_threads = {int(settings.threads)}",
        'session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])',
        "wanted = [one.name for one in session.get_inputs()]",
        "",
        "",
        "def run(feed):",
        '    return session.run(["hidden"], feed)[0]',
        "",
    ]
    imports = ["import onnxruntime"]
    late = ["from onnxruntime.quantization import quantize_dynamic"] if whole else []
    return graph_code("ONNX Runtime", [*imports, *late], start, model, settings, texts)
