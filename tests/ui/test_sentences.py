"""Where the sentences come from: presets, pasted lines, uploads, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.data.presets import PRESETS
from workbench.errors import DataFileError, InvalidValueError, WorkbenchError
from workbench.ui.sentences import MAX_SENTENCES, Chosen, file_columns, read_chosen, stored_upload


@pytest.fixture
def uploads(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("name", PRESETS)
def test_presets_come_as_they_are(name):
    assert read_chosen(Chosen(name), "en").texts == PRESETS[name].texts


@given(st.text())
def test_pasted_lines_become_texts_or_a_coded_refusal(pasted):
    try:
        found = read_chosen(Chosen("paste", pasted=pasted), "en")
    except WorkbenchError as error:
        assert error.code == "nothing-pasted"
        assert not pasted.strip()
    else:
        assert all(text.strip() for text in found.texts)
        assert len(found.texts) <= len(pasted.splitlines())


def test_too_many_lines_are_refused_with_both_numbers():
    with pytest.raises(InvalidValueError, match=r"1,001 texts came.*1,000"):
        read_chosen(Chosen("paste", pasted="x\n" * (MAX_SENTENCES + 1)), "en")
    assert len(read_chosen(Chosen("paste", pasted="x\n" * MAX_SENTENCES), "en").texts) == MAX_SENTENCES


def test_a_file_is_read_with_its_notices(uploads):
    table = uploads / "a.csv"
    table.write_text("id,text\n1,one\n2,\n3,three\n", encoding="utf-8")
    found = read_chosen(Chosen("file", path=str(table)), "en")
    assert found.texts == ("one", "three")
    assert found.notices[0] == "Read 2 sentences from a.csv."
    assert any("Left out 1" in notice for notice in found.notices)
    assert read_chosen(Chosen("file", path=str(table)), "ko").notices[0].startswith("a.csv 파일에서")


@pytest.mark.parametrize(
    ("name", "content", "columns"),
    [
        ("a.csv", "title,review\nx,y\n", ("title", "review")),
        ("a.tsv", "title\treview\nx\ty\n", ("title", "review")),
        ("a.jsonl", '{"title": "x", "review": "y"}\n', ("title", "review")),
        ("a.txt", "one\ntwo\n", ()),
        ("b.csv", "text\nx\n", ("text",)),
    ],
)
def test_the_columns_of_an_upload_are_listed_even_where_the_choice_is_unclear(
    uploads, name, content, columns
):
    path = uploads / name
    path.write_text(content, encoding="utf-8")
    assert file_columns(path) == columns


def test_a_broken_upload_is_refused_when_its_columns_are_asked_for(uploads):
    path = uploads / "a.csv"
    path.write_text("", encoding="utf-8")
    with pytest.raises(DataFileError):
        file_columns(path)


def test_only_what_lies_among_the_uploads_is_an_upload(uploads):
    inside = uploads / "ab12" / "a.csv"
    assert stored_upload(str(inside)) == str(inside)
    assert stored_upload(None) == stored_upload("") == ""
    for outside in ("/etc/passwd", str(uploads / ".." / "a.csv"), "http://example.com/a.csv", 7, ["a"]):
        with pytest.raises(InvalidValueError) as refused:
            stored_upload(outside)
        assert refused.value.code == "not-an-upload"


def test_a_link_out_of_the_uploads_is_no_upload(uploads):
    link = uploads / "link.csv"
    link.symlink_to("/etc/passwd")
    with pytest.raises(InvalidValueError):
        stored_upload(str(link))


@pytest.mark.parametrize(
    "chosen", [Chosen("magic"), Chosen(""), Chosen("file"), Chosen("paste", pasted=" \n\t\n")]
)
def test_what_holds_no_sentence_is_refused(chosen):
    with pytest.raises(InvalidValueError):
        read_chosen(chosen, "en")
