"""The script that trains as a config says, in the classic five steps; it runs as it stands."""

from __future__ import annotations

import pprint
from collections.abc import Mapping
from typing import Any

from workbench.recipe.build_loss import loss_arguments
from workbench.recipe.config import LossConfig, TrainingConfig
from workbench.recipe.prepare import loss_needs

_INPUT = "input:"


def classic_script(config: TrainingConfig, output: str = "trained-model") -> str:
    """Write the script.

    Args:
        config: Of the run. Of a file that was uploaded the script names the file's ending alone.
        output: Folder that the script saves its model to.

    Raises:
        UnknownNameError: ``loss-unknown``.
    """
    return "\n\n".join(
        [
            f'"""Trains {config.model.name.rsplit("/", 1)[-1]} with {config.loss.name}."""',
            _imports(config),
            _data(config),
            _model(config),
            _loss(config.loss),
            _evaluator(config),
            _fit(config, output),
            "",
        ]
    )


def _imports(config: TrainingConfig) -> str:
    lines = ["from workbench.recipe.build_evaluator import build_evaluator"] * (config.evaluator != "none")
    lines += [
        "from workbench.recipe.build_loader import build_loader",
        "from workbench.recipe.build_loss import build_loss",
        "from workbench.recipe.build_model import build_model",
        "from workbench.recipe.config import DataConfig, LossConfig, ModelConfig",
        "from workbench.contenders.instruments import seed_everything",
        "from workbench.recipe.prepare import loss_needs",
        "from workbench.recipe.read_examples import load_examples",
    ]
    if config.threads is not None:
        lines = ["import torch", "", *lines]
    return "\n".join(lines)


def _data(config: TrainingConfig) -> str:
    data = config.data
    if data.source.startswith(_INPUT):
        data = data.model_copy(update={"source": data.source.removeprefix(_INPUT)})
    stated = _stated(data)
    loss = _call("LossConfig", _stated(config.loss))
    return "\n".join(
        [
            "# 1. DataLoader",
            *([f"torch.set_num_threads({config.threads})"] if config.threads is not None else []),
            f"loss_config = {loss}",
            f"needs = loss_needs(loss_config)  # {', '.join(loss_needs(config.loss).columns)}",
            f"examples = load_examples({_call('DataConfig', stated)}, needs, seed={config.seed})",
            f"batch_size, seed = {config.batch_size}, {config.seed}",
            "train_dataloader = build_loader(examples.train, needs, batch_size, seed)",
        ]
    )


def _model(config: TrainingConfig) -> str:
    rest = "" if config.dropout else ", dropout=False"
    device = "" if config.device is None else f", device={config.device!r}"
    return "\n".join(
        [
            "# 2. Model definition",
            f"seed_everything({config.seed})",
            f"model = build_model({_call('ModelConfig', _stated(config.model))}{device}{rest})",
        ]
    )


def _loss(loss: LossConfig) -> str:
    known = ", ".join(loss_arguments(loss.name))
    return "\n".join(
        [
            "# 3. Training function definition: the loss is given the model itself",
            f"# {loss.name}({'model' + (', ' + known if known else '')})",
            "train_loss = build_loss(loss_config, model, examples.num_labels)",
        ]
    )


def _evaluator(config: TrainingConfig) -> str:
    made = "None" if config.evaluator == "none" else f"build_evaluator({config.evaluator!r}, examples.dev)"
    return f"# 4. Evaluator definition\nevaluator = {made}"


def _fit(config: TrainingConfig, output: str) -> str:
    epochs: Any = config.epochs
    head = [
        "# 5. Model train (.fit)",
        f"steps = -(-len(train_dataloader) // {config.gradient_accumulation_steps})",
        f"epochs = {epochs}",
    ]
    if config.max_steps:
        head += [
            f"if {config.max_steps} < steps * epochs:",
            f"    epochs, steps = 1, {config.max_steps}",
        ]
    share = config.warmup < 1
    warmup = f"int({config.warmup} * steps * epochs + 0.5)" if share else f"{int(config.warmup)}"
    arguments = {
        "evaluator": "evaluator",
        "epochs": "epochs",
        "steps_per_epoch": "steps",
        "scheduler": repr(config.scheduler),
        "warmup_steps": warmup,
        "optimizer_params": f"{{'lr': {config.learning_rate}}}",
        "weight_decay": config.weight_decay,
        "evaluation_steps": config.evaluation_steps,
        "output_path": repr(output),
        "max_grad_norm": config.max_grad_norm,
        "seed": config.seed,
        "precision": repr(config.precision),
        "gradient_accumulation_steps": config.gradient_accumulation_steps,
        "early_stopping_patience": config.early_stopping_patience,
    }
    lines = [f"    {name}={value}," for name, value in arguments.items()]
    call = ["model.fit(", "    train_objectives=[(train_dataloader, train_loss)],", *lines, ")"]
    return "\n".join([*head, *call])


def _stated(part: Any) -> dict[str, Any]:
    """The settings of a part that are not at their defaults."""
    found: dict[str, Any] = part.model_dump(exclude_defaults=True)
    return found


def _call(name: str, stated: Mapping[str, Any]) -> str:
    arguments = ", ".join(f"{key}={pprint.pformat(value, width=100)}" for key, value in stated.items())
    if name == "LossConfig" and "inner" in stated:
        rest = {key: value for key, value in stated.items() if key != "inner"}
        inner = _call("LossConfig", stated["inner"] or {})
        arguments = ", ".join([*(f"{key}={value!r}" for key, value in rest.items()), f"inner={inner}"])
    return f"{name}({arguments})"
