"""The closed table of causes: where each shows, the stage it names, its test, and what to swap."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.contenders.trace_contract import Trace
from workbench.trace import causes_model as model_tests
from workbench.trace import causes_pooling as pooling_tests
from workbench.trace import causes_text as text_tests
from workbench.trace.causes_wording import FIXES, SENTENCES
from workbench.trace.results import CauseFound, Rung

# Left, right, the rung where they part → what fills the sentence; None where this is not the cause.
Test = Callable[[Trace, Trace, Rung], dict[str, Any] | None]


@dataclass(frozen=True)
class Cause:
    """One entry of the table.

    Attributes:
        key: Its name, and the key of its sentence and fix in ``causes_wording``.
        shows_at: Stages at whose rungs it can be the first difference.
        stage: The stage that it names.
        test: On two traces.
        swap: Stages to substitute for the proof; by default the one it names.
    """

    key: str
    shows_at: tuple[str, ...]
    stage: str
    test: Test
    swap: tuple[str, ...] = ()


def _at(stage: str, key: str, test: Test, swap: tuple[str, ...] = ()) -> Cause:
    return Cause(key, (stage,), stage, test, swap)


def _always(left: Trace, right: Trace, rung: Rung) -> dict[str, Any] | None:
    return {"count": len(rung.differing_texts), "texts": len(left.texts), "name": rung.name}


def _pooling(kind: str) -> Cause:
    return _at("pooling", f"pooling-{kind}", pooling_tests.pools_as(kind))


_WORDS = ("normalisation", "tokens")
_NUMBERS = ("embeddings", "layers", "pooling", "modules")

# The first whose test passes is the cause: special ones stand before general ones.
CAUSES: tuple[Cause, ...] = (
    _at("text", "prompt-missing", text_tests.prompt_missing),
    _at("text", "prompt-doubled", text_tests.prompt_doubled),
    _at("text", "prompt-extra", text_tests.prompt_extra),
    _at("text", "prompt-other", text_tests.prompt_other),
    _at("text", "text-lowercased", text_tests.text_lowercased),
    _at("text", "text-whitespace", text_tests.text_whitespace),
    _at("text", "text-other", _always),
    _at("normalisation", "lowercase-off", text_tests.lowercase_off, _WORDS),
    _at("normalisation", "lowercase-on", text_tests.lowercase_on, _WORDS),
    _at("normalisation", "accents-kept", text_tests.accents_kept, _WORDS),
    _at("normalisation", "accents-stripped", text_tests.accents_stripped, _WORDS),
    _at("normalisation", "pieces-other", text_tests.pieces_other, _WORDS),
    _at("normalisation", "normaliser-other", _always, _WORDS),
    Cause("tokenizer-other", ("tokens",), "provenance", text_tests.tokenizer_other, _WORDS),
    _at("tokens", "tokens-other", _always, _WORDS),
    _at("specials", "specials-missing", text_tests.specials_missing),
    _at("specials", "specials-doubled", text_tests.specials_doubled),
    _at("specials", "specials-other", _always),
    _at("truncation", "max_length-side", text_tests.cut_at_other_end),
    _at("truncation", "max_length-shorter", text_tests.cut_shorter),
    _at("truncation", "max_length-longer", text_tests.cut_longer),
    _at("truncation", "max_length-other", _always),
    _at("padding", "mask-padding-baked", model_tests.padding_baked),
    _at("padding", "mask-missing", model_tests.mask_missing),
    _at("padding", "mask-hides-tokens", model_tests.mask_hides_tokens),
    _at("padding", "type-ids", model_tests.type_ids),
    _at("padding", "positions-shifted", model_tests.positions_shifted),
    _at("padding", "padding-other", _always),
    Cause("training-mode", ("embeddings", "layers"), "embeddings", model_tests.training_mode, _NUMBERS[:2]),
    Cause("quantised", ("embeddings", "layers"), "precision", model_tests.quantised, ("layers",)),
    Cause("weights-other", ("embeddings",), "provenance", model_tests.weights_other, _NUMBERS[:2]),
    _at("embeddings", "embeddings-other", _always),
    _at("layers", "layer-wrong", model_tests.layer_wrong),
    _at("layers", "layer-other", model_tests.layer_other),
    *(_pooling(kind) for kind in pooling_tests.KINDS),
    _at("pooling", "pooling-other", _always),
    _at("modules", "normalize-missing", model_tests.normalize_missing),
    _at("modules", "normalize-extra", model_tests.normalize_extra),
    _at("modules", "skipped-modules", model_tests.skipped_modules),
    _at("modules", "dimension-cut", model_tests.dimension_cut),
    _at("modules", "module-other", _always),
    Cause("precision", _NUMBERS, "precision", model_tests.precision, _NUMBERS[1:]),
    _at("batching", "order-not-restored", model_tests.order_not_restored),
    _at("batching", "batching-other", _always),
    _at("similarity", "similarity-other", model_tests.similarity_other, ("similarity",)),
    _at("similarity", "scores-other", _always),
    _at("ranking", "ranking-other", _always),
)


def name_cause(left: Trace, right: Trace, rung: Rung, rungs: Sequence[Rung]) -> CauseFound:
    """The first cause of the table whose test passes at a rung."""
    if rung.verdict == "precision":
        cause = next(entry for entry in CAUSES if entry.key == "precision")
        return _found(cause, left, right, cause.test(left, right, rung) or {})
    for cause in CAUSES:
        if rung.stage in cause.shows_at and cause.key != "precision":
            values = cause.test(left, right, rung)
            if values is not None:
                return _found(cause, left, right, values)
    return _found(_at(rung.stage, "unexplained", _always), left, right, _always(left, right, rung) or {})


def _found(cause: Cause, left: Trace, right: Trace, values: Mapping[str, Any]) -> CauseFound:
    filled = {"left": left.name, "right": right.name, "stage": cause.stage, **values}
    return CauseFound(
        key=cause.key,
        stage=cause.stage,
        sentence=SENTENCES[cause.key].format(**filled),
        fix=FIXES.get(cause.key, "").format(**filled),
        values=filled,
        swap=cause.swap or (cause.stage,),
    )
