"""The data of the Train page: pasted pairs, files in any encoding, the losses that fit, one batch."""

from __future__ import annotations

import csv
import io

import pytest

from tests.ui.pages.test_train_form import values
from workbench.errors import InvalidValueError
from workbench.ui.pages import train_data as data
from workbench.ui.pages.train_form import wish_of
from workbench.ui.pages.train_paste import as_csv
from workbench.ui.widgets.data_preview import look_html


def look(columns=(), **changed):
    wish = wish_of(values(**changed), list(columns))
    return data.look_at(wish.data, wish.config)


def rows(text):
    return [*csv.reader(io.StringIO(as_csv(text)))]


def test_pasted_pairs_get_a_head_from_their_shape():
    assert rows("a\tb\nc\td")[0] == ["anchor", "positive"]
    assert rows("a\tb\t0.5\nc\td\t1")[0] == ["sentence1", "sentence2", "score"]
    assert rows("a\tb\tc\tz\nd\te\tf\ty")[0] == ["anchor", "positive", "negative_1", "negative_2"]
    assert rows('"a, with a comma",b\nc,d') == [["anchor", "positive"], ["a, with a comma", "b"], ["c", "d"]]
    assert rows("question\tanswer\na\tb") == [["question", "answer"], ["a", "b"]]


@pytest.mark.parametrize(("text", "where"), [("one text", "line 1"), ("a\tb\nc\nd\te", "line 2")])
def test_a_pasted_line_without_its_columns_is_named(text, where):
    with pytest.raises(InvalidValueError) as found:
        as_csv(text)
    assert found.value.code == "paste-columns"
    assert found.value.where == where


def test_the_bundled_questions_fit_ranking_losses_and_no_scored_one():
    found = look()
    assert found.fits["MultipleNegativesRankingLoss"] == ""
    assert "score" in found.fits["CoSENTLoss"]
    assert found.batch is not None
    assert found.batch.roles == ("anchor", "positive")
    assert len(found.batch.rows) == 16
    assert len({positive for _, positive in found.batch.rows}) == 16
    assert (found.batch.train, found.batch.dev, found.batch.test) == (215, 86, 172)


def test_a_loss_that_does_not_fit_says_why_and_leaves_the_rest_in_sight():
    found = look(loss="CoSENTLoss")
    assert found.batch is None
    assert found.batch_error is not None
    assert found.batch_error.code == "view-does-not-fit"
    assert found.columns


def test_scores_are_seen_with_their_scale_and_rescaled_in_the_batch():
    lines = "".join(f"sentence {i}\tother {i}\t{i % 6}\n" for i in range(80))
    found = look(source="paste", pasted=lines, loss="CosineSimilarityLoss", rescale="0-5")
    assert found.preview is not None
    assert found.preview.scale is not None
    assert found.preview.scale.name == "0-5"
    assert found.batch is not None
    assert found.batch.labels is not None
    assert {float(label) for label in found.batch.labels} <= {0.0, 0.2, 0.4, 0.6, 0.8, 1.0}
    assert found.fits["CoSENTLoss"] == ""
    unscaled = look(source="paste", pasted=lines, loss="CosineSimilarityLoss")
    assert unscaled.batch_error is not None


def test_a_korean_excel_file_is_shown_in_each_encoding_and_read_in_the_chosen_one(tmp_path, monkeypatch):
    path = tmp_path / "짝.csv"
    text = "질문,답\n" + "".join(f"질문이 {i}번 있습니다,답이 {i}번 있습니다\n" for i in range(70))
    path.write_bytes(text.encode("cp949"))
    monkeypatch.setattr("workbench.ui.pages.train_form.stored_upload", lambda value: str(value or ""))
    refused = look(source="file", file=str(path))
    assert refused.refusal is not None
    assert refused.encodings[0].encoding == "cp949"
    assert data.encoding_choices(refused)[0][1] == "cp949"
    assert "질문이 0번" in look_html(refused, "ko")
    found = look(
        source="file",
        file=str(path),
        encoding="cp949",
        columns=["질문", "답"],
        role_0="anchor",
        role_1="positive",
    )
    assert found.refusal is None
    assert found.batch is not None
    assert found.batch.rows[0][0].startswith("질문이")


def test_what_a_visitor_brings_is_escaped_in_the_preview():
    found = look(source="paste", pasted="<script>alert(1)</script>\tb\nc\td\ne\tf\ng\th\ni\tj")
    html = look_html(found, "en")
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
