"""What columns of training data are called, in English and Korean, and the role each name suggests."""

from __future__ import annotations

import re
import unicodedata

# The role of a column → names it goes by, compared in lower case with one underscore between words.
# A name may stand under several roles; ``roles.py`` decides by what else the table holds.
NAMES: dict[str, tuple[str, ...]] = {
    "anchor": ("anchor", "anchors", "anchor_text", "anc", "sent0", "reference", "기준", "기준문장"),
    "positive": (
        *("positive", "positives", "pos", "positive_text", "positive_passage", "positive_document"),
        *(
            "positive_doc",
            "pos_passage",
            "positive_example",
            "entailment",
            "sent1",
            "긍정",
            "긍정문장",
            "정답문장",
        ),
    ),
    "negative": (
        *("negative", "negatives", "neg", "negative_text", "negative_passage", "negative_document"),
        *("negative_doc", "neg_passage", "negative_example", "hard_neg", "hard_negative", "hard_negatives"),
        *("contradiction", "부정", "부정문장", "오답문장"),
    ),
    "sentence1": (
        *("sentence1", "sentence_1", "sentencea", "sentence_a", "sent1", "sent_1", "senta", "sent_a", "s1"),
        *(
            "text1",
            "text_1",
            "texta",
            "text_a",
            "question1",
            "question_1",
            "q1",
            "string1",
            "phrase1",
            "first",
        ),
        *("premise", "source", "src", "left", "input1", "문장1", "문장_1", "텍스트1", "질문1", "전제"),
    ),
    "sentence2": (
        *("sentence2", "sentence_2", "sentenceb", "sentence_b", "sent2", "sent_2", "sentb", "sent_b", "s2"),
        *(
            "text2",
            "text_2",
            "textb",
            "text_b",
            "question2",
            "question_2",
            "q2",
            "string2",
            "phrase2",
            "second",
        ),
        *("hypothesis", "target", "tgt", "right", "input2", "문장2", "문장_2", "텍스트2", "질문2", "가설"),
    ),
    "score": (
        *("score", "scores", "similarity", "similarity_score", "sim", "sim_score", "cosine_similarity"),
        *(
            "gold",
            "gold_score",
            "human_score",
            "relatedness",
            "relatedness_score",
            "rating",
            "ratings",
            "stars",
        ),
        *(
            "labels",
            "label",
            "teacher_score",
            "teacher_scores",
            "margin",
            "margins",
            "점수",
            "유사도",
            "평점",
            "라벨",
            "레이블",
        ),
    ),
    "relevance": (
        *("relevance", "relevance_score", "relevance_label", "rel", "qrel", "qrels", "grade", "judgment"),
        *("judgement", "is_relevant", "relevant", "관련도", "관련성", "적합도"),
    ),
    "label": (
        *("label", "labels", "class", "classes", "category", "categories", "intent", "intents", "topic"),
        *(
            "label_text",
            "label_name",
            "class_label",
            "coarse_label",
            "fine_label",
            "coarse",
            "fine",
            "gold_label",
        ),
        *("sentiment", "emotion", "polarity", "tag", "y", "target", "gold", "is_duplicate", "duplicate"),
        *(
            "is_paraphrase",
            "paraphrase",
            "entailment_judgment",
            "entailment_label",
            "department",
            "newsgroup",
        ),
        *("라벨", "레이블", "분류", "카테고리", "주제", "의도", "감정", "범주"),
    ),
    "query": (
        *("query", "queries", "question", "questions", "search_query", "query_text", "title", "headline"),
        *("prompt", "instruction", "utterance", "user", "keyword", "질문", "질의", "문의", "제목", "검색어"),
    ),
    "document": (
        *("document", "documents", "doc", "corpus", "passage", "passages", "answer", "answers", "response"),
        *("reply", "context", "body", "content", "abstract", "article", "paragraph", "document_text", "text"),
        *(
            "description",
            "completion",
            "output",
            "code",
            "summary",
            "답변",
            "대답",
            "응답",
            "본문",
            "내용",
            "문서",
        ),
    ),
    "noisy": ("noisy", "noise", "noisy_text", "noisy_sentence", "corrupted", "damaged"),
    "text": (
        *("text", "texts", "sentence", "sentences", "content", "body", "document", "utterance", "question"),
        *("query", "comment", "review", "message", "tweet", "headline", "title", "description", "input"),
        *("sample", "example", "phrase", "data", "source_text", "news", "post"),
        *("문장", "텍스트", "내용", "본문", "질문", "리뷰", "댓글", "제목", "발화", "문의"),
    ),
}
# Neither text nor label, however its contents look.
IGNORED = frozenset(
    "id ids idx index uid uuid guid pair_id pairid row row_id no num number qid query_id docid doc_id "
    "corpus_id passage_id pid sentence_id text_id split fold genre filename file year date time timestamp "
    "url link lang language source_id author user_id dataset annotator unnamed version "
    "번호 날짜 출처 아이디".split()
)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z][a-z])")
_NUMBERED = re.compile(r"(.*?)_?(\d+)")


def normal_name(column: str) -> str:
    """Write a column's name in the form of the tables: ``"Sentence A"`` and ``"sentenceA"`` alike."""
    composed = unicodedata.normalize("NFC", column.strip())
    spaced = re.sub(r"[\W_]+", "_", _CAMEL.sub("_", composed))
    return spaced.strip("_").lower()


def roles_by_name(column: str) -> tuple[str, ...]:
    """Roles that a column's name suggests, in the order of ``NAMES``; empty for a name nobody uses."""
    name = normal_name(column)
    found = tuple(role for role, names in NAMES.items() if name in names)
    if found:
        return found
    numbered = _NUMBERED.fullmatch(name)
    # negative_1, neg2, hard_negative_10: only negatives come in numbers beyond two.
    return ("negative",) if numbered and numbered[1] in NAMES["negative"] else ()


def is_ignored_name(column: str) -> bool:
    """Whether a name says that the column is an id, a date or the like."""
    name = normal_name(column)
    numbered = _NUMBERED.fullmatch(name)
    return name in IGNORED or bool(numbered and numbered[1] in IGNORED) or name.startswith("column_")


def negative_number(column: str) -> int:
    """The number in the name of a negative, by which several are ordered; 0 without one."""
    numbered = _NUMBERED.fullmatch(normal_name(column))
    return int(numbered[2][:9]) if numbered else 0
