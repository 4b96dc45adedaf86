"""Recording the manual pipeline stage by stage."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from workbench.contenders.contract import ModelPaths
from workbench.contenders.manual.encode import ManualContender
from workbench.contenders.manual.pipeline import ManualPipeline
from workbench.contenders.trace_assembly import assemble, cosine_scores
from workbench.contenders.trace_contract import Trace
from workbench.contenders.watching import Watcher


def record_pipeline(
    pipeline: ManualPipeline,
    texts: Sequence[str],
    *,
    name: str = "manual",
    settings: Mapping[str, Any] | None = None,
    provenance: Mapping[str, Any] | None = None,
    scores: Callable[[Any], Any] = cosine_scores,
    similarity: str = "cosine",
    left: Trace | None = None,
    stages: frozenset[str] = frozenset(),
) -> Trace:
    """Run the steps under a watcher.

    Args:
        left, stages: Put this trace's values in at these stages.
    """
    watcher = Watcher(pipeline.tokenizer, left, stages)
    rows = pipeline.run(texts, watcher)
    if "batching" in stages:
        # The rows as they were finished, in the order of the texts.
        import torch

        rows = torch.stack([torch.as_tensor(watcher.seen[text].arrays["modules/finished"]) for text in texts])
    embeddings = rows.float().numpy()
    table = cosine_scores(embeddings) if "similarity" in stages else scores(embeddings)
    function = "cosine" if "similarity" in stages else similarity
    return assemble(
        name,
        texts,
        watcher,
        pipeline.encoder,
        embeddings,
        table,
        {"batch_size": pipeline.batch_size, **(settings or {})},
        provenance or {},
        function,
    )


def record_manual(
    contender: ManualContender,
    paths: ModelPaths,
    texts: Sequence[str],
    left: Trace | None = None,
    stages: frozenset[str] = frozenset(),
) -> Trace:
    """Record the manual contender; see ``record_pipeline``."""
    from dataclasses import asdict

    with contender.exclusively():
        return record_pipeline(
            contender.pipeline(),
            texts,
            settings=asdict(contender.settings),
            provenance={"root": paths.root.name},
            left=left,
            stages=stages,
        )
