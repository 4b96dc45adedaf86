"""Attention in buckets and its dropout: values and gradients of plain attention, shares that are kept."""

from itertools import combinations

import pytest
import torch

from workbench.models import packed_training
from workbench.models.packed_attention import Group, attend
from workbench.models.packed_dropout import drop
from workbench.models.packed_training import attend_in_buckets, buckets


def row_of(lengths: list[int]) -> tuple[Group, ...]:
    """A group for each text."""
    groups, start = [], 0
    for length in lengths:
        groups.append(Group(start, 1, length))
        start += length
    return tuple(groups)


@pytest.mark.parametrize("lengths", [[31, 30, 17, 9, 9, 8, 3, 1], [5], [6, 6, 6], [128, 2, 1]])
@pytest.mark.parametrize("spare", [0, 7])
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_values_and_gradients_are_those_of_plain_attention(
    lengths: list[int], spare: int, dropout: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The form with dropout, of which nothing is dropped.
    monkeypatch.setattr(packed_training, "drop", lambda rows, share: rows)
    groups = row_of(lengths)
    generator = torch.Generator().manual_seed(6)
    found = []
    qkv = torch.randn(sum(lengths) + spare, 3 * 24, generator=generator, dtype=torch.float64)
    weights = torch.randn(sum(lengths) + spare, 24, generator=generator, dtype=torch.float64)
    for attention, share in ((attend, 0.0), (attend_in_buckets, dropout)):
        rows = qkv.clone().requires_grad_()
        out = attention(rows, groups, 3, share)
        (out * weights).sum().backward()
        found.append((out.detach(), rows.grad))

    (wanted, wanted_gradient), (given, gradient) = found
    assert torch.allclose(given, wanted, rtol=0, atol=1e-12)
    assert gradient is not None and wanted_gradient is not None
    assert torch.allclose(gradient, wanted_gradient, rtol=0, atol=1e-12)


def test_buckets_keep_every_text_in_order_and_bound_the_padding() -> None:
    lengths = [200, 120, 40, 39, 38, 20, 12, 12, 11, 7, 6, 3, 1]
    found = buckets(lengths)
    assert [length for bucket in found for length in bucket] == lengths
    assert 1 < len(found) < 8
    for bucket in found:
        assert len(bucket) * max(bucket) ** 2 <= 2 * sum(length**2 for length in bucket)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.003])
def test_dropout_drops_its_share_and_keeps_the_expectation(share: float) -> None:
    torch.manual_seed(7)
    rows = torch.ones(1_000_001)
    given = drop(rows, share)
    dropped = float((given == 0).double().mean())
    # Four standard deviations of a binomial share.
    assert dropped == pytest.approx(share, abs=4 * (share * (1 - share) / rows.numel()) ** 0.5)
    # A share is one of 65,536 parts, and what is kept makes up for exactly that.
    parts = round(share * 65_536) / 65_536
    assert given.unique().tolist() == pytest.approx([0.0, 1 / (1 - parts)], rel=1e-6)
    # Neighbours share a draw of 64 bits, but no bit of it.
    four = (given == 0)[:-1].view(-1, 4)
    for first, second in combinations(range(4), 2):
        both = float((four[:, first] & four[:, second]).double().mean())
        assert both == pytest.approx(share**2, abs=4 * (share**2 / len(four)) ** 0.5)


def test_dropout_follows_torchs_seed_and_state() -> None:
    rows = torch.randn(7, 5)
    torch.manual_seed(8)
    first = drop(rows, 0.4)
    state = torch.get_rng_state()
    second = drop(rows, 0.4)
    torch.set_rng_state(state)
    assert torch.equal(drop(rows, 0.4), second)
    torch.manual_seed(8)
    assert torch.equal(drop(rows, 0.4), first) and not torch.equal(first, second)


def test_dropout_of_nothing_and_of_all() -> None:
    rows = torch.randn(4, 3)
    assert drop(rows, 0.0) is rows
    assert not drop(rows, 1.0).any()
    assert drop(rows, 1 - 1e-9).isfinite().all()
    assert drop(rows[:0], 0.3).shape == (0, 3)
