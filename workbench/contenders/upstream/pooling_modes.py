"""The pooling modes of the model format, and their fixed order."""

from __future__ import annotations

from workbench.errors import UnknownNameError

# The order in which the format concatenates several modes.
POOLING_MODES = ("cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken")


def pooling_modes(pooling: str) -> tuple[str, ...]:
    """Split a setting such as ``"mean+cls"`` into its modes, in the order of the format.

    Raises:
        UnknownNameError: A mode that the format does not know.
    """
    asked = {name.strip() for name in pooling.split("+")}
    if unknown := sorted(asked - set(POOLING_MODES)):
        raise UnknownNameError(
            "unknown-pooling",
            f"Pooling {', '.join(map(repr, unknown))}",
            expected=f"{', '.join(POOLING_MODES)}, or several joined by +",
        )
    return tuple(mode for mode in POOLING_MODES if mode in asked)
