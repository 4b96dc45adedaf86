"""Columns for a loss by role: order, stand-ins, what is refused, and the examples made from them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.data.test_roles import table
from workbench.data.labels import read_labels
from workbench.data.memory_tables import table_from_records
from workbench.data.role_matching import match_columns
from workbench.data.roles import find_roles
from workbench.data.table_examples import count_duplicates, to_input_examples
from workbench.errors import DataFileError, InvalidValueError

RANKING = ("anchor", "positive", "negative*")
PAIR = ("sentence1", "sentence2")


@pytest.mark.parametrize(
    ("header", "needs", "columns"),
    [
        ("anchor:t negative:t positive:t", ("anchor", "positive", "negative"), "anchor positive negative"),
        ("negative_2:t positive:t negative_1:t anchor:t", RANKING, "anchor positive negative_1 negative_2"),
        ("anchor:t positive:t", RANKING, "anchor positive"),
        ("answer:t question:t", RANKING, "question answer"),
        ("body:t title:t", ("anchor", "positive"), "title body"),
        ("query:t answer:t negative:t", RANKING, "query answer negative"),
        ("sentence2:t sentence1:t", RANKING, "sentence1 sentence2"),
        ("score:f sentence2:t sentence1:t", PAIR, "sentence1 sentence2"),
        ("anchor:t positive:t score:f", PAIR, "anchor positive"),
        ("relevance:i corpus:t query:t", PAIR, "query corpus"),
        ("text:t label:c", ("text",), "text"),
        ("utterance:t intent:c", ("text", "text?"), "utterance"),
        ("sentence1:t sentence2:t score:f", ("text+",), "sentence1 sentence2"),
        ("text:t noisy:t", ("noisy", "text"), "noisy text"),
        (
            "query:t positive:t negative:t score:l",
            ("anchor", "positive", "negative+"),
            "query positive negative",
        ),
    ],
)
def test_columns_are_matched_by_role(header: str, needs: Sequence[str], columns: str) -> None:
    data = table(*header.split(" "))
    assert match_columns(find_roles(data), needs).columns == tuple(columns.split())


@pytest.mark.parametrize(
    ("header", "needs", "code"),
    [
        ("text:t label:c", RANKING, "columns-missing"),
        ("anchor:t positive:t", ("anchor", "positive", "negative"), "columns-missing"),
        ("anchor:t positive:t", ("anchor", "positive", "negative+"), "columns-missing"),
        ("a:t b:t c:t", ("anchor", "positive", "negative"), "columns-missing"),
        ("text:t label:c", PAIR, "columns-missing"),
        ("text:t label:c", ("noisy", "text"), "columns-missing"),
        ("id:n score:f", ("text",), "columns-missing"),
        ("sentence1:t sentence2:t score:f", ("text",), "columns-several"),
        ("sentence1:t sentence2:t score:f", RANKING, "pairs-carry-labels"),
        ("query:t corpus:t relevance:i", RANKING, "pairs-carry-labels"),
    ],
)
def test_what_does_not_fit_is_refused(header: str, needs: Sequence[str], code: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        match_columns(find_roles(table(*header.split(" "))), needs)
    assert caught.value.code == code and "roles={" in caught.value.fix


def test_stand_ins_and_unused_columns_are_told() -> None:
    match = match_columns(find_roles(table("question:t", "answer:t", "negative:t")), ("anchor", "positive"))
    assert match.notices == (
        "Column 'question' (query) is taken as anchor.",
        "Column 'answer' (document) is taken as positive.",
        "Column 'negative' (negative) is not used.",
    )
    assert match.roles == ("anchor", "positive")


def test_scored_pairs_serve_as_positives_once_the_user_says_so() -> None:
    data = table("sentence1:t", "sentence2:t", "score:f")
    roles = find_roles(data, {"sentence1": "anchor", "sentence2": "positive"})
    assert match_columns(roles, RANKING).columns == ("sentence1", "sentence2")


def test_a_swapped_triplet_trains_the_right_way_round() -> None:
    rows = [{"anchor": f"a{n}", "negative": f"n{n}", "positive": f"p{n}"} for n in range(3)]
    data = table_from_records(rows)
    examples = to_input_examples(data, find_roles(data), ("anchor", "positive", "negative"))
    assert [example.texts for example in examples] == [[f"a{n}", f"p{n}", f"n{n}"] for n in range(3)]
    assert [(example.label, example.guid) for example in examples] == [(0, "1"), (0, "2"), (0, "3")]


def test_labels_follow_from_the_role_or_from_what_is_given() -> None:
    data = table_from_records(
        [
            {"s1": "a", "s2": "b", "score": 5},
            {"s1": "c", "s2": "d", "score": 0},
            {"s1": "e", "s2": "f", "score": 1},
        ]
    )
    roles = find_roles(data)
    assert [one.label for one in to_input_examples(data, roles, PAIR)] == [5.0, 0.0, 1.0]
    labels = read_labels(data, "score", "score", rescale="0-5", label_range=(-1, 1))
    assert [one.label for one in to_input_examples(data, roles, PAIR, labels=labels)] == [1.0, 0.0, 0.2]
    assert [one.label for one in to_input_examples(data, roles, PAIR, labels="class")] == [5, 0, 1]
    assert [one.label for one in to_input_examples(data, roles, PAIR, labels="none")] == [0, 0, 0]
    with pytest.raises(InvalidValueError, match="labels-of-another-table"):
        to_input_examples(table_from_records([{"s1": "a", "s2": "b"}]), roles, PAIR, labels=labels)


def test_missing_labels_and_empty_texts_are_refused_with_rows() -> None:
    data = table_from_records(
        [{"s1": "a", "s2": " "}] * 7 + [{"s1": "a", "s2": "b"}, {"s1": "a", "s2": None}]
    )
    with pytest.raises(InvalidValueError, match="labels-missing"):
        to_input_examples(table("s1:t", "s2:t"), find_roles(table("s1:t", "s2:t")), PAIR, labels="score")
    with pytest.raises(DataFileError) as caught:
        to_input_examples(data, find_roles(data, {"s1": "sentence1", "s2": "sentence2"}), PAIR)
    assert caught.value.code == "text-empty"
    assert "8 of 9 rows" in caught.value.came
    assert "row 1, row 2, row 3, row 4, row 5 and 3 more" in caught.value.came
    assert "'s2'" in caught.value.where


def test_duplicates_are_counted() -> None:
    pairs = [("a", "b"), ("a", "b"), ("a", "c"), ("d", "d"), ("e", "f")]
    data = table_from_records([{"s1": one, "s2": two} for one, two in pairs])
    found = count_duplicates(data, ("s1", "s2"))
    assert (found.rows, found.texts, found.same_sides) == (1, 2, 1)
