"""A whole training as a checkpoint, and a checkpoint as a training that goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from workbench.errors import CheckpointError, InvalidValueError
from workbench.models.folder import load_modules, open_model
from workbench.models.protocols import TrainableModel
from workbench.persistence.source import hand_over
from workbench.training.checkpoint import Checkpoint, newest_checkpoint, read_checkpoint, write_checkpoint
from workbench.training.collate import plain_batches
from workbench.training.distributed import gather_bytes, rank, wait_for_all, world_size
from workbench.training.fingerprint import differences
from workbench.training.objective import Objective
from workbench.training.optimizer_state import (
    load_optimizer_state,
    optimizer_state,
    plain_document,
    plain_state,
)
from workbench.training.position import Position
from workbench.training.random_state import capture_random_state, restore_random_state
from workbench.training.settings import FitSettings

# A fork may go on with the random states and loaders only where none of these differs.
_DRAWS = ("seed", "data", "batches", "gradient_accumulation_steps", "processes", "device")
_Part = tuple[dict[str, Tensor], Any]


@dataclass(frozen=True)
class Training:
    """The living parts of a training that a checkpoint holds.

    Attributes:
        model: The model.
        objectives: Its objectives.
        scaler: Of fp16; disabled otherwise.
        facts: The fingerprint.
    """

    model: TrainableModel
    objectives: Sequence[Objective]
    scaler: torch.amp.GradScaler
    facts: Mapping[str, Any]


def save(training: Training, position: Position, root: Path, keep: int) -> Path:
    """Write a checkpoint; every process takes part, rank 0 writes.

    Args:
        training: As it is now, between two steps.
        position: Where it stands.
        root: Folder of the checkpoints.
        keep: How many stay; 0 for all.

    Returns:
        Folder of the checkpoint.
    """
    parts: dict[str, _Part] = {}
    for number, objective in enumerate(training.objectives):
        parts[f"optimizer-{number}"] = optimizer_state(objective.optimizer)
    parts["position"] = (position.tensors(), position.document())
    parts |= _of_all_processes(training)
    documents: dict[str, Any] = {name: document for name, (_, document) in parts.items()}
    documents["settings"] = dict(training.facts)
    documents["scaler"] = plain_document(training.scaler.state_dict(), "scaler")
    documents["counts"] = [
        {
            "scheduled": o.scheduled,
            "batches": o.batches,
            "without_signal": o.without_signal,
            "reason": o.reason,
        }
        for o in training.objectives
    ]
    tensors = {name: values for name, (values, _) in parts.items()}
    tensors |= {f"loss-{n}": own_tensors(o.loss, training.model) for n, o in enumerate(training.objectives)}
    tensors = {name: values for name, values in tensors.items() if values}
    if rank() == 0:
        written = write_checkpoint(
            root,
            position.global_step,
            save_model=training.model.save,
            tensors=tensors,
            documents=documents,
            keep=keep,
        ).folder
    else:
        written = root / f"step-{position.global_step:06d}"
    wait_for_all()
    return written


def find(settings: FitSettings) -> Checkpoint | None:
    """The checkpoint that a resume asks for; None where True came and there is none yet.

    Raises:
        CheckpointError: ``checkpoint-missing``, ``checkpoint-damaged``.
    """
    asked = settings.resume_from_checkpoint
    if asked is True:
        return newest_checkpoint(Path(str(settings.checkpoint_path)))
    folder = Path(str(asked))
    found = newest_checkpoint(folder)
    if found is not None:
        return found
    if not folder.is_dir():
        raise CheckpointError(
            "checkpoint-missing",
            "there is no such folder",
            expected="a checkpoint, or the folder that checkpoints are in",
            where=folder.name,
        )
    return read_checkpoint(folder)


def restore(training: Training, checkpoint: Checkpoint, fork: bool) -> tuple[Position, list[str]]:
    """Put a training where a checkpoint left it.

    Args:
        training: Fresh, its iterators not started.
        checkpoint: Whole.
        fork: Go on although settings differ.

    Returns:
        The position, and notices.

    Raises:
        InvalidValueError: ``resume-differs``, with what differs.
        CheckpointError: Something in it does not fit this training.
    """
    # Every process has data of its own; other processes than then are told as a difference.
    own = _named("settings", rank())
    stored = checkpoint.document(own if checkpoint.has(own) else "settings")
    changed = differences(stored, training.facts)
    if changed and not fork:
        raise InvalidValueError(
            "resume-differs",
            f"{len(changed)} settings are not those of the checkpoint: {'; '.join(changed)}",
            expected="the settings that the training began with",
            fix="Set them as they were, or give resume_fork=True to go on as another training",
            where=checkpoint.folder.name,
        )
    notices = [f"Forked from {checkpoint.folder.name}: {line}" for line in changed]
    _load_model(training.model, checkpoint)
    counts = checkpoint.document("counts")
    if len(counts) != len(training.objectives):
        raise CheckpointError(
            "checkpoint-other-objectives",
            f"it has {len(counts)} objectives",
            expected=f"{len(training.objectives)}",
            where=checkpoint.folder.name,
        )
    for number, (objective, count) in enumerate(zip(training.objectives, counts, strict=True)):
        _load_own(objective.loss, training.model, _tensors(checkpoint, f"loss-{number}"))
        objective.scheduled, objective.batches = count["scheduled"], count["batches"]
        objective.without_signal, objective.reason = count["without_signal"], count["reason"]
        if stored.get("optimizer") == training.facts["optimizer"]:
            _load_optimizer(objective.optimizer, checkpoint, f"optimizer-{number}")
    training.scaler.load_state_dict(plain_state(checkpoint.document("scaler"), "scaler"))
    if any(line.startswith(_DRAWS) for line in changed):
        notices.append("The loaders begin a new pass, with new random states")
    else:
        _restore_draws(training, checkpoint)
    return Position.read(_tensors(checkpoint, "position"), checkpoint.document("position")), notices


def own_tensors(loss: nn.Module, model: TrainableModel) -> dict[str, Tensor]:
    """What a loss has beyond the model: a classifier, a decoder, a copy. Frozen parts never change."""
    shared = {id(tensor) for tensor in _all_tensors(model)}
    frozen = {id(parameter) for parameter in loss.parameters() if not parameter.requires_grad}
    return {
        name: tensor
        for name, tensor in loss.state_dict(keep_vars=True).items()
        if isinstance(tensor, Tensor) and id(tensor) not in shared | frozen
    }


def _of_all_processes(training: Training) -> dict[str, _Part]:
    """Random and loader states and the fingerprint, which every process has of its own."""
    mine: dict[str, _Part] = {"random": capture_random_state(), "settings": ({}, dict(training.facts))}
    for number, objective in enumerate(training.objectives):
        mine[f"loader-{number}"] = objective.replayed.state()
    if world_size() == 1:
        return mine
    from safetensors.torch import load
    from safetensors.torch import save as as_bytes

    everyone: dict[str, _Part] = {}
    for name, (tensors, document) in mine.items():
        blob = as_bytes({**tensors, "": torch.zeros(1)}, {"document": json.dumps(document)})
        for process, data in enumerate(gather_bytes(blob, training.model.device)):
            header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
            values = {key: value for key, value in load(data).items() if key}
            everyone[_named(name, process)] = (values, json.loads(header["__metadata__"]["document"]))
    return everyone


def _restore_draws(training: Training, checkpoint: Checkpoint) -> None:
    for number, objective in enumerate(training.objectives):
        name = _named(f"loader-{number}", rank())
        with plain_batches(objective.loader):
            objective.iterator = objective.replayed.restore(
                _tensors(checkpoint, name), checkpoint.document(name)
            )
    # Last: taking up the loaders draws random numbers.
    name = _named("random", rank())
    restore_random_state(_tensors(checkpoint, name), checkpoint.document(name))


def _named(name: str, process: int) -> str:
    return name if world_size() == 1 else f"{name}-of-{process}"


def _tensors(checkpoint: Checkpoint, name: str) -> dict[str, Tensor]:
    return checkpoint.tensors(name) if f"{name}.safetensors" in checkpoint.files else {}


def _load_optimizer(optimizer: torch.optim.Optimizer, checkpoint: Checkpoint, name: str) -> None:
    # Its moments are taken over; its settings are this training's, which a fork may have changed.
    settings = [{key: value for key, value in g.items() if key != "params"} for g in optimizer.param_groups]
    load_optimizer_state(optimizer, _tensors(checkpoint, name), checkpoint.document(name))
    for group, values in zip(optimizer.param_groups, settings, strict=True):
        group.update(values)


def _load_model(model: TrainableModel, checkpoint: Checkpoint) -> None:
    # The run's own folder, which may lie outside the root that a user's names are held to.
    admitted = open_model(hand_over(checkpoint.model_folder)).root
    modules = nn.Sequential(*(m for _, m in load_modules(admitted).modules))
    _copy(dict(modules.state_dict()), dict(model.state_dict()), checkpoint.folder.name)


def _load_own(loss: nn.Module, model: TrainableModel, stored: Mapping[str, Tensor]) -> None:
    _copy(stored, own_tensors(loss, model), type(loss).__name__)


def _copy(stored: Mapping[str, Tensor], here: Mapping[str, Tensor], where: str) -> None:
    shapes = {name: tuple(tensor.shape) for name, tensor in stored.items()}
    if shapes != {name: tuple(tensor.shape) for name, tensor in here.items()}:
        differing = sorted(shapes.items() ^ {(name, tuple(t.shape)) for name, t in here.items()})
        raise CheckpointError(
            "checkpoint-other-model",
            f"its tensors are not those of this model: {', '.join(name for name, _ in differing[:3])}",
            expected="the model and the losses that the training began with",
            where=where,
        )
    with torch.no_grad():
        for name, tensor in stored.items():
            here[name].copy_(tensor)


def _all_tensors(model: TrainableModel) -> list[Tensor]:
    return [*model.parameters(), *model.buffers()]
