"""The first look at a table: roles, scale, scripts, duplicates, and problems as sentences."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.data.memory_tables import table_from_records
from workbench.data.scripts import count_scripts, script_of
from workbench.data.table_preview import preview_file, preview_table
from workbench.errors import UnknownNameError


def test_a_file_at_a_glance(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    rows = [f"한 남자가 {n} 번 뛴다.;남자가 {n} 번 달린다.;{n % 6}" for n in range(30)]
    path.write_text("\n".join(["문장1;문장2;점수", *rows, "A man runs.;He walks.;2"]), encoding="utf-8")
    found = preview_file(path)
    preview = found.preview
    assert preview is not None and found.table is not None and found.table.source.sha256
    assert (preview.rows, preview.separator, preview.encoding) == (31, "semicolon", "utf-8")
    assert len(preview.head) == 20 and preview.columns == ("문장1", "문장2", "점수")
    assert [one.role for one in preview.roles.columns] == ["sentence1", "sentence2", "score"]
    assert preview.scale is not None and preview.scale.name == "0-5"
    assert preview.scripts == {"Hangul": 30, "Latin": 1}
    assert preview.label_problem is None and preview.duplicates.rows == 0
    overruled = preview_file(path, roles={"점수": "ignore"}).preview
    assert overruled is not None and overruled.roles.label is None and overruled.scale is None
    with pytest.raises(UnknownNameError):
        preview_file(path, roles={"score": "score"})


def test_labels_that_cannot_be_read_are_told_not_raised() -> None:
    rows = [{"s1": f"a {n}", "s2": f"b {n}", "score": f"0,{n}"} for n in range(9)]
    preview = preview_table(table_from_records(rows))
    assert preview.scale is None and preview.label_problem is not None
    assert 'decimal=","' in preview.label_problem and "row 5" in preview.label_problem
    lists = [{"query": f"a {n}", "passage": f"b {n}", "scores": [0.5, n]} for n in range(9)]
    assert preview_table(table_from_records(lists)).label_problem is None


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("plain words", "Latin"),
        ("Ça été, naïve Ünïcödé", "Latin"),
        ("한국어 문장과 API", "Hangul"),
        ("机器学习很有趣", "Han"),
        ("機械学習は楽しい", "Kana"),
        ("Привет, мир", "Cyrillic"),
        ("Καλημέρα", "Greek"),
        ("مرحبا", "Arabic"),
        ("שלום", "Hebrew"),
        ("नमस्ते", "Devanagari"),
        ("สวัสดี", "Thai"),
        ("გამარჯობა", "other"),
        ("123 + 4!", "no letters"),
        ("１２３ — …", "no letters"),
        ("", "no letters"),
        ("a" * 3 + "가" * 4, "Hangul"),
    ],
)
def test_scripts(text: str, script: str) -> None:
    assert script_of(text) == script


def test_scripts_are_counted_the_most_frequent_first() -> None:
    counted = count_scripts(["가나", "abc", "def", None, "다라", "xyz"])
    assert list(counted.items()) == [("Latin", 3), ("Hangul", 2), ("no letters", 1)]
