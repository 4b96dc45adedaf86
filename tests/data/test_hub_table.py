"""Data sets from the Hub: what our code does with a Dataset, the names it admits, and the ways to fail."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import datasets
import huggingface_hub
import pytest

from workbench.data.hub_table import load_hub_table, table_from_dataset
from workbench.errors import (
    DataFileError,
    DataSourceError,
    InvalidTypeError,
    InvalidValueError,
    MissingExtraError,
)

ROOT = Path(__file__).resolve().parents[2]
SHA = "0123456789abcdef0123456789abcdef01234567"


def scored() -> datasets.Dataset:
    return datasets.Dataset.from_dict(
        {
            "sentence1": ["a", None, "null"],
            "score": [0.5, 1.0, 2.0],
            "label": [0, 1, -1],
            "teacher": [[0.5, 1.0]] * 3,
            "words": [["x"]] * 3,
            "meta": [{"k": 1}] * 3,
        },
        features=datasets.Features(
            {
                "sentence1": datasets.Value("string"),
                "score": datasets.Value("float64"),
                "label": datasets.ClassLabel(names=["entailment", "neutral"]),
                "teacher": datasets.List(datasets.Value("float64")),
                "words": datasets.List(datasets.Value("string")),
                "meta": {"k": datasets.Value("int64")},
            }
        ),
    )


EXPECTED = (
    ("a", "0.5", "entailment", "[0.5, 1.0]"),
    (None, "1.0", "neutral", "[0.5, 1.0]"),
    ("null", "2.0", None, "[0.5, 1.0]"),
)


@pytest.mark.parametrize("stream", [False, True], ids=["dataset", "stream"])
def test_a_data_set_is_read_with_the_names_of_its_classes(stream: bool) -> None:
    data = scored().to_iterable_dataset() if stream else scored()
    table = table_from_dataset(data, "owner/name")
    assert table.columns == ("sentence1", "score", "label", "teacher")
    assert table.rows == EXPECTED
    assert [notice.split(":")[0] for notice in table.notices] == [
        "Left out column 'words'",
        "Left out column 'meta'",
    ]


def test_a_stream_without_features_is_read() -> None:
    stream = datasets.IterableDataset.from_generator(
        lambda: iter([{"text": "a", "n": 1}, {"text": "b", "n": 2}])
    )
    assert table_from_dataset(stream).rows == (("a", "1"), ("b", "2"))


def test_all_splits_and_other_things_are_refused() -> None:
    with pytest.raises(InvalidTypeError, match="dataset-has-splits"):
        table_from_dataset(datasets.DatasetDict({"train": scored()}))
    with pytest.raises(InvalidTypeError, match="dataset-of-unknown-type"):
        table_from_dataset([{"text": "a"}])
    with pytest.raises(DataFileError, match="columns-none"):
        table_from_dataset(scored().select_columns(["meta"]))
    with pytest.raises(DataFileError, match="table-too-large"):
        table_from_dataset(datasets.Dataset.from_dict({"text": ["x" * 100] * 2000}), max_bytes=50_000)


def test_a_stream_that_breaks_is_a_coded_error() -> None:
    def breaking() -> Any:
        yield {"text": "a"}
        raise ConnectionError("gone")

    features = datasets.Features({"text": datasets.Value("string")})
    stream = datasets.IterableDataset.from_generator(breaking, features=features)
    with pytest.raises(DataSourceError, match="dataset-not-fetched"):
        table_from_dataset(stream)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        *[
            ({"name": name}, "dataset-name-invalid")
            for name in (
                "",
                "glue",
                "/etc",
                "../etc",
                "a/../b",
                "file:///etc",
                "a/b/c",
                "a/b\0",
                "a\n/b",
                "a/" + "b" * 97,
            )
        ],
        ({"name": "https://x/y"}, "dataset-name-invalid"),
        ({"name": "a/é"}, "dataset-name-invalid"),
        ({"name": 5}, "dataset-name-invalid"),
        ({"name": "a/b", "config": "../x"}, "dataset-config-invalid"),
        ({"name": "a/b", "split": "train[:10]"}, "dataset-split-invalid"),
        ({"name": "a/b", "split": None}, "dataset-split-invalid"),
        ({"name": "a/b", "revision": "../main"}, "dataset-revision-invalid"),
        ({"name": "a/b", "limit": 0}, "limit-out-of-range"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_names_are_checked_before_anything_is_asked(
    monkeypatch: pytest.MonkeyPatch, arguments: dict[str, Any], code: str
) -> None:
    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", lambda *_, **__: pytest.fail("asked"))
    with pytest.raises(InvalidValueError) as caught:
        load_hub_table(**arguments)
    assert caught.value.code == code


def test_a_folder_of_that_name_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "owner" / "name").mkdir(parents=True)
    with pytest.raises(InvalidValueError, match="dataset-name-is-a-folder"):
        load_hub_table("owner/name")


def fake_hub(
    monkeypatch: pytest.MonkeyPatch, files: list[str], data: Any = None
) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Answer with these files, and record how the package is called."""
    calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    info = SimpleNamespace(sha=SHA, siblings=[SimpleNamespace(rfilename=file) for file in files])
    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", lambda *_, **__: info)

    def load_dataset(*arguments: Any, **options: Any) -> Any:
        calls.append((arguments, options))
        return data

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    return calls


