"""A loader goes on where it stood, batch for batch, beside a model that draws too; what cannot is refused."""

from __future__ import annotations

import functools
import itertools
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load, save
from torch.utils.data import (
    BatchSampler,
    ConcatDataset,
    DataLoader,
    Dataset,
    DistributedSampler,
    IterableDataset,
    RandomSampler,
    Sampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
)

from tests.training.small import pairs
from workbench import losses
from workbench.errors import CheckpointError, InvalidTypeError
from workbench.training.loader_parts import STATELESS_SAMPLERS
from workbench.training.loader_state import ReplayedLoader
from workbench.training.random_state import capture_random_state, restore_random_state

ROWS: list[Any] = pairs(11)


def as_list(rows: list[Any]) -> list[Any]:
    return rows


def noisy(rows: list[Any]) -> list[Any]:
    return [rows, random.random(), np.random.rand(), torch.rand(2)]


class Noisy(Dataset[Any]):
    """Rows with fresh numbers of every global generator."""

    def __len__(self) -> int:
        return len(ROWS)

    def __getitem__(self, index: int) -> Any:
        return index, random.gauss(0, 1), np.random.randn(), torch.randn(1).item()


class Lazy(Sampler[int]):
    """Draws in the middle of the epoch, from generators of its own and global ones; says where it stands."""

    def __init__(self) -> None:
        self.own = random.Random(3)
        self.epoch = 0

    def __len__(self) -> int:
        return 12

    def __iter__(self) -> Iterator[int]:
        self.epoch += 1
        for _ in range(len(self)):
            yield (self.own.randrange(11) + random.randrange(11) + self.epoch) % 11

    def state_dict(self) -> dict[str, Any]:
        return {"own": self.own.getstate(), "epoch": self.epoch}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.own.setstate(state["own"])
        self.epoch = state["epoch"]


class Counting(Dataset[Any]):
    """Rows that depend on how many were asked for."""

    def __init__(self) -> None:
        self.asked = 0

    def __len__(self) -> int:
        return 10

    def __getitem__(self, index: int) -> int:
        self.asked += 1
        return index * 1000 + self.asked


