"""InputExample: the classic constructor, and texts that are none."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from workbench.data.input_example import InputExample
from workbench.errors import InvalidTypeError, InvalidValueError, WorkbenchError


def test_the_classic_arguments_and_their_order() -> None:
    from sentence_transformers.sentence_transformer.readers import InputExample as Upstream

    for given in (("7", ["a", "b"], 0.5), ("", ["a"], 3)):
        mine, theirs = InputExample(*given), Upstream(*given)
        assert vars(mine) == vars(theirs)
        assert str(mine) == str(theirs)
    assert InputExample(texts=["a"]).label == 0


@pytest.mark.parametrize(
    ("texts", "kind", "code"),
    [
        (None, InvalidTypeError, "example-texts-not-a-list"),
        ("a sentence", InvalidTypeError, "example-texts-not-a-list"),
        ([], InvalidValueError, "example-without-texts"),
        (["a", None], InvalidTypeError, "example-text-not-a-string"),
        (["a", float("nan")], InvalidTypeError, "example-text-not-a-string"),
        ([["a", "b"]], InvalidTypeError, "example-text-not-a-string"),
    ],
)
def test_what_is_no_text_is_refused(texts: Any, kind: type[WorkbenchError], code: str) -> None:
    with pytest.raises(kind) as caught:
        InputExample(texts=texts)
    assert caught.value.code == code


def test_it_is_itself_and_keeps_its_own_texts() -> None:
    given = ["a", "b"]
    example = InputExample("1", given, 0.25)
    given.append("c")
    other = copy.deepcopy(example)
    assert vars(other) == vars(example) == {"guid": "1", "texts": ["a", "b"], "label": 0.25}
    assert example != other and len({example, other}) == 2
