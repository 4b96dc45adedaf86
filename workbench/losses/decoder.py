"""A decoder for the denoising loss: an encoder's architecture with attention to one embedding."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from workbench.errors import InvalidTypeError, InvalidValueError
from workbench.models.encoder import load_encoder
from workbench.models.encoder_config import read_encoder_config
from workbench.persistence.weights import load_tensors, refuse_non_finite

if TYPE_CHECKING:
    from transformers import PretrainedConfig

_WHERE = "DenoisingAutoEncoderLoss"


def build_decoder(encoder: nn.Module, folder: Path | None) -> nn.Module:
    """Build a decoder that reads one embedding by cross-attention.

    Args:
        encoder: Its architecture and sizes are taken where there is no folder.
        folder: An admitted folder with the decoder's config and weights. The cross-attention is drawn at
            random, and so is the output layer where the folder holds none.

    Returns:
        The library's language model, in float32, in train mode.

    Raises:
        InvalidTypeError: An architecture that cannot be a decoder with cross-attention.
        ModelFolderError: Weights that are not admitted.
    """
    config: Any = copy.deepcopy(encoder.config) if folder is None else read_encoder_config(folder)[0]
    config.is_decoder = True
    config.add_cross_attention = True
    decoder = _build(config)
    if not any("crossattention" in name for name, _ in decoder.named_parameters()):
        # It would ignore the embedding without a word, and learn nothing about it.
        raise _no_decoder(config)
    if folder is not None:
        _load(decoder, folder)
    return decoder.train()


def tie(encoder: nn.Module, decoder: nn.Module) -> None:
    """Let a decoder share every parameter that its encoder has too; the encoder's values count.

    Raises:
        InvalidValueError: They are of different architectures or sizes.
    """
    lm: Any = decoder
    base = _base(decoder)
    found = dict(encoder.named_parameters())
    shared = [(name, parameter) for name, parameter in base.named_parameters() if name in found]
    wrong = [name for name, parameter in shared if parameter.shape != found[name].shape]
    if wrong or not shared:
        raise InvalidValueError(
            "decoder-not-tied",
            f"{len(wrong)} of {len(shared)} tensors that encoder and decoder share differ in shape",
            expected="a decoder of the encoder's architecture, sizes and vocabulary",
            fix="Leave decoder_name_or_path out, or pass tie_encoder_decoder=False",
            where=_WHERE,
        )
    for name, _ in shared:
        owner, _, attribute = name.rpartition(".")
        setattr(base.get_submodule(owner), attribute, found[name])
    # The output layer follows the word embeddings, which are others now.
    lm.tie_weights()


def _base(decoder: nn.Module) -> nn.Module:
    """What a language model has in common with its encoder."""
    lm: Any = decoder
    base: nn.Module = getattr(lm, lm.base_model_prefix)
    return base


def _build(config: PretrainedConfig) -> nn.Module:
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING

    if type(config) not in MODEL_FOR_CAUSAL_LM_MAPPING:
        raise _no_decoder(config)
    decoder: nn.Module = MODEL_FOR_CAUSAL_LM_MAPPING[type(config)](config)
    return decoder


def _load(decoder: nn.Module, folder: Path) -> None:
    """Fill in the weights of a folder: the encoder as it is always loaded, and the output layer."""
    encoder, _ = load_encoder(folder)
    _base(decoder).load_state_dict(encoder.state_dict(), strict=False)
    lm: Any = decoder
    inner = f"{lm.base_model_prefix}."
    places = {name: tensor for name, tensor in lm.state_dict().items() if not name.startswith(inner)}
    stored = {_newer_name(name): tensor for name, tensor in load_tensors(folder).items()}
    found = {name: stored[name] for name, place in places.items() if _fits(stored.get(name), place)}
    refuse_non_finite(found, "model.safetensors")
    decoder.load_state_dict(found, strict=False)


def _newer_name(name: str) -> str:
    """BERT's first checkpoints name the parameters of a LayerNorm as TensorFlow does."""
    return name.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")


def _fits(tensor: Tensor | None, place: Tensor) -> bool:
    return tensor is not None and tensor.shape == place.shape


def _no_decoder(config: PretrainedConfig) -> InvalidTypeError:
    return InvalidTypeError(
        "no-decoder",
        f"the architecture {config.model_type!r}",
        expected="one that can decode with cross-attention, such as bert, roberta, xlm-roberta or electra",
        fix="Give decoder_name_or_path with tie_encoder_decoder=False",
        where=_WHERE,
    )
