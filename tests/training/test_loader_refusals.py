"""What of a loader cannot be captured is refused by name; one that drifts ends the resume with a code."""

from __future__ import annotations

import functools
import itertools
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import (
    BatchSampler,
    ConcatDataset,
    DataLoader,
    IterableDataset,
    RandomSampler,
    Sampler,
    Subset,
)

from tests.training.small import pairs
from tests.training.test_loader_state import (
    ROWS,
    Counting,
    Noisy,
    Remembering,
    as_list,
    check,
    generator,
    of,
    take,
)
from workbench.errors import CheckpointError, InvalidTypeError
from workbench.training.loader_parts import STATELESS_SAMPLERS
from workbench.training.loader_state import ReplayedLoader


class Placed(Noisy):
    """Rows of a file, wherever it lies; a stage that a callback may set."""

    def __init__(self, path: str) -> None:
        self.path, self.noise, self.limit, self.stage = path, 0.5, float("inf"), "easy"


class Unknown(Sampler[int]):
    def __iter__(self) -> Iterator[int]:
        return iter(torch.randperm(11).tolist())

    def __len__(self) -> int:
        return 11


class Own(DataLoader[Any]):
    def __iter__(self) -> Any:
        return iter([])


class Endless(IterableDataset[Any]):
    def __iter__(self) -> Iterator[int]:
        return iter(range(5))


class WithRandom(Noisy):
    def __init__(self, own: Any) -> None:
        self.own = own


class Transform:
    def __init__(self, own: Any) -> None:
        self.parts = {"noise": [own]}

    def __call__(self, rows: Any) -> Any:
        return rows


def closing_over(own: Any) -> Callable[[Any], Any]:
    def collate(rows: Any) -> Any:
        return rows, own.random()

    return collate


RNG = random.Random(1)


def from_module(rows: Any) -> Any:
    return rows, RNG.random()


def with_default(rows: Any, own: Any = np.random.RandomState(1)) -> Any:  # noqa: B008
    return rows, own.rand()


