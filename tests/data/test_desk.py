"""The bundled set: the counts promised, texts that are no copies, and splits that share no sentence."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from workbench.data import desk
from workbench.data.desk.content import LANGUAGES, TOPICS
from workbench.data.input_example import InputExample
from workbench.errors import UnknownNameError

ROOT = Path(__file__).parents[2]

# The held-out pairs of both languages as they stand; a change of a text or of the sampling changes it, and
# makes every stored figure on this set void.
FINGERPRINT = "8bd5dfbadbc936959bbc06543fa317755c05572f1a5885bfc4a7d99c68a071bf"


def words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text.lower()))


def jaccard(first: str, second: str) -> float:
    one, other = words(first), words(second)
    return len(one & other) / len(one | other)


def guids(examples: list[InputExample]) -> list[tuple[str, list[str], Any]]:
    return [(example.guid, example.texts, example.label) for example in examples]


def held_out_fingerprint() -> str:
    held_out = [guids(desk.scored_pairs(split, language)) for language in LANGUAGES for split in desk.SPLITS]
    return hashlib.sha256(repr(held_out).encode()).hexdigest()


def test_the_counts_promised() -> None:
    known = desk.intents()
    assert len(known) >= 50
    assert len({intent.topic for intent in known}) == len(TOPICS) >= 10
    assert all(len(intent.phrasings["en"]) >= 10 for intent in known)
    korean = [intent for intent in known if "ko" in intent.phrasings]
    assert len(korean) >= 30
    assert all(len(intent.phrasings["ko"]) >= 6 for intent in korean)
    assert all(set(intent.articles) == set(intent.phrasings) for intent in known)
    assert [intent.label for intent in known] == list(range(len(known)))
    assert len({intent.id for intent in known}) == len(known)


def test_each_topic_file_is_listed_and_named_after_its_topic() -> None:
    files = {path.stem for path in (ROOT / "workbench" / "data" / "desk").glob("*.json")}
    assert files == set(TOPICS)
    assert [intent.topic for intent in desk.intents()] == sorted(
        (intent.topic for intent in desk.intents()), key=TOPICS.index
    )


def test_every_text_is_unique_and_clean() -> None:
    everything = [s.text for language in LANGUAGES for s in desk.labelled_sentences(language=language)]
    everything += [article.passage for intent in desk.intents() for article in intent.articles.values()]
    folded = Counter(" ".join(re.findall(r"\w+", text.lower())) for text in everything)
    assert [text for text, count in folded.items() if count > 1] == []
    assert [
        text for text in everything if text != text.strip() or "  " in text or not text.isprintable()
    ] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_phrasings_share_six_words_of_ten(language: desk.Language) -> None:
    """Two phrasings of one template that differ in a word or two of six would have 0.5 to 0.7."""
    texts = [(words(s.text), s.text) for s in desk.labelled_sentences(language=language)]
    near = [
        (first, second)
        for (one, first), (other, second) in combinations(texts, 2)
        if 10 * len(one & other) >= 6 * len(one | other)
    ]
    assert near == []


def test_english_phrasings_vary_in_length_and_in_kind() -> None:
    for intent in desk.intents():
        texts = [sentence.text for sentence in intent.phrasings["en"]]
        lengths = [len(text.split()) for text in texts]
        assert min(lengths) <= 6 and max(lengths) >= 12, intent.id
        assert len({text.split()[0].lower() for text in texts}) >= 7, intent.id
        assert 0 < sum("?" in text for text in texts) < len(texts), intent.id


def test_articles_are_two_to_four_sentences() -> None:
    for intent in desk.intents():
        for article in intent.articles.values():
            ends = re.findall(r"[.!?](?=\s|$)", article.text)
            assert 2 <= len(ends) <= 4, (intent.id, article.text)


def test_korean_is_korean_and_english_is_not() -> None:
    for intent in desk.intents():
        for language in intent.phrasings:
            texts = [sentence.text for sentence in intent.phrasings[language]]
            for text in [*texts, intent.articles[language].passage]:
                letters = [char for char in text if char.isalpha()]
                share = sum("가" <= char <= "힣" or "ㄱ" <= char <= "ㅣ" for char in letters) / len(letters)
                assert (share > 0.8) if language == "ko" else text.replace("°", "").isascii(), text


@pytest.mark.parametrize("language", LANGUAGES)
def test_splits_part_the_sentences(language: desk.Language) -> None:
    parts = [{s.text for s in desk.labelled_sentences(split, language)} for split in desk.SPLITS]
    whole = [s.text for s in desk.labelled_sentences(language=language)]
    assert sum(map(len, parts)) == len(whole)
    assert set().union(*parts) == set(whole)


@pytest.mark.parametrize("language", LANGUAGES)
def test_known_intents_stand_in_three_splits_and_unseen_ones_in_none_of_them(language: desk.Language) -> None:
    of = {split: {s.intent for s in desk.labelled_sentences(split, language)} for split in desk.SPLITS}
    assert of["train"] == of["dev"] == of["test"]
    assert not of["train"] & of["unseen"]
    assert of["unseen"] == {i.id for i in desk.intents() if i.unseen and language in i.phrasings}
    counts = Counter(s.intent for s in desk.labelled_sentences("test", language))
    assert min(counts.values()) >= 2, "each known intent makes a test pair"


def test_no_training_example_holds_a_held_out_sentence_or_the_article_of_an_unseen_intent() -> None:
    for language in LANGUAGES:
        seen = {
            text
            for examples in (
                desk.positive_pairs("train", language),
                desk.question_article_pairs("train", language),
                desk.scored_pairs("train", language),
            )
            for example in examples
            for text in example.texts
        }
        for split in ("dev", "test", "unseen"):
            assert not seen & {s.text for s in desk.labelled_sentences(split, language)}
        corpus = desk.retrieval("unseen", language).corpus
        assert not seen & {
            corpus[intent.id] for intent in desk.intents() if intent.unseen and intent.id in corpus
        }


@pytest.mark.parametrize(
    ("split", "at_least"), [("train", 1000), ("dev", 100), ("test", 400), ("unseen", 400)]
)
def test_scored_pairs_are_many_balanced_and_true(split: desk.Split, at_least: int) -> None:
    pairs = desk.scored_pairs(split)
    assert len(pairs) >= at_least
    assert Counter(pair.label for pair in pairs) == dict.fromkeys((1.0, 0.5, 0.0), len(pairs) // 3)
    assert len({frozenset(pair.texts) for pair in pairs}) == len(pairs)
    of = {s.text: s for s in desk.labelled_sentences(split)}
    for pair in pairs:
        first, second = (of[text] for text in pair.texts)
        assert pair.label == (first.intent == second.intent) / 2 + (first.topic == second.topic) / 2
        assert pair.guid == f"{first.id}|{second.id}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_of_the_test_split_is_in_a_scored_pair(language: desk.Language) -> None:
    used = {text for pair in desk.scored_pairs("test", language) for text in pair.texts}
    assert used == {s.text for s in desk.labelled_sentences("test", language)}


def test_scored_pairs_mix_their_kinds() -> None:
    """A reader who takes the first hundred has some of each."""
    assert min(Counter(pair.label for pair in desk.scored_pairs("test")[:100]).values()) >= 20


@pytest.mark.parametrize("split", desk.SPLITS)
def test_positive_pairs_are_every_pair_of_one_intent(split: desk.Split) -> None:
    counts = Counter(s.intent for s in desk.labelled_sentences(split))
    pairs = desk.positive_pairs(split)
    assert len(pairs) == sum(count * (count - 1) // 2 for count in counts.values()) > 0
    of = {s.text: s.intent for s in desk.labelled_sentences(split)}
    assert all(of[pair.texts[0]] == of[pair.texts[1]] for pair in pairs)
    assert len({frozenset(pair.texts) for pair in pairs}) == len(pairs)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("split", desk.SPLITS)
def test_every_query_has_its_article_and_many_that_do_not_answer(
    split: desk.Split, language: desk.Language
) -> None:
    found = desk.retrieval(split, language)
    assert set(found.relevant) == set(found.queries)
    assert all(len(ids) == 1 and ids <= set(found.corpus) for ids in found.relevant.values())
    assert len(found.corpus) == sum(language in intent.phrasings for intent in desk.intents())
    by_id = {s.id: s for s in desk.labelled_sentences(split, language)}
    assert all(
        found.relevant[i] == {by_id[i].intent} and by_id[i].text == t for i, t in found.queries.items()
    )
    pairs = {pair.guid.split("|")[0]: pair.texts for pair in desk.question_article_pairs(split, language)}
    assert pairs == {
        i: [found.queries[i], found.corpus[next(iter(ids))]] for i, ids in found.relevant.items()
    }


def test_the_words_of_a_question_seldom_give_its_article_away() -> None:
    """The set is for what a model learns: the article with the most shared words is mostly a wrong one."""
    found = desk.retrieval("test")
    right = 0
    for query, text in found.queries.items():
        best = max(found.corpus, key=lambda article: (jaccard(text, found.corpus[article]), article))
        right += best in found.relevant[query]
    assert right / len(found.queries) < 0.5


def test_the_same_pairs_come_in_every_process() -> None:
    code = "from tests.data.test_desk import held_out_fingerprint as f; print(f())"
    other = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert held_out_fingerprint() == other.stdout.strip() == FINGERPRINT


def test_reading_it_imports_no_torch() -> None:
    code = (
        "import sys; from workbench.data import desk; desk.scored_pairs('dev'); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(
    "call",
    [
        desk.labelled_sentences,
        desk.positive_pairs,
        desk.question_article_pairs,
        desk.retrieval,
        desk.scored_pairs,
    ],
    ids=lambda call: call.__name__,
)
def test_unknown_names_are_refused_with_the_known_ones(call: Callable[..., Any]) -> None:
    with pytest.raises(UnknownNameError, match="train, dev, test, unseen") as refused:
        call("validation")
    assert refused.value.code == "desk-split-unknown"
    with pytest.raises(UnknownNameError, match="en, ko") as refused:
        call("test", "de")
    assert refused.value.code == "desk-language-unknown"
