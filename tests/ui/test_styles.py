"""The style sheets: a page's classes are its own, so that no sheet reaches into another page."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

import pytest

from workbench.ui import theme

FOLDER = Path(theme.__file__).parent
PAGES = sorted(path.name for path in FOLDER.glob("style_*.css"))


def classes(sheet: str) -> set[str]:
    """Our own class names that a sheet gives rules to."""
    return set(re.findall(r"\.(wb-[a-z0-9-]+)", (FOLDER / sheet).read_text(encoding="utf-8")))


@pytest.mark.parametrize(("one", "other"), list(combinations(PAGES, 2)))
def test_two_pages_share_no_class_but_those_of_all_pages(one: str, other: str) -> None:
    assert classes(one) & classes(other) <= classes("style.css")


def test_every_sheet_is_served() -> None:
    for sheet in ("style.css", *PAGES):
        assert (FOLDER / sheet).read_text(encoding="utf-8") in theme.CSS
