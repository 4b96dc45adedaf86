"""Reading safetensors weights: own header checks, the files of a folder, the tensors, the finite scan."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import ModelFolderError
from workbench.persistence.json_reader import parse_json, read_json
from workbench.persistence.names import SHARD, listed, shown

if TYPE_CHECKING:
    import torch

# The format allows 100 MB. 8 MiB hold the headers of some 80,000 tensors and parse in a fraction of a second.
MAX_HEADER_BYTES = 8 << 20
MAX_DIMENSIONS = 8

# Bytes of one element.
ITEM_SIZES: Mapping[str, int] = {
    "BOOL": 1,
    "U8": 1,
    "I8": 1,
    "F8_E4M3": 1,
    "F8_E5M2": 1,
    "I16": 2,
    "U16": 2,
    "F16": 2,
    "BF16": 2,
    "I32": 4,
    "U32": 4,
    "F32": 4,
    "I64": 8,
    "U64": 8,
    "F64": 8,
}

_SINGLE = "model.safetensors"
_INDEX = "model.safetensors.index.json"
_FINITE_CHUNK = 1 << 22


@dataclass(frozen=True)
class TensorInfo:
    """One tensor of a header; ``begin`` and ``end`` in bytes from the start of the data."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int

    @property
    def elements(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)


def read_header(path: Path, *, where: str = "") -> dict[str, TensorInfo]:
    """Read and check the header of a safetensors file; no tensor is touched.

    Args:
        path: The file.
        where: How to name the file in an error; by default its name.

    Returns:
        Tensor name → what the header says of it, in the order of the data.

    Raises:
        ModelFolderError: ``weights-corrupt``: truncated, too large a header, a broken or ambiguous header,
            an unknown dtype, a gap, an overlap, or sizes that do not fit shape or file.

    Source: the format of huggingface/safetensors, with its rule that the data has neither gap nor overlap.
    """
    name = where or path.name
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(0)
            prefix = file.read(8)
            length = int.from_bytes(prefix, "little")
            if len(prefix) < 8:
                raise _corrupt(f"the file has {size} bytes", "at least 8", name)
            if length > MAX_HEADER_BYTES or length > size - 8:
                limit = min(MAX_HEADER_BYTES, size - 8)
                raise _corrupt(f"a header of {length:,} bytes", f"at most {limit:,}", name)
            raw = file.read(length)
    except OSError as error:
        raise ModelFolderError("weights-missing", f"cannot be read: {error}", where=name) from error
    if not raw.startswith(b"{"):
        raise _corrupt("the header does not start with '{'", "a safetensors file", name)
    try:
        header = parse_json(raw, name)
    except ModelFolderError as error:
        raise _corrupt(
            f"the header is refused: {error.came} ({error.code})", "a JSON object", name
        ) from error
    tensors = {key: _tensor_info(key, value, name) for key, value in header.items() if key != "__metadata__"}
    _check_metadata(header.get("__metadata__", {}), name)
    return _check_layout(tensors, size - 8 - length, name)


def weight_files(folder: Path) -> list[Path]:
    """The weight files of the folder of one module: ``model.safetensors``, else the shards of its index.

    Args:
        folder: An admitted folder or a module folder in it.

    Raises:
        ModelFolderError: ``weights-missing``, or ``weights-index`` for an index that is not one.
    """
    if (folder / _SINGLE).is_file():
        return [folder / _SINGLE]
    if not (folder / _INDEX).is_file():
        raise ModelFolderError(
            "weights-missing", f"no {_SINGLE} and no {_INDEX}", where=folder.name, fix="Fetch the model again"
        )
    return [folder / name for name in sorted(set(_weight_map(folder).values()))]


def read_headers(folder: Path) -> dict[str, TensorInfo]:
    """All tensors of a module folder, over its shards; offsets count from the data of each one's own file.

    Args:
        folder: An admitted folder or a module folder in it.

    Raises:
        ModelFolderError: As ``weight_files`` and ``read_header``; ``weights-corrupt`` too where index and
            shards disagree.
    """
    files = weight_files(folder)
    if files == [folder / _SINGLE]:
        return read_header(files[0])
    expected = _weight_map(folder)
    found: dict[str, TensorInfo] = {}
    for path in files:
        header = read_header(path)
        told = {name for name, file in expected.items() if file == path.name}
        if set(header) != told:
            wrong = sorted(set(header) ^ told)
            raise _corrupt(f"index and shard disagree on {listed(wrong, 3)}", "the same tensors", path.name)
        found.update(header)
    return found


