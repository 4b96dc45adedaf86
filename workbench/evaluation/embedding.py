"""From texts to embeddings: each distinct text is encoded once, and what is not finite is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from workbench.errors import InvalidValueError, ShapeMismatchError
from workbench.util.tensor import as_float, as_matrix


def embed(
    encode: Callable[..., Any],
    *columns: Sequence[str],
    batch_size: int,
    show_progress_bar: bool | None = False,
    **options: Any,
) -> list[Tensor]:
    """Encode columns of texts together.

    The distinct texts go to ``encode`` in one list, sorted: the same texts make the same batches whatever
    the order of the rows, and equal texts have equal embeddings.

    Args:
        encode: ``model.encode``, ``model.encode_query`` or ``model.encode_document``.
        columns: Lists of texts.
        batch_size: Texts a forward call.
        show_progress_bar: Handed to ``encode``.
        options: Further arguments of ``encode``; those that are None are left out.

    Returns:
        For each column its embeddings. Shape ``(texts, dim)``, as the model gave them.

    Raises:
        InvalidValueError: ``embedding-not-finite``, with the text.
        ShapeMismatchError: The model gave another number of rows than there are texts.
    """
    distinct = sorted(set().union(*columns))
    given = {name: value for name, value in options.items() if value is not None}
    with torch.no_grad():
        encoded = encode(
            distinct,
            batch_size=batch_size,
            show_progress_bar=show_progress_bar,
            convert_to_tensor=True,
            **given,
        )
    rows = as_matrix(encoded, "embeddings").detach()
    if len(rows) != len(distinct):
        raise ShapeMismatchError(
            "encode-rows",
            f"{len(rows)} embeddings for {len(distinct)} texts",
            expected="one embedding a text",
            where="model.encode",
        )
    _require_finite(rows, distinct)
    place = {text: row for row, text in enumerate(distinct)}
    return [rows[torch.tensor([place[text] for text in column], device=rows.device)] for column in columns]


def _require_finite(rows: Tensor, texts: Sequence[str]) -> None:
    # The length also overflows where a row is finite but too large to be compared.
    bad = ~torch.linalg.vector_norm(as_float(rows), dim=-1).isfinite()
    if bool(bad.any()):
        count, first = int(bad.sum()), int(bad.nonzero()[0, 0])
        raise InvalidValueError(
            "embedding-not-finite",
            f"the model gives NaN or infinity for {count:,} of {len(texts):,} texts, "
            f"the first {texts[first][:60]!r}",
            expected="finite embeddings",
            fix="Look for non-finite weights or a training that diverged",
            where="model.encode",
        )
