"""Files that are not UTF-8: refused by default, with previews and the argument that accepts them."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from workbench.data.encodings import EncodingRefusedError
from workbench.data.labelled_files import read_table
from workbench.data.sentence_files import read_sentences
from workbench.data.table_preview import preview_file
from workbench.errors import DataFileError, UnknownNameError

KOREAN = (
    "문장1,문장2,점수\n비행기가 이륙하고 있다.,비행기가 뜬다.,5\n한 남자가 춤을 춘다.,여자가 노래한다.,1\n"
)
FRENCH = "text,label\nUn café très chaud à Noël,météo\n"
ROWS = (("비행기가 이륙하고 있다.", "비행기가 뜬다.", "5"), ("한 남자가 춤을 춘다.", "여자가 노래한다.", "1"))


def written(tmp_path: Path, raw: bytes) -> Path:
    path = tmp_path / "data.csv"
    path.write_bytes(raw)
    return path


def test_korean_excel_is_refused_with_a_preview_and_accepted_by_name(tmp_path: Path) -> None:
    path = written(tmp_path, KOREAN.encode("cp949"))
    with pytest.raises(EncodingRefusedError) as caught:
        read_table(path)
    error = caught.value
    assert (error.code, error.offset) == ("text-encoding", 0)
    assert [one.encoding for one in error.candidates] == ["cp949"]
    assert error.candidates[0].preview[0] == "문장1,문장2,점수"
    assert error.candidates[0].share == 1.0
    assert "\ufffd" in error.as_utf8[0]
    assert 'encoding="cp949"' in error.message and "비행기가" in error.message
    table = read_table(path, encoding="cp949")
    assert table.columns == ("문장1", "문장2", "점수") and table.rows == ROWS
    assert table.source.encoding == "cp949" and "Read as CP949, as asked." in table.notices
    assert read_sentences(path, "a.csv", column="문장2", encoding="cp949").texts[0] == "비행기가 뜬다."


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("content", [KOREAN, FRENCH], ids=["korean", "french"])
def test_utf16_without_its_mark_is_offered(tmp_path: Path, content: str, encoding: str) -> None:
    path = written(tmp_path, content.encode(encoding))
    with pytest.raises(EncodingRefusedError) as caught:
        read_table(path)
    assert caught.value.candidates[0].encoding == encoding
    assert read_table(path, encoding=encoding).columns == tuple(content.splitlines()[0].split(","))


def test_western_european_is_offered(tmp_path: Path) -> None:
    path = written(tmp_path, FRENCH.encode("cp1252"))
    with pytest.raises(EncodingRefusedError) as caught:
        read_table(path)
    assert caught.value.offset == FRENCH.index("é")
    assert [one.encoding for one in caught.value.candidates] == ["cp1252", "latin-1"]
    assert read_table(path, encoding="latin-1").rows == (("Un café très chaud à Noël", "météo"),)


def test_bytes_that_no_encoding_explains_are_still_refused(tmp_path: Path) -> None:
    path = written(tmp_path, b"text,label\n" + bytes(range(128, 256)) + b",x\n")
    with pytest.raises(EncodingRefusedError) as caught:
        read_table(path)
    assert caught.value.offset == 11


def test_an_encoding_outside_the_closed_set_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, KOREAN.encode("cp949"))
    for name in ("zlib", "rot13", "cp037", "", "CP949"):
        with pytest.raises(UnknownNameError, match="encoding-unknown"):
            read_table(path, encoding=name)


def test_a_wrong_choice_is_refused_not_garbled(tmp_path: Path) -> None:
    marked = written(tmp_path, KOREAN.encode("utf-8-sig"))
    with pytest.raises(DataFileError, match="encoding-contradicts-mark"):
        read_table(marked, encoding="cp949")
    assert read_table(marked, encoding="utf-8").rows == ROWS
    with pytest.raises(DataFileError, match="text-encoding"):
        read_table(written(tmp_path, "text,label\n한글입니다 뷁,x\n".encode()), encoding="cp949")


def test_the_refusal_keeps_its_previews_between_processes(tmp_path: Path) -> None:
    with pytest.raises(EncodingRefusedError) as caught:
        read_table(written(tmp_path, KOREAN.encode("cp949")))
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301
    assert type(again) is EncodingRefusedError
    assert (again.message, again.offset) == (caught.value.message, 0)
    assert again.candidates == caught.value.candidates


def test_a_preview_offers_encodings_instead_of_raising(tmp_path: Path) -> None:
    path = written(tmp_path, KOREAN.encode("cp949"))
    first = preview_file(path)
    assert first.table is None and first.preview is None and first.refusal is not None
    assert first.encodings[0].title.startswith("Korean")
    second = preview_file(path, encoding="cp949").preview
    assert second is not None
    assert [one.role for one in second.roles.columns] == ["sentence1", "sentence2", "score"]
    assert second.scripts == {"Hangul": 2}
    assert second.scale is not None and second.scale.name == "1-5"
