"""The sentences of a comparison: one table of templates by key, and what fills them."""

from __future__ import annotations

from collections.abc import Mapping

# Agreement: the verdict's sentence. ``causes`` are sentences of the second part, joined.
# A key with ``.one`` is taken where ``count`` is 1.
ENGLISH: Mapping[str, str] = {
    "identical": "Bit for bit the same numbers",
    "identical-although": "Bit for bit the same numbers: {causes}",
    "noise": (
        "Largest difference {size:.2g}, float noise: one pipeline against itself differs by {floor:.2g} here"
    ),
    "noise-although": (
        "Largest difference {size:.2g}, float noise: one pipeline against itself differs by {floor:.2g} "
        "here; {causes}"
    ),
    "precision": (
        "{left} computes in {left_value}, {right} in {right_value}: largest difference {size:.2g}, "
        "of the size of that rounding"
    ),
    "precision-same": (
        "Both compute in {left_value} and round at different places: largest difference {size:.2g}, "
        "of the size of that rounding"
    ),
    "different": "{causes}; largest difference {size:.2g}, in {count} of {texts} texts",
    "different-dimensions": "{causes}; {left} gives {left_dim} numbers a text, {right} {right_dim}",
    "different-unexplained": (
        "No setting explains it: largest difference {size:.2g}, in {count} of {texts} texts, "
        "and the same pipeline differs from itself by {floor:.2g}"
    ),
    "different-unexplained-dimensions": (
        "No setting explains it: {left} gives {left_dim} numbers a text, {right} {right_dim}"
    ),
    "precision-beyond": (
        "{left} computes in {left_value}, {right} in {right_value}: largest difference {size:.2g}, "
        "more than that rounding explains"
    ),
    # Causes of a difference.
    "model": "{left} loads {left_value}, {right} {right_value}",
    "pooling": "pooling: {left_value} in {left} against {right_value} in {right}",
    "normalize": (
        "{off} does not normalise: its embeddings have lengths from {shortest:.3g} to {longest:.3g} "
        "instead of 1"
    ),
    "use_mask": (
        "{off} ignores the mask in pooling: padding counts as text, so an embedding depends on its batch"
    ),
    "padding-batch": (
        "both pool over padding, with batches of {left_value} in {left} and {right_value} in {right}: "
        "each embedding depends on the longest text of its batch"
    ),
    "max_length": (
        "{longer} reads up to {longer_value} tokens, {shorter} {shorter_value}: "
        "{count} of {texts} texts are longer than {shorter_value} tokens"
    ),
    "max_length.one": (
        "{longer} reads up to {longer_value} tokens, {shorter} {shorter_value}: "
        "{count} of {texts} texts is longer than {shorter_value} tokens"
    ),
    "lowercase": (
        "lower-casing: {left_value} in {left} against {right_value} in {right}; "
        "{count} of {texts} texts have other token counts or other unknown tokens"
    ),
    "lowercase.one": (
        "lower-casing: {left_value} in {left} against {right_value} in {right}; "
        "{count} of {texts} texts has another token count or other unknown tokens"
    ),
    "lowercase-only": "lower-casing: {left_value} in {left} against {right_value} in {right}",
    "also-uncut": "{count} texts differ that neither cuts, so something else differs too",
    "also-uncut.one": "{count} text differs that neither cuts, so something else differs too",
    "prompt": "prompt: {left_value!r} before each text in {left} against {right_value!r} in {right}",
    "precision-too": "precision: {left_value} in {left} against {right_value} in {right}",
    "skipped-modules": "{off} leaves out a module that the model has: {modules}",
    "tokens": "the two read other tokens in {count} of {texts} texts",
    "tokens.one": "the two read other tokens in {count} of {texts} texts",
    # Settings that differ and change nothing.
    "max_length-no-effect": (
        "max_length {left_value} against {right_value} changes nothing here, "
        "no text is longer than {shortest} tokens"
    ),
    "no-effect": "{setting} {left_value} against {right_value} changes nothing here",
    # Coverage: why the embeddings of these texts should not be trusted.
    "script-unread": (
        "{count} of {texts} texts are written in {scripts} and fall into {tokens_per_letter:.1f} tokens a "
        "letter: the vocabulary has no words of it, and scores of such texts say little about their meaning"
    ),
    "script-unread.one": (
        "{count} of {texts} texts is written in {scripts} and falls into {tokens_per_letter:.1f} tokens a "
        "letter: the vocabulary has no words of it, and scores of such a text say little about its meaning"
    ),
    "unknown-tokens": (
        "{count} of {texts} texts consist to a quarter or more of tokens that the vocabulary does not know: "
        "they look alike to the model, and their scores say little about their meaning"
    ),
    "unknown-tokens.one": (
        "{count} of {texts} texts consists to a quarter or more of tokens that the vocabulary does not know: "
        "its scores say little about its meaning"
    ),
}


def reason_text(key: str, values: Mapping[str, object], templates: Mapping[str, str] = ENGLISH) -> str:
    """Fill the template of a reason; ``causes``, pairs of key and values, are filled and joined first.

    Args:
        key: A key of the table; empty gives an empty text.
        values: What the result holds beside the key.
        templates: A table with the same keys in another language.

    Returns:
        One sentence without a full stop.
    """
    if not key:
        return ""
    filled = dict(values)
    causes = values.get("causes", ())
    if isinstance(causes, tuple):
        filled["causes"] = "; ".join(reason_text(cause, inner, templates) for cause, inner in causes)
    single = f"{key}.one"
    template = templates[single] if values.get("count") == 1 and single in templates else templates[key]
    return template.format(**filled)
