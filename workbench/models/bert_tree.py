"""The parameters of a BERT family encoder under the library's names, without the library.

Importing Transformers takes longer than the first embedding. A packed pass needs nothing of it but the
parameters, so an encoder stays this tree until someone asks for the library's own object.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from workbench.models.bert_config import BertConfig, read_bert_config
from workbench.models.spare_tensors import is_spare
from workbench.persistence.weights import (
    TensorInfo,
    load_tensors,
    read_header,
    refuse_non_finite,
    weight_files,
)


class _Linear(nn.Linear):
    """A linear layer that draws no numbers: they come from a file."""

    def reset_parameters(self) -> None:
        """Nothing: on the meta device a draw would import torch's compiler, a second of it."""


def _table(rows: int, size: int, padding: int | None) -> nn.Embedding:
    """An embedding that draws no numbers either; the padding row has no gradient."""
    return nn.Embedding(rows, size, padding_idx=padding, _weight=torch.empty(rows, size))


class BertTree(nn.Module):
    """Embeddings, layers and, where the weights have one, the pooler. It has no forward pass of its own.

    Args:
        config: Sizes.
        pooler: Whether there is one.
    """

    def __init__(self, config: BertConfig, pooler: bool) -> None:
        super().__init__()
        self.config = config
        hidden, embedded = config.hidden_size, config.embedding_size
        pad = config.pad_token_id
        word = _table(config.vocab_size, embedded, pad)
        types = _table(config.type_vocab_size, embedded, None)
        norm = nn.LayerNorm(embedded, eps=config.layer_norm_eps)
        # RoBERTa and its family count positions from the padding id on; each has the order of its library
        # class, in which optimizers and checkpoints meet the parameters.
        if config.model_type in ("bert", "electra"):
            position = _table(config.max_position_embeddings, embedded, None)
            self.embeddings = _tree(
                word_embeddings=word,
                position_embeddings=position,
                token_type_embeddings=types,
                LayerNorm=norm,
            )
        else:
            position = _table(config.max_position_embeddings, embedded, pad)
            self.embeddings = _tree(
                word_embeddings=word,
                token_type_embeddings=types,
                LayerNorm=norm,
                position_embeddings=position,
            )
        if embedded != hidden:
            self.embeddings_project = _Linear(embedded, hidden)
        layers = [_layer(config) for _ in range(config.num_hidden_layers)]
        self.encoder = _tree(layer=nn.ModuleList(layers))
        if pooler:
            self.pooler = _tree(dense=_Linear(hidden, hidden))


def load_bert_tree(folder: Path, dtype: torch.dtype) -> tuple[BertTree, list[str]] | None:
    """Load an encoder's parameters, or None where the folder is not a plain one of this family.

    Args:
        folder: An admitted folder with ``config.json`` and safetensors weights.
        dtype: Type the weights are converted to.

    Returns:
        The tree in eval mode, and notices for the user.

    Raises:
        ModelFolderError: Weights that are corrupt or not finite.
    """
    read = read_bert_config(folder)
    if read is None:
        return None
    config, notices = read
    files = weight_files(folder)
    header: dict[str, TensorInfo] = {}
    for file in files:
        header.update(read_header(file))
    with torch.device("meta"):
        tree = BertTree(config, pooler=any(name.endswith("pooler.dense.weight") for name in header))
    names = _names(tree, header)
    if names is None:
        return None
    tensors = load_tensors(folder)
    refuse_non_finite(tensors, files[0].name)
    state = {own: tensors[stored].to(dtype) for own, stored in names.items()}
    tree.load_state_dict(state, assign=True)
    return tree.eval(), notices


def _names(tree: BertTree, header: Mapping[str, TensorInfo]) -> dict[str, str] | None:
    """Each parameter's name in the file; None unless all are there in float32 and nothing else counts."""
    wanted = {name: tuple(value.shape) for name, value in tree.named_parameters()}
    prefix = next((each for each in ("", "bert.", "roberta.", "electra.") if _holds(header, each)), None)
    if prefix is None:
        return None
    found = {name: header.get(prefix + name) for name in wanted}
    fits = all(
        info is not None and info.shape == wanted[name] and info.dtype == "F32"
        for name, info in found.items()
    )
    rest = set(header) - {prefix + name for name in wanted}
    return {name: prefix + name for name in wanted} if fits and all(map(is_spare, rest)) else None


def _holds(header: Mapping[str, TensorInfo], prefix: str) -> bool:
    return f"{prefix}embeddings.word_embeddings.weight" in header


def _layer(config: BertConfig) -> nn.Module:
    hidden, wide, epsilon = config.hidden_size, config.intermediate_size, config.layer_norm_eps
    three = {name: _Linear(hidden, hidden) for name in ("query", "key", "value")}
    return _tree(
        attention=_tree(
            self=_tree(**three),
            output=_tree(dense=_Linear(hidden, hidden), LayerNorm=nn.LayerNorm(hidden, eps=epsilon)),
        ),
        intermediate=_tree(dense=_Linear(hidden, wide)),
        output=_tree(dense=_Linear(wide, hidden), LayerNorm=nn.LayerNorm(hidden, eps=epsilon)),
    )


def _tree(**parts: nn.Module) -> nn.Module:
    found = nn.Module()
    for name, part in parts.items():
        found.add_module(name, part)
    return found


def fill(library: nn.Module, tree: nn.Module) -> None:
    """Put a tree's parameters into the library's model: the very objects, which an optimizer may hold."""
    for name, module in tree.named_modules():
        if module._parameters:
            library.get_submodule(name)._parameters.update(module._parameters)
