"""The faults of the field as replacements of steps in a manual pipeline, each one a real bug."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from workbench.contenders.manual.pipeline import ManualPipeline
from workbench.errors import InvalidValueError

Inject = Callable[[ManualPipeline], ManualPipeline]


@dataclass(frozen=True)
class FaultKind:
    """One fault.

    Attributes:
        row: Its number in the catalogue of 24 root causes.
        stage: Where a tracer must point; empty where it must stay silent.
        cause: Keys of the table of causes that name it; several where it shows in either form.
        inject: A sound pipeline → one with this fault.
        needs: What the model must have: ``capitals``, ``prompt``, ``dense``, ``pooler``, ``type ids``,
            ``strips accents``, ``positions``, ``specials``; empty for any.
    """

    row: int
    stage: str
    cause: tuple[str, ...]
    inject: Inject
    needs: str = ""


class _Called:
    """A tokenizer whose calls are given other arguments."""

    def __init__(self, tokenizer: Any, arguments: Mapping[str, Any]) -> None:
        self._tokenizer = tokenizer
        self._arguments = arguments

    def __call__(self, texts: list[str], **arguments: Any) -> Any:
        return self._tokenizer(texts, **{**arguments, **self._arguments})

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tokenizer, name)


def with_arguments(pipeline: ManualPipeline, **arguments: Any) -> ManualPipeline:
    """The same call of the tokenizer with other arguments."""
    before = pipeline.tokenize
    return replace(pipeline, tokenize=lambda tokenizer, texts: before(_Called(tokenizer, arguments), texts))


def limit_of(pipeline: ManualPipeline) -> int:
    """The longest input of a pipeline, asked of its own call."""
    pipeline.tokenize(pipeline.tokenizer, ["a"])
    truncation = pipeline.tokenizer.backend_tokenizer.truncation
    return int(truncation["max_length"]) if truncation else int(pipeline.tokenizer.model_max_length)


def _no_normalize(pipeline: ManualPipeline) -> ManualPipeline:
    kept = tuple(module for module in pipeline.modules if module[0] != "Normalize")
    return replace(pipeline, modules=kept)


def _no_dense(pipeline: ManualPipeline) -> ManualPipeline:
    kept = tuple(module for module in pipeline.modules if module[0] != "Dense")
    if len(kept) == len(pipeline.modules):
        raise InvalidValueError("fault-not-possible", "The pipeline has no Dense module to leave out")
    return replace(pipeline, modules=kept)


def _pooling(pool: Callable[[Any, Tensor, Any], Tensor]) -> Inject:
    return lambda pipeline: replace(pipeline, pool=pool)


def _pooler_output(outputs: Any, hidden: Tensor, batch: Any) -> Tensor:
    rows: Tensor = outputs.pooler_output.float()
    return rows


def _first_column(outputs: Any, hidden: Tensor, batch: Any) -> Tensor:
    return hidden[:, 0]


def _last_column(outputs: Any, hidden: Tensor, batch: Any) -> Tensor:
    return hidden[:, -1]


def _mean_of_columns(outputs: Any, hidden: Tensor, batch: Any) -> Tensor:
    return hidden.mean(dim=1)


def _without_specials(pipeline: ManualPipeline) -> ManualPipeline:
    tokenizer = pipeline.tokenizer
    around = (tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.bos_token_id, tokenizer.eos_token_id)
    special = torch.tensor(sorted({index for index in around if index is not None}))
    before = pipeline.pool

    def pool(outputs: Any, hidden: Tensor, batch: Any) -> Tensor:
        ids = batch["input_ids"]
        content = batch["attention_mask"] * ~torch.isin(ids, special.to(ids.device))
        # A text without content would be a division by zero.
        empty = content.sum(dim=1, keepdim=True) == 0
        mask = torch.where(empty, batch["attention_mask"], content)
        return before(outputs, hidden, {**batch, "attention_mask": mask})

    return replace(pipeline, pool=pool)


def _inputs(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Inject:
    def inject(pipeline: ManualPipeline) -> ManualPipeline:
        before = pipeline.inputs
        return replace(pipeline, inputs=lambda batch: change(before(batch)))

    return inject


def _no_mask(inputs: dict[str, Any]) -> dict[str, Any]:
    # Not absent: some encoders derive a mask from the padding id when they are given none.
    return {**inputs, "attention_mask": torch.ones_like(inputs["attention_mask"])}


def _baked_padding(pipeline: ManualPipeline) -> ManualPipeline:
    # Longer texts are left alone: cutting them would be another fault.
    padded = with_arguments(pipeline, pad_to_multiple_of=min(limit_of(pipeline), 128))
    return replace(_inputs(_no_mask)(padded), pool=_mean_of_columns)


def _length(change: Callable[[int], int]) -> Inject:
    return lambda pipeline: with_arguments(pipeline, max_length=change(limit_of(pipeline)))


def _no_specials(pipeline: ManualPipeline) -> ManualPipeline:
    return with_arguments(pipeline, add_special_tokens=False)


def _double_end(pipeline: ManualPipeline) -> ManualPipeline:
    before = pipeline.tokenize

    def tokenize(tokenizer: Any, texts: list[str]) -> Any:
        end = tokenizer.sep_token or tokenizer.eos_token
        return before(tokenizer, [text + end for text in texts])

    return replace(pipeline, tokenize=tokenize)


def _own_tokenizer(pipeline: ManualPipeline) -> ManualPipeline:
    return replace(pipeline, tokenizer=copy.deepcopy(pipeline.tokenizer))


def _keeps_case(pipeline: ManualPipeline) -> ManualPipeline:
    from tokenizers import normalizers

    changed = _own_tokenizer(pipeline)
    backend = changed.tokenizer.backend_tokenizer
    backend.normalizer = (
        normalizers.BertNormalizer(lowercase=False)
        if isinstance(backend.normalizer, normalizers.BertNormalizer)
        else backend.normalizer
    )
    return changed


def _keeps_accents(pipeline: ManualPipeline) -> ManualPipeline:
    from tokenizers import normalizers

    changed = _own_tokenizer(pipeline)
    changed.tokenizer.backend_tokenizer.normalizer = normalizers.BertNormalizer(
        lowercase=True, strip_accents=False
    )
    return changed


def _splits_on_spaces(pipeline: ManualPipeline) -> ManualPipeline:
    from tokenizers import pre_tokenizers

    changed = _own_tokenizer(pipeline)
    changed.tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return changed


def _types_of_ones(inputs: dict[str, Any]) -> dict[str, Any]:
    return {**inputs, "token_type_ids": torch.ones_like(inputs["input_ids"])}


def _no_prompt(pipeline: ManualPipeline) -> ManualPipeline:
    return replace(pipeline, prepare=lambda texts: texts)


def _double_prompt(pipeline: ManualPipeline) -> ManualPipeline:
    before = pipeline.prepare
    return replace(pipeline, prepare=lambda texts: before(before(texts)))


def _pads_left(pipeline: ManualPipeline) -> ManualPipeline:
    changed = _own_tokenizer(pipeline)
    changed.tokenizer.padding_side = "left"
    before = changed.inputs
    offset = int(getattr(_position_table(pipeline.encoder), "padding_idx", None) or -1) + 1

    def inputs(batch: Any) -> dict[str, Any]:
        given = before(batch)
        ids = given["input_ids"]
        places = torch.arange(ids.shape[1], device=ids.device).expand(ids.shape) + offset
        return {**given, "position_ids": places}

    return replace(changed, inputs=inputs)


def _position_table(encoder: Any) -> Any:
    found = [module for name, module in encoder.named_modules() if name.endswith("position_embeddings")]
    return found[0] if found else None


def _converted(dtype: torch.dtype) -> Inject:
    def inject(pipeline: ManualPipeline) -> ManualPipeline:
        return replace(pipeline, encoder=copy.deepcopy(pipeline.encoder).to(dtype))

    return inject


def _int8(pipeline: ManualPipeline) -> ManualPipeline:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        quantised = torch.ao.quantization.quantize_dynamic(  # type: ignore[no-untyped-call]
            copy.deepcopy(pipeline.encoder), {torch.nn.Linear}, dtype=torch.qint8
        )
    return replace(pipeline, encoder=quantised)


def _training(pipeline: ManualPipeline) -> ManualPipeline:
    encoder = copy.deepcopy(pipeline.encoder)
    for module in encoder.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = module.p or 0.1
    return replace(pipeline, encoder=encoder.train())


def _not_restored(pipeline: ManualPipeline) -> ManualPipeline:
    return replace(pipeline, restore=lambda order: list(range(len(order))))


def _last_but_one(pipeline: ManualPipeline) -> ManualPipeline:
    before = pipeline.inputs
    return replace(
        pipeline,
        inputs=lambda batch: {**before(batch), "output_hidden_states": True},
        hidden=lambda outputs: outputs.hidden_states[-2].float(),
    )


def _bad_layer(pipeline: ManualPipeline) -> ManualPipeline:
    from workbench.contenders.encoder_parts import layer_modules

    encoder = copy.deepcopy(pipeline.encoder)
    layer = layer_modules(encoder)[-1]
    with torch.no_grad():
        for parameter in layer.parameters():
            if parameter.ndim == 2:
                parameter.mul_(2.0)
    return replace(pipeline, encoder=encoder)


def _other_weights(pipeline: ManualPipeline) -> ManualPipeline:
    encoder = copy.deepcopy(pipeline.encoder)
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.mul_(1.05)
    return replace(pipeline, encoder=encoder)


def _shifted_vocabulary(pipeline: ManualPipeline) -> ManualPipeline:
    """A tokenizer whose words have other ids, as a fallback class gives them."""
    backend = pipeline.tokenizer.backend_tokenizer
    state = json.loads(backend.to_str())
    special = {token["content"] for token in state["added_tokens"]}
    words = [word for word in state["model"]["vocab"] if word not in special]
    ids = [state["model"]["vocab"][word] for word in words]
    state["model"]["vocab"].update(zip(words, [*ids[1:], ids[0]], strict=True))
    changed = _own_tokenizer(pipeline)
    changed.tokenizer._tokenizer = type(backend).from_str(json.dumps(state))
    return changed


def _same(pipeline: ManualPipeline) -> ManualPipeline:
    return replace(pipeline, batch_size=max(1, pipeline.batch_size // 2))


# Key → fault. The row numbers are those of the catalogue.
FAULTS: Mapping[str, FaultKind] = {
    "no-normalize": FaultKind(1, "modules", ("normalize-missing",), _no_normalize),
    "pooler-output": FaultKind(2, "pooling", ("pooling-pooler",), _pooling(_pooler_output), "pooler"),
    "cls-pooling": FaultKind(3, "pooling", ("pooling-cls",), _pooling(_first_column)),
    "mean-over-padding": FaultKind(4, "pooling", ("pooling-over-padding",), _pooling(_mean_of_columns)),
    "mask-not-given": FaultKind(5, "padding", ("mask-missing",), _inputs(_no_mask)),
    "padding-baked": FaultKind(6, "padding", ("mask-padding-baked",), _baked_padding),
    "max-length-short": FaultKind(
        7, "truncation", ("max_length-shorter",), _length(lambda limit: limit // 2)
    ),
    "max-length-long": FaultKind(8, "truncation", ("max_length-longer",), _length(lambda limit: 2 * limit)),
    "no-special-tokens": FaultKind(9, "specials", ("specials-missing",), _no_specials, "specials"),
    "specials-not-pooled": FaultKind(
        10, "pooling", ("pooling-without-specials",), _without_specials, "specials"
    ),
    "case-kept": FaultKind(11, "normalisation", ("lowercase-off",), _keeps_case, "strips accents"),
    "accents-kept": FaultKind(12, "normalisation", ("accents-kept",), _keeps_accents, "strips accents"),
    "type-ids": FaultKind(13, "padding", ("type-ids",), _inputs(_types_of_ones), "type ids"),
    "prompt-missing": FaultKind(14, "text", ("prompt-missing",), _no_prompt, "prompt"),
    "prompt-doubled": FaultKind(14, "text", ("prompt-doubled",), _double_prompt, "prompt"),
    "dense-skipped": FaultKind(15, "modules", ("skipped-modules",), _no_dense, "dense"),
    "left-padding": FaultKind(16, "padding", ("positions-shifted",), _pads_left, "positions"),
    "last-column": FaultKind(16, "pooling", ("pooling-last-column",), _pooling(_last_column)),
    "int8": FaultKind(18, "precision", ("quantised",), _int8),
    "bfloat16": FaultKind(19, "precision", ("precision",), _converted(torch.bfloat16)),
    "float16": FaultKind(19, "precision", ("precision",), _converted(torch.float16)),
    "other-batches": FaultKind(20, "", (), _same),
    "training-mode": FaultKind(21, "embeddings", ("training-mode",), _training),
    "order-lost": FaultKind(22, "batching", ("order-not-restored",), _not_restored),
    "wrong-layer": FaultKind(23, "layers", ("layer-wrong",), _last_but_one),
    "bad-layer": FaultKind(23, "layers", ("layer-other",), _bad_layer),
    "other-weights": FaultKind(24, "provenance", ("weights-other",), _other_weights),
    "other-tokenizer": FaultKind(24, "provenance", ("tokenizer-other",), _shifted_vocabulary, "word pieces"),
    "split-on-spaces": FaultKind(24, "normalisation", ("pieces-other",), _splits_on_spaces, "strips accents"),
}


def inject(pipeline: ManualPipeline, keys: Sequence[str]) -> ManualPipeline:
    """Inject faults one after the other.

    Raises:
        InvalidValueError: A key that the table does not hold.
    """
    for key in keys:
        if key not in FAULTS:
            raise InvalidValueError("unknown-fault", f"{key!r}", expected=f"one of {', '.join(FAULTS)}")
        pipeline = FAULTS[key].inject(pipeline)
    return pipeline
