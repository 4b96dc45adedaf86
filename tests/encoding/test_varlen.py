"""One kernel for all lengths is taken only where it is there and gives what the groups give."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.models.tiny import AWKWARD, write_encoder
from workbench.encoding import engine, varlen
from workbench.encoding.probe import alike
from workbench.models.packed import pack, packed_forward
from workbench.models.transformer import Transformer


def by_text(query: Tensor, key: Tensor, value: Tensor, starts: Tensor, *rest: Any) -> Tensor:
    """What the kernel does, a text at a time."""
    out = torch.empty_like(query)
    for begin, end in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        one, two, three = (rows[begin:end].transpose(0, 1)[None] for rows in (query, key, value))
        out[begin:end] = torch.nn.functional.scaled_dot_product_attention(one, two, three)[0].transpose(0, 1)
    return out


def mixed_up(query: Tensor, key: Tensor, value: Tensor, *rest: Any) -> Tensor:
    """Every text sees its neighbours."""
    return by_text(query, key, value, torch.tensor([0, len(query)]))


def missing(*rest: Any) -> Tensor:
    raise RuntimeError("no kernel image is available for execution on the device")


@pytest.mark.parametrize(("kernel", "works"), [(by_text, True), (mixed_up, False), (missing, False)])
def test_the_probe_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kernel: Any, works: bool) -> None:
    from torch.nn.attention import varlen as torchs

    monkeypatch.setattr(torchs, "varlen_attn", kernel)
    monkeypatch.setattr(engine, "offered", lambda *_: True)
    first = Transformer(write_encoder(tmp_path / "m", "bert"), max_seq_length=40)
    encoder = copy.deepcopy(first.encoder).to(torch.bfloat16).eval()
    items = sorted(first.tokenize_texts(AWKWARD), key=lambda item: item.length)
    batch = pack(encoder, items)
    with torch.inference_mode():
        assert engine._varlen_works(encoder) == works
        run = engine._on_device(first.encoder.eval(), "bfloat16")
        got = run(batch)
        assert got.dtype == torch.float32
        assert alike(got.bfloat16(), packed_forward(encoder, batch))


def test_it_is_offered_in_half_precision_on_a_gpu_alone() -> None:
    cuda, cpu = torch.device("cuda"), torch.device("cpu")
    assert varlen.offered(torch.bfloat16, cuda, 32)
    assert not varlen.offered(torch.float32, cuda, 32)
    assert not varlen.offered(torch.bfloat16, cpu, 32)
    assert not varlen.offered(torch.bfloat16, cuda, 12)
    assert not varlen.offered(torch.bfloat16, cuda, 512)
