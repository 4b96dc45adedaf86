"""Tests of causes up to the token ids: prompt, casing, accents, tokenizer, special tokens, length."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

from workbench.contenders.trace_contract import Trace
from workbench.trace.results import Rung

Values = dict[str, Any] | None


def _prepared(left: Trace, right: Trace) -> tuple[Sequence[str], Sequence[str]]:
    return left.stage("text").plain["prepared"], right.stage("text").plain["prepared"]


def _front(prepared: Sequence[str], texts: Sequence[str]) -> str | None:
    """What stands before every text; None where the texts were changed otherwise."""
    fronts = {
        whole[: len(whole) - len(text)] if whole.endswith(text) else None
        for whole, text in zip(prepared, texts, strict=True)
    }
    return fronts.pop() if len(fronts) == 1 else None


def _fronts(left: Trace, right: Trace) -> tuple[str, str] | None:
    a, b = _prepared(left, right)
    one, other = _front(a, left.texts), _front(b, right.texts)
    return None if one is None or other is None else (one, other)


def prompt_missing(left: Trace, right: Trace, rung: Rung) -> Values:
    """Left has a prompt, right none."""
    fronts = _fronts(left, right)
    return {"prompt": fronts[0]} if fronts and fronts[0] and not fronts[1] else None


def prompt_doubled(left: Trace, right: Trace, rung: Rung) -> Values:
    """Right has left's prompt twice."""
    fronts = _fronts(left, right)
    doubled = fronts and fronts[0] and fronts[1].replace(fronts[0], "").strip() == ""
    return {"prompt": fronts[0]} if fronts and doubled and fronts[1].count(fronts[0]) > 1 else None


def prompt_extra(left: Trace, right: Trace, rung: Rung) -> Values:
    """Right has a prompt, left none."""
    fronts = _fronts(left, right)
    return {"prompt": fronts[1]} if fronts and fronts[1] and not fronts[0] else None


def prompt_other(left: Trace, right: Trace, rung: Rung) -> Values:
    """Both have a prompt, and not the same."""
    fronts = _fronts(left, right)
    return {"left_value": fronts[0], "right_value": fronts[1]} if fronts and all(fronts) else None


def text_lowercased(left: Trace, right: Trace, rung: Rung) -> Values:
    """Right lower-cases before the tokenizer."""
    a, b = _prepared(left, right)
    fits = all(one.lower() == other for one, other in zip(a, b, strict=True))
    return {"count": len(rung.differing_texts), "texts": len(a)} if fits else None


def text_whitespace(left: Trace, right: Trace, rung: Rung) -> Values:
    """The two differ in white space alone."""
    a, b = _prepared(left, right)
    fits = all("".join(one.split()) == "".join(other.split()) for one, other in zip(a, b, strict=True))
    return {"count": len(rung.differing_texts), "texts": len(a)} if fits else None


def _normalised(left: Trace, right: Trace) -> list[tuple[str, str]]:
    """Normalised texts of both, those alone that differ."""
    a = left.stage("normalisation").plain["normalised"]
    b = right.stage("normalisation").plain["normalised"]
    return [(one, other) for one, other in zip(a, b, strict=True) if one != other]


def _bare(text: str) -> str:
    """Without accents, in one form; what a normaliser leaves of combining marks varies."""
    parts = unicodedata.normalize("NFD", text)
    return "".join(character for character in parts if unicodedata.category(character) != "Mn")


def _has_capitals(texts: Iterable[str]) -> bool:
    return any(text != text.lower() for text in texts)


def lowercase_off(left: Trace, right: Trace, rung: Rung) -> Values:
    """Left lower-cases, right keeps capitals; accents go with the casing in BERT's normaliser."""
    pairs = _normalised(left, right)
    capitals = [
        other for one, other in pairs if _bare(other).lower() == _bare(one) and other.lower() != other
    ]
    fits = all(_bare(other).lower() == _bare(one) for one, other in pairs)
    left_lowers = not _has_capitals(one for one, _ in pairs)
    return {"count": len(capitals), "texts": len(left.texts)} if capitals and fits and left_lowers else None


def lowercase_on(left: Trace, right: Trace, rung: Rung) -> Values:
    """The reverse."""
    return lowercase_off(right, left, rung)


