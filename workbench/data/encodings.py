"""Which encoding a text file has: told by its mark, or named by the user, never guessed in silence."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import BinaryIO

from workbench.errors import DataFileError, UnknownNameError

# Name → what it is called in a menu. One more is one line, and a line in ``_PLAUSIBLE``.
ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16": "UTF-16 with its mark",
    "utf-16-le": "UTF-16, little-endian, without a mark",
    "utf-16-be": "UTF-16, big-endian, without a mark",
    "cp949": "Korean (CP949), as Korean Excel writes it",
    "cp1252": "Western European (Windows-1252)",
    "latin-1": "Western European (Latin-1)",
}
# What counts as likely in each, among the characters beyond ASCII.
_PLAUSIBLE = {
    "utf-16-le": re.compile(r"[\w\s.,!?'\"()-]"),
    "utf-16-be": re.compile(r"[\w\s.,!?'\"()-]"),
    "cp949": re.compile("[\uac00-\ud7a3\u3131-\u318e\u4e00-\u9fff\u3040-\u30ff·…“”‘’「」『』、。]"),
    "cp1252": re.compile("[À-ÖØ-öø-ÿŠšŽžŒœŸ«»“”‘’–—…€£§°]"),
    "latin-1": re.compile("[À-ÖØ-öø-ÿ«»£§°]"),
}
_LIKELY_SHARE = 0.8
_PREVIEW_LINES = 3
_PREVIEW_CHARS = 200
_SAMPLE_BYTES = 4_000_000
# The 4-byte mark comes first: it begins with the 2-byte one.
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


@dataclass(frozen=True)
class EncodingCandidate:
    """One way to read the bytes.

    Attributes:
        encoding: The value of the argument ``encoding`` that accepts it.
        title: Its name for a menu.
        share: Share of the characters beyond ASCII that this encoding's users write, 0 to 1.
        preview: The first lines, read this way.
    """

    encoding: str
    title: str
    share: float
    preview: tuple[str, ...]


class EncodingRefusedError(DataFileError):
    """Bytes that are not what the file's encoding allows, with the ways in which they could be read.

    Attributes:
        offset: Of the first byte that cannot be read; None where it is not one byte.
        as_utf8: The first lines as UTF-8, with U+FFFD for what is none.
        candidates: Encodings that decode it, the likeliest first.
    """

    offset: int | None = None
    as_utf8: tuple[str, ...] = ()
    candidates: tuple[EncodingCandidate, ...] = ()

    def __reduce__(self) -> tuple[object, ...]:
        build, arguments = super().__reduce__()
        state = {"offset": self.offset, "as_utf8": self.as_utf8, "candidates": self.candidates}
        return build, arguments, state


def file_encoding(stream: BinaryIO, name: str, wanted: str | None) -> str:
    """Take the encoding from the file's mark, else the one asked for, else UTF-8.

    Raises:
        UnknownNameError: ``wanted`` is not in ``ENCODINGS``.
        DataFileError: ``encoding-contradicts-mark``.
    """
    if wanted is not None and wanted not in ENCODINGS:
        raise UnknownNameError(
            "encoding-unknown", f"{wanted!r}", expected="one of " + ", ".join(ENCODINGS), where="encoding"
        )
    stream.seek(0)
    head = stream.read(4)
    stream.seek(0)
    marked = next((found for mark, found in _BYTE_ORDER_MARKS.items() if head.startswith(mark)), None)
    if marked is not None and wanted is not None and not _same(marked, wanted):
        raise DataFileError(
            "encoding-contradicts-mark",
            f"The file's first bytes say {marked.removesuffix('-sig').upper()}, not {wanted.upper()}",
            fix="Leave the argument encoding out",
            where=name,
        )
    return marked or wanted or "utf-8"


def _same(marked: str, wanted: str) -> bool:
    return marked.removesuffix("-sig") == wanted.removesuffix("-le").removesuffix("-be")


def encoding_candidates(stream: BinaryIO) -> tuple[EncodingCandidate, ...]:
    """Find the encodings that decode the file's beginning (4 MB), the likeliest first; none for UTF-8."""
    stream.seek(0)
    raw = stream.read(_SAMPLE_BYTES)
    found = []
    for encoding, plausible in _PLAUSIBLE.items():
        text = _decoded(raw, encoding)
        if text is None or "\0" in text:
            continue
        beyond = [char for char in text[:200_000] if ord(char) > 127] or list(text[:2000])
        share = sum(bool(plausible.match(char)) for char in beyond) / max(1, len(beyond))
        found.append(EncodingCandidate(encoding, ENCODINGS[encoding], round(share, 3), first_lines(text)))
    likely = [one for one in found if one.share >= _LIKELY_SHARE]
    # Any even number of bytes is UTF-16 of some kind. Real text has commas, spaces and line ends, of which
    # one half is zero; which half tells the order of bytes.
    high, low = raw[1::2].count(0), raw[0::2].count(0)
    wide = ["utf-16-le" if high >= low else "utf-16-be"]
    wanted = wide if high or low else ["cp949", "cp1252", "latin-1"]
    kept = [one for one in likely or found if one.encoding in wanted]
    return tuple(sorted(kept, key=lambda one: wanted.index(one.encoding)))


