"""Which files of a model folder are admitted, how large each may be, and which are never opened."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from workbench.errors import ModelFolderError

JSON_BYTES = 1 << 20
TOKENIZER_BYTES = 64 << 20
MODEL_BYTES = 4 << 30
MAX_FILES = 64

# One more admitted file name is one more line. Size limit in bytes.
FILES: Mapping[str, int] = {
    "config.json": JSON_BYTES,
    "tokenizer.json": TOKENIZER_BYTES,
    "tokenizer_config.json": 4 << 20,
    "special_tokens_map.json": JSON_BYTES,
    "added_tokens.json": JSON_BYTES,
    "vocab.txt": TOKENIZER_BYTES,
    "vocab.json": TOKENIZER_BYTES,
    "merges.txt": TOKENIZER_BYTES,
    "model.safetensors": MODEL_BYTES,
    "model.safetensors.index.json": JSON_BYTES,
    "sentence_bert_config.json": JSON_BYTES,
    "sentence_roberta_config.json": JSON_BYTES,
    "sentence_distilbert_config.json": JSON_BYTES,
    "sentence_camembert_config.json": JSON_BYTES,
    "sentence_albert_config.json": JSON_BYTES,
    "sentence_xlm-roberta_config.json": JSON_BYTES,
    "sentence_xlnet_config.json": JSON_BYTES,
}
ROOT_FILES: Mapping[str, int] = {
    "modules.json": JSON_BYTES,
    "config_sentence_transformers.json": JSON_BYTES,
    "README.md": 8 << 20,
}
# Weights that can run code when they are read, or that only other frameworks read.
PICKLE_SUFFIXES = frozenset({".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib"})
NEVER_OPENED = PICKLE_SUFFIXES | {".py", ".pyc", ".so", ".sh", ".h5", ".msgpack", ".npy", ".npz", ".ot"}
# What real model folders hold beside the model, and nobody needs to be told about.
UNREMARKABLE = frozenset({"data_config.json", "LICENSE", "LICENSE.txt", "LICENSE.md"})

MODULE_FOLDER = re.compile(r"[0-9]_[A-Za-z]{1,24}", re.ASCII)
SHARD = re.compile(r"model-[0-9]{5}-of-[0-9]{5}\.safetensors", re.ASCII)


@dataclass(frozen=True)
class Selection:
    """The files of a folder, sorted into three heaps of relative POSIX paths.

    Attributes:
        admitted: To be copied and loaded.
        never_opened: Code and pickles, told to the user.
        other: Not needed to load the model; folders end in ``/``.
    """

    admitted: tuple[str, ...]
    never_opened: tuple[str, ...]
    other: tuple[str, ...]

    @property
    def notices(self) -> tuple[str, ...]:
        """What the user should be told about the files that were left out."""
        heads = (
            ("Left out and never opened", self.never_opened),
            ("Left out, not needed to load the model", self.other),
        )
        return tuple(f"{head}: {listed(names)}." for head, names in heads if names)


def shown(name: str) -> str:
    """A name from outside, fit to be printed: control characters escaped, at most 80 characters."""
    short = name if len(name) <= 80 else name[:77] + "…"
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in short)


def listed(names: Iterable[str], limit: int = 8) -> str:
    """Some names in one line; more than ``limit`` are counted."""
    every = list(names)
    more = f" and {len(every) - limit} more" if len(every) > limit else ""
    return ", ".join(shown(name) for name in every[:limit]) + more


def size_limit(name: str) -> int | None:
    """The size limit in bytes of an admitted relative POSIX path; None for one that is not admitted."""
    folder, slash, file = name.rpartition("/")
    if slash and not MODULE_FOLDER.fullmatch(folder):
        return None
    if SHARD.fullmatch(file):
        return MODEL_BYTES
    return FILES.get(file) or (None if folder else ROOT_FILES.get(file))


def is_model_entry(name: str) -> bool:
    """Whether a top-level entry belongs to a saved model, so that saving over it replaces it."""
    return (
        size_limit(name) is not None
        or MODULE_FOLDER.fullmatch(name) is not None
        or PurePosixPath(name).suffix in PICKLE_SUFFIXES
        or name.endswith(".index.json")
    )


def select(names: Iterable[str]) -> Selection:
    """Sort relative POSIX paths (a folder that was not entered ends in ``/``) into the three heaps."""
    every = sorted(set(names))
    single = {name.removesuffix("model.safetensors") for name in every if _is(name, "model.safetensors")}
    admitted, never_opened, other = [], [], []
    for name in every:
        folder, _, file = name.rstrip("/").rpartition("/")
        prefix = f"{folder}/" if folder else ""
        # Loaders take the single file where both forms stand; the shards would be dead weight.
        shadowed = prefix in single and (SHARD.fullmatch(file) or file == "model.safetensors.index.json")
        if size_limit(name) is not None and not shadowed:
            admitted.append(name)
        elif PurePosixPath(file.lower()).suffix in NEVER_OPENED and not name.endswith("/"):
            never_opened.append(name)
        elif not file.startswith(".") and file not in UNREMARKABLE:
            other.append(name)
    tops = dict.fromkeys(f"{name.split('/', 1)[0]}/" if "/" in name else name for name in other)
    return Selection(tuple(admitted), tuple(never_opened), tuple(tops))


def check_sizes(sizes: Mapping[str, int], limit_bytes: int) -> None:
    """Refuse too many, too large or in all too many bytes of admitted files.

    Args:
        sizes: Admitted relative POSIX path → bytes.
        limit_bytes: Limit for all files together.

    Raises:
        ModelFolderError: ``model-too-many-files``, ``model-file-too-big`` or ``model-too-big``.
    """
    if len(sizes) > MAX_FILES:
        raise ModelFolderError(
            "model-too-many-files",
            f"{len(sizes)} files",
            expected=f"at most {MAX_FILES}",
            where="model",
            fix="Keep only the files of the model in the folder",
        )
    for name, size in sizes.items():
        limit = size_limit(name) or 0
        if size > limit:
            raise ModelFolderError(
                "model-file-too-big",
                f"{size:,} bytes",
                expected=f"at most {limit:,} bytes for this file",
                where=name,
                fix="Check that the file is what its name says",
            )
    total = sum(sizes.values())
    if total > limit_bytes:
        raise ModelFolderError(
            "model-too-big",
            f"{total:,} bytes in {len(sizes)} files",
            expected=f"at most {limit_bytes:,} bytes in all",
            where="model",
            fix="Choose a smaller model, or raise limit_bytes in the Python API",
        )


def check_weights(selection: Selection, every: Iterable[str]) -> None:
    """Refuse a folder whose weights are missing or come only in a form that is never opened.

    Args:
        selection: The three heaps of the folder.
        every: All names the folder holds.

    Raises:
        ModelFolderError: ``weights-pickle-only``, ``model-is-adapter`` or ``weights-missing``.
    """
    with_weights = {_folder(name) for name in selection.admitted if name.endswith(".safetensors")}
    pickles = {
        _folder(name): name
        for name in selection.never_opened
        if PurePosixPath(name.lower()).suffix in PICKLE_SUFFIXES and _holds_weights(name)
    }
    encoder = any(folder == "" or folder.startswith("0_") for folder in with_weights)
    for folder, name in pickles.items():
        is_module = MODULE_FOLDER.fullmatch(folder) is not None and not folder.startswith("0_")
        if folder not in with_weights and (is_module or not encoder):
            raise ModelFolderError(
                "weights-pickle-only",
                "the weights come only as a pickle, which can run code when it is read",
                expected="safetensors weights",
                where=name,
                fix="If you trust this file, convert it once on your own machine with sentence-transformers: "
                "SentenceTransformer(folder).save_pretrained(new_folder), then load new_folder. On the Hub, "
                "look for a pull request that adds safetensors and pass its revision",
            )
    if encoder:
        return
    if "adapter_config.json" in set(every):
        raise ModelFolderError(
            "model-is-adapter",
            "an adapter without its base model",
            expected="a whole model",
            where="adapter_config.json",
            fix="Merge the adapter into its base model with peft's merge_and_unload() and save that",
        )
    raise ModelFolderError(
        "weights-missing",
        "no model.safetensors",
        expected="model.safetensors, or its shards with model.safetensors.index.json",
        where="model",
        fix="Check that the folder holds a whole sentence-transformers or Transformers model",
    )


def _is(name: str, file: str) -> bool:
    return name == file or name.endswith(f"/{file}")


def _folder(name: str) -> str:
    return name.rpartition("/")[0]


def _holds_weights(name: str) -> bool:
    # Trainers leave training_args.bin, optimizer.pt and the like beside the weights.
    file = name.rpartition("/")[2].lower()
    return file.startswith(("pytorch_model", "model"))
