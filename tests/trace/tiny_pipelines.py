"""Sound manual pipelines around tiny models, and texts on which every fault shows."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import torch
from transformers import AutoModel, AutoTokenizer

from tests.models.tiny import write_encoder
from workbench.contenders.manual.pipeline import ManualPipeline, to_unit_length
from workbench.contenders.manual.pooling import pool

TEXTS = [
    "The quick brown fox jumps over the lazy dog",
    "Das Wetter in Köln ist heute schön, morgen regnet es.",
    "a",
    "Sentence embeddings place texts with a similar meaning close together, said the fox. " * 3,
    "café naïve: 1234567890 !?",
    "한국어 문장도 몇 개 들어 있습니다.",
    "A [SEP] look alike",
]
PROMPT = "query: "
LIMIT = 30


@cache
def parts(model_type: str):
    """Tokenizer and encoder of a tiny random model."""
    with tempfile.TemporaryDirectory() as folder:
        write_encoder(Path(folder), model_type)
        tokenizer = AutoTokenizer.from_pretrained(folder)
        model = AutoModel.from_pretrained(folder)
    return tokenizer, model.eval()


def sound(
    model_type: str, *, prompt: str = PROMPT, dense: bool = False, batch_size: int = 3
) -> ManualPipeline:
    """Prompt, mean pooling, a Dense layer where asked for, unit length."""
    tokenizer, model = parts(model_type)

    def tokenize(tokenizer, texts):
        return tokenizer(texts, padding=True, truncation=True, max_length=LIMIT, return_tensors="pt")

    modules = [("Normalize", to_unit_length)]
    if dense:
        torch.manual_seed(1)
        layer = torch.nn.Linear(32, 24)
        modules.insert(0, ("Dense", lambda rows: torch.tanh(layer(rows))))
    return ManualPipeline(
        tokenizer=tokenizer,
        encoder=model,
        tokenize=tokenize,
        pool=lambda outputs, hidden, batch: pool(hidden, batch["attention_mask"], ("mean",)),
        prepare=lambda texts: [prompt + text for text in texts],
        modules=tuple(modules),
        batch_size=batch_size,
    )


# What each model lacks; see FaultKind.needs.
LACKS = {
    "bert": set(),
    "xlm-roberta": {"strips accents", "word pieces", "type ids"},
    "mpnet": {"strips accents", "word pieces", "type ids"},
    "modernbert": {"type ids", "pooler", "positions"},
}