def _decoded(raw: bytes, encoding: str) -> str | None:
    # Not final where the sample ends within the file: a character may be cut there.
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    try:
        return decoder.decode(raw, final=len(raw) < _SAMPLE_BYTES)
    except UnicodeDecodeError:
        return None


def first_lines(text: str) -> tuple[str, ...]:
    """The first lines of a text, each cut to what fits into a preview."""
    lines = text[: _PREVIEW_LINES * 4000].splitlines()[:_PREVIEW_LINES]
    return tuple(line[:_PREVIEW_CHARS] for line in lines)


def encoding_refused(stream: BinaryIO, name: str, encoding: str) -> EncodingRefusedError:
    """The refusal of bytes that are not ``encoding``, with a preview of what they could be."""
    offset = _offset_of_bad_byte(stream, encoding)
    came = f"Bytes from offset {offset:,} on are not {encoding.removesuffix('-sig').upper()}"
    return _with_preview("text-encoding", came, stream, name, offset)


def nul_refused(stream: BinaryIO, name: str, number: int) -> EncodingRefusedError:
    """The refusal of a NUL: a file of UTF-16 without its mark, or no text at all."""
    return _with_preview("file-has-nul", "A NUL character", stream, f"{name}, line {number}", None)


def _with_preview(
    code: str, came: str, stream: BinaryIO, where: str, offset: int | None
) -> EncodingRefusedError:
    candidates = encoding_candidates(stream)
    fix = "Save the file as UTF-8"
    if candidates:
        ways = "; ".join(f'encoding="{one.encoding}" reads {_shown(one.preview)}' for one in candidates[:2])
        fix += f", or accept another encoding: {ways}"
    expected = "UTF-8, or UTF-16 with its byte order mark"
    error = EncodingRefusedError(code, came, expected=expected, fix=fix, where=where)
    stream.seek(0)
    error.offset = offset
    error.as_utf8 = first_lines(stream.read(_PREVIEW_LINES * 4000).decode("utf-8", "replace"))
    error.candidates = candidates
    return error


def _shown(lines: tuple[str, ...]) -> str:
    return repr(" / ".join(lines)[:80])


def _offset_of_bad_byte(stream: BinaryIO, encoding: str) -> int:
    """Decode once more in blocks: the wrapper's error counts from its own buffer's beginning."""
    stream.seek(0)
    decoder = codecs.getincrementaldecoder(encoding.removesuffix("-sig"))("strict")
    consumed = 0
    while True:
        block = stream.read(1 << 16)
        waiting = len(decoder.getstate()[0])
        try:
            decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            return consumed - waiting + error.start
        if not block:
            return consumed
        consumed += len(block)
