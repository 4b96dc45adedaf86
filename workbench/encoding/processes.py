"""Encoding on several devices: one process each, texts sorted over all of them before they are cut."""

from __future__ import annotations

import multiprocessing
import queue
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from workbench.encoding.encode import Rows, encode_texts
from workbench.encoding.linear import Compute
from workbench.encoding.plan import unique_texts
from workbench.errors import WorkbenchError
from workbench.models.folder import load_modules
from workbench.models.protocols import InputModule

# A task a device, times this: the devices differ in speed, and the last task is the one to wait for.
_TASKS_A_DEVICE = 4
_POLL_SECONDS = 1.0


@dataclass(frozen=True)
class Job:
    """What every process does to its texts; see ``encode_texts``."""

    prompt: str
    batch_size: int | None
    normalize: bool
    truncate_dim: int | None
    dim: int
    compute: Compute = "float32"


@dataclass(frozen=True)
class _Result:
    indices: list[int]
    embeddings: NDArray[Any]
    truncated: list[int]
    tokens: int
    packed: bool
    padded_because: str
    padded_tokens: float
    seconds: dict[str, float]


def encode_on_devices(
    folder: Path, devices: Sequence[str], texts: Sequence[str], job: Job, *, chunk_size: int | None = None
) -> Rows:
    """Encode ``texts`` with one process a device.

    Args:
        folder: The saved model; every process loads it.
        devices: Such as ``["cuda:0", "cuda:1"]`` or ``["cpu", "cpu"]``; CPU processes share the threads.
        texts: Checked strings.
        job: Settings of the encoding.
        chunk_size: Texts a task; by default four tasks a device.

    Raises:
        WorkbenchError: A process ended early or could not encode.
    """
    distinct, places = unique_texts(texts)
    if not distinct:
        return Rows(torch.empty((0, job.dim)), [], (), 0, 0)
    order = sorted(range(len(distinct)), key=lambda index: -len(distinct[index]))
    size = chunk_size or max(1, -(-len(order) // (len(devices) * _TASKS_A_DEVICE)))
    tasks = [order[start : start + size] for start in range(0, len(order), size)]
    results = _run(folder, devices, [[(index, distinct[index]) for index in task] for task in tasks], job)
    rows = np.empty((len(distinct), results[0].embeddings.shape[1]), dtype=results[0].embeddings.dtype)
    cut = set()
    for result in results:
        rows[result.indices] = result.embeddings
        cut.update(result.truncated)
    return Rows(
        embeddings=torch.from_numpy(rows[places]),
        parts=[],
        truncated=tuple(index for index, place in enumerate(places) if place in cut),
        tokens=sum(result.tokens for result in results),
        unique=len(distinct),
        packed=all(result.packed for result in results),
        padded_because=next((result.padded_because for result in results if result.padded_because), ""),
        padding=sum(result.padded_tokens for result in results)
        / max(1, sum(result.tokens for result in results)),
        seconds={name: sum(result.seconds[name] for result in results) for name in results[0].seconds},
    )


def _run(folder: Path, devices: Sequence[str], tasks: list[list[tuple[int, str]]], job: Job) -> list[_Result]:
    # Spawned, not forked: a fork would inherit CUDA and thread pools in a broken state.
    context = multiprocessing.get_context("spawn")
    work: Any = context.Queue()
    done: Any = context.Queue()
    threads = max(1, torch.get_num_threads() // len(devices))
    processes = [
        context.Process(target=_serve, args=(folder, device, threads, job, work, done), daemon=True)
        for device in devices
    ]
    for process in processes:
        process.start()
    try:
        for task in tasks:
            work.put(task)
        for _ in processes:
            work.put(None)
        return [_next(done, processes) for _ in tasks]
    finally:
        for process in processes:
            process.terminate()
            process.join()


def _next(done: Any, processes: Sequence[Any]) -> _Result:
    while True:
        try:
            item = done.get(timeout=_POLL_SECONDS)
        except queue.Empty:
            codes = [process.exitcode for process in processes]
            if any(code not in (None, 0) for code in codes):
                raise WorkbenchError(
                    "encode-process-died",
                    f"A process ended with exit codes {codes}",
                    fix="It may have run out of memory: lower batch_size, or use fewer devices",
                ) from None
            continue
        if isinstance(item, WorkbenchError):
            raise item
        return cast(_Result, item)


def _serve(folder: Path, device: str, threads: int, job: Job, work: Any, done: Any) -> None:
    """Body of one process: load once, then encode tasks until None comes."""
    try:
        torch.set_num_threads(threads)
        loaded = load_modules(folder)
        target = torch.device(device)
        model = nn.Sequential(*(module for _, module in loaded.modules)).to(target).eval()
        first = cast(InputModule, model[0])
        while (task := work.get()) is not None:
            done.put(_encode_task(model, first, task, target, job))
    except WorkbenchError as error:
        done.put(error)
    except Exception as error:
        done.put(WorkbenchError("encode-process-failed", f"{type(error).__name__}: {error}", where=device))


def _encode_task(
    model: nn.Module, first: InputModule, task: list[tuple[int, str]], device: torch.device, job: Job
) -> _Result:
    rows = encode_texts(
        model,
        first,
        [text for _, text in task],
        prompt=job.prompt,
        batch_size=job.batch_size,
        device=device,
        dim=job.dim,
        normalize=job.normalize,
        truncate_dim=job.truncate_dim,
        compute=job.compute,
    )
    indices = [index for index, _ in task]
    return _Result(
        indices=indices,
        embeddings=rows.embeddings.numpy(),
        truncated=[indices[position] for position in rows.truncated],
        tokens=rows.tokens,
        packed=rows.packed,
        padded_because=rows.padded_because,
        padded_tokens=rows.padding * rows.tokens,
        seconds=rows.seconds,
    )
