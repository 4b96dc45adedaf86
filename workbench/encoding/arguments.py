"""The arguments of ``encode`` that only take certain values, checked before anything is done."""

from __future__ import annotations

from workbench.encoding.linear import COMPUTES
from workbench.errors import InvalidValueError

_PRECISIONS = ("float32", "int8", "uint8", "binary", "ubinary")
_OUTPUT_VALUES = ("sentence_embedding", "token_embeddings", None)


def check_arguments(
    batch_size: int | None, precision: str, output_value: str | None, compute: str, several_devices: bool
) -> None:
    """Refuse what ``encode`` does not take.

    Raises:
        InvalidValueError: ``batch-size-out-of-range``, ``precision-unknown``, ``compute-unknown``,
            ``output-value-unknown``, ``devices-need-sentence-embeddings``.
    """
    if batch_size is not None and (type(batch_size) is not int or batch_size < 1):
        raise InvalidValueError(
            "batch-size-out-of-range",
            f"batch_size is {batch_size!r}",
            expected="an integer of at least 1, or None",
        )
    if precision not in _PRECISIONS:
        raise InvalidValueError(
            "precision-unknown",
            f"precision is {precision!r}",
            expected=f"one of {', '.join(_PRECISIONS)}",
        )
    if compute not in COMPUTES:
        raise InvalidValueError(
            "compute-unknown", f"compute is {compute!r}", expected=f"one of {', '.join(COMPUTES)}"
        )
    if output_value not in _OUTPUT_VALUES:
        raise InvalidValueError(
            "output-value-unknown",
            f"output_value is {output_value!r}",
            expected="'sentence_embedding', 'token_embeddings' or None",
        )
    if several_devices and output_value != "sentence_embedding":
        raise InvalidValueError(
            "devices-need-sentence-embeddings",
            f"A list of devices with output_value={output_value!r}",
            expected="output_value='sentence_embedding'",
            fix="Give one device",
        )
