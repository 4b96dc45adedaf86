"""The sentences to compare: a preset, what was pasted, or a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from gradio.utils import get_upload_folder

from workbench.data.parquet_table import read_parquet
from workbench.data.presets import PRESETS
from workbench.data.sentence_files import read_sentences
from workbench.data.tables import Table
from workbench.data.text_tables import read_csv, read_jsonl, read_tsv
from workbench.data.texts import check_texts
from workbench.errors import DataFileError, InvalidValueError
from workbench.ui.texts import Language, word

MAX_SENTENCES = 1000
SOURCES = ("english", "korean", "paste", "file")
# The file's column is chosen by the reader.
ANY_COLUMN = ""


@dataclass(frozen=True)
class Chosen:
    """What the sidebar says about the sentences.

    Attributes:
        source: One of ``SOURCES``.
        pasted: One sentence a line.
        path: Where the uploaded file lies; empty where there is none.
        column: Name of its column, or empty.
    """

    source: str = "english"
    pasted: str = ""
    path: str = ""
    column: str = ANY_COLUMN


@dataclass(frozen=True)
class Sentences:
    """Texts ready to compare, and what the visitor should know about them."""

    texts: tuple[str, ...]
    notices: tuple[str, ...] = ()


def read_chosen(chosen: Chosen, language: Language) -> Sentences:
    """The texts of the chosen source.

    Raises:
        WorkbenchError: An unknown source, no sentence, too many, or a file that cannot be read.
    """
    if chosen.source not in _READERS:
        raise InvalidValueError(
            "unknown-source", f"{chosen.source[:80]!r} came", expected=f"one of {', '.join(SOURCES)}"
        )
    found = _READERS[chosen.source](chosen, language)
    checked = check_texts(list(found.texts), limit=MAX_SENTENCES)
    return Sentences(tuple(checked.texts), found.notices)


def stored_upload(value: object) -> str:
    """Where Gradio stored an upload; empty where there is none.

    Raises:
        InvalidValueError: A path outside the folder of uploads: no visitor has put that there.
    """
    if value is None or value == "":
        return ""
    folder = Path(get_upload_folder()).resolve()
    if not isinstance(value, str) or not Path(value).resolve().is_relative_to(folder):
        raise InvalidValueError("not-an-upload", "A path came", expected="an uploaded file")
    return value


def file_columns(path: Path) -> tuple[str, ...]:
    """Names of the columns of an uploaded table; none for a plain text file.

    Raises:
        DataFileError: The file cannot be read, whichever column is meant.
    """
    try:
        return read_sentences(path, path.name, limit=1).columns
    except DataFileError as error:
        # Which column is meant is unclear: then the visitor chooses. The file itself has been admitted.
        if error.code != "column-unclear":
            raise
    with path.open("rb") as stream:
        return _TABLES[path.suffix.lower()](stream, path.name).columns


_TABLES: dict[str, Callable[[BinaryIO, str], Table]] = {
    ".csv": read_csv,
    ".tsv": read_tsv,
    ".jsonl": read_jsonl,
    ".ndjson": read_jsonl,
    ".parquet": read_parquet,
}


def _preset(name: str) -> Callable[[Chosen, Language], Sentences]:
    return lambda _chosen, _language: Sentences(PRESETS[name].texts)


def _pasted(chosen: Chosen, language: Language) -> Sentences:
    texts = tuple(line for line in chosen.pasted.splitlines() if line.strip())
    if not texts:
        raise InvalidValueError("nothing-pasted", word(language, "input.nothing_pasted"))
    return Sentences(texts)


def _file(chosen: Chosen, language: Language) -> Sentences:
    if not chosen.path:
        raise InvalidValueError("no-file", word(language, "input.no_file"))
    path = Path(chosen.path)
    found = read_sentences(path, path.name, column=chosen.column or None, limit=MAX_SENTENCES)
    told = word(language, "notice.file", texts=f"{len(found.texts):,}", name=path.name)
    return Sentences(found.texts, (told, *found.notices))


_READERS: dict[str, Callable[[Chosen, Language], Sentences]] = {
    "english": _preset("english"),
    "korean": _preset("korean"),
    "paste": _pasted,
    "file": _file,
}
