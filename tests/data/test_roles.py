"""Roles of columns: what real tables call them, in any order, and what the user overrules."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from workbench.data.labelled_files import read_table
from workbench.data.labelled_table import LabelledTable
from workbench.data.labels import read_labels
from workbench.data.memory_tables import table_from_records
from workbench.data.roles import ROLES, find_roles
from workbench.errors import InvalidValueError, UnknownNameError

_VALUES = {
    "t": lambda row: f"a sentence of some words, number {row}",
    "f": lambda row: str(round(row * 0.37 % 5, 2)),
    "i": lambda row: str(row % 3),
    "b": lambda row: str(row % 2),
    "c": lambda row: ("card", "loan", "pin")[row % 3],
    "n": lambda row: str(row),
    "l": lambda row: f"[{row}, 0.5]",
}


def table(*columns: str) -> LabelledTable:
    """Columns as ``name:kind``; see ``_VALUES`` for the kinds."""
    pairs = [column.rsplit(":", 1) for column in columns]
    return table_from_records([{name: _VALUES[kind](row) for name, kind in pairs} for row in range(24)])


# Headers as data sets and spreadsheets have them. ``-`` is a column that is ignored.
HEADERS = {
    "STS-B": ("sentence1:t sentence2:t score:f", "sentence1 sentence2 score"),
    "STS-B of GLUE": ("idx:n sentence1:t sentence2:t label:f", "- sentence1 sentence2 score"),
    "STS-B full": (
        "genre:c filename:c year:i sentence1:t sentence2:t score:f",
        "- - - sentence1 sentence2 score",
    ),
    "SICK": (
        "sentence_A:t sentence_B:t relatedness_score:f entailment_judgment:c",
        "sentence1 sentence2 score -",
    ),
    "NLI": ("premise:t hypothesis:t label:i", "sentence1 sentence2 label"),
    "NLI by name": ("premise:t hypothesis:t gold_label:c", "sentence1 sentence2 label"),
    "AllNLI triplet": ("anchor:t positive:t negative:t", "anchor positive negative"),
    "swapped triplet": ("anchor:t negative:t positive:t", "anchor negative positive"),
    "AllNLI pair": ("anchor:t positive:t", "anchor positive"),
    "SimCSE": ("sent0:t sent1:t hard_neg:t", "anchor positive negative"),
    "NLI sentences": ("premise:t entailment:t contradiction:t", "anchor positive negative"),
    "mined": ("query:t positive:t negative_1:t negative_2:t", "anchor positive negative negative"),
    "BGE": ("query:t pos:t neg:t", "anchor positive negative"),
    "reranking": ("query:t answer:t negative:t", "query document negative"),
    "numbered pair": ("sent1:t sent2:t label:b", "sentence1 sentence2 label"),
    "PAWS": ("id:n sentence1:t sentence2:t label:b", "- sentence1 sentence2 label"),
    "Quora": ("id:n question1:t question2:t is_duplicate:b", "- sentence1 sentence2 label"),
    "texts": ("text1:t text2:t similarity_score:f", "sentence1 sentence2 score"),
    "short": ("s1:t s2:t gold:f", "sentence1 sentence2 score"),
    "parallel": ("source:t target:t", "sentence1 sentence2"),
    "GooAQ": ("question:t answer:t", "query document"),
    "StackExchange": ("title:t body:t", "query document"),
    "instructions": ("instruction:t output:t", "query document"),
    "SQuAD": ("question:t context:t answers:t", "query document -"),
    "judged": ("query:t corpus:t relevance:i", "query document relevance"),
    "judged, binary": ("query:t document:t label:b", "query document label"),
    "query and text": ("query:t text:t", "query document"),
    "distilled": ("query:t passage:t teacher_scores:l", "query document score"),
    "Banking77": ("text:t category:c", "text label"),
    "SST2": ("sentence:t label:b", "text label"),
    "AG news": ("text:t label:i", "text label"),
    "intents": ("utterance:t intent:c", "text label"),
    "headlines": ("headline:t topic:c", "text label"),
    "target": ("text:t target:c", "text label"),
    "reviews": ("review:t stars:i", "text score"),
    "denoising": ("noisy:t text:t", "noisy text"),
    "spaces and capitals": ("Sentence A:t sentenceB:t Similarity Score:f", "sentence1 sentence2 score"),
    "Korean pairs": ("문장1:t 문장2:t 유사도:f", "sentence1 sentence2 score"),
    "Korean questions": ("질문:t 답변:t", "query document"),
    "Korean classes": ("내용:t 분류:c", "text label"),
    "unknown pair": ("foo:t bar:t baz:f", "sentence1 sentence2 score"),
    "unknown classes": ("foo:t bar:c", "text label"),
    "unknown triplet": ("a:t b:t c:t", "- - -"),
    "one column": ("content:t", "text"),
}


def columns_of(header: str) -> list[str]:
    """Split a header at the blanks that follow a kind."""
    parts: list[str] = []
    for word in header.split(" "):
        if parts and ":" not in parts[-1]:
            parts[-1] += f" {word}"
        else:
            parts.append(word)
    return parts


@pytest.mark.parametrize("name", list(HEADERS))
def test_real_headers(name: str) -> None:
    header, expected = HEADERS[name]
    found = find_roles(table(*columns_of(header)))
    assert [one.role or "-" for one in found.columns] == expected.split()
    assert all(one.reason.endswith(".") and one.source in ("name", "contents") for one in found.columns)


@pytest.mark.parametrize("name", [name for name in HEADERS if "unknown" not in name])
def test_the_order_of_columns_makes_no_difference(name: str) -> None:
    header, expected = HEADERS[name]
    pairs = list(zip(columns_of(header), expected.split(), strict=True))
    random.Random(name).shuffle(pairs)
    found = find_roles(table(*(column for column, _ in pairs)))
    assert [one.role or "-" for one in found.columns] == [role for _, role in pairs]


def test_the_user_overrules_names_and_contents() -> None:
    data = table("sentence1:t", "sentence2:t", "score:f", "note:t")
    found = find_roles(data, {"note": "sentence2", "score": None})
    assert [one.role for one in found.columns] == ["sentence1", None, None, "sentence2"]
    assert [one.source for one in found.columns] == ["name", "name", "you", "you"]
    assert found.label is None and found.of("sentence2") == ("note",)
    by_role = find_roles(data, {"sentence1": "anchor", "sentence2": "positive", "note": "negative_1"})
    assert [one.role for one in by_role.columns] == ["anchor", "positive", "score", "negative"]


def test_negatives_come_in_the_order_of_their_numbers() -> None:
    names = ("negative_10:t", "negative_2:t", "query:t", "positive:t", "negative_1:t")
    assert find_roles(table(*names)).of("negative") == ("negative_1", "negative_2", "negative_10")


def test_unknown_columns_and_roles_are_refused() -> None:
    data = table("text:t", "label:c")
    with pytest.raises(UnknownNameError, match="column-unknown"):
        find_roles(data, {"texts": "text"})
    with pytest.raises(UnknownNameError, match="role-unknown"):
        find_roles(data, {"text": "sentence"})
    with pytest.raises(InvalidValueError, match="role-given-twice"):
        find_roles(data, {"text": "anchor", "label": "anchor"})
    with pytest.raises(InvalidValueError, match="role-given-twice"):
        find_roles(data, {"text": "score", "label": "label"})


def test_every_role_of_every_loss_is_a_role() -> None:
    from workbench import losses

    needs = [getattr(getattr(losses, name), "needs", None) for name in losses.__all__]
    patterns = {role for need in needs if hasattr(need, "columns") for role in need.columns}
    assert len(patterns) >= 6
    assert {pattern.rstrip("*+?") for pattern in patterns} <= set(ROLES)


@pytest.mark.skipif("WORKBENCH_DATA" not in os.environ, reason="WORKBENCH_DATA names no folder of data")
@pytest.mark.parametrize(
    ("file", "roles", "scale"),
    [
        ("stsb/train.csv", ["sentence1", "sentence2", "score"], "0-5"),
        ("korsts/dev.csv", ["sentence1", "sentence2", "score"], "0-5"),
        ("banking77/train.csv", ["text", "label"], None),
    ],
)
def test_real_data(file: str, roles: list[str], scale: str | None) -> None:
    path = Path(os.environ["WORKBENCH_DATA"]) / file
    if not path.exists():
        pytest.skip(f"{file} is not there")
    data = read_table(path)
    found = find_roles(data)
    assert [one.role for one in found.columns] == roles
    labels = read_labels(data, found.label or "", "score" if scale else "class")
    if scale:
        assert labels.scale is not None and labels.scale.name == scale
    else:
        assert labels.classes is not None and len(labels.classes) == 77
