"""The workbench: train sentence-embedding models the classic way and compare pipelines side by side.

Importing this package is cheap: a public name is imported on first use, torch with it where it needs torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench import datasets as datasets
    from workbench import evaluation as evaluation
    from workbench import losses as losses
    from workbench import models as models
    from workbench import readers as readers
    from workbench import util as util
    from workbench.data.input_example import InputExample as InputExample
    from workbench.errors import WorkbenchError as WorkbenchError
    from workbench.sentence_transformer import SentenceTransformer as SentenceTransformer
    from workbench.util.quantization import quantize_embeddings as quantize_embeddings
    from workbench.util.similarity import SimilarityFunction as SimilarityFunction

__version__ = "0.1.0"

# Public name → the module that holds it; a module itself where the two are the same name.
_PUBLIC = {
    "InputExample": "workbench.data.input_example",
    "SentenceTransformer": "workbench.sentence_transformer",
    "SimilarityFunction": "workbench.util.similarity",
    "WorkbenchError": "workbench.errors",
    "datasets": "workbench.datasets",
    "evaluation": "workbench.evaluation",
    "losses": "workbench.losses",
    "models": "workbench.models",
    "quantize_embeddings": "workbench.util.quantization",
    "readers": "workbench.readers",
    "util": "workbench.util",
}

__all__ = [*_PUBLIC, "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        known = ", ".join(sorted(_PUBLIC))
        raise AttributeError(f"module 'workbench' has no attribute {name!r}; it has {known}")
    module = importlib.import_module(_PUBLIC[name])
    value = module if _PUBLIC[name].rpartition(".")[2] == name else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
