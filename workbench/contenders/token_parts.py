"""Taking the ids of one text apart: special tokens around it, content, and what was cut."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# More special tokens than this at one end are text.
_MOST_SPECIAL = 6


@dataclass(frozen=True)
class TokenParts:
    """One text's ids in parts.

    Attributes:
        prefix, suffix: Special tokens that were put around the content.
        content: All ids of the text, before anything was cut.
        kept: How many of them the encoder sees.
        cut_left: Whether the beginning was cut instead of the end.
    """

    prefix: tuple[int, ...]
    content: tuple[int, ...]
    kept: int
    suffix: tuple[int, ...]
    cut_left: bool = False

    @property
    def ids(self) -> list[int]:
        """The parts put together."""
        seen = self.content[len(self.content) - self.kept :] if self.cut_left else self.content[: self.kept]
        return [*self.prefix, *seen, *self.suffix]


def take_apart(actual: Sequence[int], full: Sequence[int] | None, special: Collection[int]) -> TokenParts:
    """Find the special tokens around a text's ids, and what was cut off.

    Args:
        actual: Ids that the encoder sees, padding aside.
        full: Ids of the text without special tokens and without a limit; None where it is not known.
        special: Ids that can be special tokens.

    Example:
        >>> take_apart([101, 7, 8, 102], [7, 8, 9], {101, 102}).kept
        2
    """
    actual = list(actual)
    if full is not None:
        full = list(full)
        for around in range(2 * _MOST_SPECIAL + 1):
            for before in range(min(around, len(actual)) + 1):
                after = around - before
                if before + after > len(actual):
                    continue
                inside = actual[before : len(actual) - after]
                ends = actual[:before] + actual[len(actual) - after :]
                if not all(index in special for index in ends) or len(inside) > len(full):
                    continue
                if inside == full[: len(inside)]:
                    return _parts(actual, before, after, full)
                if inside == full[len(full) - len(inside) :]:
                    return _parts(actual, before, after, full, cut_left=True)
    before = 0
    while before < len(actual) and actual[before] in special:
        before += 1
    after = 0
    while after < len(actual) - before and actual[-1 - after] in special:
        after += 1
    return _parts(actual, before, after, actual[before : len(actual) - after])


def _parts(
    actual: Sequence[int], before: int, after: int, full: Sequence[int], *, cut_left: bool = False
) -> TokenParts:
    return TokenParts(
        prefix=tuple(actual[:before]),
        content=tuple(full),
        kept=len(actual) - before - after,
        suffix=tuple(actual[len(actual) - after :]),
        cut_left=cut_left,
    )


@dataclass(frozen=True)
class TokenizerView:
    """What a fast tokenizer makes of texts at each of its steps, asked of the tokenizer itself.

    Attributes:
        normalised: Text after its normaliser.
        pieces: After its pre-tokeniser.
        content: Ids without special tokens, without a limit.
    """

    normalised: tuple[str, ...]
    pieces: tuple[tuple[str, ...], ...]
    content: tuple[tuple[int, ...], ...]


def look_at(tokenizer: Any, texts: Sequence[str]) -> TokenizerView | None:
    """Ask a fast tokenizer for its steps; None for one without them. Its state is left as it was."""
    backend = getattr(tokenizer, "backend_tokenizer", tokenizer)
    if not hasattr(backend, "encode_batch"):
        return None
    normaliser, splitter = backend.normalizer, backend.pre_tokenizer
    normalised = [text if normaliser is None else normaliser.normalize_str(text) for text in texts]
    pieces = [
        (text,) if splitter is None else tuple(piece for piece, _ in splitter.pre_tokenize_str(text))
        for text in normalised
    ]
    truncation, padding = backend.truncation, backend.padding
    backend.no_truncation()
    backend.no_padding()
    try:
        rows = backend.encode_batch(list(texts), add_special_tokens=False)
    finally:
        restore(backend, truncation, padding)
    return TokenizerView(tuple(normalised), tuple(pieces), tuple(tuple(row.ids) for row in rows))


def restore(backend: Any, truncation: Mapping[str, Any] | None, padding: Mapping[str, Any] | None) -> None:
    """Give a tokenizer the truncation and padding that it had."""
    if truncation is not None:
        backend.enable_truncation(**truncation)
    else:
        backend.no_truncation()
    if padding is not None:
        backend.enable_padding(**padding)
    else:
        backend.no_padding()


def longest_input(tokenizer: Any) -> int | None:
    """The limit that the tokenizer's last call left in it; None where it cuts nothing."""
    backend = getattr(tokenizer, "backend_tokenizer", tokenizer)
    truncation = getattr(backend, "truncation", None)
    return int(truncation["max_length"]) if truncation else None


def special_ids(tokenizer: Any) -> frozenset[int]:
    """Ids that the tokenizer marks as special."""
    listed = getattr(tokenizer, "all_special_ids", None)
    if listed is not None:
        return frozenset(int(index) for index in listed)
    added: Mapping[int, Any] = getattr(tokenizer, "get_added_tokens_decoder", dict)()
    return frozenset(int(index) for index, token in added.items() if token.special)
