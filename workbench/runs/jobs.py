"""The closed table of the kinds of job that a worker runs. One more kind is one more line."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.runs.bench_job import bench
from workbench.runs.count_job import count
from workbench.runs.job import Job
from workbench.runs.measure_job import measure
from workbench.runs.train_job import train

JOBS: Mapping[str, Job] = {
    "bench": bench,
    "count": count,
    "measure": measure,
    "train": train,
}
