"""Which texts a vocabulary covers: the bundled one and one that was made for Korean."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

from workbench.compare.coverage import coverage, main_script
from workbench.compare.results import Coverage
from workbench.contenders.contract import Contender, ModelPaths, Settings, TokenCount
from workbench.contenders.registry import contender_kind
from workbench.data.presets import PRESETS

TEXTS = {
    "Korean": ["오늘 날씨가 아주 좋아서 공원에서 산책을 했다.", "주식 시장이 크게 하락했다"],
    "Japanese": ["今日は天気がとても良いので公園を散歩しました。", "彼はギターを弾いている"],
    "kana": ["わたしはきょうこうえんをさんぽしました"],
    "Chinese": ["今天天气很好,我们去公园散步。", "一个男人在弹吉他", "股票市场大幅下跌"],
    "Russian": ["Сегодня хорошая погода, и мы гуляли в парке.", "Мужчина играет на гитаре"],
    "Arabic": ["الطقس جميل اليوم وذهبنا في نزهة في الحديقة", "رجل يعزف على الجيتار"],
    "Greek": ["Σήμερα ο καιρός είναι πολύ καλός και περπατήσαμε στο πάρκο"],
    "Hindi": ["आज मौसम बहुत अच्छा है और हम पार्क में टहलने गए", "एक आदमी गिटार बजा रहा है"],
    "Hebrew": ["היום מזג האוויר יפה מאוד והלכנו לטייל בפארק"],
    "Thai": ["วันนี้อากาศดีมากเราไปเดินเล่นในสวน"],
    "emoji": ["😀🍕🚀", "❤️❤️"],
    "English": ["The weather is lovely today, so we went for a walk in the park.", "A man is playing guitar"],
    "German": [
        "Heute ist das Wetter sehr schön, deshalb gingen wir spazieren.",
        "Donaudampfschifffahrtsgesellschaft",
    ],
    "Polish": ["Dzisiaj jest piękna pogoda, więc poszliśmy na spacer do parku"],
    "English with emoji": ["I love pizza 🍕!", "See you tomorrow 😀"],
    "address": ["https://example.com/a?b=c&d=12345 2024-01-01"],
    "empty": ["", "  \n"],
}
SCRIPTS = {
    "Korean": "Hangul",
    "Japanese": "Japanese",
    "Russian": "Cyrillic",
    "Arabic": "Arabic",
    "Greek": "Greek",
    "Hindi": "Devanagari",
    "Hebrew": "Hebrew",
}


@pytest.fixture(scope="module")
def minilm(bundled: Path) -> Contender:
    return contender_kind("manual").open(ModelPaths(bundled, bundled), Settings())


def covered(contender: Contender, texts: Sequence[str]) -> Coverage:
    return coverage("c", texts, contender.token_counts(texts), contender.token_counts([""])[0])


@pytest.mark.parametrize("language", SCRIPTS)
def test_a_script_that_the_vocabulary_spells_out_is_named(minilm: Contender, language: str) -> None:
    found = covered(minilm, TEXTS[language])
    assert found.warning_key == "script-unread"
    assert found.warning_values["scripts"] == SCRIPTS[language]
    assert found.warning_values["count"] == len(TEXTS[language])
    assert f"{SCRIPTS[language]} and fall" in found.warning


@pytest.mark.parametrize("language", ["Chinese", "Thai", "kana", "emoji"])
def test_texts_of_unknown_tokens_are_told(minilm: Contender, language: str) -> None:
    found = covered(minilm, TEXTS[language])
    assert found.warning_key == "unknown-tokens"
    assert found.warning_values["count"] == len(TEXTS[language])
    assert found.unknown_share > 0.4


@pytest.mark.parametrize(
    "language", ["English", "German", "Polish", "English with emoji", "address", "empty"]
)
def test_no_warning_without_a_reason(minilm: Contender, language: str) -> None:
    found = covered(minilm, TEXTS[language])
    assert (found.warning, found.warning_key, dict(found.warning_values)) == ("", "", {})


def test_the_presets(minilm: Contender) -> None:
    english, korean = (covered(minilm, PRESETS[name].texts) for name in ("english", "korean"))
    assert (english.warning, english.truncated, english.unknown_share) == ("", 1, 0.0)
    assert 1.0 < english.tokens_per_word < 1.4
    assert korean.warning_values["count"] == 8
    assert korean.tokens_per_word > 4


def test_one_text_among_others_is_counted(minilm: Contender) -> None:
    found = covered(minilm, TEXTS["English"] * 3 + TEXTS["Korean"][:1])
    assert found.warning.startswith("1 of 7 texts is written in Hangul")


class Trained:
    """A tokenizer trained on the texts themselves, as far as coverage sees of a contender."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        self.tokenizer.normalizer = normalizers.NFC()
        self.tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer = trainers.WordPieceTrainer(vocab_size=400, special_tokens=["[UNK]"], show_progress=False)
        self.tokenizer.train_from_iterator([*texts] * 20, trainer)

    def token_counts(self, texts: Sequence[str]) -> list[TokenCount]:
        ids = [self.tokenizer.encode(text).ids for text in texts]
        return [TokenCount(len(row), len(row), row.count(0)) for row in ids]


@pytest.mark.parametrize("language", ["Korean", "Russian", "Japanese"])
def test_a_vocabulary_with_the_words_of_a_language_gets_no_warning(language: str) -> None:
    texts = TEXTS[language]
    trained = Trained(texts)
    assert coverage("c", texts, trained.token_counts(texts), TokenCount(0, 0, 0)).warning == ""


def test_prompt_and_special_tokens_are_no_part_of_the_text(bundled: Path, minilm: Contender) -> None:
    prompted = contender_kind("manual").open(ModelPaths(bundled, bundled), Settings(prompt="질문: "))
    plain, with_prompt = (covered(contender, TEXTS["English"]) for contender in (minilm, prompted))
    assert with_prompt == plain


def test_empty_texts_and_cut_ones_are_counted() -> None:
    counts = [TokenCount(2, 2, 0), TokenCount(2, 2, 0), TokenCount(6, 9, 2)]
    found = coverage("c", ["", "\u200b", "one two"], counts, TokenCount(2, 2, 0))
    assert (found.texts, found.empty, found.truncated) == (3, 2, 1)
    assert found.unknown_share == 0.5
    assert found.tokens_per_word == 3.5


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("날씨", ("HANGUL", 2)),
        ("\u1102\u1161\u11af", ("HANGUL", 1)),
        ("日本語のテスト", ("JAPANESE", 7)),
        ("天气", ("CJK", 2)),
        ("Wetter и", ("LATIN", 6)),
        ("123 !?", ("", 0)),
    ],
)
def test_the_script_of_a_text(text: str, script: tuple[str, int]) -> None:
    assert main_script(text) == script
