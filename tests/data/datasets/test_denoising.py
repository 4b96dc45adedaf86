"""Damaged sentences: what remains, how much of it, and that it changes from epoch to epoch."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from workbench import InputExample
from workbench.datasets import DenoisingAutoEncoderDataset, SentencesDataset
from workbench.errors import WorkbenchError

delete = DenoisingAutoEncoderDataset.delete
words = st.lists(
    st.sampled_from(["one", "two", "don't", "vier", "수", "x-ray", "東"]), min_size=1, max_size=20
)


@given(parts=words, ratio=st.floats(0, 1), seed=st.integers(0, 999))
def test_what_remains_is_part_of_the_sentence_in_its_order(parts: list[str], ratio: float, seed: int) -> None:
    random.seed(seed)
    rest = iter(parts)
    kept = delete(" ".join(parts), ratio).split(" ")
    assert kept and all(word in rest for word in kept)


@given(text=st.text(), seed=st.integers(0, 999))
def test_any_text_can_be_damaged(text: str, seed: int) -> None:
    random.seed(seed)
    damaged = delete(text)
    assert len(damaged) <= len(text)
    assert bool(damaged.strip()) == bool(text.strip())


def test_the_ratio_is_that_of_the_paper() -> None:
    random.seed(0)
    text = " ".join(f"w{number}" for number in range(200))
    kept = [len(delete(text).split()) for _ in range(200)]
    # 80 of 200 expected, standard error of the mean 0.49.
    assert 78 < sum(kept) / len(kept) < 82
    assert delete(text, 0.0) == text
    assert len(delete(text, 1.0).split()) == 1


def test_signs_stay_at_their_word_and_letters_without_spaces_are_words() -> None:
    assert delete("Wait, what? (Yes.)", 0.0) == "Wait, what? (Yes.)"
    random.seed(1)
    assert 0 < len(delete("東京都庁", 0.5)) < 4


def test_every_epoch_has_its_own_noise_and_the_random_state_decides() -> None:
    data = DenoisingAutoEncoderDataset([f"a b c d e f g h {number}" for number in range(8)])
    loader = DataLoader(data, batch_size=4, collate_fn=lambda rows: [row.texts for row in rows])

    def epochs(seed: int) -> list[list[list[list[str]]]]:
        random.seed(seed)
        return [list(loader) for _ in range(4)]

    found = epochs(1)
    assert len({str(epoch) for epoch in found}) == 4
    assert found == epochs(1) != epochs(2)
    assert [texts[1] for batch in found[0] for texts in batch] == data.sentences


def test_another_noise_is_taken_as_it_is() -> None:
    data = DenoisingAutoEncoderDataset(["abc"], noise_fn=lambda text: text[::-1])
    assert len(data) == 1
    assert isinstance(data[0], InputExample)
    assert data[0].texts == ["cba", "abc"]
    with pytest.raises(WorkbenchError, match="noise-not-a-string"):
        DenoisingAutoEncoderDataset(["abc"], noise_fn=lambda text: None)[0]  # type: ignore[arg-type,return-value]
    with pytest.raises(WorkbenchError, match="text-not-a-string"):
        DenoisingAutoEncoderDataset(["abc", None])  # type: ignore[list-item]
    with pytest.raises(WorkbenchError, match="ratio-out-of-range"):
        delete("abc", 1.5)


def test_a_list_in_a_sentences_data_set_stays_what_it_is() -> None:
    examples = [InputExample(texts=["a"])]
    data = SentencesDataset(examples, model=None)
    assert len(data) == 1 and data[0] is examples[0]
