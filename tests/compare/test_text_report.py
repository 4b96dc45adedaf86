"""A comparison as text: every pair and column once, undefined numbers as a dash, columns aligned."""

from __future__ import annotations

import numpy as np

from workbench.compare.results import (
    Agreement,
    Column,
    Comparison,
    Conditions,
    Coverage,
    EncodedColumn,
    NoiseFloor,
    Speed,
)
from workbench.compare.text_report import as_text
from workbench.contenders.contract import Settings, TokenCount

NAN = float("nan")
WARNING = "The vocabulary lacks this language"


def encoded(label: str, *, skipped: tuple[str, ...] = ()) -> EncodedColumn:
    counts = (TokenCount(kept=4, full=4, unknown=0), TokenCount(kept=8, full=20, unknown=1))
    column = Column(label, "own", "a-model", Settings(device="cpu"))
    return EncodedColumn(column, np.zeros((2, 3), np.float32), counts, "0" * 64, 0.1, skipped)


def comparison() -> Comparison:
    return Comparison(
        texts=("one", "two"),
        columns=(encoded("own"), encoded("a longer label", skipped=("Dense", "LayerNorm"))),
        failures={},
        noise_floor=NoiseFloor(1.5e-7, {"own": 1.5e-7}, 4.0, "Batched otherwise."),
        agreements=(
            Agreement("own", "a longer label", "different", NAN, NAN, NAN, 0.25, (0,), {}, "They differ."),
            Agreement("own", "own", "float noise", 1.25e-7, 0.9999999, 1.0, NAN, (), {}, "Noise."),
        ),
        coverage=(
            Coverage("own", 0.125, 1.5, 1, 2, 0, WARNING),
            Coverage("a longer label", 0.0, 1.5, 1, 2, 0, WARNING),
        ),
        speeds=(Speed("own", 3, 1234.5, 9876.5, 1.25, 2.5, "cpu", 2, 456.7),),
        conditions=Conditions({}, "a cpu", 2, None, "3.11", "2026-01-01"),
    )


def test_pairs_columns_and_notes_stand_there_once() -> None:
    lines = as_text(comparison()).splitlines()
    assert [line.split() for line in lines[:3]] == [
        ["columns", "verdict", "max", "|Δ|", "min", "cos", "mean", "cos", "Spearman"],
        ["own", "·", "a", "longer", "label", "different", "–", "–", "–", "0.250000", "They", "differ."],
        ["own", "·", "own", "float", "noise", "1.2e-07", "1.000000", "1.000000", "–", "Noise."],
    ]
    assert "Noise floor 1.5e-07: Batched otherwise." in lines
    assert [line.split() for line in lines if line.startswith("own  ")][-1] == [
        "own", "3", "1/2", "12.5%", "1.50", "1,234", "9,876", "1.2", "2.5", "457", "cpu",
    ]  # fmt: skip
    assert "a longer label leaves out modules of this model: Dense, LayerNorm" in lines
    assert lines.count(WARNING) == 1


def test_a_column_without_speed_has_dashes_and_the_tables_are_aligned() -> None:
    lines = as_text(comparison()).splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("column "))
    header, own, other = lines[start : start + 3]
    assert other.split()[-6:] == ["–", "–", "–", "–", "–", "cpu"]
    for name in ("dim", "sentences/s", "peak MB"):
        end = header.index(name) + len(name)
        assert all(line[end - 1] != " " and line[end] == " " for line in (own, other))


def test_one_column_alone_has_no_table_of_pairs() -> None:
    whole = comparison()
    alone = Comparison(
        texts=whole.texts, columns=whole.columns[:1], failures={}, noise_floor=None, agreements=(),
        coverage=(), speeds=(), conditions=whole.conditions,
    )  # fmt: skip
    lines = as_text(alone).splitlines()
    assert [line.split()[0] for line in lines] == ["column", "own"]
