"""Recording the sentence-transformers pipeline stage by stage, through hooks on its own objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from sentence_transformers.sentence_transformer.modules import Pooling

from workbench.contenders.contract import ModelPaths
from workbench.contenders.trace_assembly import assemble
from workbench.contenders.trace_contract import Trace
from workbench.contenders.upstream.encode import UpstreamContender
from workbench.contenders.watching import Watcher
from workbench.contenders.watching_modules import watched_modules
from workbench.errors import InvalidValueError


def record_upstream(
    contender: UpstreamContender,
    paths: ModelPaths,
    texts: Sequence[str],
    left: Trace | None = None,
    stages: frozenset[str] = frozenset(),
) -> Trace:
    """Call ``SentenceTransformer.encode`` under a watcher.

    Args:
        left, stages: Put this trace's values in at these stages.

    Raises:
        InvalidValueError: The model has no encoder and pooling to look into.
    """
    model = contender.model
    modules: list[Any] = list(model)
    pooling = next((module for module in modules if isinstance(module, Pooling)), None)
    encoder = getattr(modules[0], "auto_model", None)
    if pooling is None or encoder is None:
        raise InvalidValueError(
            "trace-no-encoder",
            f"The first module is a {type(modules[0]).__name__}",
            expected="an encoder and a pooling",
            fix="Compare final vectors instead: a static embedding has no stages in between",
        )
    watcher = Watcher(model.tokenizer, left, stages)
    own_preprocess = model.preprocess

    def preprocess(inputs: Sequence[str], prompt: str | None = None, **kwargs: Any) -> Any:
        told = [(prompt or "") + text for text in inputs]
        prepared = watcher.prepared(inputs, told)
        features = (
            own_preprocess(inputs, prompt=prompt, **kwargs)
            if prepared == told
            else own_preprocess(prepared, **kwargs)
        )
        return watcher.features(inputs, prepared, features)

    # On the instance: the class stays as it is, and so does every other model.
    model.preprocess = preprocess
    try:
        with watcher.encoding(encoder), watched_modules(modules, pooling, watcher):
            embeddings = contender.encode(texts)
    finally:
        del model.preprocess
    if "batching" in stages:
        rows = [watcher.seen[text].arrays["modules/finished"] for text in texts]
        embeddings = np.stack(rows).astype(np.float32)
    scores = model.similarity(embeddings, embeddings).float().cpu().numpy()
    return assemble(
        "upstream",
        texts,
        watcher,
        encoder,
        embeddings,
        scores,
        asdict(contender.settings),
        {"root": paths.root.name},
        str(model.similarity_fn_name),
    )
