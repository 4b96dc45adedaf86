"""The random state of what is drawn anew every epoch: a seed and an epoch, or the user's generator."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from workbench.errors import InvalidValueError

_LARGEST = 2**63 - 1


class Epochs:
    """Gives each epoch its random numbers, and can be taken up again at any epoch.

    An epoch's numbers depend on the seed and the epoch's number alone, so that an epoch can be repeated.
    The number rises by itself whenever an epoch begins; ``set_epoch`` states it.

    Args:
        seed: None takes torch's own seed (``torch.manual_seed``) when it is first needed, and draws nothing
            from it.
        generator: Draws one number from it an epoch, instead of a seed and the epoch's number.

    Attributes:
        epoch: The epoch that begins next.

    Raises:
        InvalidValueError: A seed that is no whole number of 0 or more, or a seed and a generator.
    """

    def __init__(self, seed: int | None = None, generator: torch.Generator | None = None) -> None:
        if seed is not None and generator is not None:
            raise InvalidValueError(
                "seed-and-generator",
                "a seed and a generator came",
                expected="one of them",
                fix="Seed the generator with manual_seed, or leave it out",
                where="seed, generator",
            )
        self._seed = None if seed is None else _whole(seed, "seed")
        self.generator = generator
        self.epoch = 0

    @property
    def seed(self) -> int:
        """The seed, settled from now on."""
        if self._seed is None:
            self._seed = torch.initial_seed() & _LARGEST
        return self._seed

    def begin(self) -> np.random.Generator:
        """The numbers of the epoch that begins now; the next call is for the epoch after."""
        numbers = self._numbers(self.generator)
        self.epoch += 1
        return numbers

    def peek(self) -> np.random.Generator:
        """The numbers of the epoch that begins next, which does not begin by this."""
        generator = None
        if self.generator is not None:
            generator = torch.Generator(self.generator.device)
            generator.set_state(self.generator.get_state())
        return self._numbers(generator)

    def set_epoch(self, epoch: int) -> None:
        """State which epoch begins next. A generator's numbers follow its own state instead."""
        self.epoch = _whole(epoch, "epoch")

    def state_dict(self) -> dict[str, Any]:
        """What ``load_state_dict`` needs to begin the same epoch next; JSON can hold it."""
        if self.generator is not None:
            state = bytes(self.generator.get_state().tolist()).hex()
            return {"epoch": self.epoch, "generator": state}
        return {"epoch": self.epoch, "seed": self.seed}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Begin next the epoch that would have begun when the state was taken.

        Raises:
            InvalidValueError: It is no such state, or of another kind: generator or seed.
        """
        wanted = {"epoch", "seed" if self.generator is None else "generator"}
        if not isinstance(state, Mapping) or set(state) != wanted:
            raise _bad_state(f"a state of {sorted(state)!r}", f"{sorted(wanted)!r}")
        epoch = _whole(state["epoch"], "epoch")
        if self.generator is None:
            self._seed = _whole(state["seed"], "seed")
        else:
            try:
                self.generator.set_state(
                    torch.tensor(list(bytes.fromhex(state["generator"])), dtype=torch.uint8)
                )
            except (TypeError, ValueError, RuntimeError) as error:
                raise _bad_state(f"no generator's state ({error})", "what state_dict gave") from error
        self.epoch = epoch

    def _numbers(self, generator: torch.Generator | None) -> np.random.Generator:
        if generator is None:
            return np.random.default_rng([self.seed, self.epoch])
        device = generator.device
        return np.random.default_rng(
            int(torch.randint(_LARGEST, (), generator=generator, device=device, dtype=torch.int64))
        )


def _whole(value: object, name: str) -> int:
    try:
        number = None if isinstance(value, bool) else operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is None or not 0 <= number <= _LARGEST:
        raise InvalidValueError(
            f"{name}-out-of-range", f"{value!r}", expected="a whole number of 0 or more", where=name
        )
    return number


def _bad_state(came: str, expected: str) -> InvalidValueError:
    return InvalidValueError(
        "sampler-state-unreadable",
        came,
        expected=expected,
        fix="Resume with the data set or sampler that the run began with",
        where="load_state_dict",
    )
