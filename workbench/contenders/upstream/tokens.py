"""What an upstream tokenizer makes of texts, for both kinds it has: transformers' and the bare one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tokenizers import Tokenizer

from workbench.errors import InvalidValueError


def limit_length(tokenizer: Any, max_length: int, positions: int | None) -> None:
    """Set the longest input, after a look at what the encoder and the tokenizer can do.

    Args:
        tokenizer: Changed in place.
        max_length: Tokens, special tokens included.
        positions: Longest input of the encoder; None where it has no limit.

    Raises:
        InvalidValueError: Fewer than the special tokens, or more than the encoder's positions.
    """
    # A static embedding table takes the bare tokenizer and no special tokens; 0 leaves it without a limit.
    bare = isinstance(tokenizer, Tokenizer)
    least = 0 if bare else max(1, int(tokenizer.num_special_tokens_to_add()))
    if max_length < least or (positions is not None and max_length > positions):
        # Below the special tokens a tokenizer would, without a word, not cut at all.
        raise InvalidValueError(
            "max-length",
            f"max_length {max_length}",
            expected=f"{least} to {positions} tokens"
            if positions is not None
            else f"at least {least} tokens",
            fix="Choose a length that holds the special tokens and that the model has positions for",
        )
    if not bare:
        tokenizer.model_max_length = max_length
    elif max_length:
        tokenizer.enable_truncation(max_length)


def token_ids(tokenizer: Any, texts: Sequence[str], max_length: int | None) -> list[list[int]]:
    """Ids of each text, special tokens included where the pipeline adds them; None cuts nothing."""
    if isinstance(tokenizer, Tokenizer):
        before = tokenizer.truncation
        if max_length is None:
            tokenizer.no_truncation()
        ids = [list(row.ids) for row in tokenizer.encode_batch(list(texts), add_special_tokens=False)]
        if before is not None:
            tokenizer.enable_truncation(**before)
        return ids
    rows = tokenizer(
        list(texts), truncation=max_length is not None, max_length=max_length, padding=False, verbose=False
    )
    return [list(row) for row in rows["input_ids"]]


def tokens_of(tokenizer: Any, ids: Sequence[int]) -> tuple[str, ...]:
    """The written form of each id."""
    if isinstance(tokenizer, Tokenizer):
        return tuple(tokenizer.id_to_token(index) or "" for index in ids)
    return tuple(tokenizer.convert_ids_to_tokens(list(ids)))


def unknown_id(tokenizer: Any) -> int | None:
    """Id of the unknown token; None where the vocabulary has none."""
    if isinstance(tokenizer, Tokenizer):
        token = getattr(tokenizer.model, "unk_token", None)
        return tokenizer.token_to_id(token) if isinstance(token, str) else None
    index = tokenizer.unk_token_id
    return None if index is None else int(index)