def load_tensors(folder_or_file: Path) -> dict[str, torch.Tensor]:
    """Load the tensors of a module folder or of one file, after checking every header.

    The data is memory-mapped: nothing is read before it is used, and a write to a tensor never reaches
    the file.

    Args:
        folder_or_file: An admitted folder, a module folder in it, or a safetensors file.

    Returns:
        Tensor name → tensor on the CPU in its stored dtype.

    Raises:
        ModelFolderError: ``weights-missing``, ``weights-index`` or ``weights-corrupt``.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if folder_or_file.is_dir():
        read_headers(folder_or_file)
        files = weight_files(folder_or_file)
    else:
        read_header(folder_or_file)
        files = [folder_or_file]
    tensors: dict[str, torch.Tensor] = {}
    for path in files:
        try:
            tensors.update(load_file(path))
        except (SafetensorError, OSError, ValueError, KeyError) as error:
            raise _corrupt(f"safetensors refuses the file: {error}", "a whole file", path.name) from error
    return tensors


def refuse_non_finite(tensors: Mapping[str, torch.Tensor], where: str) -> None:
    """Refuse weights that hold NaN or infinity.

    Args:
        tensors: Tensor name → tensor of any shape; other than floating types pass.
        where: How to name the file or model in an error.

    Raises:
        ModelFolderError: ``weights-not-finite``, with the names of the tensors.
    """
    bad = [name for name, tensor in tensors.items() if not _is_finite(tensor)]
    if bad:
        raise ModelFolderError(
            "weights-not-finite",
            f"{len(bad)} of {len(tensors)} tensors hold NaN or infinity: {listed(bad, 5)}",
            expected="finite numbers",
            where=where,
            fix="Fetch the model again, or go back to the checkpoint before its training failed",
        )


def _is_finite(tensor: torch.Tensor) -> bool:
    import torch

    if not (tensor.is_floating_point() or tensor.is_complex()):
        return True
    # In chunks: a mask over a whole embedding matrix would need a quarter of its memory again.
    flat = tensor.detach().reshape(-1)
    for start in range(0, flat.numel(), _FINITE_CHUNK):
        chunk = flat[start : start + _FINITE_CHUNK]
        values = chunk.float() if chunk.element_size() == 1 else chunk
        # A sum is several times faster, and finite only if every number is; it may overflow on its own.
        if not bool(torch.isfinite(values.sum())) and not bool(torch.isfinite(values).all()):
            return False
    return True


def _weight_map(folder: Path) -> dict[str, str]:
    where = f"{folder.name}/{_INDEX}"
    index = read_json(folder / _INDEX, where=where)
    mapping = index.get("weight_map") if isinstance(index, dict) else None
    closed = isinstance(index, dict) and set(index) <= {"metadata", "weight_map"}
    if not closed or not isinstance(mapping, dict) or not mapping:
        raise _bad_index("an index without a weight_map, or with other keys", where)
    for file in mapping.values():
        if not isinstance(file, str) or not SHARD.fullmatch(file):
            raise _bad_index(f"the file name {shown(str(file))!r}", where)
        if not (folder / file).is_file():
            raise ModelFolderError(
                "weights-missing", f"{file} is not there", where=where, fix="Fetch the model again"
            )
    return mapping


def _bad_index(came: str, where: str) -> ModelFolderError:
    return ModelFolderError(
        "weights-index",
        came,
        expected="a weight_map from tensor names to model-00001-of-00002.safetensors and so on",
        where=where,
        fix="Save the model again with save_pretrained",
    )


def _tensor_info(key: str, value: Any, where: str) -> TensorInfo:
    if not isinstance(value, dict) or set(value) != {"dtype", "shape", "data_offsets"}:
        raise _corrupt(f"the entry of {shown(key)!r}", "dtype, shape and data_offsets", where)
    dtype, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if not isinstance(dtype, str) or dtype not in ITEM_SIZES:
        raise _corrupt(f"{shown(key)!r} has the dtype {shown(str(dtype))!r}", ", ".join(ITEM_SIZES), where)
    if not _are_sizes(shape) or len(shape) > MAX_DIMENSIONS:
        raise _corrupt(f"the shape of {shown(key)!r}", f"up to {MAX_DIMENSIONS} sizes of 0 or more", where)
    if not _are_sizes(offsets) or len(offsets) != 2:
        raise _corrupt(f"the data_offsets of {shown(key)!r}", "two offsets of 0 or more", where)
    info = TensorInfo(dtype, tuple(shape), offsets[0], offsets[1])
    if info.end - info.begin != info.elements * ITEM_SIZES[dtype]:
        raise _corrupt(
            f"{shown(key)!r} spans {info.end - info.begin:,} bytes",
            f"{info.elements * ITEM_SIZES[dtype]:,} bytes for its shape and dtype",
            where,
        )
    return info


def _are_sizes(value: Any) -> bool:
    # bool is an int, and JSON true is no size.
    return isinstance(value, list) and all(type(item) is int and 0 <= item < 1 << 63 for item in value)


def _check_metadata(metadata: Any, where: str) -> None:
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise _corrupt("the __metadata__ of the header", "texts only", where)


def _check_layout(tensors: dict[str, TensorInfo], data_bytes: int, where: str) -> dict[str, TensorInfo]:
    ordered = dict(sorted(tensors.items(), key=lambda item: (item[1].begin, item[1].end)))
    position = 0
    for name, info in ordered.items():
        if info.begin != position:
            kind = "a gap" if info.begin > position else "an overlap"
            raise _corrupt(f"{kind} before {shown(name)!r} at byte {position:,}", "neither", where)
        position = info.end
    if position != data_bytes:
        raise _corrupt(f"{data_bytes:,} bytes of data", f"{position:,} as the header says", where)
    return ordered


def _corrupt(came: str, expected: str, where: str) -> ModelFolderError:
    return ModelFolderError(
        "weights-corrupt", came, expected=expected, where=where, fix="Fetch or copy the file again"
    )
