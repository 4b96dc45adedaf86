"""Tiny random models of every admitted architecture, written by upstream: folders to compare with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import CONFIG_MAPPING, AutoModel, PreTrainedTokenizerFast

CORPUS = [
    "the quick brown fox jumps over the lazy dog",
    "Sentence embeddings place texts with a similar meaning close together.",
    "Das Wetter in Köln ist heute schön, morgen regnet es.",
    "한국어 문장도 몇 개 들어 있습니다.",
    "1234567890 !?.,;: café naïve",
]

# What each architecture needs beyond the shared sizes.
_EXTRA: dict[str, dict[str, Any]] = {
    "albert": {"embedding_size": 32},
    "camembert": {"max_position_embeddings": 66, "pad_token_id": 1},
    "data2vec-text": {"max_position_embeddings": 66, "pad_token_id": 1},
    "deberta-v2": {"relative_attention": True, "pos_att_type": ["c2p", "p2c"], "type_vocab_size": 0},
    "electra": {"embedding_size": 32},
    "eurobert": {"num_key_value_heads": 4, "head_dim": 8},
    "gemma3_text": {
        "num_key_value_heads": 2,
        "head_dim": 8,
        "use_bidirectional_attention": True,
        "sliding_window": 16,
        "query_pre_attn_scalar": 8,
    },
    "modernbert": {"local_attention": 16, "global_attn_every_n_layers": 2},
    "mpnet": {"max_position_embeddings": 66, "pad_token_id": 1},
    "qwen3": {"num_key_value_heads": 2, "head_dim": 8},
    "roberta": {"max_position_embeddings": 66, "pad_token_id": 1},
    "xlm-roberta": {"max_position_embeddings": 66, "pad_token_id": 1},
    "xlm-roberta-xl": {"max_position_embeddings": 66, "pad_token_id": 1},
}
_DECODERS = ("qwen3", "gemma3_text")


def word_piece() -> Tokenizer:
    """A lower-casing WordPiece tokenizer like BERT's; ids 0 to 4 are [PAD] [UNK] [CLS] [SEP] [MASK]."""
    normalizer = normalizers.BertNormalizer(lowercase=True)
    words = _words(normalizer, pre_tokenizers.BertPreTokenizer())
    letters = sorted({letter for word in words for letter in word})
    pieces = [*letters, *(f"##{letter}" for letter in letters), *_beginnings(words), *_whole(words)]
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary = {piece: place for place, piece in enumerate(dict.fromkeys([*special, *pieces]))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_special_tokens(special)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    return tokenizer


def unigram(closing_only: bool = False) -> Tokenizer:
    """A SentencePiece-like Unigram tokenizer; ids 0 to 3 are <s> <pad> </s> <unk>."""
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    words = _words(normalizers.NFKC(), pre_tokenizers.Metaspace())
    letters = sorted({letter for word in words for letter in word})
    pieces = [*special, *letters, *_beginnings(words), *_whole(words)]
    # A longer piece costs less than its letters together.
    scores = [
        (piece, 0.0 if piece in special else -4.0 - 0.5 * len(piece)) for piece in dict.fromkeys(pieces)
    ]
    tokenizer = Tokenizer(models.Unigram(scores, unk_id=3, byte_fallback=False))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens(special)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>" if closing_only else "<s> $A </s>",
        special_tokens=[("</s>", 2)] if closing_only else [("<s>", 0), ("</s>", 2)],
    )
    return tokenizer


# The vocabularies are written down, not trained: a trainer breaks ties by chance, and then each process would
# have other tokens, other weights, and now and then a batch that shows nothing.
def _words(normalizer: Any, pre_tokenizer: Any) -> list[str]:
    """The words of the corpus as the tokenizer will see them, sorted."""
    split = (pre_tokenizer.pre_tokenize_str(normalizer.normalize_str(text)) for text in CORPUS)
    return sorted({word for words in split for word, _ in words})


def _beginnings(words: list[str]) -> list[str]:
    return sorted({word[:2] for word in words if len(word) > 2})


def _whole(words: list[str]) -> list[str]:
    """Every second word: the others stay in pieces."""
    return words[::2]


def library_tokenizer(model_type: str) -> PreTrainedTokenizerFast:
    """A fast tokenizer of the family's kind."""
    if model_type in ("bert", "distilbert", "electra", "ernie", "nomic_bert", "modernbert"):
        return PreTrainedTokenizerFast(
            tokenizer_object=word_piece(),
            unk_token="[UNK]",
            pad_token="[PAD]",
            cls_token="[CLS]",
            sep_token="[SEP]",
            mask_token="[MASK]",
            model_max_length=64,
        )
    decoder = model_type in _DECODERS
    return PreTrainedTokenizerFast(
        tokenizer_object=unigram(closing_only=decoder),
        unk_token="<unk>",
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        model_max_length=64,
        padding_side="left" if decoder else "right",
    )


def tiny_config(model_type: str, vocab_size: int) -> Any:
    """Two layers of width 32."""
    values: dict[str, Any] = {
        "vocab_size": vocab_size,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 48,
        "max_position_embeddings": 64,
        "pad_token_id": 0,
        "bos_token_id": 0,
        "eos_token_id": 2,
        "cls_token_id": 0,
        "sep_token_id": 2,
    }
    values.update(_EXTRA.get(model_type, {}))
    return CONFIG_MAPPING[model_type](**values)


def write_encoder(folder: Path, model_type: str, seed: int = 0) -> Path:
    """A plain Transformers folder: config, weights, tokenizer."""
    tokenizer = library_tokenizer(model_type)
    torch.manual_seed(seed)
    model = AutoModel.from_config(tiny_config(model_type, len(tokenizer)))
    # Fresh LayerNorms and biases are ones and zeros: random ones would show a swapped tensor.
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def write_upstream(folder: Path, model_type: str, pooling: str = "mean", *, normalize: bool = True) -> Path:
    """A folder as sentence-transformers 6.2 writes it."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import modules as upstream

    encoder = upstream.Transformer(str(write_encoder(folder / "encoder", model_type)))
    parts = [encoder, upstream.Pooling(encoder.get_embedding_dimension(), pooling)]
    if normalize:
        parts.append(upstream.Normalize())
    SentenceTransformer(modules=parts, device="cpu").save(str(folder / "model"))
    return folder / "model"


AWKWARD = [
    "",
    " ",
    "\n\t",
    "a",
    "The quick brown fox",
    "the quick brown fox",
    "  leading and trailing  ",
    "word " * 300,
    "x" * 500,
    "Das Wetter in Köln",
    "한국어 문장",
    "日本語のテキスト",
    "😀 emoji 👩‍👩‍👧 family",
    "e\u0301 combining a" + "\u0301" * 40,
    "[SEP] look [CLS] alikes </s> <s>",
    "\x00 nul \u202e bidi \ufeff bom \u200b zero width",
    "The quick brown fox",
]
