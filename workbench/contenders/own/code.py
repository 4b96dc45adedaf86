"""The code of the own contender: a script that a reader can run as it stands."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.contenders.contract import Settings


def own_code(model: str, settings: Settings, texts: Sequence[str]) -> str:
    """A complete script with this package.

    Args:
        model: Name or path, as the user gave it.
        settings: What the pipeline does.
        texts: Texts to embed in the script.
    """
    lines = [
        "import torch",
        "",
        "from workbench import SentenceTransformer, models",
        "",
        f"torch.set_num_threads({settings.threads})",
        f"texts = {list(texts)!r}",
        "",
    ]
    lines += _model_lines(model, settings)
    prompt = f", prompt={settings.prompt!r}" if settings.prompt else ""
    compute = ", compute='int8'" if settings.precision == "int8" else ""
    lines += [
        f"embeddings = model.encode(texts{prompt}, batch_size={settings.batch_size}{compute})",
        "print(embeddings.shape)",
        "print(model.similarity(embeddings, embeddings))",
    ]
    return "\n".join(lines) + "\n"


def _model_lines(model: str, settings: Settings) -> list[str]:
    lines = [f"base = SentenceTransformer({model!r}, device={settings.device!r})", "parts = list(base)"]
    if settings.pooling:
        lines.append(f"parts[0].max_seq_length = {settings.max_length}")
        modes = settings.pooling.split("+")
        mode = repr(modes[0] if len(modes) == 1 else modes)
        lines += [
            "at = [type(part) for part in parts].index(models.Pooling)",
            f"parts[at] = models.Pooling(parts[at].word_embedding_dimension, pooling_mode={mode})",
        ]
    if settings.lowercase is not None:
        lines += [
            "from workbench.models.tokenizer import set_lower_case",
            f"set_lower_case(base.tokenizer, {settings.lowercase})",
        ]
    if not settings.use_mask:
        lines += [*_IGNORE_MASK, "parts.insert(at, IgnoreMask())"]
    if settings.normalize:
        lines += [
            "if not any(isinstance(part, models.Normalize) for part in parts):",
            "    parts.append(models.Normalize())",
        ]
    else:
        lines.append("parts = [part for part in parts if not isinstance(part, models.Normalize)]")
    lines.append(f"model = SentenceTransformer(modules=parts, device={settings.device!r})")
    if settings.precision not in ("float32", "int8"):
        lines.append(f"model.to(torch.{settings.precision})")
    return lines


_IGNORE_MASK = [
    "",
    "",
    "class IgnoreMask(torch.nn.Module):  # pools over padding too",
    "    def forward(self, features):",
    "        features['attention_mask'] = torch.ones_like(features['attention_mask'])",
    "        return features",
    "",
    "",
]
