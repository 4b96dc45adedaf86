"""Each fault injected alone is named at its stage with its cause, and the swap closes the gap."""

from __future__ import annotations

from itertools import combinations

import pytest
import torch

from tests.trace.tiny_pipelines import LACKS, TEXTS, sound
from workbench.contenders.trace_contract import STAGES
from workbench.trace.faults import FAULTS, inject
from workbench.trace.pipelines import kernel, manual_pipeline, record
from workbench.trace.prove import prove

CASES = [
    (model, key)
    for model in LACKS
    for key, fault in FAULTS.items()
    if fault.needs not in LACKS[model] and fault.needs != "dense"
] + [("dense", "dense-skipped")]


def of(model, **options):
    if model == "dense":
        return sound("bert", dense=True, **options)
    return sound(model, **options)


@pytest.fixture(scope="module")
def references():
    return {model: record(manual_pipeline(of(model), "left"), TEXTS) for model in [*LACKS, "dense"]}


def proved(references, model, keys):
    torch.manual_seed(0)
    right = manual_pipeline(inject(of(model), keys), "right")
    left = references[model]
    return prove(left, right, record(right, TEXTS, floors=False))


@pytest.mark.parametrize(("model", "key"), CASES, ids=lambda value: value)
def test_a_fault_alone_is_named_and_its_swap_closes_the_gap(references, model, key) -> None:
    fault = FAULTS[key]
    proof = proved(references, model, [key])
    if not fault.stage:
        assert proof.difference.verdict in ("identical", "float noise")
        assert proof.faults == ()
        return
    first = proof.faults[0]
    assert (first.cause.stage, first.cause.key) == (fault.stage, fault.cause[0])
    assert first.cause.sentence and first.cause.swap
    assert proof.closed
    assert proof.faults[-1].gap_after <= proof.difference.gap_limit


# Each at another stage, and none hides another.
COMPATIBLE = [
    "prompt-missing",
    "case-kept",
    "no-special-tokens",
    "max-length-short",
    "type-ids",
    "bad-layer",
    "cls-pooling",
    "no-normalize",
    "bfloat16",
    "order-lost",
]
PAIRS = list(combinations(COMPATIBLE, 2))


def in_order(keys):
    """The causes of faults in the order in which a text meets them: rounding begins at the embeddings."""
    shows = {key: "embeddings" if key == "bfloat16" else FAULTS[key].stage for key in keys}
    return [FAULTS[key].cause[0] for key in sorted(keys, key=lambda key: list(STAGES).index(shows[key]))]


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param(pair, marks=[] if index % 9 == 0 else [pytest.mark.full], id="+".join(pair))
        for index, pair in enumerate(PAIRS)
    ],
)
def test_two_faults_are_both_named_in_order(references, keys) -> None:
    proof = proved(references, "bert", keys)
    assert [fault.cause.key for fault in proof.faults] == in_order(keys)
    assert proof.closed


@pytest.mark.parametrize("model", [*LACKS, "dense"])
@pytest.mark.parametrize("batch_size", [1, 2, 7])
def test_other_batches_kernels_and_threads_give_no_alarm(references, model, batch_size) -> None:
    before = torch.get_num_threads()
    order = [3, 0, 6, 2, 5, 1, 4]
    steps = of(model, batch_size=batch_size)
    try:
        torch.set_num_threads(2)
        with kernel(steps.encoder, "eager"):
            trace = record(manual_pipeline(steps, "right"), [TEXTS[i] for i in order], floors=False)
    finally:
        torch.set_num_threads(before)
    left = record(manual_pipeline(of(model), "left"), [TEXTS[i] for i in order])
    from workbench.trace.diff import diff

    found = diff(left, trace)
    assert found.verdict in ("identical", "float noise"), found.first
    assert found.cause is None
