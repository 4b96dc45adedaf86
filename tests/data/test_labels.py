"""Labels: every kind, its refusals with rows, scales and rescaling, decimal commas, names of classes."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.data.label_scales import SCALES, find_scale
from workbench.data.labels import Labels, read_labels
from workbench.data.memory_tables import table_from_records
from workbench.errors import DataFileError, InvalidTypeError, InvalidValueError, UnknownNameError


def labels(values: list[Any], kind: str, **options: Any) -> Labels:
    data = table_from_records([{"text": f"t{row}", "y": value} for row, value in enumerate(values)])
    return read_labels(data, "y", kind, **options)


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("score", ["0.5", "1e0", " -1 ", ".25"], (0.5, 1.0, -1.0, 0.25)),
        ("score", ["87%", "9 %"], (87.0, 9.0)),
        ("binary", ["0", "1", "1.0", "true", "False", "yes"], (0, 1, 1, 1, 0, 1)),
        ("binary", [True, False], (1, 0)),
        ("class", ["2", "0", "1.0"], (2, 0, 1)),
        ("class", ["loan", "card", "loan"], (1, 0, 1)),
        ("class", ["NA", "null", "nan"], (0, 2, 1)),
        ("margins", ["0.5", "-2"], (0.5, -2.0)),
        ("margins", ["[0.5, 1]", "[2, 3]"], ([0.5, 1.0], [2.0, 3.0])),
        ("scores", [[0.5, 1], [2, 3]], ([0.5, 1.0], [2.0, 3.0])),
        ("vector", ["[1]", "[2.5]"], ([1.0], [2.5])),
    ],
)
def test_labels_of_every_kind(kind: str, values: list[Any], expected: tuple[Any, ...]) -> None:
    if kind == "class" and values == ["NA", "null", "nan"]:
        values = [*values, "x", "x"]
        expected = (0, 2, 1, 3, 3)
    found = labels(values, kind)
    assert found.values == expected
    assert [type(value) for value in found.values] == [type(value) for value in expected]


GOOD = {"score": "0.5", "binary": "1", "class": "1", "margins": "0.5", "scores": "[0.5]", "vector": "[0.5]"}


@pytest.mark.parametrize("kind", list(GOOD))
@pytest.mark.parametrize(
    "bad", [None, "", "  ", "nan", "NaN", "inf", "-Infinity", "x", "0,5", "1e999", "1_0"]
)
def test_d9_bad_labels_are_refused_with_their_rows(kind: str, bad: str | None) -> None:
    values: list[Any] = [GOOD[kind]] * 20
    for row in (2, 4, 6, 8, 10, 12):
        values[row] = bad
    with pytest.raises(DataFileError) as caught:
        labels(values, kind)
    error = caught.value
    assert error.code.startswith("label-")
    assert "6 of 20 labels" in error.came and "and 1 more" in error.came
    assert "row 3: " in error.came and "row 11: " in error.came and "row 13: " not in error.came
    assert error.where == "records, column 'y'" and error.expected and error.fix
    if bad is None or not bad.strip():
        assert error.code == "label-missing"
    elif kind == "score":
        not_finite = bad.lower() in ("nan", "inf", "-infinity", "1e999")
        assert error.code == ("label-not-finite" if not_finite else "label-not-a-number")


@pytest.mark.parametrize(
    ("kind", "values", "label_range", "code"),
    [
        ("score", ["0", "5", "2.5"], (-1.0, 1.0), "label-out-of-range"),
        ("class", ["0", "3", "1"], (0, 2), "label-out-of-range"),
        ("class", ["0", "-1", "1"], (0, 2), "label-out-of-range"),
        ("class", ["0", "0.5", "1"], None, "label-not-a-class"),
        ("class", ["0", "x", "1"], None, "label-not-a-class"),
        ("binary", ["0", "7", "1"], (0, 1), "label-not-binary"),
        ("binary", ["0", "0.5", "1"], (0, 1), "label-not-binary"),
        ("scores", ["[1, 2]", "[1]", "[1, 2]"], None, "label-lengths-differ"),
        ("vector", ["[1, 2]", "[1, NaN]", "[1, 2]"], None, "label-not-a-list"),
    ],
)
def test_labels_that_a_loss_cannot_take(
    kind: str, values: list[str], label_range: tuple[float, float] | None, code: str
) -> None:
    with pytest.raises(DataFileError) as caught:
        labels(values, kind, label_range=label_range)
    assert caught.value.code == code and "row 2: " in caught.value.came


def test_the_cure_for_scores_out_of_range_works() -> None:
    values = ["0", "5", "2.5"]
    with pytest.raises(DataFileError) as caught:
        labels(values, "score", label_range=(-1, 1))
    assert 'rescale="0-5"' in caught.value.fix
    found = labels(values, "score", label_range=(-1, 1), rescale="0-5")
    assert found.values == (0.0, 1.0, 0.5)
    assert found.notices[-1] == "Rescaled from 0 to 5 to 0 to 1."
    with pytest.raises(DataFileError, match="label-outside-scale"):
        labels(values, "score", rescale="1-5")
    assert labels(values, "score", rescale=(0, 10)).values == (0.0, 0.5, 0.25)


@pytest.mark.parametrize(
    ("values", "percent", "name"),
    [
        ([0.0, 5.0, 2.5], False, "0-5"),
        ([1.0, 5.0, 3.0], False, "1-5"),
        ([1.2, 4.8], False, "0-5"),
        ([1.2, 4.8] * 20, False, "1-5"),
        ([0.0, 1.0], False, "0-1"),
        ([-0.5, 1.0], False, "-1-1"),
        ([0.0, 7.5], False, "0-10"),
        ([12.0, 99.0], False, "0-100"),
        ([12.0, 99.0], True, "percent"),
        ([0.5, 0.9], True, "percent"),
        ([-3.0, 4.0], False, None),
        ([0.0, 1000.0], False, None),
    ],
)
def test_scales_are_found(values: list[float], percent: bool, name: str | None) -> None:
    scale = find_scale(values, percent)
    assert scale.name == name and scale.reason.endswith(".")
    assert (scale.low, scale.high) == (min(values), max(values))


@given(
    st.sampled_from([name for name in SCALES if name != "percent"]),
    st.lists(st.floats(0, 1), min_size=2, max_size=20),
)
def test_rescaling_is_exact_at_the_ends_and_keeps_the_order(name: str, shares: list[float]) -> None:
    low, high = SCALES[name]
    scores = [low, high, *(low + share * (high - low) for share in shares)]
    found = labels([repr(min(high, score)) for score in scores], "score", rescale=name).values
    assert found[:2] == (0.0, 1.0) and all(0 <= value <= 1 for value in found)
    order = sorted(range(len(scores)), key=lambda index: scores[index])
    assert all(found[one] <= found[two] for one, two in itertools.pairwise(order))


def test_percent_signs_are_read_and_mixed_ones_refused() -> None:
    found = labels(["87%", "9%"], "score", rescale="percent")
    assert found.values == (0.87, 0.09) and found.scale is not None and found.scale.name == "percent"
    with pytest.raises(DataFileError) as caught:
        labels(["87%", "9%", "0.5"], "score")
    assert caught.value.code == "label-percent-mixed" and "row 3: '0.5'" in caught.value.came


def test_decimal_commas_are_offered_and_read() -> None:
    with pytest.raises(DataFileError) as caught:
        labels(["0,5", "1,25", "3"], "score")
    assert 'decimal=","' in caught.value.fix
    assert labels(["0,5", "1,25", "3"], "score", decimal=",").values == (0.5, 1.25, 3.0)
    with pytest.raises(DataFileError, match="label-not-a-number"):
        labels(["0.5", "1,25"], "score", decimal=",")
    with pytest.raises(DataFileError) as caught:
        labels(["0,5", "x"], "score")
    assert "decimal" not in caught.value.fix


def test_names_of_classes_keep_their_numbers_for_the_next_table() -> None:
    train = labels(["neutral", "entailment", "contradiction"], "class")
    assert train.classes == {"contradiction": 0, "entailment": 1, "neutral": 2}
    assert train.values == (2, 1, 0)
    assert labels(["neutral"], "class", classes=train.classes).values == (2,)
    with pytest.raises(DataFileError) as caught:
        labels(["neutral", "other"], "class", classes=train.classes)
    assert caught.value.code == "label-class-unknown" and "row 2: 'other'" in caught.value.came
    assert labels(["same", "other"], "binary", classes={"same": 1, "other": 0}).values == (1, 0)
    assert labels(["5", "1.0"], "class", classes={"1": 0, "5": 1}).values == (1, 0)


def test_arguments_that_cannot_be_used_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="label-kind-unknown"):
        labels(["1"], "none")
    with pytest.raises(UnknownNameError, match="scale-unknown"):
        labels(["1"], "score", rescale="0-7")
    with pytest.raises(InvalidTypeError, match="scale-not-two-numbers"):
        labels(["1"], "score", rescale=(1, 2, 3))
    with pytest.raises(InvalidValueError, match="scale-empty"):
        labels(["1"], "score", rescale=(5, 1))
    with pytest.raises(InvalidValueError, match="rescale-without-scores"):
        labels(["1"], "class", rescale="0-5")
    with pytest.raises(InvalidValueError, match="decimal-unknown"):
        labels(["1"], "score", decimal=";")
    with pytest.raises(UnknownNameError, match="column-unknown"):
        read_labels(table_from_records([{"text": "a"}]), "y", "score")


def test_label_kinds_are_those_of_the_losses() -> None:
    from typing import get_args

    from workbench.data.labels import LABEL_KINDS
    from workbench.losses.needs import LabelKind

    assert set(get_args(LabelKind)) == {*LABEL_KINDS, "none"}
