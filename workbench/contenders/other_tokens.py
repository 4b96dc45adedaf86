"""Other tokens in place of a pipeline's own: for a proof, one text's parts and a whole batch of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from workbench.contenders.encoder_parts import as_numpy
from workbench.contenders.token_parts import TokenParts
from workbench.contenders.trace_contract import Trace


def other_parts(
    own: TokenParts, left: Trace, place: int, stages: frozenset[str], limit: int | None
) -> TokenParts:
    content, prefix, suffix = own.content, own.prefix, own.suffix
    if stages & {"normalisation", "tokens"}:
        content = tuple(left.stage("tokens").plain["content"][place])
    if "specials" in stages:
        prefix = tuple(left.stage("specials").plain["prefix"][place])
        suffix = tuple(left.stage("specials").plain["suffix"][place])
    cut_left = own.cut_left
    if "truncation" in stages:
        kept = int(left.stage("truncation").plain["kept"][place])
        cut_left = bool(left.stage("truncation").plain["cut_left"][place])
    elif limit is not None:
        kept = max(limit - len(prefix) - len(suffix), 0)
    else:
        kept = own.kept if own.kept < len(own.content) else len(content)
    return TokenParts(prefix, content, min(kept, len(content)), suffix, cut_left)


def padded_batch(
    features: Any, rows: list[list[int]], real: NDArray[np.bool_], pad: int | None
) -> tuple[Any, NDArray[np.bool_]]:
    """A batch of the same kind that holds other ids, padded on the same side, to a fixed width if it was."""
    from transformers import BatchEncoding

    before = as_numpy(features["input_ids"])
    longest_before = int(real.sum(axis=1).max(initial=0))
    longest = max((len(row) for row in rows), default=0)
    width = max(longest, before.shape[1]) if before.shape[1] > longest_before else longest
    pads_left = bool((~real[:, 0]).any()) if real.size else False
    ids = np.full((len(rows), width), pad or 0, dtype=np.int64)
    mask = np.zeros((len(rows), width), dtype=bool)
    for index, row in enumerate(rows):
        start = width - len(row) if pads_left else 0
        ids[index, start : start + len(row)] = row
        mask[index, start : start + len(row)] = True
    device = features["input_ids"].device
    values: dict[str, Any] = {"input_ids": torch.as_tensor(ids, device=device)}
    if "attention_mask" in features:
        given = as_numpy(features["attention_mask"])
        # A mask that was already wrong at the tokenizer stays so: it is another stage's fault.
        blind = bool((~real).any()) and bool(given[~real].any())
        values["attention_mask"] = torch.as_tensor((mask | blind).astype(np.int64), device=device)
    if "token_type_ids" in features:
        types = int(as_numpy(features["token_type_ids"])[real].max(initial=0))
        values["token_type_ids"] = torch.as_tensor(mask.astype(np.int64) * types, device=device)
    for key in features:
        if key not in (*values, "position_ids"):
            values[key] = features[key]
    if isinstance(features, Mapping) and not isinstance(features, BatchEncoding):
        return values, mask
    return BatchEncoding(values), mask
