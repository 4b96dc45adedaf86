"""Switching the lower-casing of tokenizers of every build."""

from __future__ import annotations

from typing import Any

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from workbench.contenders.upstream.lowercase import set_lowercase
from workbench.errors import InvalidValueError

VOCABULARY = {"[UNK]": 0, "apple": 1, "Apple": 2, "épice": 3, "epice": 4}


def tokenizer(normalizer: Any) -> Tokenizer:
    built = Tokenizer(models.WordLevel(VOCABULARY, unk_token="[UNK]"))
    built.pre_tokenizer = pre_tokenizers.Whitespace()
    if normalizer is not None:
        built.normalizer = normalizer
    return built


NORMALIZERS = {
    "none": lambda: None,
    "lowercase": normalizers.Lowercase,
    "sequence": lambda: normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()]),
    "nested": lambda: normalizers.Sequence(
        [normalizers.Sequence([normalizers.Lowercase()]), normalizers.NFC()]
    ),
    "cased": lambda: normalizers.Sequence([normalizers.NFC()]),
    "bert": lambda: normalizers.BertNormalizer(lowercase=True, strip_accents=False),
    "bert-cased": lambda: normalizers.BertNormalizer(lowercase=False, strip_accents=False),
    "both": lambda: normalizers.Sequence(
        [normalizers.Lowercase(), normalizers.BertNormalizer(strip_accents=False)]
    ),
}


@pytest.mark.parametrize("kind", NORMALIZERS)
@pytest.mark.parametrize("lowercase", [True, False])
def test_the_case_of_a_word_follows_the_switch(kind: str, lowercase: bool) -> None:
    built = tokenizer(NORMALIZERS[kind]())
    set_lowercase(built, lowercase)
    assert built.encode("Apple épice").ids == [1 if lowercase else 2, 3]


def test_other_steps_stay() -> None:
    built = tokenizer(normalizers.Sequence([normalizers.Lowercase(), normalizers.Replace("x", "apple")]))
    set_lowercase(built, False)
    assert built.encode("x Apple").ids == [1, 2]


def test_accents_follow_the_case_unless_stated() -> None:
    # What transformers' do_lower_case does with strip_accents left open.
    built = tokenizer(normalizers.BertNormalizer(lowercase=True, strip_accents=None))
    assert built.encode("Épice").ids == [4]
    set_lowercase(built, False)
    assert built.encode("épice").ids == [3]


def test_a_folding_that_cannot_be_taken_out_is_refused() -> None:
    built = tokenizer(normalizers.Sequence([normalizers.Replace("A", "a"), normalizers.NFC()]))
    with pytest.raises(InvalidValueError, match="lowercase-not-settable"):
        set_lowercase(built, False)
