"""The refusal of worker processes where each would draw the same rows."""

from __future__ import annotations

from torch.utils.data import get_worker_info

from workbench.errors import InvalidValueError


def require_one_process(name: str) -> None:
    """Refuse to be read in a worker process: each has its own copy, and all would give the same rows.

    Raises:
        InvalidValueError: It is one.
    """
    if get_worker_info() is not None:
        raise InvalidValueError(
            "dataset-in-workers",
            f"{name} is read by worker processes, each of which would give the same rows",
            expected="num_workers=0",
            fix="Leave num_workers out of the DataLoader: nothing here is slow",
            where=name,
        )
