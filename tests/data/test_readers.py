"""The classic readers: equal to upstream's on well-formed files, coded errors on all others."""

from __future__ import annotations

import csv
import gzip
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import workbench
from workbench import readers
from workbench.errors import InvalidTypeError, InvalidValueError, WorkbenchError

PAIRS = (
    "A plane takes off.\tAn air plane is taking off.\t5.0\n"
    '한 남자가 뛴다.\t"a man" runs\t3.25\tmore\n'
    "a b\tc\t0\n"
)
BENCHMARK = (
    "main\tMSR\t2012\t0001\t5.000\tA plane.\tAn air plane.\nmain\tMSR\t2012\t4\t2.5\ta\tb\textra\textra\n"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("readers")
    for name, content in {
        "pairs.tsv": PAIRS,
        "quoted.csv": '5,"a, b","c ""d"""\n1,"line\nbreak",e\n',
        "bench.csv": BENCHMARK,
        "triplets.tsv": "anchor\tpositive\tnegative\na\tb\tc\nd\te\tf\tg\n",
        "labels.tsv": "loan\tI need money\ncard\tmy card is lost \nloan\tmore money\n",
        "labels.csv": "words,loan\nother words,card\n",
        "left.txt": "one\ntwo\nthree\n",
        "right.txt": "eins\nzwei\ndrei\n",
    }.items():
        (root / name).write_text(content, encoding="utf-8")
    for name, content in {
        "pairs.tsv.gz": PAIRS,
        "right.txt.gz": "eins\nzwei\ndrei\n",
        "s1.train.gz": "a\nb\nc\n",
        "s2.train.gz": "d\ne\nf\n",
        "labels.train.gz": "entailment\nContradiction\nneutral\n",
    }.items():
        (root / name).write_bytes(gzip.compress(content.encode()))
    return root


CASES: dict[str, tuple[str, dict[str, Any], str]] = {
    "sts": ("STSDataReader", {}, "pairs.tsv"),
    "sts gz": ("STSDataReader", {}, "pairs.tsv.gz"),
    "sts raw scores": ("STSDataReader", {"normalize_scores": False}, "pairs.tsv"),
    "sts quoted": (
        "STSDataReader",
        {
            "s1_col_idx": 1,
            "s2_col_idx": -1,
            "score_col_idx": 0,
            "delimiter": ",",
            "quoting": csv.QUOTE_MINIMAL,
            "min_score": 1,
        },
        "quoted.csv",
    ),
    "benchmark": ("STSBenchmarkDataReader", {}, "bench.csv"),
    "triplet": ("TripletReader", {"has_header": True}, "triplets.tsv"),
    "triplet swapped": ("TripletReader", {"s2_col_idx": 2, "s3_col_idx": 1}, "triplets.tsv"),
    "label": ("LabelSentenceReader", {}, "labels.tsv"),
    "label other way": (
        "LabelSentenceReader",
        {"label_col_idx": 1, "sentence_col_idx": 0, "separator": ","},
        "labels.csv",
    ),
    "nli": ("NLIDataReader", {}, "train.gz"),
}


def contents(examples: list[Any]) -> list[tuple[Any, ...]]:
    return [(example.guid, list(example.texts), example.label, type(example.label)) for example in examples]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("limit", [0, 1, 2])
@pytest.mark.parametrize("case", list(CASES))
def test_readers_give_what_upstream_gives(folder: Path, case: str, limit: int) -> None:
    upstream = importlib.import_module("sentence_transformers.sentence_transformer.readers")
    name, options, file = CASES[case]
    own, theirs = (getattr(package, name)(str(folder), **options) for package in (readers, upstream))
    found = contents(own.get_examples(file, max_examples=limit))
    assert found == contents(theirs.get_examples(file, max_examples=limit))
    assert len(found) == (limit or len(found)) and found
    if name == "LabelSentenceReader":
        assert own.label_map == theirs.label_map
    assert all(isinstance(example, workbench.InputExample) for example in own.get_examples(file))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("limit", [0, 2])
@pytest.mark.parametrize("files", [("left.txt", "right.txt"), ("left.txt", "right.txt.gz"), ("left.txt",)])
def test_paired_files_give_what_upstream_gives(folder: Path, files: tuple[str, ...], limit: int) -> None:
    upstream = importlib.import_module("sentence_transformers.sentence_transformer.readers")
    paths = [str(folder / file) for file in files]
    own, theirs = (package.PairedFilesReader(paths).get_examples(limit) for package in (readers, upstream))
    assert contents(own) == contents(theirs)
    assert contents(
        readers.PairedFilesReader([Path(path) for path in paths]).get_examples(limit)
    ) == contents(own)


@pytest.mark.filterwarnings("ignore")
def test_names_and_arguments_are_upstreams() -> None:
    import inspect

    upstream = importlib.import_module("sentence_transformers.sentence_transformer.readers")
    assert set(readers.__all__) == set(upstream.__all__)
    assert workbench.readers is readers
    for name in set(readers.__all__) - {"InputExample"}:
        own, theirs = getattr(readers, name), getattr(upstream, name)
        for method in ("__init__", "get_examples"):
            signatures = [inspect.signature(getattr(one, method)).parameters for one in (own, theirs)]
            assert [(one.name, one.default) for one in signatures[0].values()] == [
                (one.name, one.default) for one in signatures[1].values()
            ]
    assert readers.NLIDataReader.get_labels() == upstream.NLIDataReader.get_labels()
    assert readers.NLIDataReader("x").get_num_labels() == 3


def sts(folder: Path, **options: Any) -> Callable[[str], object]:
    return readers.STSDataReader(folder, **options).get_examples


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (b"", "file-empty", None),
        (b"a\tb\n", "row-ragged", 1),
        (b"a\tb\t1\n\na\tb\t1\n", "row-ragged", 2),
        (b"a\tb\tscore\n", "label-not-a-number", 1),
        (b"a\tb\t1\na\tb\tnan\n", "label-not-finite", 2),
        (b"a\tb\t1\na\tb\t5.5\n", "label-outside-scale", 2),
        (b"a\tb\t1\na\xff\tb\t1\n", "text-encoding", 0),
        (b"a\0\tb\t1\n", "file-has-nul", 1),
        (b"a\t" + b"x" * 1_000_001 + b"\t1\n", "field-too-long", 1),
        (b"x" * 4_000_001, "line-too-long", 1),
    ],
    ids=["empty", "short", "blank", "header", "nan", "beyond", "latin", "nul", "field", "line"],
)
def test_bad_files_are_refused_with_their_line(
    tmp_path: Path, content: bytes, code: str, line: int | None
) -> None:
    (tmp_path / "bad.tsv").write_bytes(content)
    with pytest.raises(WorkbenchError) as caught:
        sts(tmp_path)("bad.tsv")
    assert caught.value.code == code
    assert caught.value.where.startswith("bad.tsv") and (
        not line or caught.value.where.endswith(f"line {line}")
    )


