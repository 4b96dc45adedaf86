"""A run as others see it, and the row behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from workbench.runs.states import ACTIVE, RESUMABLE, STATES, State


@dataclass(frozen=True)
class Reason:
    """Why a run ended short: a stable code, and a sentence with the advice."""

    code: str
    message: str


@dataclass(frozen=True)
class Run:
    """One run, without its owner's secret.

    Args:
        id: Our own id; also the name of its folder.
        kind: The kind of job.
        name: The user's name for it; may be empty.
        note: The user's note.
        state: Where it stands.
        owner: The first digits of the hash of the owner's secret: enough to tell owners apart.
        config: The job's settings.
        place: Place in the queue from 1; 0 outside it.
        step: Steps done, as last heard.
        total: Steps to do; 0 where unknown.
        loss: Last loss heard; None where there is none or it was not finite.
        seconds: Time it ran, over all its starts, by a clock that no change of date moves.
        attempt: How often it was started.
        stopping: It was asked to stop and has not yet.
        reason: Why it ended short.
        created_at: ISO date in UTC.
        started_at: Of the last start; empty before.
        ended_at: Empty while it goes on.
        rerun_of: The run whose settings it took over; empty where there is none.
    """

    id: str
    kind: str
    name: str
    note: str
    state: State
    owner: str
    config: Mapping[str, Any]
    place: int
    step: int
    total: int
    loss: float | None
    seconds: float
    attempt: int
    stopping: bool
    reason: Reason | None
    created_at: str
    started_at: str
    ended_at: str
    rerun_of: str

    @property
    def active(self) -> bool:
        """Whether it waits or runs."""
        return self.state in ACTIVE

    @property
    def resumable(self) -> bool:
        """Whether it can go on from its newest checkpoint."""
        return self.state in RESUMABLE

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> Run:
        """The inverse of `to_dict`."""
        reason = values["reason"]
        return Run(**{**values, "reason": Reason(**reason) if reason else None})


@dataclass(frozen=True)
class Row:
    """A run as the store keeps it; the fields are the columns."""

    id: str
    owner_hash: str
    kind: str
    config: str
    created_at: str
    position: int
    name: str = ""
    note: str = ""
    state: State = "queued"
    key: str | None = None
    rerun_of: str = ""
    started_at: str = ""
    ended_at: str = ""
    started_monotonic: float | None = None
    seconds_before: float = 0.0
    attempt: int = 0
    step: int = 0
    total: int = 0
    loss: float | None = None
    stop: str | None = None
    reason_code: str | None = None
    reason_message: str | None = None
    pid: int | None = None
    pid_start: str | None = field(default=None)

    @property
    def reason(self) -> Reason | None:
        """Why it ended short."""
        return Reason(self.reason_code, self.reason_message or "") if self.reason_code else None


COLUMNS: tuple[str, ...] = tuple(column.name for column in fields(Row))
_TEXTS = frozenset(name for name in COLUMNS if str(Row.__annotations__[name]).startswith(("str", "State")))
_NUMBERS = frozenset(name for name in COLUMNS if str(Row.__annotations__[name]).startswith(("int", "float")))


def row_from(values: object) -> Row | None:
    """A row from a ``run.json``; None where it is not one."""
    if not isinstance(values, dict) or not set(values) <= set(COLUMNS):
        return None
    for name, value in values.items():
        optional = "None" in str(Row.__annotations__[name])
        if value is None and optional:
            continue
        good = isinstance(value, str) if name in _TEXTS else isinstance(value, int | float)
        if not good or isinstance(value, bool):
            return None
    try:
        row = Row(**values)
    except TypeError:
        return None
    return row if row.state in STATES else None
