"""What may come as texts, and what is refused with a coded error (T1-T7, T12 of the catalogue)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.data.presets import PRESETS
from workbench.data.texts import check_texts, is_blank
from workbench.errors import InvalidTypeError, InvalidValueError, WorkbenchError


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"]))))
def test_valid_text_is_kept_as_it_is(texts: list[str]) -> None:
    assert check_texts(texts).texts == texts


@given(st.lists(st.text(alphabet=st.characters(categories=None))))
def test_any_text_becomes_encodable_and_every_repair_is_counted(texts: list[str]) -> None:
    checked = check_texts(texts)
    broken = [any(0xD800 <= ord(char) <= 0xDFFF for char in text) for text in texts]
    assert checked.replaced_surrogates == sum(broken)
    for before, after in zip(texts, checked.texts, strict=True):
        after.encode("utf-8")
        assert len(after) == len(before)


def test_strict_refuses_a_lone_surrogate() -> None:
    with pytest.raises(InvalidValueError, match=r"Row 1 .*character 3"):
        check_texts(["a", "bad\ud800"], strict=True)


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "\u200b", "\ufeff", "\x00"])
def test_blank_texts_are_admitted_and_counted(text: str) -> None:
    checked = check_texts([text, "word"])
    assert (checked.texts, checked.empty) == ([text, "word"], 1)
    assert is_blank(text)


@pytest.mark.parametrize("bad", [None, float("nan"), pd.NA, pd.NaT, 1, True, b"x", {"a": 1}, ["a", "b"], 2.5])
def test_rows_that_are_no_text_are_named(bad: object) -> None:
    with pytest.raises(InvalidTypeError) as caught:
        check_texts(["fine", bad, "fine", bad])
    assert caught.value.code == "text-not-a-string"
    assert (
        "2 of 4 rows" in str(caught.value) and "row 1" in str(caught.value) and "row 3" in str(caught.value)
    )


def test_only_the_first_five_bad_rows_are_named() -> None:
    with pytest.raises(InvalidTypeError, match="and 95 more"):
        check_texts([None] * 100)


@pytest.mark.parametrize("bad", ["one text", b"bytes", {"a"}, {"a": 1}, (t for t in "ab"), 5, None])
def test_what_is_no_list_is_refused(bad: object) -> None:
    with pytest.raises(InvalidTypeError) as caught:
        check_texts(bad)
    assert caught.value.code == "texts-not-a-list"


@pytest.mark.parametrize("array", [np.array("a"), np.array([["a", "b"]]), pd.DataFrame({"a": ["x"]})])
def test_arrays_have_one_dimension(array: object) -> None:
    with pytest.raises(InvalidTypeError) as caught:
        check_texts(array)
    assert caught.value.code == "texts-not-one-dimensional"


def test_one_dimensional_containers_are_read_by_position() -> None:
    expected = ["b", "a"]
    for container in (("b", "a"), np.array(expected), pd.Series(expected, index=[7, 7]), pd.Index(expected)):
        assert check_texts(container).texts == expected
    assert check_texts([]).texts == []


def test_the_limit_gives_both_numbers() -> None:
    with pytest.raises(InvalidValueError, match=r"1,001 texts .*at most 1,000"):
        check_texts(["a"] * 1001, limit=1000)


@settings(max_examples=200)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    )
)
def test_anything_gives_texts_or_a_coded_error(value: object) -> None:
    try:
        checked = check_texts(value)
    except WorkbenchError as error:
        assert error.code and error.expected
    else:
        assert all(isinstance(text, str) for text in checked.texts)


def test_presets_hold_eight_texts_each() -> None:
    assert {len(preset.texts) for preset in PRESETS.values()} == {8}
    assert {preset.language for preset in PRESETS.values()} == {"en", "ko"}
