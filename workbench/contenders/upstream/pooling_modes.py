"""The pooling modes of the model format."""

from __future__ import annotations

from workbench.errors import UnknownNameError

POOLING_MODES = ("cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken")


def pooling_modes(pooling: str) -> tuple[str, ...]:
    """Split a setting such as ``"mean+cls"`` into its modes, in the order given: so they are concatenated.

    Raises:
        UnknownNameError: A mode that the format does not know.
    """
    modes = tuple(pooling.split("+"))
    if unknown := [mode for mode in modes if mode not in POOLING_MODES]:
        raise UnknownNameError(
            "unknown-pooling",
            f"Pooling {', '.join(map(repr, unknown))}",
            expected=f"{', '.join(POOLING_MODES)}, or several joined by +",
        )
    return modes
