"""The states of a run and the one table of the steps between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from workbench.errors import InvalidValueError

State = Literal["queued", "running", "cancelled", "failed", "interrupted", "complete"]
STATES: tuple[State, ...] = get_args(State)

# From → to. A run that stopped short goes back to the queue to be continued; a complete one never moves.
TRANSITIONS: Mapping[State, frozenset[State]] = {
    "queued": frozenset({"running", "cancelled", "failed"}),
    "running": frozenset({"complete", "cancelled", "failed", "interrupted"}),
    "cancelled": frozenset({"queued"}),
    "failed": frozenset({"queued"}),
    "interrupted": frozenset({"queued"}),
    "complete": frozenset(),
}
ACTIVE: frozenset[State] = frozenset({"queued", "running"})
RESUMABLE: frozenset[State] = frozenset(state for state in STATES if "queued" in TRANSITIONS[state])


def check_transition(come_from: State, go_to: State) -> None:
    """Refuse a step that the table does not hold.

    Raises:
        InvalidValueError: ``run-transition``.
    """
    if go_to not in TRANSITIONS[come_from]:
        raise InvalidValueError(
            "run-transition",
            f"from {come_from} to {go_to}",
            expected=f"{come_from} to {', '.join(sorted(TRANSITIONS[come_from])) or 'nothing else'}",
            fix="Run it again as a new run" if come_from == "complete" else "Look at the run's state first",
        )
