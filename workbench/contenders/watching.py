"""Watching a pipeline through hooks on its own objects; for a proof, another pipeline's value put in."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from workbench.contenders.encoder_parts import (
    as_numpy,
    dtype_name,
    embedding_module,
    layer_modules,
    position_modules,
    real_positions,
)
from workbench.contenders.other_tokens import other_parts, padded_batch
from workbench.contenders.token_parts import (
    TokenizerView,
    TokenParts,
    longest_input,
    look_at,
    special_ids,
    take_apart,
)
from workbench.contenders.trace_contract import Trace

Rows = NDArray[Any]


@dataclass
class SeenText:
    """One text on its way through a pipeline: values by stage and name."""

    prepared: str = ""
    parts: TokenParts | None = None
    view: tuple[str, tuple[str, ...]] | None = None
    plain: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, Rows] = field(default_factory=dict)


class Watcher:
    """Keeps what passes, text by text.

    Args:
        tokenizer: The pipeline's own.
        left: A trace of the same texts whose values are put in; None only watches.
        stages: Which of them.
    """

    def __init__(
        self, tokenizer: Any, left: Trace | None = None, stages: frozenset[str] = frozenset()
    ) -> None:
        self.tokenizer = tokenizer
        self.seen: dict[str, SeenText] = {}
        self.batches: list[list[str]] = []
        self.facts: dict[str, Any] = {"training": False, "modules": []}
        self._left = left
        self._stages = stages
        self._place = {text: i for i, text in reversed(list(enumerate(left.texts)))} if left else {}
        self._special = special_ids(tokenizer)
        self._batch: list[SeenText] = []
        self._real: NDArray[np.bool_] = np.zeros((0, 0), dtype=bool)
        self._where: list[int] = []
        self._layer = 0

    # Points of the contract.

    def prepared(self, originals: Sequence[str], prepared: Sequence[str]) -> list[str]:
        """Texts as they go to the tokenizer."""
        if "text" not in self._stages or self._left is None:
            return list(prepared)
        values = self._left.stage("text").plain["prepared"]
        return [str(values[self._place[text]]) for text in originals]

    def features(self, originals: Sequence[str], prepared: Sequence[str], features: Any) -> Any:
        """The padded batch; token-level substitutes are built into a new one."""
        ids = as_numpy(features["input_ids"])
        self._real = real_positions(features, ids, getattr(self.tokenizer, "pad_token_id", None))
        self.batches.append(list(originals))
        self._where = [self._place.get(text, -1) for text in originals]
        view = look_at(self.tokenizer, prepared)
        self._batch = [SeenText(prepared=text) for text in prepared]
        limit = longest_input(self.tokenizer)
        for row, seen in enumerate(self._batch):
            content = None if view is None else view.content[row]
            seen.parts = take_apart(ids[row][self._real[row]].tolist(), content, self._special)
            seen.view = None if view is None else (view.normalised[row], view.pieces[row])
        if self._stages & {"normalisation", "tokens", "specials", "truncation"}:
            features = self._other_tokens(features, limit, view)
        for text, seen in zip(originals, self._batch, strict=True):
            self.seen.setdefault(text, seen)
        return features

    @contextmanager
    def encoding(self, encoder: Any) -> Iterator[None]:
        """Hooks on the real modules of the encoder while it runs."""
        handles: list[Any] = []
        first = embedding_module(encoder)
        if first is not None:
            handles.append(first.register_forward_hook(self._on_embeddings))
        layers = layer_modules(encoder)
        handles += [layer.register_forward_hook(self._on_layer) for layer in layers]
        handles += [
            module.register_forward_pre_hook(self._on_positions, with_kwargs=True)
            for module in position_modules(encoder)
        ]
        self.facts["training"] = any(
            module.training and isinstance(module, nn.Dropout) and module.p > 0
            for module in encoder.modules()
        )
        forward = encoder.forward

        # Not as a hook: upstream calls ``forward`` itself, and hooks would sleep.
        @functools.wraps(forward)
        def watched(*args: Any, **kwargs: Any) -> Any:
            args, kwargs = self._on_inputs(encoder, args, kwargs)
            output = forward(*args, **kwargs)
            self._on_outputs(output)
            return output

        encoder.forward = watched
        try:
            yield
        finally:
            del encoder.forward
            for handle in handles:
                handle.remove()

    def pool_input(self, hidden: Any) -> Any:
        """Token vectors that the pooling reads, and what padding would add to them."""
        hidden = self._rows("layers", "output", hidden)
        self.facts["hidden_dtype"] = dtype_name(hidden)
        values, real = as_numpy(hidden), self._real
        for row, seen in enumerate(self._batch):
            pads = values[row][~real[row]]
            seen.arrays["pooling/pad_sum"] = pads.sum(axis=0) if len(pads) else np.zeros_like(values[row][0])
            seen.plain["pooling/pads"] = len(pads)
            seen.arrays["pooling/first"] = values[row][0]
            seen.arrays["pooling/last"] = values[row][-1]
        return hidden

    def pooled(self, rows: Any) -> Any:
        """One vector a text."""
        self.facts["pooled_dtype"] = dtype_name(rows)
        return self._vectors("pooling", "pooled", rows)

    def module(self, name: str, rows: Any) -> Any:
        """The output of one module."""
        names = self.facts["modules"]
        key = f"{name}" if len(self.batches) > 1 or name not in names else f"{name} 2"
        if key not in names:
            names.append(key)
        return self._vectors("modules", key, rows)

    def finished(self, rows: Any) -> Any:
        """The batch as it leaves the last module."""
        self.facts["finished_dtype"] = dtype_name(rows)
        return self._vectors("modules", "finished", rows)

    # Hooks.

    def _on_inputs(self, module: nn.Module, args: Any, kwargs: dict[str, Any]) -> Any:
        self._layer = 0
        ids: Tensor = kwargs["input_ids"] if "input_ids" in kwargs else args[0]
        shape = ids.shape
        if "padding" in self._stages and self._left is not None:
            kwargs = self._other_inputs(module, kwargs, shape, ids.device)
        mask, types = kwargs.get("attention_mask"), kwargs.get("token_type_ids")
        for row, seen in enumerate(self._batch):
            real = self._real[row]
            seen.plain["padding/width"] = int(shape[1])
            seen.plain["padding/longest"] = int(self._real.sum(axis=1).max(initial=0))
            if mask is None or mask.ndim == 2:
                values = np.ones(shape[1], dtype=int) if mask is None else as_numpy(mask[row]).astype(int)
                seen.plain["padding/mask"] = values[real].tolist()
                seen.plain["padding/attended_pads"] = int(values[~real].sum())
                seen.plain["padding/mask_given"] = mask is not None
            seen.plain["padding/type_ids"] = (
                [0] * int(real.sum()) if types is None else as_numpy(types[row])[real].tolist()
            )
        return args, kwargs

    def _on_positions(self, module: nn.Module, args: Any, kwargs: dict[str, Any]) -> None:
        values = kwargs.get("position_ids", args[-1] if isinstance(module, nn.Embedding) and args else None)
        if values is None and not isinstance(module, nn.Embedding):
            values = next((arg for arg in args if isinstance(arg, Tensor) and arg.ndim == 2), None)
        if values is None or values.shape[-1] != self._real.shape[1]:
            return
        table = np.broadcast_to(as_numpy(values), self._real.shape)
        for row, seen in enumerate(self._batch):
            found = table[row][self._real[row]]
            # Rotations depend on distances alone.
            relative = not isinstance(module, nn.Embedding) and len(found)
            seen.plain["padding/positions"] = (found - found[0] if relative else found).tolist()

    def _on_embeddings(self, module: nn.Module, args: Any, output: Any) -> Any:
        if not isinstance(output, Tensor) or output.shape[:2] != self._real.shape:
            return None
        self.facts["embedding_dtype"] = dtype_name(output)
        return self._rows("embeddings", "embedding", output)

    def _on_layer(self, module: nn.Module, args: Any, output: Any) -> Any:
        hidden = output[0] if isinstance(output, tuple) else output
        if not isinstance(hidden, Tensor) or hidden.shape[:2] != self._real.shape:
            return None
        self._layer += 1
        self.facts["layers"] = self._layer
        changed = self._rows("layers", f"layer {self._layer}", hidden)
        if changed is hidden:
            return None
        return (changed, *output[1:]) if isinstance(output, tuple) else changed

    def _on_outputs(self, output: Any) -> None:
        pooler = getattr(output, "pooler_output", None)
        if isinstance(pooler, Tensor):
            for seen, row in zip(self._batch, as_numpy(pooler), strict=True):
                seen.arrays["pooling/pooler"] = row

    # Keeping and substituting.

    def _rows(self, stage: str, name: str, values: Tensor) -> Tensor:
        """Keep the rows of real tokens; with a substitute, return a copy that holds it."""
        key = f"{stage}/{name}"
        values = self._other_rows(stage, name, values)
        table = as_numpy(values)
        for row, seen in enumerate(self._batch):
            seen.arrays[key] = table[row][self._real[row]]
        return values

    def _vectors(self, stage: str, name: str, values: Tensor) -> Tensor:
        key = f"{stage}/{name}"
        if stage in self._stages and self._left is not None:
            other = self._left.stage(stage).arrays.get(name)
            if other is not None:
                rows = np.stack([other[place] for place in self._where])
                # What is finished is computed with no more: it keeps its own type.
                dtype = torch.float32 if name == "finished" else values.dtype
                values = torch.as_tensor(rows, dtype=dtype, device=values.device)
        for seen, row in zip(self._batch, as_numpy(values), strict=True):
            seen.arrays[key] = row
        return values

    def _other_rows(self, stage: str, name: str, values: Tensor) -> Tensor:
        if stage not in self._stages or self._left is None:
            return values
        other = self._left.stage(stage).arrays.get(name)
        if other is None:
            return values
        changed = values.clone()
        for row, place in enumerate(self._where):
            put = torch.as_tensor(other[place], dtype=values.dtype, device=values.device)
            real = torch.as_tensor(self._real[row], device=values.device)
            if put.shape == changed[row][real].shape:
                changed[row, real] = put
        return changed

    def _other_tokens(self, features: Any, limit: int | None, view: TokenizerView | None) -> Any:
        left = self._left
        if left is None:
            return features
        for seen, place in zip(self._batch, self._where, strict=True):
            assert seen.parts is not None
            seen.parts = other_parts(seen.parts, left, place, self._stages, limit)
            if self._stages & {"normalisation", "tokens"}:
                record = left.stage("normalisation").plain
                if record:
                    seen.view = (record["normalised"][place], tuple(record["pieces"][place]))
        rows = [seen.parts.ids for seen in self._batch if seen.parts is not None]
        changed, self._real = padded_batch(
            features, rows, self._real, getattr(self.tokenizer, "pad_token_id", 0)
        )
        return changed

    def _other_inputs(
        self, encoder: nn.Module, kwargs: dict[str, Any], shape: Sequence[int], device: torch.device
    ) -> dict[str, Any]:
        assert self._left is not None
        plain = self._left.stage("padding").plain
        fills = {"mask": ("attention_mask", 0), "type_ids": ("token_type_ids", 0)}
        changed = dict(kwargs)
        for name, (argument, fill) in fills.items():
            # A model that takes no type ids must not be given any.
            if name in plain and (name == "mask" or argument in kwargs):
                changed[argument] = self._spread(plain[name], shape, fill, device)
        if "positions" in plain and position_modules(encoder):
            offset = min((min(row) for row in plain["positions"] if row), default=0)
            changed["position_ids"] = self._spread(plain["positions"], shape, offset, device)
        return changed

    def _spread(self, values: Sequence[Any], shape: Sequence[int], fill: int, device: torch.device) -> Tensor:
        table = np.full(tuple(shape), fill, dtype=np.int64)
        for row, place in enumerate(self._where):
            if len(values[place]) == self._real[row].sum():
                table[row, self._real[row]] = values[place]
            else:
                table[row, self._real[row]] = 1
        return torch.as_tensor(table, device=device)
