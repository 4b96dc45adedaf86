"""ONNX Runtime on the CPU as a contender, in float32 or with int8 matrix products."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workbench.contenders.contract import ModelPaths, Precision, Settings
from workbench.contenders.graph_contender import GraphContender, Run, open_graph
from workbench.contenders.onnx_export import ExportedEncoder, quantized_file

PRECISIONS: tuple[Precision, ...] = ("float32", "int8")


def open_onnxruntime(paths: ModelPaths, settings: Settings) -> GraphContender:
    """Open a session on the exported encoder.

    Raises:
        InvalidValueError, ModelFolderError, UnknownNameError: As ``open_graph``.
    """
    return open_graph("onnxruntime", paths, settings, PRECISIONS, _start)


def _start(exported: ExportedEncoder, settings: Settings) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = settings.threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    path = quantized_file(exported) if settings.precision == "int8" else exported.path
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def run(feed: dict[str, NDArray[np.int64]]) -> NDArray[np.float32]:
        hidden: NDArray[np.float32] = session.run(["hidden"], feed)[0]
        return hidden

    return run
