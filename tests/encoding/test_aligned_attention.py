"""Attention seen through an aligned window gives what plain attention gives."""

import pytest
import torch

from workbench.encoding.aligned_attention import attend_aligned
from workbench.models.packed_attention import Group, attend


def row_of(lengths: list[tuple[int, int]]) -> tuple[Group, ...]:
    """Groups of so many texts of such a length, one after the other."""
    groups, start = [], 0
    for texts, length in lengths:
        groups.append(Group(start, texts, length))
        start += texts * length
    return tuple(groups)


@pytest.mark.parametrize(
    ("lengths", "spare"),
    [
        ([(3, 15), (2, 9), (4, 2)], 0),
        ([(1, 100), (3, 31), (2, 17), (5, 16), (1, 1)], 24),
        ([(2, 7)], 0),
        ([(1, 3), (2, 40)], 5),
    ],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_every_length_and_place_gives_what_plain_attention_gives(
    lengths: list[tuple[int, int]], spare: int, dtype: torch.dtype
) -> None:
    groups = row_of(lengths)
    generator = torch.Generator().manual_seed(3)
    qkv = torch.randn(groups[-1].end + spare, 3 * 24, generator=generator).to(dtype)

    given = attend_aligned(qkv, groups, heads=3)
    wanted = attend(qkv, groups, heads=3)

    bound = 1e-6 if dtype == torch.float32 else 0.05
    assert given.shape == wanted.shape
    assert float((given - wanted).abs().max()) <= bound


def test_what_stands_beside_a_text_does_not_reach_it() -> None:
    groups = row_of([(1, 20), (1, 13), (1, 5)])
    qkv = torch.randn(groups[-1].end, 3 * 8, generator=torch.Generator().manual_seed(4))
    changed = qkv.clone()
    changed[:20] *= 50
    changed[33:] *= -50

    before, after = (attend_aligned(rows, groups, heads=2)[20:33] for rows in (qkv, changed))

    assert torch.equal(before, after)
