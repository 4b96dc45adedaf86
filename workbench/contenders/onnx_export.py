"""The encoder of an admitted model as an ONNX file, of any batch and length, made once a process."""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
import warnings
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from workbench.errors import InvalidValueError

# Files kept; the one used longest ago goes first. An open session has read its own.
_MOST_FILES = 4
_OPSET = 17
# Lengths apart from each other and from the one that is traced.
_PROBE = ("a", "a few more words in one line", "word " * 150)
_PROBE_TOKENS = 160


@dataclass(frozen=True)
class ExportedEncoder:
    """A graph on disk, and what the encoder itself makes of three texts.

    Attributes:
        path: The file. Inputs as ``names``, output ``hidden`` of shape ``(batch, tokens, dim)`` in float32.
        names: Inputs that the graph kept, each int64 of shape ``(batch, tokens)``.
        width: Size of a hidden state.
        positions: Longest input in tokens; None where positions are relative.
        probe: Input → what the three texts give. Shape ``(3, tokens)``.
        probe_hidden: The encoder's answer to them. Shape ``(3, tokens, dim)``.
    """

    path: Path
    names: tuple[str, ...]
    width: int
    positions: int | None
    probe: dict[str, NDArray[np.int64]]
    probe_hidden: NDArray[np.float32]


class _HiddenStates(nn.Module):
    """Positional tensors in, the last hidden state out: what an export can trace."""

    def __init__(self, encoder: Any, names: tuple[str, ...]) -> None:
        super().__init__()
        self.encoder = encoder
        self.names = names

    def forward(self, *inputs: Tensor) -> Tensor:
        hidden: Tensor = self.encoder(**dict(zip(self.names, inputs, strict=True))).last_hidden_state
        return hidden


_Key = tuple[str, tuple[tuple[str, int, int], ...]]
_FILES: OrderedDict[_Key, ExportedEncoder] = OrderedDict()
# Also for the warnings that are silenced while torch traces: that is a state of the process.
_LOCK = threading.Lock()
_SCRATCH: list[tempfile.TemporaryDirectory[str]] = []


def exported_encoder(folder: Path, tokenizer: Any) -> ExportedEncoder:
    """The graph of an encoder in float32; the second call for the same files exports nothing.

    The file lies in a private folder that goes with the process.

    Args:
        folder: An admitted Transformers folder.
        tokenizer: Its tokenizer, which says what the inputs are.

    Raises:
        InvalidValueError: ``onnx-export-failed``: torch cannot write this encoder as a graph.
    """
    key = (
        str(folder.resolve()),
        tuple(
            (file.name, file.stat().st_size, file.stat().st_mtime_ns)
            for file in sorted(folder.iterdir())
            if file.is_file()
        ),
    )
    with _LOCK:
        if key not in _FILES:
            if not _SCRATCH:
                _SCRATCH.append(tempfile.TemporaryDirectory(prefix="workbench-onnx-"))
            # A folder each: parts of a large graph lie beside it.
            target = Path(tempfile.mkdtemp(dir=_SCRATCH[0].name)) / "encoder.onnx"
            try:
                _FILES[key] = _exported(folder, tokenizer, target)
            except BaseException:
                shutil.rmtree(target.parent)
                raise
        _FILES.move_to_end(key)
        while len(_FILES) > _MOST_FILES:
            _, old = _FILES.popitem(last=False)
            shutil.rmtree(old.path.parent)
        return _FILES[key]


def quantized_file(exported: ExportedEncoder) -> Path:
    """The graph with its matrix products in int8, weights by output channel, inputs by call.

    By channel, and the products only: rounding weights by tensor and the embedding tables too ruins a MiniLM.
    """
    target = exported.path.with_name("encoder-int8.onnx")
    with _LOCK:
        if not target.exists():
            _quantize(exported.path, target)
    return target


def _quantize(path: Path, target: Path) -> None:
    from onnxruntime.quantization import quantize_dynamic

    # It logs through the root logger, which, where nobody listens, would be set up for good.
    root, silent = logging.getLogger(), logging.NullHandler()
    root.addHandler(silent)
    try:
        quantize_dynamic(path, target, op_types_to_quantize=["MatMul"], per_channel=True)
    finally:
        root.removeHandler(silent)


def _exported(folder: Path, tokenizer: Any, target: Path) -> ExportedEncoder:
    from transformers import AutoModel

    encoder = AutoModel.from_pretrained(
        str(folder), local_files_only=True, trust_remote_code=False, use_safetensors=True, dtype=torch.float32
    ).eval()
    positions = _positions(encoder)
    probe = tokenizer(
        list(_PROBE),
        padding=True,
        truncation=True,
        max_length=min(_PROBE_TOKENS, positions or _PROBE_TOKENS),
        return_tensors="pt",
    )
    names = tuple(probe)
    sample = torch.ones((2, 5), dtype=torch.int64)
    try:
        with torch.inference_mode(), warnings.catch_warnings():
            # The tracer's notes on constants: the probe sees whether one of them matters.
            warnings.simplefilter("ignore")
            hidden = encoder(**probe).last_hidden_state
            torch.onnx.export(
                _HiddenStates(encoder, names).eval(),
                tuple(sample.clone() for _ in names),
                str(target),
                input_names=list(names),
                output_names=["hidden"],
                dynamic_axes={name: {0: "batch", 1: "tokens"} for name in (*names, "hidden")},
                opset_version=_OPSET,
                dynamo=False,
            )
    except Exception as error:
        # Whatever the tracer met: every architecture fails in its own way.
        raise InvalidValueError(
            "onnx-export-failed",
            f"torch cannot write a {type(encoder).__name__} as an ONNX graph: "
            f"{type(error).__name__}: {str(error)[:200]}",
            expected="an encoder that torch.onnx.export can trace, such as BERT's",
            fix="Choose another contender for this model",
        ) from error
    kept = _inputs_of(target)
    return ExportedEncoder(
        target,
        tuple(name for name in names if name in kept),
        int(encoder.config.hidden_size),
        positions,
        {name: probe[name].numpy() for name in names},
        hidden.numpy(),
    )


def _inputs_of(path: Path) -> set[str]:
    import onnx

    return {one.name for one in onnx.load(str(path), load_external_data=False).graph.input}


def _positions(encoder: Any) -> int | None:
    found = getattr(encoder.config, "max_position_embeddings", None)
    if not isinstance(found, int) or found < 1:
        return None
    table = getattr(getattr(encoder, "embeddings", None), "position_embeddings", None)
    padding = getattr(table, "padding_idx", None)
    # RoBERTa and its kin count positions from the padding index + 1.
    return found - padding - 1 if isinstance(padding, int) else found
