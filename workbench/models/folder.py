"""A model folder: opened only through the checks, read into modules, written so that upstream reads it."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import torch
from pydantic import BaseModel
from torch import nn

from workbench.errors import InvalidTypeError, ModelFolderError
from workbench.models.folder_config import ModelConfig, ModuleEntry, read_model_config, read_modules_json
from workbench.models.module_types import BY_CLASS, ModuleType
from workbench.models.normalize import Normalize
from workbench.models.pooling import Pooling
from workbench.models.schema_check import hold_to_schema
from workbench.models.static_embedding import StaticEmbedding
from workbench.models.transformer import Transformer
from workbench.models.transformer_config import read_transformer_config
from workbench.persistence.admitted import AdmittedFolder
from workbench.persistence.atomic import atomic_folder, write_json
from workbench.persistence.checked_folder import admit
from workbench.persistence.json_reader import read_json, scan_keys
from workbench.persistence.weights import load_tensors, read_header, refuse_non_finite, weight_files


@dataclass(frozen=True)
class CheckedModel:
    """A model whose folder passed every check, weights included.

    Attributes:
        admitted: The byte copy and its hashes.
        pooling: Pooling mode that the folder states, several joined by ``+``; empty for a static embedding.
        normalize: Whether a Normalize module is there.
        max_length: Longest input in tokens.
        position_limit: Most tokens the encoder's positions allow.
        prompts, default_prompt_name: As the folder states them.
        extra_modules: Names of modules beyond Transformer, Pooling and Normalize.
        notices: What the user should be told.
    """

    admitted: AdmittedFolder
    encoder: Path
    pooling: str
    normalize: bool
    max_length: int
    position_limit: int
    prompts: Mapping[str, str]
    default_prompt_name: str | None
    extra_modules: tuple[str, ...]
    notices: tuple[str, ...]

    @property
    def root(self) -> Path:
        """The private copy of the folder."""
        return self.admitted.path


@dataclass(frozen=True)
class LoadedModel:
    """The modules of a folder, and what it states of the whole model."""

    modules: tuple[tuple[str, nn.Module], ...]
    config: ModelConfig
    notices: tuple[str, ...]


# A folder that passed needs no second pass: its copy cannot change under us.
_CHECKED: dict[str, CheckedModel] = {}
_CHECKING = threading.Lock()


def open_model(
    name_or_path: str | Path,
    *,
    revision: str | None = None,
    token: str | None = None,
    local_files_only: bool = False,
) -> CheckedModel:
    """Admit a model, build it once to check every tensor, and describe it.

    This is the only way in, for every contender: all of them load the same unchanged bytes.

    Raises:
        ModelSourceError: It cannot be found or fetched.
        ModelFolderError: It is not admitted.
    """
    return _open(admit(name_or_path, revision=revision, token=token, local_files_only=local_files_only))[0]


def open_and_load(
    name_or_path: str | Path,
    *,
    revision: str | None = None,
    token: str | None = None,
    local_files_only: bool = False,
) -> tuple[CheckedModel, LoadedModel]:
    """Admit a model and give its modules: those that were built to check it, where it was not known yet.

    Raises:
        ModelSourceError: It cannot be found or fetched.
        ModelFolderError: It is not admitted.
    """
    admitted = admit(name_or_path, revision=revision, token=token, local_files_only=local_files_only)
    checked, loaded = _open(admitted)
    return checked, load_modules(checked.root) if loaded is None else loaded


def _open(admitted: AdmittedFolder) -> tuple[CheckedModel, LoadedModel | None]:
    """What is known of a folder, and the modules if they had to be built for it."""
    with _CHECKING:
        if admitted.sha256 in _CHECKED:
            # The same bytes may have been asked for under another name.
            return replace(_CHECKED[admitted.sha256], admitted=admitted), None
        loaded = load_modules(admitted.path)
        _CHECKED[admitted.sha256] = checked = _describe(admitted, loaded)
        return checked, loaded


def load_modules(folder: Path, dtype: torch.dtype = torch.float32) -> LoadedModel:
    """Build the modules of an admitted folder.

    Args:
        folder: The private copy, ``CheckedModel.root``.
        dtype: Type of the encoder's weights.

    Raises:
        ModelFolderError: Any file outside its schema, or weights that do not fit.
    """
    config = read_model_config(folder)
    notices: list[str] = []
    modules = []
    for entry, module_type in _entries(folder, notices):
        module = _load_module(folder, entry, module_type, dtype, notices)
        modules.append((entry.name, module))
    _check_dimensions([module for _, module in modules])
    return LoadedModel(tuple(modules), config, tuple(notices))


def save_modules(
    folder: Path, modules: Sequence[nn.Module], config: Mapping[str, Any], readme: str
) -> list[str]:
    """Write a model so that today's upstream, and where it can the classic one, loads it.

    The JSON has the legacy names, which every version reads; weights are safetensors. The folder is
    written beside its target and renamed into place: either the old or the new model stands there.

    Args:
        folder: Target; an existing model there is replaced as a whole.
        modules: The modules in order; each of a class of this package.
        config: ``prompts``, ``default_prompt_name``, ``similarity_fn_name``, ``truncate_dim``.
        readme: Text of ``README.md``.

    Returns:
        Notices: what sentence-transformers 2.x cannot read of this model.

    Raises:
        InvalidTypeError: A module whose class has no type in the format.
    """
    entries = []
    with atomic_folder(folder) as target:
        for index, module in enumerate(modules):
            module_type = BY_CLASS.get(type(module))
            if module_type is None:
                raise InvalidTypeError(
                    "module-not-savable",
                    f"Module {index} is a {type(module).__name__}",
                    expected=f"one of {', '.join(known.name for known in BY_CLASS.values())}",
                    fix="A model folder can hold only modules that upstream knows",
                )
            path = "" if index == 0 else f"{index}_{module_type.name}"
            (target / path).mkdir(exist_ok=True)
            _save_module(target / path, module)
            entries.append({"idx": index, "name": str(index), "path": path, "type": str(module.legacy_type)})
        write_json(target / "modules.json", entries)
        versions = {
            "sentence_transformers": "2.0.0",
            "transformers": version("transformers"),
            "pytorch": version("torch"),
        }
        stated = {key: value for key, value in config.items() if value not in (None, {})}
        write_json(target / "config_sentence_transformers.json", {"__version__": versions, **stated})
        (target / "README.md").write_text(readme, encoding="utf-8")
    return _classic_limits(modules, stated)


def _entries(folder: Path, notices: list[str]) -> list[tuple[ModuleEntry, ModuleType]]:
    if (folder / "modules.json").is_file():
        return read_modules_json(folder)
    notices.append("modules.json is missing: a plain encoder, mean pooling is assumed and no normalisation")
    return [
        (ModuleEntry(idx=0, name="0", path="", type=kind.accepted[0]), kind)
        if index == 0
        else (ModuleEntry(idx=1, name="1", path="1_Pooling", type=kind.accepted[0]), kind)
        for index, kind in enumerate((BY_CLASS[Transformer], BY_CLASS[Pooling]))
    ]


def _load_module(
    root: Path, entry: ModuleEntry, module_type: ModuleType, dtype: torch.dtype, notices: list[str]
) -> nn.Module:
    folder = root / entry.path
    if module_type.cls is Transformer:
        encoder = Transformer.from_folder(folder, read_transformer_config(folder), dtype)
        notices.extend(encoder.notices)
        return encoder
    if module_type.cls is StaticEmbedding:
        return StaticEmbedding.from_folder(folder)
    raw = _read_module_config(folder, entry, module_type, root)
    config = hold_to_schema(cast(type[BaseModel], module_type.schema), raw, f"{entry.path}/config.json")
    module: nn.Module = module_type.cls.from_config(config)
    if module.state_dict():
        _load_weights(module, folder, entry.path)
    return module.eval()


def _read_module_config(folder: Path, entry: ModuleEntry, module_type: ModuleType, root: Path) -> Any:
    path = folder / "config.json"
    where = f"{entry.path}/config.json"
    if path.is_file():
        raw = read_json(path)
        scan_keys(raw, where)
        return raw
    if module_type.cls is Normalize:
        # An empty folder, which git drops.
        return {}
    if module_type.cls is Pooling and not (root / "modules.json").is_file():
        return {"word_embedding_dimension": _hidden_size(root), "pooling_mode_mean_tokens": True}
    raise ModelFolderError(
        "module-config-missing",
        "The file is not there",
        expected=f"the configuration of the {module_type.name} module",
        fix="Download the folder again, with its sub-folders",
        where=where,
    )


def _hidden_size(root: Path) -> int:
    from workbench.models.encoder_config import read_encoder_config

    config, _ = read_encoder_config(root)
    return int(config.hidden_size)


def _load_weights(module: nn.Module, folder: Path, name: str) -> None:
    for file in weight_files(folder):
        read_header(file)
    tensors = load_tensors(folder)
    where = f"{name}/model.safetensors"
    refuse_non_finite(tensors, where)
    wanted = {key: tuple(value.shape) for key, value in module.state_dict().items()}
    found = {key: tuple(value.shape) for key, value in tensors.items()}
    if wanted != found:
        raise ModelFolderError(
            "weights-shape-mismatch",
            f"It holds {found}"[:300],
            expected=str(wanted)[:300],
            fix="Take configuration and weights from the same model",
            where=where,
        )
    module.load_state_dict(tensors)


def _check_dimensions(modules: Sequence[nn.Module]) -> None:
    """What one module gives must be what the next one takes; upstream finds out at the first batch."""
    dim: int | None = None
    for module in modules:
        takes = getattr(module, "in_dimension", None)
        if dim is not None and takes is not None and takes != dim:
            raise ModelFolderError(
                "module-dimension-mismatch",
                f"{type(module).__name__} takes vectors of {takes}",
                expected=f"{dim}, what the module before it gives",
                fix="Take all sub-folders from the same model",
                where="modules.json",
            )
        dim = _gives(module, dim)


def _gives(module: nn.Module, before: int | None) -> int | None:
    for name in ("get_sentence_embedding_dimension", "get_word_embedding_dimension"):
        method = getattr(module, name, None)
        if method is not None:
            return int(method())
    return before


def _save_module(folder: Path, module: nn.Module) -> None:
    if isinstance(module, Transformer | StaticEmbedding):
        module.save_files(folder)
        return
    write_json(folder / "config.json", module.get_config())  # type: ignore[operator]
    state = {key: value.detach().cpu().contiguous() for key, value in module.state_dict().items()}
    if state:
        from safetensors.torch import save_file

        save_file(state, folder / "model.safetensors", metadata={"format": "pt"})


def _classic_limits(modules: Sequence[nn.Module], stated: Mapping[str, Any]) -> list[str]:
    """What 2.x does not read, told at save."""
    names = [BY_CLASS[type(module)].name for module in modules]
    notices = []
    extra = [name for name in names if name not in ("Transformer", "Pooling", "Normalize")]
    if extra:
        notices.append(f"sentence-transformers 2.x may not load {', '.join(extra)} from safetensors weights")
    for pooling in modules:
        if isinstance(pooling, Pooling):
            newer = [mode for mode in pooling.pooling_modes if mode in ("weightedmean", "lasttoken")]
            if newer or not pooling.include_prompt:
                notices.append("sentence-transformers before 2.4 does not know this pooling")
    if stated.get("prompts"):
        notices.append("sentence-transformers before 2.4 ignores the prompts")
    return notices


def _describe(admitted: AdmittedFolder, loaded: LoadedModel) -> CheckedModel:
    modules = [module for _, module in loaded.modules]
    first = modules[0]
    pooling = next((module for module in modules if isinstance(module, Pooling)), None)
    types = [BY_CLASS[type(module)].name for module in modules]
    length = first.max_seq_length if isinstance(first, Transformer) else 0
    encoder = admitted.path
    if (admitted.path / "modules.json").is_file():
        encoder = admitted.path / read_modules_json(admitted.path)[0][0].path
    return CheckedModel(
        admitted=admitted,
        encoder=encoder,
        pooling="+".join(pooling.pooling_modes) if pooling else "",
        normalize="Normalize" in types,
        max_length=length,
        position_limit=first.position_limit if isinstance(first, Transformer) else 0,
        prompts=dict(loaded.config.prompts),
        default_prompt_name=loaded.config.default_prompt_name,
        extra_modules=tuple(
            name for name in types if name not in ("Transformer", "StaticEmbedding", "Pooling", "Normalize")
        ),
        notices=(*admitted.notices, *loaded.notices),
    )