def accents_kept(left: Trace, right: Trace, rung: Rung) -> Values:
    """Left strips accents, right keeps them."""
    pairs = _normalised(left, right)
    fits = pairs and all(_bare(one) == _bare(other) for one, other in pairs)
    marks = [
        sum(len(unicodedata.normalize("NFD", text)) for text in side) for side in zip(*pairs, strict=True)
    ]
    return {"count": len(pairs), "texts": len(left.texts)} if fits and marks[1] > marks[0] else None


def accents_stripped(left: Trace, right: Trace, rung: Rung) -> Values:
    """The reverse."""
    return accents_kept(right, left, rung)


def pieces_other(left: Trace, right: Trace, rung: Rung) -> Values:
    """The normalised texts are the same; they are split at other places."""
    if rung.name != "pieces":
        return None
    at = rung.differing_texts[0]
    pieces = [trace.stage("normalisation").plain["pieces"][at] for trace in (left, right)]
    return {
        "left_value": len(pieces[0]),
        "right_value": len(pieces[1]),
        "count": len(rung.differing_texts),
        "texts": len(left.texts),
    }


def tokenizer_other(left: Trace, right: Trace, rung: Rung) -> Values:
    """The tokenizers are not the same."""
    a, b = left.stage("provenance").facts, right.stage("provenance").facts
    hashes = a.get("tokenizer_sha256", ""), b.get("tokenizer_sha256", "")
    if not all(hashes) or hashes[0] == hashes[1]:
        return None
    return {
        "left_value": f"{a.get('tokenizer_class', '')} {hashes[0][:8]}".strip(),
        "right_value": f"{b.get('tokenizer_class', '')} {hashes[1][:8]}".strip(),
        "count": len(rung.differing_texts),
        "texts": len(left.texts),
    }


def _specials(trace: Trace) -> tuple[Sequence[Sequence[int]], Sequence[Sequence[int]]]:
    plain = trace.stage("specials").plain
    return plain["prefix"], plain["suffix"]


def specials_missing(left: Trace, right: Trace, rung: Rung) -> Values:
    """Right puts fewer special tokens around a text."""
    at = rung.differing_texts[0]
    a, b = ([*_specials(trace)[0][at], *_specials(trace)[1][at]] for trace in (left, right))
    if len(b) >= len(a) or any(index not in a for index in b):
        return None
    missing = [index for index in a if index not in b] or a[len(b) :]
    return {"left_value": len(a), "right_value": len(b), "ids": ", ".join(map(str, missing))}


def specials_doubled(left: Trace, right: Trace, rung: Rung) -> Values:
    """Right puts more of the same special tokens around a text."""
    at = rung.differing_texts[0]
    a, b = ([*_specials(trace)[0][at], *_specials(trace)[1][at]] for trace in (left, right))
    if len(b) <= len(a) or set(b) - set(a):
        return None
    doubled = sorted({index for index in b if b.count(index) > a.count(index)})
    return {"left_value": len(a), "right_value": len(b), "ids": ", ".join(map(str, doubled))}


def cut_at_other_end(left: Trace, right: Trace, rung: Rung) -> Values:
    """One cuts the beginning of a text, the other its end."""
    return {"count": len(rung.differing_texts), "texts": len(left.texts)} if rung.name == "cut_left" else None


def _kept(left: Trace, right: Trace, rung: Rung) -> list[tuple[int, int]]:
    a, b = left.stage("truncation").plain["kept"], right.stage("truncation").plain["kept"]
    return [(a[i], b[i]) for i in rung.differing_texts]


def _lengths(left: Trace, right: Trace, rung: Rung) -> dict[str, Any]:
    pairs = _kept(left, right, rung)
    around = [len(_specials(trace)[0][0]) + len(_specials(trace)[1][0]) for trace in (left, right)]
    return {
        "left_value": max(a for a, _ in pairs) + around[0],
        "right_value": max(b for _, b in pairs) + around[1],
        "count": len(pairs),
        "texts": len(left.texts),
    }


def cut_shorter(left: Trace, right: Trace, rung: Rung) -> Values:
    """Right keeps fewer tokens."""
    fits = all(b < a for a, b in _kept(left, right, rung))
    return _lengths(left, right, rung) if fits else None


def cut_longer(left: Trace, right: Trace, rung: Rung) -> Values:
    """Right keeps more tokens."""
    fits = all(b > a for a, b in _kept(left, right, rung))
    return _lengths(left, right, rung) if fits else None
