"""The numbers behind the heatmaps and the map: pairs of texts with their cosines, points with coordinates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from workbench.ui.snapshot import Snapshot
from workbench.ui.texts import Language, say
from workbench.ui.widgets.html import Safe, decimal, element, join, scientific, table, tag

_ROWS = 60
# Spreads below this are float noise: such pairs are ordered by their similarity instead.
_NOISE_DIGITS = 5


def pair_table_html(
    snapshot: Snapshot, matrices: Mapping[str, NDArray[np.float64]], rows: Sequence[int], language: Language
) -> Safe:
    """Cosines of the pairs on which the columns differ most, at most 60.

    Args:
        snapshot: For names and colours.
        matrices: Column label → cosines between the drawn texts. Shape ``(rows, rows)``.
        rows: Index of the text behind each row.
        language: Of headings and note.
    """
    if not matrices or len(rows) < 2:
        return element("p", say(language, "pairs.none"), class_="wb-note")
    upper = np.triu_indices(len(rows), k=1)
    values = np.stack([matrix[upper] for matrix in matrices.values()], axis=1)
    spread = values.max(axis=1) - values.min(axis=1)
    order = np.lexsort((-values[:, 0], -np.nan_to_num(spread).round(_NOISE_DIGITS)))[:_ROWS]
    headings: list[object] = [say(language, "pairs.pair")]
    headings += [tag(label, snapshot.colour(label)) for label in matrices]
    headings += [say(language, "pairs.spread")] if len(matrices) > 1 else []
    shown = []
    for place in order:
        pair = f"{rows[upper[0][place]] + 1} × {rows[upper[1][place]] + 1}"
        cells = [decimal(float(value)) for value in values[place]]
        cells += [scientific(float(spread[place]))] if len(matrices) > 1 else []
        shown.append([pair, *(element("span", cell, class_="wb-number") for cell in cells)])
    note = say(language, "pairs.note", shown=len(shown), total=f"{len(spread):,}")
    return join([table(headings, shown), element("p", note, class_="wb-note")])


def point_table_html(
    snapshot: Snapshot, points: Mapping[str, NDArray[np.floating]], rows: Sequence[int], language: Language
) -> Safe:
    """Coordinates of the drawn points, at most 60 texts."""
    if not points:
        return element("p", say(language, "map.none"), class_="wb-note")
    headings: list[object] = [say(language, "pairs.text")]
    headings += [tag(label, snapshot.colour(label)) for label in points]
    shown = [
        [
            str(row + 1),
            *(
                element(
                    "span",
                    f"{decimal(float(xy[place, 0]), 3)}, {decimal(float(xy[place, 1]), 3)}",
                    class_="wb-number",
                )
                for xy in points.values()
            ),
        ]
        for place, row in enumerate(rows[:_ROWS])
    ]
    return table(headings, shown)
