"""Sentences with a damaged copy of each, for the denoising auto-encoder (TSDAE)."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

from torch.utils.data import Dataset

from workbench.data.input_example import InputExample
from workbench.data.texts import check_texts
from workbench.errors import InvalidTypeError, InvalidValueError

# A word with its apostrophes and hyphens, or one sign. Han and Kana know no spaces: each letter is a word.
_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff]|(?:(?![\u3040-\u30ff\u3400-\u9fff])\w)+(?:['’-]\w+)*|[^\w\s]"
)


class DenoisingAutoEncoderDataset(Dataset[InputExample]):
    """Pairs of a damaged sentence and the sentence: ``texts=[noise_fn(sentence), sentence]``.

    The damage is drawn whenever an example is read, so that it differs from epoch to epoch.

    Args:
        sentences: The sentences.
        noise_fn: From a sentence to a damaged one; ``delete`` where it is None.

    Raises:
        InvalidTypeError: ``sentences`` is no list of strings, or ``noise_fn`` gave no string.

    Source: sentence-transformers' class of this name, which needs nltk even with another ``noise_fn``; Wang
    et al., TSDAE, https://arxiv.org/abs/2104.06979.
    """

    def __init__(self, sentences: Sequence[str], noise_fn: Callable[[str], str] | None = None) -> None:
        self.sentences = check_texts(sentences).texts
        self.noise_fn = self.delete if noise_fn is None else noise_fn

    def __getitem__(self, item: int) -> InputExample:
        sentence = self.sentences[item]
        damaged = self.noise_fn(sentence)
        if not isinstance(damaged, str):
            raise InvalidTypeError(
                "noise-not-a-string",
                f"noise_fn gave a {type(damaged).__name__}",
                expected="the damaged sentence",
                where="noise_fn",
            )
        return InputExample(texts=[damaged, sentence])

    def __len__(self) -> int:
        return len(self.sentences)

    @staticmethod
    def delete(text: str, del_ratio: float = 0.6) -> str:
        """Delete each word with probability ``del_ratio``; at least one remains.

        Draws from Python's ``random``. The space before a word that remains goes with the words before it,
        so that no two spaces meet.

        Raises:
            InvalidValueError: A ratio outside 0 to 1.
        """
        if not 0 <= del_ratio <= 1:
            raise InvalidValueError(
                "ratio-out-of-range", f"{del_ratio!r}", expected="a number from 0 to 1", where="del_ratio"
            )
        words = list(_WORD.finditer(text))
        if not words:
            return text
        kept = [word for word in words if random.random() >= del_ratio] or [random.choice(words)]
        return "".join(
            # A sign stays at its word: what stood right behind another word stays without a space.
            (" " if place and word.start() and text[word.start() - 1].isspace() else "") + word.group()
            for place, word in enumerate(kept)
        )
