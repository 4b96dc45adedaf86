"""The cards of the gallery: real bugs from public trackers, what was reported and how each is replayed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workbench.errors import UnknownNameError

_HUB = "https://github.com/huggingface"
_LONG = "The place where a long text is cut decides what of it is read. " * 24

TEXTS: tuple[str, ...] = (
    "NASA launched the iPhone on Mars!",
    "A man is eating a piece of bread.",
    "Le café était très agréable à Zürich.",
    "How do I reset my password?",
    "Someone in a gorilla costume is playing a set of drums while the crowd claps along.",
    "a",
)


@dataclass(frozen=True)
class Card:
    """One reported bug.

    Attributes:
        title: In a few words.
        link: Of the report.
        reported: What users saw there.
        see: What the replay shows before the stage is known.
        faults: Keys of the table of faults that replay it; empty for a report of float noise.
        stage: Where the tracer must point; empty for none.
        prompt: Of the sound pipeline.
        texts: On which it shows.
    """

    title: str
    link: str
    reported: str
    see: str
    faults: tuple[str, ...]
    stage: str
    prompt: str = ""
    texts: tuple[str, ...] = TEXTS


CARDS: Mapping[str, Card] = {
    "padding-baked": Card(
        "128 tokens of padding, read as text",
        "https://github.com/spiceai/spiceai/issues/13415",
        "Search with this very model reached nDCG@10 0.018 on SciFact instead of 0.645.",
        "All texts look alike: the mean cosine between different texts is near 0.8.",
        ("padding-baked",),
        "padding",
    ),
    "max-length-128": Card(
        "Cut at 128 instead of 256 tokens",
        "https://github.com/qdrant/fastembed/issues/531",
        "Long texts get other vectors than in sentence-transformers; short ones are equal.",
        "The short texts agree, the long one does not.",
        ("max-length-short",),
        "truncation",
        texts=(*TEXTS[:4], _LONG),
    ),
    "max-length-512": Card(
        "Cut at 512 instead of 256 tokens",
        f"{_HUB}/text-embeddings-inference/issues/146",
        "The server reads more of a long text than the model was trained on.",
        "The short texts agree, the long one does not.",
        ("max-length-long",),
        "truncation",
        texts=(*TEXTS[:4], _LONG),
    ),
    "case-kept": Card(
        "Capitals kept, words unknown",
        "https://github.com/vllm-project/vllm/issues/11184",
        "do_lower_case stands in two files with opposite meaning; one of them was read.",
        "NASA, iPhone and Mars become [UNK].",
        ("case-kept",),
        "normalisation",
    ),
    "accents-kept": Card(
        "Accents kept",
        "https://github.com/ollama/ollama/issues/15609",
        "Unrelated words with accents had a cosine of 0.99.",
        "Only the French sentence differs.",
        ("accents-kept",),
        "normalisation",
    ),
    "no-special-tokens": Card(
        "No [CLS] and [SEP]",
        "https://github.com/ggml-org/llama.cpp/pull/14314",
        "The closing token was missing, and scores did not match the reference.",
        "Every text differs, the shortest most.",
        ("no-special-tokens",),
        "specials",
    ),
    "cls-pooling": Card(
        "CLS instead of mean",
        "https://github.com/qdrant/fastembed/issues/384",
        "Vectors of a mean-pooled model were taken from the first token.",
        "Every text differs; the scores still look plausible.",
        ("cls-pooling",),
        "pooling",
    ),
    "pooler-output": Card(
        "pooler_output instead of mean",
        f"{_HUB}/sentence-transformers/issues/1317",
        "The second output of the model was taken for the sentence embedding.",
        "The cosine to the right vectors is about 0, and yet similar texts score high.",
        ("pooler-output",),
        "pooling",
    ),
    "mean-over-padding": Card(
        "last_hidden_state.mean(dim=1)",
        "https://github.com/HKUDS/LightRAG/issues/582",
        "The same text had other vectors in other batches.",
        "The longest text of each batch agrees, all others do not.",
        ("mean-over-padding",),
        "pooling",
    ),
    "mask-not-given": Card(
        "The mask never reached the encoder",
        f"{_HUB}/candle/issues/1798",
        "One text alone was right, a batch was not.",
        "The longest text of each batch agrees, all others do not.",
        ("mask-not-given",),
        "padding",
    ),
    "type-ids": Card(
        "Token type ids of ones",
        f"{_HUB}/optimum/issues/2062",
        "The exported model asked for token_type_ids, and they were filled wrongly.",
        "A cosine of 0.99: it looks like noise, and it is none.",
        ("type-ids",),
        "padding",
    ),
    "left-padding": Card(
        "Padding on the left, positions not corrected",
        f"{_HUB}/sentence-transformers/issues/3208",
        "Padding on the left gave other vectors than padding on the right.",
        "The longest text of each batch agrees, all others do not.",
        ("left-padding",),
        "padding",
    ),
    "prompt-missing": Card(
        "The prompt is missing",
        "https://github.com/qdrant/fastembed/issues/251",
        "query and passage prompts were left to the user, who did not know.",
        "Every text differs a little.",
        ("prompt-missing",),
        "text",
        prompt="query: ",
    ),
    "no-normalize": Card(
        "Not normalised",
        "https://github.com/ollama/ollama/issues/11375",
        "Vectors of the same model had other lengths than the reference.",
        "All cosines are 1, and the numbers differ by a factor.",
        ("no-normalize",),
        "modules",
    ),
    "int8": Card(
        "8-bit with a scale that sees padding",
        "https://github.com/microsoft/onnxruntime/issues/10111",
        "A quantised model gave other results in a batch than alone.",
        "Every text differs, and differently in every batch.",
        ("int8",),
        "precision",
    ),
    "half-precision": Card(
        "Half precision by default",
        f"{_HUB}/transformers/pull/42805",
        "dtype='auto' loads a half-precision checkpoint as it is.",
        "All cosines are above 0.9998, and no number is equal.",
        ("bfloat16",),
        "precision",
    ),
    "training-mode": Card(
        "model.train() left on",
        f"{_HUB}/transformers/issues/403",
        "The same text gave other vectors at every call.",
        "Two runs of one pipeline do not agree.",
        ("training-mode",),
        "embeddings",
    ),
    "order-lost": Card(
        "Sorted by length, never sorted back",
        "https://github.com/facebookresearch/InferSent/issues/51",
        "Vectors belonged to other texts than they were returned for.",
        "Each vector is right, for another text.",
        ("order-lost",),
        "batching",
    ),
    "other-tokenizer": Card(
        "A fallback tokenizer",
        "https://github.com/embeddings-benchmark/mteb/issues/5377",
        "A new library version loaded another tokenizer class, without a word, and scores fell.",
        "Every text differs, and the text itself does not.",
        ("other-tokenizer",),
        "provenance",
    ),
    "bad-layer": Card(
        "One layer computes something else",
        "https://github.com/ggml-org/llama.cpp/issues/18330",
        "A wrong constant in one layer gave slightly wrong vectors everywhere.",
        "Every text differs, from one layer on.",
        ("bad-layer",),
        "layers",
    ),
    "float-noise": Card(
        "1e-7 is no bug",
        f"{_HUB}/sentence-transformers/issues/2312",
        "The same text in another batch differs in the seventh digit.",
        "Largest difference about 1e-7.",
        ("other-batches",),
        "",
    ),
}


def card(key: str) -> Card:
    """Look a card up.

    Raises:
        UnknownNameError: The gallery does not hold it.
    """
    if key not in CARDS:
        raise UnknownNameError("unknown-card", f"{key!r}", expected=f"one of {', '.join(CARDS)}")
    return CARDS[key]
