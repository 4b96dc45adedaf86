"""Where a model comes from, the checked private copy it is loaded from, and writing one without a mix."""

from __future__ import annotations

from workbench.persistence.admitted import AdmittedFolder, FileRecord
from workbench.persistence.atomic import atomic_folder, write_json
from workbench.persistence.checked_folder import admit
from workbench.persistence.json_reader import read_json, scan_keys
from workbench.persistence.source import BUNDLED, Source, resolve
from workbench.persistence.weights import (
    TensorInfo,
    load_tensors,
    read_header,
    read_headers,
    refuse_non_finite,
    weight_files,
)

__all__ = [
    "BUNDLED",
    "AdmittedFolder",
    "FileRecord",
    "Source",
    "TensorInfo",
    "admit",
    "atomic_folder",
    "load_tensors",
    "read_header",
    "read_headers",
    "read_json",
    "refuse_non_finite",
    "resolve",
    "scan_keys",
    "weight_files",
    "write_json",
]
