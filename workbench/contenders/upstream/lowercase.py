"""Turning the lower-casing of a fast tokenizer on or off, whichever normaliser does it."""

from __future__ import annotations

from typing import Any

from tokenizers import normalizers

from workbench.errors import InvalidValueError


def set_lowercase(tokenizer: Any, lowercase: bool) -> None:
    """Make a tokenizer lower-case its input, or leave the case as it is.

    In a BERT normaliser the flag is set; its accent stripping follows it, as the library does, unless it
    was stated on its own. Elsewhere a ``Lowercase`` step is added in front or taken out.

    Args:
        tokenizer: A fast tokenizer of transformers, or a bare one; it is changed in place.
        lowercase: What it shall do.

    Raises:
        InvalidValueError: The tokenizer folds case in a step that cannot be switched off.
    """
    # The bare tokenizer of a static embedding model is its own backend.
    backend = getattr(tokenizer, "backend_tokenizer", tokenizer)
    if _lowers(backend.normalizer) == lowercase:
        return
    steps = [step for step in _steps(backend.normalizer) if not isinstance(step, normalizers.Lowercase)]
    if any(isinstance(step, normalizers.BertNormalizer) for step in steps):
        steps = [_with_flag(step, lowercase) for step in steps]
    elif lowercase:
        steps = [normalizers.Lowercase(), *steps]
    backend.normalizer = steps[0] if len(steps) == 1 else normalizers.Sequence(steps)
    if _lowers(backend.normalizer) != lowercase:
        raise InvalidValueError(
            "lowercase-not-settable",
            "The tokenizer folds case inside a compiled character map",
            expected="a lower-casing step of its own",
            fix="Leave lower-casing to the tokenizer (None)",
        )


def _lowers(normalizer: Any) -> bool:
    # "in", not "==": some normalisers put a word mark in front.
    return normalizer is not None and "a" in normalizer.normalize_str("A")


def _steps(normalizer: Any) -> list[Any]:
    if normalizer is None:
        return []
    if isinstance(normalizer, normalizers.Sequence):
        # The stubs do not know that it can be iterated.
        inside: Any = normalizer
        return [inner for step in inside for inner in _steps(step)]
    return [normalizer]


def _with_flag(step: Any, lowercase: bool) -> Any:
    if not isinstance(step, normalizers.BertNormalizer):
        return step
    return normalizers.BertNormalizer(
        clean_text=step.clean_text,
        handle_chinese_chars=step.handle_chinese_chars,
        strip_accents=step.strip_accents,
        lowercase=lowercase,
    )
