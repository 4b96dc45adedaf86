"""A linear layer with an activation on the sentence embedding (or another feature)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Self

import torch
from pydantic import AfterValidator, BaseModel, ConfigDict
from torch import Tensor, nn

from workbench.errors import InvalidTypeError, InvalidValueError, ShapeMismatchError, UnknownNameError
from workbench.models.module_checks import FeatureName, Size, check_config, read_feature
from workbench.models.protocols import Features

# The name in config.json → the class. A name is looked up here and never imported.
ACTIVATIONS: dict[str, type[nn.Module]] = {
    "torch.nn.modules.linear.Identity": nn.Identity,
    "torch.nn.modules.activation.Tanh": nn.Tanh,
    "torch.nn.modules.activation.ReLU": nn.ReLU,
    "torch.nn.modules.activation.GELU": nn.GELU,
    "torch.nn.modules.activation.SiLU": nn.SiLU,
    "torch.nn.modules.activation.Sigmoid": nn.Sigmoid,
}
_TANH = nn.Tanh()


def activation_name(activation: Callable[[Tensor], Tensor]) -> str:
    """Give the name under which an activation is written to config.json.

    Raises:
        UnknownNameError: The table does not hold it.
        InvalidValueError: It has a setting that the name does not carry, such as GELU's approximation.
    """
    names = [name for name, kind in ACTIVATIONS.items() if type(activation) is kind]
    if not names:
        raise UnknownNameError(
            "unknown-activation",
            f"The activation {activation!r}",
            expected=f"one of {', '.join(kind.__name__ for kind in ACTIVATIONS.values())}",
            fix="A folder can carry these modules alone: give nn.Tanh() where torch.tanh was given",
            where="Dense",
        )
    # Only the class is written; what is read back must give the same numbers.
    read_back = ACTIVATIONS[names[0]]()
    probe = torch.linspace(-4.0, 4.0, 17)
    if not torch.equal(activation(probe.clone()), read_back(probe.clone())):
        raise InvalidValueError(
            "activation-setting",
            f"The activation {activation!r}",
            expected=f"{read_back!r}, which is what config.json can say",
            fix="Use the activation without that setting",
            where="Dense",
        )
    return names[0]


def _known(name: str) -> str:
    if name not in ACTIVATIONS:
        # A plain ValueError: pydantic makes it the reason of its own error.
        raise ValueError(f"unknown activation; known are {', '.join(ACTIVATIONS)}")
    return name


class DenseConfig(BaseModel):
    """What ``2_Dense/config.json`` may hold: four keys in 2.x, the feature names and the residual later."""

    model_config = ConfigDict(extra="forbid", strict=True)

    in_features: Size
    out_features: Size
    bias: bool = True
    activation_function: Annotated[str, AfterValidator(_known)] = "torch.nn.modules.activation.Tanh"
    module_input_name: FeatureName = "sentence_embedding"
    module_output_name: FeatureName | None = None
    use_residual: bool = False


class Dense(nn.Module):
    """Project an embedding: ``activation(x Wᵀ + b)``, plus x where a residual is asked for.

    Args:
        in_features: Length of the embedding that comes, 1 to 8192.
        out_features: Length of the embedding that goes, 1 to 8192.
        bias: Add b.
        activation_function: A module or a callable, tensor in, tensor out; None stands for the identity.
            Only the modules of ``ACTIVATIONS`` can be written to a folder.
        init_weight: First value of W, copied. Shape ``(out_features, in_features)``.
        init_bias: First value of b, copied. Shape ``(out_features,)``.
        module_input_name: Feature to read. Shape ``(..., in_features)``.
        module_output_name: Feature to write, shape ``(..., out_features)``; None writes the one read.
        use_residual: Add the input after the activation, through a second matrix where the lengths differ.

    Raises:
        InvalidValueError, InvalidTypeError: An argument that cannot be used.
        ShapeMismatchError: A first value of another shape.

    Source: sentence-transformers' ``Dense``; equal random state gives equal first weights.
    """

    legacy_type: ClassVar[str] = "sentence_transformers.models.Dense"

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        activation_function: Callable[[Tensor], Tensor] | None = _TANH,
        init_weight: Tensor | None = None,
        init_bias: Tensor | None = None,
        module_input_name: str = "sentence_embedding",
        module_output_name: str | None = None,
        use_residual: bool = False,
    ) -> None:
        super().__init__()
        given = {
            "in_features": in_features,
            "out_features": out_features,
            "bias": bias,
            "module_input_name": module_input_name,
            "module_output_name": module_output_name,
            "use_residual": use_residual,
        }
        config = check_config(DenseConfig, given, "Dense")
        self.in_features = config.in_features
        self.out_features = config.out_features
        self.bias = config.bias
        self.module_input_name = config.module_input_name
        self.module_output_name = config.module_output_name or config.module_input_name
        self.use_residual = config.use_residual
        self.activation_function = _usable_activation(activation_function)
        self.linear = nn.Linear(in_features, out_features, bias=bias)
        if use_residual and in_features != out_features:
            self.residual = nn.Linear(in_features, out_features, bias=False)
        if init_weight is not None:
            self.linear.weight = _first_value(init_weight, (out_features, in_features), "init_weight")
        if init_bias is not None:
            if not bias:
                raise InvalidValueError(
                    "dense-bias", "init_bias with bias=False", fix="Give one or the other", where="Dense"
                )
            self.linear.bias = _first_value(init_bias, (out_features,), "init_bias")

    @classmethod
    def from_config(cls, config: DenseConfig) -> Self:
        """Build the module that a folder describes; its weights are loaded after."""
        return cls(
            config.in_features,
            config.out_features,
            bias=config.bias,
            activation_function=ACTIVATIONS[config.activation_function](),
            module_input_name=config.module_input_name,
            module_output_name=config.module_output_name,
            use_residual=config.use_residual,
        )

    def get_config(self) -> dict[str, Any]:
        """Give what config.json holds: four keys of 2.x, and the later ones where they say something.

        Raises:
            UnknownNameError, InvalidValueError: The activation cannot be written.
        """
        config: dict[str, Any] = {
            "in_features": self.in_features,
            "out_features": self.out_features,
            "bias": self.bias,
            "activation_function": activation_name(self.activation_function),
        }
        names = {"module_input_name": self.module_input_name, "module_output_name": self.module_output_name}
        if set(names.values()) != {"sentence_embedding"}:
            config |= names
        if self.use_residual:
            config["use_residual"] = True
        return config

    @property
    def in_dimension(self) -> int | None:
        """Length of the sentence embedding that it takes; None where it reads another feature."""
        return self.in_features if self.module_input_name == "sentence_embedding" else None

    def get_sentence_embedding_dimension(self) -> int:
        """Length of the embedding that goes."""
        return self.out_features

    def forward(self, features: Features) -> Features:
        """Set the output feature.

        Raises:
            UnknownNameError: The input feature is missing.
            ShapeMismatchError: Its length is not ``in_features``.
        """
        tensor = read_feature(features, self.module_input_name, "Dense", self.in_features)
        projected = self.activation_function(self.linear(tensor))
        if self.use_residual:
            same_length = self.in_features == self.out_features
            projected = projected + (tensor if same_length else self.residual(tensor))
        features[self.module_output_name] = projected
        return features


def _usable_activation(activation: Callable[[Tensor], Tensor] | None) -> Callable[[Tensor], Tensor]:
    if activation is None:
        return nn.Identity()
    if isinstance(activation, type) or not callable(activation):
        raise InvalidTypeError(
            "dense-activation",
            f"activation_function is {activation!r}",
            expected="a module or a callable, tensor in, tensor out",
            fix="Give an object rather than a class or a name: nn.Tanh()",
            where="Dense",
        )
    return activation


def _first_value(value: Tensor, shape: tuple[int, ...], name: str) -> nn.Parameter:
    if not isinstance(value, Tensor):
        raise InvalidTypeError(
            "dense-first-value", f"{name} is a {type(value).__name__}", expected="a tensor", where="Dense"
        )
    if tuple(value.shape) != shape:
        raise ShapeMismatchError(
            "dense-first-value",
            f"{name} has shape {tuple(value.shape)}",
            expected=f"{shape}",
            where="Dense",
        )
    # A copy: training must not write into the caller's tensor.
    return nn.Parameter(value.detach().clone())
