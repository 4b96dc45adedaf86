"""A recipe in eight toggles, run on a model; recipes that differ after the encoder share its forward pass."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from workbench.contenders.manual.pooling import pool
from workbench.errors import InvalidValueError

# Toggle → value.
Recipe = dict[str, Any]

# Toggles that need another forward pass, and those that do not.
COSTLY = ("prompt", "case", "special_tokens", "max_length", "type_ids")
CHEAP = ("pooling", "normalize", "layer", "modules")

_POOLINGS = (
    "mean",
    "cls",
    "max",
    "lasttoken",
    "mean_sqrt_len_tokens",
    "weightedmean",
    "mean without special tokens",
    "pooler_output",
)
_BATCH = 8
_KEPT = 3


@dataclass
class RecipeRunner:
    """A model and the texts to run it on.

    Attributes:
        own: What the model's folder says.
        options: Toggle → other values to try.
    """

    texts: Sequence[str]
    tokenizer: Any
    encoder: nn.Module
    later: Sequence[nn.Module]
    own: Recipe
    options: Mapping[str, tuple[Any, ...]]
    _passes: dict[tuple[Any, ...], list[tuple[Any, Tensor]]] = field(default_factory=dict)

    def vectors(self, recipe: Recipe) -> NDArray[np.float64] | None:
        """What a recipe gives. Shape ``(texts, dim)``; None where the model cannot follow it."""
        rows = []
        for outputs, batch in self._forward(recipe):
            pooled = self._pooled(outputs, batch, recipe)
            if pooled is None:
                return None
            rows.append(pooled)
        finished = self._finished(torch.cat(rows), recipe)
        return None if finished is None else finished.double().numpy()

    def _forward(self, recipe: Recipe) -> list[tuple[Any, Any]]:
        key = tuple(recipe[name] for name in COSTLY)
        if key not in self._passes:
            while len(self._passes) >= _KEPT:
                self._passes.pop(next(iter(self._passes)))
            self._passes[key] = [
                self._batch(list(self.texts[start : start + _BATCH]), recipe)
                for start in range(0, len(self.texts), _BATCH)
            ]
        return self._passes[key]

    def _batch(self, texts: list[str], recipe: Recipe) -> tuple[Any, Any]:
        tokenizer = self.tokenizer
        if recipe["case"] == "kept":
            from workbench.models.tokenizer import set_lower_case

            tokenizer = copy.deepcopy(tokenizer)
            set_lower_case(tokenizer, False)
        prompted = [recipe["prompt"] + text for text in texts]
        if recipe["case"] == "lowered":
            prompted = [text.lower() for text in prompted]
        batch = tokenizer(
            prompted,
            padding=True,
            truncation=True,
            max_length=recipe["max_length"],
            add_special_tokens=recipe["special_tokens"],
            return_tensors="pt",
        )
        if batch["input_ids"].shape[1] == 0:
            # Nothing but empty texts without special tokens: one padding token, masked.
            pad = torch.full((len(texts), 1), int(tokenizer.pad_token_id or 0))
            batch = {"input_ids": pad, "attention_mask": torch.zeros_like(pad)}
        inputs = dict(batch)
        if recipe["type_ids"]:
            inputs["token_type_ids"] = torch.ones_like(inputs["input_ids"])
        with torch.inference_mode():
            outputs = self.encoder(**inputs, output_hidden_states=True)
        return outputs, inputs

    def _pooled(self, outputs: Any, batch: Any, recipe: Recipe) -> Tensor | None:
        if recipe["pooling"] == "pooler_output":
            pooled = getattr(outputs, "pooler_output", None)
            # It is made of the last layer alone.
            return pooled if recipe["layer"] == -1 else None
        states = outputs.hidden_states
        if recipe["layer"] != -1 and len(states) < -recipe["layer"]:
            return None
        hidden = outputs.last_hidden_state if recipe["layer"] == -1 else states[recipe["layer"]]
        mask, mode = batch["attention_mask"], recipe["pooling"]
        if mode == "mean without special tokens":
            if not recipe["special_tokens"]:
                return None
            mask = mask * ~torch.isin(batch["input_ids"], torch.tensor(self.tokenizer.all_special_ids))
            mode = "mean"
        with torch.inference_mode():
            return pool(hidden.float(), mask, tuple(mode.split("+")))

    def _finished(self, rows: Tensor, recipe: Recipe) -> Tensor | None:
        with torch.inference_mode():
            if recipe["modules"] == "applied":
                features = {"sentence_embedding": rows}
                for module in self.later:
                    try:
                        features = module(features)
                    except RuntimeError:
                        # Another width than the module takes.
                        return None
                rows = features["sentence_embedding"]
            return nn.functional.normalize(rows, p=2, dim=1) if recipe["normalize"] else rows


def open_runner(
    model: str, texts: Sequence[str], *, prompts: Sequence[str] = (), lengths: Sequence[int] = ()
) -> RecipeRunner:
    """Load a model and state what its folder says.

    Raises:
        InvalidValueError: A static embedding, which has no such toggles.
        ModelFolderError, ModelSourceError: As ``open_model``.
    """
    from workbench.models.folder import load_modules, open_model
    from workbench.models.normalize import Normalize
    from workbench.models.pooling import Pooling
    from workbench.models.transformer import Transformer

    checked = open_model(model)
    modules = [module for _, module in load_modules(checked.root).modules]
    first = modules[0]
    if not isinstance(first, Transformer):
        raise InvalidValueError(
            "black-box-no-encoder",
            f"The first module is a {type(first).__name__}",
            expected="an encoder",
            fix="A static embedding has no pooling, mask or layers to vary",
        )
    place = next(index for index, module in enumerate(modules) if isinstance(module, Pooling))
    later = [module for module in modules[place + 1 :] if not isinstance(module, Normalize)]
    own: Recipe = {
        "prompt": checked.prompts.get(checked.default_prompt_name or "", ""),
        "case": "as the tokenizer",
        "special_tokens": True,
        "max_length": checked.max_length,
        "type_ids": 0,
        "pooling": checked.pooling,
        "normalize": checked.normalize,
        "layer": -1,
        "modules": "applied" if later else "none",
    }
    values: dict[str, tuple[Any, ...]] = {
        "prompt": ("", *checked.prompts.values(), *prompts),
        "case": ("kept", "lowered"),
        "special_tokens": (False,),
        "max_length": tuple(length for length in lengths if length <= checked.position_limit),
        "type_ids": (1,) if getattr(first.auto_model.config, "type_vocab_size", 0) > 1 else (),
        "pooling": _POOLINGS,
        "normalize": (True, False),
        "layer": (-2, -3, 1, 0),
        "modules": ("skipped",) if later else (),
    }
    options = {
        name: tuple(dict.fromkeys(value for value in tried if value != own[name]))
        for name, tried in values.items()
    }
    return RecipeRunner(list(texts), first.tokenizer, first.auto_model, later, own, options)