def sampled(sampler: Any) -> Any:
    return DataLoader(ROWS, 2, sampler=sampler)


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "a sampler": (lambda: sampled(Unknown()), "sampler"),
    "a sampler's kin": (lambda: sampled(type("Mine", (RandomSampler,), {})(ROWS)), "sampler"),
    "a batch sampler": (
        lambda: DataLoader(ROWS, batch_sampler=type("Mine", (BatchSampler,), {})(Unknown(), 2, False)),
        "batch_sampler",
    ),
    "a sampler in a batch sampler": (
        lambda: DataLoader(ROWS, batch_sampler=BatchSampler(Unknown(), 2, False)),
        "batch_sampler.sampler",
    ),
    "a stream": (lambda: DataLoader(Endless()), "dataset"),
    "persistent workers": (lambda: DataLoader(ROWS, num_workers=1, persistent_workers=True), "loader"),
    "batches out of order": (lambda: DataLoader(ROWS, num_workers=2, in_order=False), "loader"),
    "an own loader": (lambda: Own(ROWS), "loader"),
    "any iterable": (lambda: (x for x in "abc"), "loader"),
    "random.Random": (lambda: DataLoader(WithRandom(random.Random(1))), "dataset.own"),
    "numpy": (lambda: DataLoader(WithRandom(np.random.default_rng(1))), "dataset.own"),
    "old numpy": (lambda: DataLoader(WithRandom(np.random.RandomState(1))), "dataset.own"),
    "torch": (lambda: DataLoader(WithRandom(torch.Generator())), "dataset.own"),
    "an iterator": (lambda: DataLoader(WithRandom(itertools.cycle([1]))), "dataset.own"),
    "deep inside": (
        lambda: DataLoader(WithRandom(Transform(random.Random()))),
        "dataset.own.parts['noise'][0]",
    ),
    "in a set of sets": (
        lambda: DataLoader(ConcatDataset([Noisy(), Subset(WithRandom(random.Random()), [1])])),
        "dataset.datasets[1].dataset.own",
    ),
    "in a collate object": (
        lambda: DataLoader(ROWS, collate_fn=Transform(random.Random())),
        "collate_fn.parts['noise'][0]",
    ),
    "in a closure": (lambda: DataLoader(ROWS, collate_fn=closing_over(random.Random())), "collate_fn (own)"),
    "in a partial": (
        lambda: DataLoader(ROWS, collate_fn=functools.partial(with_default, own=random.Random())),
        "collate_fn",
    ),
    "in a default": (lambda: DataLoader(ROWS, collate_fn=with_default), "collate_fn"),
    "in a module": (lambda: DataLoader(ROWS, collate_fn=from_module), "collate_fn (RNG)"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_captured_is_refused_by_name(name: str) -> None:
    make, where = REFUSED[name]
    with pytest.raises(InvalidTypeError, match="loader-not-resumable") as caught:
        ReplayedLoader(make())
    assert caught.value.where.startswith(where)
    unwatched = ReplayedLoader(make(), must_resume=False)
    with pytest.raises(InvalidTypeError, match="loader-not-resumable"):
        unwatched.state()


def test_what_only_looks_like_state_is_not_refused() -> None:
    class Harmless(Noisy):
        def __init__(self) -> None:
            self.cache: dict[int, Any] = {}
            self.file: Any = None
            self.model = torch.nn.Dropout()

        def __getitem__(self, index: int) -> Any:
            self.file = self.file or "opened"
            return self.cache.setdefault(index, index)

    model = torch.nn.Dropout()
    check(lambda: of(Harmless(), shuffle=True), 6, 9)
    ReplayedLoader(DataLoader(ROWS, collate_fn=model.forward))


# Drift.


def stored_after(make: Callable[[], list[Any]], steps: int) -> tuple[Any, Any]:
    loaders = [ReplayedLoader(loader) for loader in make()]
    for _ in range(steps):
        take(loaders)
    return loaders[0].state()


@pytest.mark.parametrize(
    "steps", [2, pytest.param(4, id="4, the last of the epoch"), pytest.param(6, id="6, in the next one")]
)
def test_hidden_state_of_the_rows_ends_the_resume(steps: int) -> None:
    state = stored_after(lambda: of(Counting(), 3), steps)
    fresh = of(Counting(), 3)[0]
    if steps <= 4:
        # The replay of the first epoch counts again.
        ReplayedLoader(fresh).restore(*state)
        return
    with pytest.raises(CheckpointError, match=r"dataset.asked was 10 and is 0.*loader-drifted"):
        ReplayedLoader(fresh).restore(*state)


def test_a_shuffled_list_ends_the_resume_between_epochs_too() -> None:
    rows = pairs(30)
    loader = ReplayedLoader(DataLoader(rows, 30, collate_fn=as_list))
    list(loader.start_epoch())
    random.shuffle(rows)
    with pytest.raises(CheckpointError, match=r"dataset is not what it was.*loader-drifted"):
        ReplayedLoader(DataLoader(pairs(30), 30, collate_fn=as_list)).restore(*loader.state())


def test_a_text_counts_only_where_it_changed_on_the_way() -> None:
    loader = ReplayedLoader(of(Placed("/one/place"))[0])
    list(loader.start_epoch())
    ReplayedLoader(of(Placed("/another"))[0]).restore(*loader.state())
    loader.loader.dataset.stage = "hard"
    with pytest.raises(CheckpointError, match=r"dataset.stage is not what it was.*loader-drifted"):
        ReplayedLoader(of(Placed("/another"))[0]).restore(*loader.state())
    other = Placed("/another")
    other.stage, other.noise = "hard", 0.25
    with pytest.raises(CheckpointError, match=r"dataset.noise was 0.5 and is 0.25.*loader-drifted"):
        ReplayedLoader(of(other)[0]).restore(*loader.state())


def test_what_no_generator_explains_ends_the_resume() -> None:
    class Clock(Noisy):
        def __getitem__(self, index: int) -> Any:
            return random.SystemRandom().random()

    state = stored_after(lambda: of(Clock()), 2)
    with pytest.raises(CheckpointError, match=r"the 2 batches .*loader-drifted"):
        ReplayedLoader(of(Clock())[0]).restore(*state)


def test_an_epoch_that_has_become_shorter_ends_the_resume() -> None:
    def batches(count: int) -> list[Any]:
        return of(ROWS, sampler=RandomSampler(ROWS, num_samples=count))

    state = stored_after(lambda: batches(11), 4)
    with pytest.raises(CheckpointError, match="loader-drifted"):
        ReplayedLoader(batches(6)[0]).restore(*state)


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (lambda: of(ROWS, 4, shuffle=True), "batch_size was 3 and is 4"),
        (lambda: of(ROWS, shuffle=True, drop_last=True), "drop_last"),
        (lambda: of(ROWS), "sampler was 'RandomSampler' and is 'SequentialSampler'"),
        (lambda: of(ROWS, shuffle=True, num_workers=1), "num_workers was 0 and is 1"),
        (lambda: of(ROWS[:10], shuffle=True), "rows was 11 and is 10"),
        (lambda: of(ROWS, shuffle=True, generator=generator()), "generators"),
        (lambda: [ROWS], "loader was 'DataLoader' and is 'list'"),
    ],
    ids=["batch size", "drop last", "sampler", "workers", "rows", "generator", "loader"],
)
def test_another_loader_is_refused(other: Callable[[], list[Any]], says: str) -> None:
    state = stored_after(lambda: of(ROWS, shuffle=True), 2)
    with pytest.raises(CheckpointError, match="loader-changed") as caught:
        ReplayedLoader(other()[0]).restore(*state)
    assert says in caught.value.came


def test_other_objects_with_a_state_are_refused() -> None:
    state = stored_after(lambda: of(Remembering()), 2)
    other = type("Remembering", (Counting,), {})
    with pytest.raises(CheckpointError, match=r"state_dict.*loader-changed"):
        ReplayedLoader(of(other())[0]).restore(*state)


def test_other_rows_are_refused() -> None:
    state = stored_after(lambda: of(ROWS, shuffle=True), 2)
    with pytest.raises(CheckpointError, match="loader-drifted"):
        ReplayedLoader(of(pairs(11, seed=5), shuffle=True)[0]).restore(*state)


@pytest.mark.parametrize("key", ["loader", "taken", "journal", "generators", "start", "now", "active"])
def test_a_document_that_is_none_is_refused(key: str) -> None:
    tensors, document = stored_after(lambda: of(ROWS, shuffle=True), 2)
    loader = ReplayedLoader(of(ROWS, shuffle=True)[0])
    for wrong in ({k: v for k, v in document.items() if k != key}, {**document, key: None}):
        with pytest.raises(CheckpointError):
            loader.restore(tensors, wrong)
    torn = {name: tensor[:-1] for name, tensor in tensors.items()}
    for torn_tensors in ({}, torn):
        with pytest.raises(CheckpointError, match="checkpoint-damaged"):
            loader.restore(torn_tensors, document)


def test_every_sampler_of_torch_is_in_the_table() -> None:
    module = torch.utils.data.sampler
    kinds = [
        value for value in vars(module).values() if isinstance(value, type) and issubclass(value, Sampler)
    ]
    assert set(kinds) - {Sampler} <= set(STATELESS_SAMPLERS)
