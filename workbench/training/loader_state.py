"""A data loader that can say where it stands, and be put there exactly.

The state of an epoch is the state in which its iterator was made and the number of batches taken. A resumed
training makes the iterator in that state again and takes as many batches. What could make the two differ,
and what is done about it:

- *Draws from a global generator, at any time.* Torch's own samplers draw their seed when the first batch is
  asked for, not when the iterator is made; others draw in the middle; data sets and collate functions may
  draw for every row; worker processes are seeded from a draw at the start, and prefetching moves the
  sampler's draws. Between them dropout draws from the same generators. So every call into the loader is
  watched: a generator that it moved, and that something else had moved since the loader's last call, goes
  into a journal with its state before the call. The replay sets these states at the same calls. An epoch
  that draws only at its start has a journal of one entry.
- *Generators of the loader and its samplers*, also shared between loaders: they are in the journal as the
  global ones are, and their state at the checkpoint is set after the replay.
- *Objects with a state of their own* offer ``state_dict`` and ``load_state_dict``, taken where the iterator
  is made. Without these, a sampler of unknown type, an iterable data set, a generator or an iterator in a
  data set or a collate function, and persistent workers are refused before the first step.
- *State that nobody saw.* Attributes of data sets, samplers and collate objects are compared with those at
  the start of the epoch; and a digest of every batch that the replay takes with that of the batches the
  training took. A difference ends the resume with a code; it never drifts.

The replay does all the work of the batches again but the model's. It leaves the global generators as they
were; the caller sets them to their states at the checkpoint.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from torch import Tensor

from workbench.errors import CheckpointError
from workbench.training.digest import add_to_digest
from workbench.training.loader_objects import (
    NOTHING,
    ObjectStates,
    changed,
    drifted,
    put_objects,
    read_objects,
)
from workbench.training.loader_parts import LoaderParts, describe_loader, find_parts, not_resumable
from workbench.training.random_state import SOURCES, as_bytes, as_tensor, kept_random_state


class ReplayedLoader(Iterator[Any]):
    """The batches of a loader, epoch by epoch, with a place that a checkpoint can hold.

    Between ``start_epoch`` and the end of an epoch it is the iterator of that epoch; before and after, it
    gives nothing.

    Args:
        loader: A DataLoader, a list of batches, or an iterable that offers ``state_dict``.
        must_resume: Refuse what cannot be captured. Without it any iterable goes, nothing is watched, and
            there is no ``state``.

    Raises:
        InvalidTypeError: ``loader-not-resumable``, with the object and the cure.
    """

    def __init__(self, loader: Any, *, must_resume: bool = True) -> None:
        self.loader = loader
        self._watches = must_resume
        self._parts = find_parts(loader) if must_resume else LoaderParts()
        self._iterator: Iterator[Any] | None = None
        self._reset()

    def start_epoch(self) -> ReplayedLoader:
        """Make the iterator of an epoch, as ``iter(loader)`` does; what was left of another is dropped."""
        self._reset()
        if self._watches:
            self._start = read_objects(self._parts)
        self._iterator = self._watched(0, lambda: iter(self.loader))
        return self

    def __iter__(self) -> ReplayedLoader:
        return self

    def __next__(self) -> Any:
        iterator = self._iterator
        if iterator is None:
            raise StopIteration
        try:
            batch = self._watched(self._taken + 1, lambda: next(iterator))
        except StopIteration:
            self._reset()
            raise
        self._taken += 1
        if self._watches:
            add_to_digest(self._digest, batch)
        return batch

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Where the loader stands, for `restore` of another one over the same data.

        Returns:
            Name → tensor, and a document for JSON.

        Raises:
            InvalidTypeError: ``state-not-storable``: a ``state_dict`` gave what no checkpoint can hold;
                ``loader-not-resumable``: it was made without ``must_resume``.
        """
        if not self._watches:
            find_parts(self.loader)
            raise not_resumable("loader", "it was not watched", fix="Make it with must_resume=True")
        now = read_objects(self._parts)
        tensors = {f"now-{name}": tensor for name, tensor in now.tensors.items()}
        tensors |= {f"start-{name}": tensor for name, tensor in self._start.tensors.items()}
        for number, (_, _, before) in enumerate(self._journal):
            tensors[f"journal-{number}"] = as_tensor(before)
        for path, generator in self._parts.generators.items():
            tensors[f"generator-{path}"] = generator.get_state()
        return tensors, {
            "loader": describe_loader(self.loader),
            "active": self._iterator is not None,
            "taken": self._taken,
            "batches_sha256": self._digest.hexdigest(),
            "journal": [[call, source] for call, source, _ in self._journal],
            "generators": sorted(self._parts.generators),
            "start": self._start.document,
            "now": now.document,
        }

    def restore(self, tensors: Mapping[str, Tensor], document: Mapping[str, Any]) -> ReplayedLoader:
        """Go to where `state` was taken. The global random states are left as they are.

        Args:
            tensors: As ``state`` gave them.
            document: As ``state`` gave it.

        Raises:
            CheckpointError: ``loader-changed``: another type, size or setting of the loader;
                ``loader-drifted``: the same batches do not come again; ``checkpoint-damaged``.
        """
        self._refuse_changed(document)
        try:
            taken, active = document["taken"], document["active"]
            if type(taken) is not int or type(active) is not bool:
                raise TypeError("taken or active")
            journal = [
                (int(call), str(source), as_bytes(tensors[f"journal-{number}"]))
                for number, (call, source) in enumerate(document["journal"])
            ]
            generators = {path: tensors[f"generator-{path}"].clone() for path in document["generators"]}
            start, now = (_objects(tensors, document, moment) for moment in ("start", "now"))
        except (KeyError, TypeError, ValueError) as error:
            raise _damaged(f"{type(error).__name__}: {error}") from error
        self._reset()
        if active:
            put_objects(self._parts, start)
            with kept_random_state():
                self._replay(journal, taken)
            if self._digest.hexdigest() != document["batches_sha256"]:
                raise drifted(f"the {taken} batches that the epoch had given were others this time")
            self._start = start
        # Beside what the batches changed, a callback may have set something: another epoch of a sampler.
        put_objects(self._parts, now)
        for path, state in generators.items():
            self._parts.generators[path].set_state(state)
        return self

    def _reset(self) -> None:
        self._iterator = None
        self._taken = 0
        self._digest = hashlib.sha256()
        # Call into the loader (0 makes the iterator, n takes batch n), source, its state before the call.
        self._journal: list[tuple[int, str, bytes]] = []
        self._left: dict[str, bytes] = {}
        self._start = NOTHING

    def _watched(self, call: int, action: Callable[[], Any]) -> Any:
        if not self._watches:
            return action()
        before = self._read_sources()
        try:
            return action()
        finally:
            for source, after in self._read_sources().items():
                if after != before[source]:
                    # Untouched by others since the last draw, it is where the replay will have it anyway.
                    if self._left.get(source) != before[source]:
                        self._journal.append((call, source, before[source]))
                    self._left[source] = after

    def _replay(self, journal: list[tuple[int, str, bytes]], taken: int) -> None:
        at_call: dict[int, list[tuple[str, bytes]]] = {}
        for call, source, before in journal:
            at_call.setdefault(call, []).append((source, before))
        for call in range(taken + 1):
            for source, before in at_call.get(call, []):
                self._set_source(source, before)
            if call == 0:
                iterator = iter(self.loader)
                continue
            try:
                add_to_digest(self._digest, next(iterator))
            except StopIteration:
                raise drifted(f"the epoch ended after {call - 1} batches; {taken} had been taken") from None
        drawn = {source for _, source, _ in journal}
        self._left = {source: state for source, state in self._read_sources().items() if source in drawn}
        self._iterator, self._taken, self._journal = iterator, taken, journal

    def _read_sources(self) -> dict[str, bytes]:
        found = {name: read() for name, (read, _) in SOURCES.items()}
        found.update({path: as_bytes(g.get_state()) for path, g in self._parts.generators.items()})
        return found

    def _set_source(self, source: str, state: bytes) -> None:
        try:
            if source in SOURCES:
                SOURCES[source][1](state)
            else:
                self._parts.generators[source].set_state(as_tensor(state))
        except (KeyError, ValueError, RuntimeError, struct.error) as error:
            raise _damaged(f"the random state of {source}: {error}") from error

    def _refuse_changed(self, document: Mapping[str, Any]) -> None:
        here = describe_loader(self.loader)
        then = document.get("loader")
        if not isinstance(then, dict) or not isinstance(document.get("generators"), list):
            raise _damaged("no description of a loader")
        for name in {**here, **then}:
            if here.get(name) != then.get(name):
                raise changed(name, then.get(name), here.get(name))
        if document["generators"] != sorted(self._parts.generators):
            raise changed("generators", document["generators"], sorted(self._parts.generators))


def _objects(tensors: Mapping[str, Tensor], document: Mapping[str, Any], moment: str) -> ObjectStates:
    prefix = f"{moment}-"
    own = {key.removeprefix(prefix): t.clone() for key, t in tensors.items() if key.startswith(prefix)}
    return ObjectStates(own, dict(document[moment]))


def _damaged(came: str) -> CheckpointError:
    return CheckpointError(
        "checkpoint-damaged",
        came,
        expected="the state of a loader as it was written",
        where="loader",
        fix="Resume from the checkpoint before it",
    )
