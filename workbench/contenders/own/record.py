"""Recording this package's own pipeline stage by stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import torch

from workbench.contenders.contract import ModelPaths
from workbench.contenders.own.encode import OwnContender
from workbench.contenders.trace_assembly import assemble
from workbench.contenders.trace_contract import Trace
from workbench.contenders.watching import Watcher
from workbench.contenders.watching_modules import watched_modules
from workbench.encoding.plan import length_batches
from workbench.errors import InvalidValueError
from workbench.models.pooling import Pooling
from workbench.models.transformer import Transformer


def record_own(
    contender: OwnContender,
    paths: ModelPaths,
    texts: Sequence[str],
    left: Trace | None = None,
    stages: frozenset[str] = frozenset(),
) -> Trace:
    """Run the modules one batch after the other under a watcher; the embeddings are those of ``encode``.

    Args:
        left, stages: Put this trace's values in at these stages; the embeddings then are the modules'.

    Raises:
        InvalidValueError: ``trace-no-encoder``: the model has no encoder and pooling to look into.
            ``trace-int8``: a trace is of the modules, whose int8 stands in another pass.
    """
    if contender.settings.precision == "int8":
        raise InvalidValueError(
            "trace-int8",
            "Precision 'int8' in a trace",
            expected="float32, bfloat16 or float16",
            fix="Trace another precision, and compare the final vectors for the cost of int8",
            where="precision",
        )
    model = contender.model
    first: Any = model[0]
    pooling = next((module for module in model if isinstance(module, Pooling)), None)
    if not isinstance(first, Transformer) or pooling is None:
        raise InvalidValueError(
            "trace-no-encoder",
            f"The first module is a {type(first).__name__}",
            expected="an encoder and a pooling",
            fix="Compare final vectors instead: a static embedding has no stages in between",
        )
    watcher = Watcher(first.tokenizer, left, stages)
    with contender.exclusively():
        _walk(contender, list(dict.fromkeys(texts)), watcher, pooling)
        if stages:
            rows = [watcher.seen[text].arrays["modules/finished"] for text in texts]
            embeddings = np.stack(rows).astype(np.float32)
        else:
            embeddings = contender.encode(texts)
        scores = model.similarity(embeddings, embeddings).float().cpu().numpy()
    return assemble(
        "own",
        texts,
        watcher,
        first.auto_model,
        embeddings,
        scores,
        asdict(contender.settings),
        {"root": paths.root.name},
        model.similarity_fn_name.value,
    )


def _walk(contender: OwnContender, texts: list[str], watcher: Watcher, pooling: Pooling) -> None:
    model, settings = contender.model, contender.settings
    first: Any = model[0]
    tokenized = first.tokenize_texts([settings.prompt + text for text in texts])
    prompt_length = _prompt_length(first, settings.prompt)
    with torch.inference_mode():
        for rows in length_batches([item.length for item in tokenized], settings.batch_size):
            originals = [texts[row] for row in rows]
            told = [settings.prompt + text for text in originals]
            prepared = watcher.prepared(originals, told)
            items = [tokenized[row] for row in rows] if prepared == told else first.tokenize_texts(prepared)
            features = watcher.features(originals, prepared, first.collate(items))
            features = {name: value.to(settings.device) for name, value in features.items()}
            if prompt_length is not None:
                features["prompt_length"] = prompt_length
            with watcher.encoding(first.auto_model), watched_modules(list(model), pooling, watcher):
                model(features)


def _prompt_length(first: Any, prompt: str) -> int | None:
    if not prompt:
        return None
    ids = first.tokenize_texts([prompt])[0].inputs["input_ids"]
    return len(ids) - 1 if ids and ids[-1] in first.tokenizer.all_special_ids else len(ids)
