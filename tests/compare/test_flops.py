"""The operations of an encoder, against the count that torch makes of a real one."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from tests.models.tiny import tiny_config
from workbench.compare.flops import EncoderSizes, encoder_sizes
from workbench.compare.gemm_peak import ROWS, gemm_peak, layer_shapes


def test_minilm_has_its_known_figures():
    sizes = EncoderSizes(layers=6, width=384, inner=1536)
    assert sizes.per_token == pytest.approx(21.23e6, rel=1e-3)
    assert sizes.per_token_pair == 9216


@pytest.mark.parametrize("family", ["bert", "roberta", "distilbert", "mpnet"])
def test_the_count_is_that_of_torch(family):
    from transformers import AutoModel

    config = tiny_config(family, 120)
    sizes = encoder_sizes(config.to_dict())
    assert sizes is not None
    model = AutoModel.from_config(config, attn_implementation="eager").eval()
    tokens = 9
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(input_ids=torch.randint(5, 100, (3, tokens)), attention_mask=torch.ones(3, tokens).long())
    # The pooler that some have is one product a text, which pooling never looks at.
    pooler = 3 * 2 * 32 * 32 if getattr(model, "pooler", None) is not None else 0
    assert counter.get_total_flops() - pooler == sizes.of_texts([tokens] * 3)


def test_a_family_of_another_build_is_not_guessed_at():
    assert encoder_sizes({"model_type": "modernbert", "hidden_size": 8}) is None
    assert encoder_sizes({"model_type": "bert", "hidden_size": "8"}) is None
    assert encoder_sizes({}) is None


def test_the_peak_is_the_best_of_its_ways(monkeypatch):
    from workbench.compare import gemm_peak as measured

    monkeypatch.setattr(measured, "_SECONDS_A_WAY", 0.02)
    sizes = EncoderSizes(2, 64, 256)
    found = gemm_peak(sizes, "float32", "cpu", 1)
    assert found is not None
    assert found.gflops == max(figure for _, figure in found.ways) > 0
    assert dict(found.ways)[found.way] == found.gflops
    # oneDNN is part of every CPU build that is tested here.
    assert {way for way, _ in found.ways} == {"linear, one product", "prepacked, one product"}
    assert gemm_peak(sizes, "int8", "cpu", 1) is None
    assert sum(left * right for left, right in layer_shapes(sizes)) * 2 * sizes.layers == sizes.per_token
    assert ROWS > 100