def test_a_mark_at_the_beginning_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("x\ty\t1\n", encoding="utf-8-sig")
    assert readers.STSDataReader(tmp_path).get_examples("a.tsv")[0].texts == ["x", "y"]


def test_broken_and_huge_archives_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = gzip.compress(PAIRS.encode() * 50)
    for name, content in {
        "cut.gz": raw[:-20],
        "not.gz": b"plain text\n",
        "flipped.gz": raw[:-8] + b"\0" * 8,
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(WorkbenchError, match="file-not-unpacked"):
            sts(tmp_path)(name)
    monkeypatch.setattr("workbench.data.readers.reader_files.MAX_FILE_CHARS", 100_000)
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(b"a\tb\t1\n" * 1_000_000))
    with pytest.raises(WorkbenchError, match="text-too-much"):
        sts(tmp_path)("bomb.gz")


@pytest.mark.parametrize(
    "name", ["../secret.tsv", "/etc/hostname", "x/../../secret.tsv", "", ".", "a\0b", "link.tsv"]
)
def test_paths_out_of_the_folder_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.tsv").write_text("a\tb\t1\n")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link.tsv").symlink_to(tmp_path / "secret.tsv")
    for reader in (readers.STSDataReader, readers.TripletReader, readers.LabelSentenceReader):
        with pytest.raises(InvalidValueError, match="path-outside-folder"):
            reader(inside).get_examples(name)
    with pytest.raises(WorkbenchError):
        readers.NLIDataReader(inside).get_examples(name)
    with pytest.raises(InvalidTypeError, match="filename-not-a-string"):
        sts(inside)(5)  # type: ignore[arg-type]


def test_missing_files_folders_and_limits_that_are_none(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name, code in {"none.tsv": "file-not-readable", "sub": "file-not-regular"}.items():
        with pytest.raises(WorkbenchError, match=code):
            sts(tmp_path)(name)
    for limit in (-1, 1.5, True, "2"):
        with pytest.raises(InvalidValueError, match="max-examples-out-of-range"):
            readers.STSDataReader(folder).get_examples("pairs.tsv", limit)  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match="scale-empty"):
        readers.STSDataReader(folder, min_score=5, max_score=5)
    for options in ({"delimiter": "::"}, {"delimiter": ""}, {"quoting": 99}):
        with pytest.raises(InvalidValueError, match="delimiter-invalid"):
            sts(folder, **options)("pairs.tsv")
    with pytest.raises(InvalidValueError, match="delimiter-invalid"):
        readers.LabelSentenceReader(folder, separator="")
    with pytest.raises(InvalidTypeError, match="column-index-invalid"):
        sts(folder, score_col_idx="2")("pairs.tsv")
    with pytest.raises(InvalidTypeError, match="filepaths-not-a-list"):
        readers.PairedFilesReader("left.txt")


def test_files_of_different_length_are_refused_where_upstream_stops_in_silence(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("1\n2\n3\n")
    (tmp_path / "b.txt").write_text("1\n2\n")
    reader = readers.PairedFilesReader([tmp_path / "a.txt", tmp_path / "b.txt"])
    with pytest.raises(WorkbenchError) as caught:
        reader.get_examples()
    assert (caught.value.code, caught.value.where) == ("files-differ-in-length", "b.txt")
    assert len(reader.get_examples(2)) == 2
    for name, content in {"s1.x.gz": "a\nb\n", "s2.x.gz": "c\nd\n", "labels.x.gz": "neutral\n"}.items():
        (tmp_path / name).write_bytes(gzip.compress(content.encode()))
    with pytest.raises(WorkbenchError, match="files-differ-in-length"):
        readers.NLIDataReader(tmp_path).get_examples("x.gz")
    (tmp_path / "labels.x.gz").write_bytes(gzip.compress(b"neutral\n-\n"))
    with pytest.raises(WorkbenchError) as caught:
        readers.NLIDataReader(tmp_path).get_examples("x.gz")
    assert (caught.value.code, caught.value.where) == ("label-class-unknown", "labels.x.gz, line 2")
