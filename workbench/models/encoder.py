"""Building an encoder from an admitted folder: sizes first, then the library's class, then every tensor."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from workbench.errors import ModelFolderError
from workbench.models.bert_tree import BertTree, fill
from workbench.models.encoder_config import read_encoder_config
from workbench.models.spare_tensors import is_spare
from workbench.persistence.weights import (
    TensorInfo,
    load_tensors,
    read_header,
    refuse_non_finite,
    weight_files,
)

if TYPE_CHECKING:
    from transformers import PretrainedConfig

# The library sets the process's default dtype while it loads: two loads at once would mix them up.
_LOADING = threading.Lock()

# A masked-language head repeats the vocabulary once; more than this much surplus is another model.
_MOST_SURPLUS = 2.5


def load_encoder(folder: Path, dtype: torch.dtype = torch.float32) -> tuple[nn.Module, list[str]]:
    """Load the encoder whose files lie in an admitted folder.

    Args:
        folder: Holds ``config.json`` and safetensors weights.
        dtype: Type the weights are converted to.

    Returns:
        The library's model in eval mode, and notices for the user.

    Raises:
        ModelFolderError: Sizes and tensors disagree with the config, tensors are missing, or not finite.
    """
    config, notices = read_encoder_config(folder)
    files = weight_files(folder)
    header: dict[str, TensorInfo] = {}
    for file in files:
        header.update(read_header(file))
    _compare_sizes(config, header)
    tensors = load_tensors(folder)
    refuse_non_finite(tensors, files[0].name)
    stored = {info.dtype for info in header.values()}
    if dtype == torch.float32 and stored & {"F16", "BF16"}:
        notices.append(f"{files[0].name}: {'/'.join(sorted(stored))} weights were converted to float32")
    return _build(config, tensors, dtype), notices


def library_encoder(folder: Path, tree: BertTree) -> nn.Module:
    """The library's model around the parameters of a tree: the same objects, in the tree's mode.

    Args:
        folder: The admitted folder that the tree was read from.
    """
    config, _ = read_encoder_config(folder)
    dtype = next(tree.parameters()).dtype
    # What the library draws or copies while it builds is dropped again for the tree's own, and a seeded
    # training that is the first to ask for it goes on in its stream.
    with torch.random.fork_rng(devices=[]):
        model = _build(config, {name: value.detach().cpu() for name, value in tree.named_parameters()}, dtype)
    model.to(next(tree.parameters()).device)
    fill(model, tree)
    return model.train(tree.training)


def encoder_class(config: PretrainedConfig) -> type[Any]:
    """The library's bare encoder for a config: a table of its own, without a name from a file."""
    from transformers.models.auto.modeling_auto import MODEL_MAPPING

    found: type[Any] = MODEL_MAPPING[type(config)]
    return found


def _compare_sizes(config: PretrainedConfig, header: dict[str, TensorInfo]) -> None:
    """Refuse before anything is allocated: on the meta device a model costs no memory."""
    with _LOADING, torch.device("meta"):
        try:
            skeleton = encoder_class(config)(config)
        except Exception as error:
            raise ModelFolderError(
                "config-invalid",
                f"No model can be built from the configuration: {str(error)[:300]}",
                fix="Take config.json from the original model",
                where="config.json",
            ) from error
    wanted = sum(
        parameter.numel() for name, parameter in skeleton.named_parameters() if not name.startswith("pooler.")
    )
    found = sum(math.prod(info.shape) for info in header.values())
    if not wanted <= found <= wanted * _MOST_SURPLUS + 1_000_000:
        _name_missing(skeleton, header)
        raise ModelFolderError(
            "weights-size-mismatch",
            f"The weights hold {found:,} numbers",
            expected=f"about {wanted:,}, as config.json describes",
            fix="Take config.json and the weights from the same model",
            where="config.json",
        )


def _name_missing(skeleton: nn.Module, header: dict[str, TensorInfo]) -> None:
    """Where most names agree, a size mismatch is missing tensors, and naming them helps more."""
    prefix = f"{getattr(skeleton, 'base_model_prefix', '')}."
    present = {name.removeprefix(prefix) for name in header}
    names = [name for name, _ in skeleton.named_parameters() if not name.startswith("pooler.")]
    missing = [name for name in names if name not in present]
    if len(missing) < len(names):
        _refuse_missing(missing)


def _build(config: PretrainedConfig, tensors: dict[str, torch.Tensor], dtype: torch.dtype) -> nn.Module:
    model_class = encoder_class(config)
    has_pooler = any("pooler." in name for name in tensors)
    with _LOADING, _quiet_library():
        try:
            # No path is given, so nothing of the file but its tensors can reach the loader.
            model, info = model_class.from_pretrained(
                None, config=config, state_dict=tensors, dtype=dtype, output_loading_info=True
            )
        except RuntimeError as error:
            raise ModelFolderError(
                "weights-shape-mismatch",
                f"The tensors do not fit: {str(error)[:500]}",
                expected="the shapes that config.json describes",
                fix="Take config.json and the weights from the same model",
                where="config.json",
            ) from error
    missing = [name for name in info["missing_keys"] if not name.startswith("pooler.")]
    _refuse_missing(missing)
    if not has_pooler and getattr(model, "pooler", None) is not None:
        # The library filled it with random numbers; sentence embeddings never read it.
        model.pooler = None
    spare = [name for name in info["unexpected_keys"] if not is_spare(name)]
    if spare:
        raise ModelFolderError(
            "weights-unexpected",
            f"{len(spare)} tensors have no place in the model: {_few(spare)}",
            expected="the tensors that config.json describes",
            fix="Take config.json and the weights from the same model",
            where="config.json",
        )
    result: nn.Module = model.eval()
    return result


def _refuse_missing(missing: list[str]) -> None:
    if missing:
        raise ModelFolderError(
            "weights-missing",
            f"{len(missing)} tensors are missing: {_few(missing)}",
            expected="every tensor that config.json describes",
            fix="Download the weights again; a library would fill the gap with random numbers",
            where="model.safetensors",
        )


def _few(names: list[str]) -> str:
    shown = ", ".join(sorted(names)[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"


@contextmanager
def _quiet_library() -> Iterator[None]:
    """Loading prints a progress bar and a report; what matters of it is raised here instead."""
    from transformers.utils import logging

    bars, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