class Remembering(Counting):
    def state_dict(self) -> dict[str, Any]:
        return {"asked": self.asked, "seen": torch.arange(self.asked)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.asked = state["asked"]


class Stream(IterableDataset[Any]):
    """Goes on over the epochs, and says where it stands."""

    def __init__(self) -> None:
        self.at = 0

    def __iter__(self) -> Iterator[int]:
        for _ in range(9):
            self.at += 1
            yield self.at + random.randrange(100)

    def state_dict(self) -> dict[str, Any]:
        return {"at": self.at}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.at = state["at"]


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(8)


def shared() -> list[Any]:
    own = generator()
    more = RandomSampler(ROWS, replacement=True, num_samples=70, generator=own)
    return [
        DataLoader(ROWS, 3, shuffle=True, generator=own, collate_fn=as_list),
        DataLoader(ROWS, 2, sampler=more, collate_fn=noisy),
    ]


def of(dataset: Any, size: int | None = 3, **arguments: Any) -> list[Any]:
    return [DataLoader(dataset, size, collate_fn=arguments.pop("collate_fn", as_list), **arguments)]


LOADERS: dict[str, Callable[[], list[Any]]] = {
    "in order": lambda: of(ROWS, drop_last=True),
    "shuffled": lambda: of(ROWS, shuffle=True),
    "shuffled, own generator": lambda: of(ROWS, shuffle=True, generator=generator()),
    "two objectives": lambda: of(ROWS, shuffle=True) + of(ROWS, 2, shuffle=True),
    "a shared generator": shared,
    "replacement": lambda: of(ROWS, sampler=RandomSampler(ROWS, replacement=True, num_samples=40)),
    "subset": lambda: of(ROWS, sampler=SubsetRandomSampler([1, 3, 4, 8, 9], generator=generator())),
    "weighted": lambda: of(ROWS, sampler=WeightedRandomSampler([0.1] * 10 + [1.0], 17)),
    "batches": lambda: [
        DataLoader(ROWS, batch_sampler=BatchSampler(RandomSampler(ROWS), 4, False), collate_fn=as_list)
    ],
    "no batches": lambda: of(ROWS, None, shuffle=True),
    "a list of indices": lambda: of(ROWS, sampler=[3, 1, 2, 2]),
    "distributed": lambda: of(ROWS, sampler=DistributedSampler(ROWS, num_replicas=2, rank=1)),
    "noise in the rows": lambda: of(Noisy(), shuffle=True),
    "noise in the collate function": lambda: of(ROWS, shuffle=True, collate_fn=noisy),
    "noise in two at once": lambda: of(Noisy()) + of(ROWS, 2, shuffle=True, collate_fn=noisy),
    "a sampler with a state": lambda: of(ROWS, sampler=Lazy()),
    "rows with a state": lambda: of(Remembering(), shuffle=True),
    "a stream with a state": lambda: of(Stream()),
    "sets of sets": lambda: of(ConcatDataset([Subset(Noisy(), [1, 2, 5]), TensorDataset(torch.arange(9))])),
    "batches in a list": lambda: [[["a"], ["b"], ["c"]]],
    "contrastive tension": lambda: [losses.ContrastiveTensionDataLoader(list("abcdefghijklmnopqrstu"), 4, 4)],
}
WITH_WORKERS: dict[str, Callable[[], list[Any]]] = {
    "two workers": lambda: of(Noisy(), shuffle=True, num_workers=2),
    "a lazy sampler, prefetched": lambda: of(Noisy(), 2, sampler=Lazy(), num_workers=1, prefetch_factor=3),
}


def take(loaders: list[ReplayedLoader]) -> list[Any]:
    """One step: a batch of each loader, and what a model draws beside."""
    taken: list[Any] = []
    for loader in loaders:
        batch = next(loader, None)
        taken.append(next(loader.start_epoch()) if batch is None else batch)
    beside = (torch.rand(2).tolist(), random.random(), np.random.randn(), torch.randint(9, (1,)).item())
    return [repr(taken), beside]


def seed(number: int) -> None:
    random.seed(number)
    np.random.seed(number)
    torch.manual_seed(number)


def through_files(state: tuple[Any, Any]) -> tuple[Any, Any]:
    tensors, document = state
    return load(save(tensors)), json.loads(json.dumps(document, allow_nan=False))


def check(make: Callable[[], list[Any]], stop: int, total: int) -> list[ReplayedLoader]:
    seed(1)
    whole = [ReplayedLoader(loader) for loader in make()]
    for _ in range(stop):
        take(whole)
    stored = [through_files(loader.state()) for loader in whole]
    drawn = through_files(capture_random_state())
    expected = [take(whole) for _ in range(total - stop)]

    seed(2)
    resumed = [ReplayedLoader(loader) for loader in make()]
    before = capture_random_state()[0]
    for loader, state in zip(resumed, stored, strict=True):
        loader.restore(*state)
    assert all(torch.equal(before[name], now) for name, now in capture_random_state()[0].items())
    # At once, what is stored is the same; so a second stop and resume goes as well.
    for loader, state in zip(resumed, stored, strict=True):
        assert_same(loader.state(), state)
    restore_random_state(*drawn)
    assert [take(resumed) for _ in range(total - stop)] == expected
    for one, other in zip(whole, resumed, strict=True):
        assert_same(one.state(), other.state())
    return resumed


def assert_same(one: tuple[Any, Any], other: tuple[Any, Any]) -> None:
    assert one[1] == other[1]
    assert one[0].keys() == other[0].keys()
    assert all(torch.equal(tensor, other[0][name]) for name, tensor in one[0].items())


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("name", LOADERS)
@given(stop=st.integers(0, 14))
def test_it_goes_on_where_it_stood(name: str, stop: int) -> None:
    check(LOADERS[name], stop, 16)


@pytest.mark.parametrize("name", LOADERS)
def test_it_gives_what_the_loader_gives(name: str) -> None:
    seed(5)
    plain = [repr([list(loader) for loader in LOADERS[name]()]) for _ in range(2)]
    for watched in (True, False):
        seed(5)
        replayed = [
            repr(
                [
                    list(ReplayedLoader(loader, must_resume=watched).start_epoch())
                    for loader in LOADERS[name]()
                ]
            )
            for _ in range(2)
        ]
        assert replayed == plain


@pytest.mark.parametrize("name", WITH_WORKERS)
def test_with_worker_processes(name: str) -> None:
    check(WITH_WORKERS[name], 3, 7)


@pytest.mark.full
@pytest.mark.parametrize("name", LOADERS | WITH_WORKERS)
def test_at_every_step(name: str) -> None:
    for stop in range(15):
        check((LOADERS | WITH_WORKERS)[name], stop, 16)


def test_draws_of_the_start_are_one_entry_and_those_nobody_disturbs_none() -> None:
    loader = ReplayedLoader(of(ROWS, 1, shuffle=True)[0]).start_epoch()
    for _ in range(9):
        next(loader)
        torch.rand(1)
    assert loader.state()[1]["journal"] == [[0, "torch"]]
    calm = ReplayedLoader(of(Noisy(), 1)[0]).start_epoch()
    for _ in range(9):
        next(calm)
    assert sorted(calm.state()[1]["journal"]) == [[0, "torch"], [1, "numpy"], [1, "python"]]


def test_an_epoch_set_by_a_callback_after_the_last_batch_is_kept() -> None:
    def make() -> Any:
        sampler = DistributedSampler(ROWS, num_replicas=1, rank=0, seed=4)
        return sampler, ReplayedLoader(DataLoader(ROWS, 4, sampler=sampler, collate_fn=as_list))

    sampler, loader = make()
    for _ in range(3):
        next(loader, None) or next(loader.start_epoch())
    sampler.set_epoch(7)
    stored = through_files(loader.state())
    other, resumed = make()
    resumed.restore(*stored)
    assert other.epoch == 7
    for _ in range(2):
        assert next(resumed, None) is next(loader, None) is None
        assert repr(list(resumed.start_epoch())) == repr(list(loader.start_epoch()))


# Refusals.


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
    seed(1)
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
        (lambda: of(ROWS[:10], shuffle=True), "length was 11 and is 10"),
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
