"""Who is called the winner, and when nobody is."""

from __future__ import annotations

import pytest

from workbench.compare.bench_plan import Variant
from workbench.compare.bench_results import Measured
from workbench.compare.bench_verdict import verdicts, with_ratios
from workbench.compare.busy import BUSY_SHARE, Busy

QUIET = {"sentences · cpu": Busy(0.0, 10.0, 2)}
FAST, SLOW = (1.0, 1.1, 1.0, 0.9, 1.05), (2.0, 2.1, 1.9, 2.2, 2.0)


def one(contender: str, seconds: tuple[float, ...], precision: str = "float32", batch: int = 32) -> Measured:
    return Measured(Variant(contender, precision, batch, "cpu"), "sentences", 10, 100, 1.0, seconds)


def test_the_fastest_wins_where_every_interval_lies_above_one():
    (found,) = verdicts([one("a", FAST), one("b", SLOW), one("c", (5.0,) * 5)], QUIET)
    assert found.reason_key == "winner" and found.winner == found.fastest == "a · float32 · 32 · cpu"
    assert found.over == "b · float32 · 32 · cpu"
    assert found.ratio is not None and found.ratio.low is not None and found.ratio.low > 1


def test_an_interval_around_one_names_nobody():
    (found,) = verdicts([one("a", (1.0, 2.0, 1.0, 2.0, 1.0)), one("b", (2.0, 1.0, 1.1, 1.0, 2.0))], QUIET)
    assert (found.winner, found.reason_key) == ("", "interval")
    assert found.fastest.startswith("a")


def test_one_undecided_rival_is_enough_to_name_nobody():
    close = tuple(value * factor for value, factor in zip(FAST, (1.3, 0.9, 1.2, 0.95, 1.1), strict=True))
    (found,) = verdicts([one("a", FAST), one("b", SLOW), one("c", close)], QUIET)
    assert found.winner == "" and found.over.startswith("c")


@pytest.mark.parametrize(("share", "winner"), [(BUSY_SHARE, True), (BUSY_SHARE + 0.001, False)])
def test_a_busy_machine_has_no_winner_however_clear_the_interval(share, winner):
    busy = {"sentences · cpu": Busy(share, 10.0, 2, (("compiler", share),))}
    (found,) = verdicts([one("a", FAST), one("b", SLOW)], busy)
    assert bool(found.winner) is winner
    if not winner:
        assert found.reason_key == "busy"
        assert found.reason_values == {"share": share, "limit": BUSY_SHARE, "names": "compiler"}


def test_few_rounds_and_a_lone_contender_have_no_winner():
    (few,) = verdicts([one("a", FAST[:4]), one("b", SLOW[:4])], QUIET)
    assert (few.winner, few.reason_key, few.reason_values["rounds"]) == ("", "few-rounds", 4)
    (alone,) = verdicts([one("a", FAST), one("a", SLOW, batch=8)], QUIET)
    assert (alone.winner, alone.reason_key, alone.ratio) == ("", "alone", None)


def test_a_contender_stands_with_its_best_batch_size_and_precisions_do_not_mix():
    found = verdicts(
        [one("a", SLOW), one("a", FAST, batch=8), one("b", SLOW), one("b", (0.1,) * 5, "int8")], QUIET
    )
    assert [(row.precision, row.reason_key) for row in found] == [("float32", "winner"), ("int8", "alone")]
    assert found[0].winner == "a · float32 · 8 · cpu"


def test_ratios_are_to_the_baselines_exact_best():
    rows = [one("a", FAST), one("up", SLOW), one("up", (4.0,) * 5, batch=8), one("up", FAST, "bfloat16")]
    found = with_ratios(rows, "up")
    assert [row.ratio.value for row in found if row.ratio] == pytest.approx([2.0, 1.0, 0.5, 2.0])
    # Without float32, the baseline's first precision; without a baseline, none.
    lone = with_ratios([one("a", FAST), one("up", FAST, "bfloat16")], "up")
    assert lone[0].ratio is not None and lone[0].ratio.value == 1.0
    assert with_ratios([one("a", FAST)], "up")[0].ratio is None
