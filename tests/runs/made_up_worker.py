"""A worker whose benchmark gives the result that its settings hold, where they hold one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.runs.bench_job import bench
from workbench.runs.job import JobContext
from workbench.runs.jobs import JOBS
from workbench.runs.worker import main


def made_up_bench(context: JobContext) -> Mapping[str, Any] | None:
    """The real job, or the result at once."""
    found = context.config.get("result")
    return found if isinstance(found, dict) else bench(context)


if __name__ == "__main__":
    main({**JOBS, "bench": made_up_bench})