def test_a_data_set_is_streamed_at_its_commit_without_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = fake_hub(monkeypatch, ["README.md", "data/train.parquet"], scored().to_iterable_dataset())
    table = load_hub_table("owner/name", config="pair", split="dev", revision="main", limit=2)
    assert table.rows == EXPECTED[:2]
    assert (table.source.name, table.source.revision) == ("owner/name", SHA)
    ((arguments, options),) = calls
    assert arguments == ("owner/name", "pair")
    assert (options["split"], options["revision"], options["streaming"]) == ("dev", SHA, True)
    assert options["token"] is False and options["download_config"].token is False
    assert "trust_remote_code" not in options


@pytest.mark.parametrize(
    ("files", "code"),
    [
        (["name.py", "data.csv"], "dataset-has-script"),
        (["data.tar"], "dataset-not-of-tables"),
        (["train.csv", "extra.pkl"], "dataset-not-of-tables"),
        (["README.md"], "dataset-not-of-tables"),
        ([], "dataset-not-of-tables"),
    ],
)
def test_code_and_what_is_no_table_is_refused(
    monkeypatch: pytest.MonkeyPatch, files: list[str], code: str
) -> None:
    calls = fake_hub(monkeypatch, files)
    with pytest.raises(DataFileError) as caught:
        load_hub_table("owner/name")
    assert caught.value.code == code and not calls


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("GatedRepoError", "dataset-gated"),
        ("RepositoryNotFoundError", "dataset-not-found"),
        ("RevisionNotFoundError", "dataset-revision-not-found"),
        ("DisabledRepoError", "dataset-disabled"),
        ("HfHubHTTPError", "dataset-not-fetched"),
    ],
)
def test_refusals_of_the_hub_are_coded(monkeypatch: pytest.MonkeyPatch, kind: str, code: str) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        error = getattr(huggingface_hub.errors, kind)
        raise error.__new__(error)

    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", refuse)
    with pytest.raises(DataSourceError) as caught:
        load_hub_table("owner/name")
    assert caught.value.code == code


def test_offline_it_is_refused_at_once() -> None:
    started = time.monotonic()
    with pytest.raises(DataSourceError) as caught:
        load_hub_table("sentence-transformers/stsb")
    assert caught.value.code == "hub-offline"
    assert time.monotonic() - started < 5


def test_without_the_package_the_cure_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingExtraError) as caught:
        load_hub_table("owner/name")
    assert caught.value.code == "datasets-missing" and "pip install" in caught.value.fix


def test_reading_files_imports_nothing_heavy() -> None:
    code = (
        "import sys, workbench.readers, workbench.data.table_preview, workbench.data.hub_table\n"
        "heavy = {'torch', 'datasets', 'pandas', 'pyarrow', 'huggingface_hub'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=60)
