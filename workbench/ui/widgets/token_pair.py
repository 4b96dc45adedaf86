"""One text as two pipelines read it: the tokens of both sides aligned, equal runs folded, cut ends marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

from workbench.contenders.trace_contract import Trace
from workbench.ui.texts import Language, say
from workbench.ui.widgets.html import NOTHING, Safe, element, join, readable

Role = Literal["special", "read", "cut"]
# Equal tokens shown on either side of a difference; and cells shown in all.
_AROUND = 4
_CELLS = 90
# The alignment is quadratic at worst: longer texts are compared place by place.
_ALIGNED = 1500


@dataclass(frozen=True)
class SideToken:
    """One token of one side: its id, its name, and whether the encoder reads it."""

    index: int
    name: str
    role: Role


@dataclass(frozen=True)
class Cell:
    """Two aligned tokens; None where one side has none."""

    left: SideToken | None
    right: SideToken | None

    @property
    def equal(self) -> bool:
        """Whether both sides read, or do not read, the same id here."""
        a, b = self.left, self.right
        return (
            a is not None and b is not None and a.index == b.index and (a.role == "cut") == (b.role == "cut")
        )


def side_tokens(trace: Trace, text: int, names: Mapping[int, str]) -> tuple[SideToken, ...]:
    """All tokens of one text in a trace, the cut ones among them; empty where they were not recorded."""
    content = _plain(trace, "tokens", "content", text)
    if content is None:
        return ()
    prefix = _plain(trace, "specials", "prefix", text) or ()
    suffix = _plain(trace, "specials", "suffix", text) or ()
    kept = _plain(trace, "truncation", "kept", text)
    kept = len(content) if kept is None else int(kept)
    from_left = bool(_plain(trace, "truncation", "cut_left", text))
    roles: list[tuple[int, Role]] = [(index, "special") for index in prefix]
    for place, index in enumerate(content):
        read = place >= len(content) - kept if from_left else place < kept
        roles.append((index, "read" if read else "cut"))
    roles += [(index, "special") for index in suffix]
    return tuple(SideToken(int(index), names.get(int(index), str(index)), role) for index, role in roles)


def align(left: Sequence[SideToken], right: Sequence[SideToken]) -> tuple[Cell, ...]:
    """Cells in the order of the text, by the ids of both sides."""
    a, b = [token.index for token in left], [token.index for token in right]
    if max(len(a), len(b)) > _ALIGNED:
        return _side_by_side(left, right)
    cells: list[Cell] = []
    for _, i, j, k, m in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        cells += _side_by_side(left[i:j], right[k:m])
    return tuple(cells)


def _side_by_side(left: Sequence[SideToken], right: Sequence[SideToken]) -> tuple[Cell, ...]:
    return tuple(
        Cell(left[i] if i < len(left) else None, right[i] if i < len(right) else None)
        for i in range(max(len(left), len(right)))
    )


def tokens_html(
    traces: tuple[Trace, Trace],
    names: tuple[Mapping[int, str], Mapping[int, str]],
    text: int,
    language: Language,
) -> Safe:
    """The tokens of one text on both sides."""
    left, right = (side_tokens(trace, text, known) for trace, known in zip(traces, names, strict=True))
    if not left and not right:
        return element("p", say(language, "tokenview.none"), class_="wb-note")
    cells = align(left, right)
    told = [
        element("li", _reads(trace.name, tokens, language))
        for trace, tokens in zip(traces, (left, right), strict=True)
    ]
    told += [element("li", line) for line in _inputs(traces, text, language)]
    if all(cell.equal for cell in cells):
        told.append(element("li", say(language, "tokenview.same")))
    legend = say(language, "tokenview.legend", left=traces[0].name, right=traces[1].name)
    return join(
        [
            element("ul", join(told), class_="wb-tr-told"),
            element("div", join(_cells(cells, language)), class_="wb-tr-pairs", dir="ltr", tabindex="0"),
            element("p", legend, class_="wb-note"),
        ]
    )


def _reads(name: str, tokens: Sequence[SideToken], language: Language) -> Safe:
    kept = sum(token.role != "cut" for token in tokens)
    key = "tokenview.reads_all" if kept == len(tokens) else "tokenview.reads"
    return say(language, key, name=name, kept=kept, full=len(tokens))


def _inputs(traces: tuple[Trace, Trace], text: int, language: Language) -> list[Safe]:
    """What the encoder is given beside the ids, where it differs."""
    found = []
    for name, key in (("type_ids", "types"), ("positions", "positions"), ("attended_pads", "pads")):
        a, b = (_plain(trace, "padding", name, text) for trace in traces)
        if name != "attended_pads":
            a, b = _first(a, name), _first(b, name)
        if a is not None and b is not None and a != b:
            found.append(say(language, f"tokenview.{key}", left=a, right=b))
    return found


def _first(value: Any, name: str) -> Any:
    if not isinstance(value, list | tuple) or not value:
        return None
    return ", ".join(str(one) for one in sorted(set(value))) if name == "type_ids" else value[0]


def _cells(cells: Sequence[Cell], language: Language) -> list[Safe]:
    shown: list[Safe] = []
    near = (
        {
            place + step
            for place, cell in enumerate(cells)
            if not cell.equal
            for step in range(-_AROUND, _AROUND + 1)
        }
        | set(range(_AROUND))
        | set(range(len(cells) - _AROUND, len(cells)))
    )
    # Long runs of one difference are folded in their middle too.
    wanted = [place for place in range(len(cells)) if place in near]
    if len(wanted) > _CELLS:
        wanted = wanted[: _CELLS * 2 // 3] + wanted[-_CELLS // 3 :]
    last = -1
    for place in wanted:
        if place > last + 1:
            shown.append(_fold(cells[last + 1 : place], language))
        shown.append(_cell(cells[place], language))
        last = place
    if last < len(cells) - 1:
        shown.append(_fold(cells[last + 1 :], language))
    return shown


def _fold(cells: Sequence[Cell], language: Language) -> Safe:
    key = "tokenview.equal" if all(cell.equal for cell in cells) else "tokenview.more"
    return element("span", say(language, key, count=len(cells)), class_="wb-tr-fold")


def _cell(cell: Cell, language: Language) -> Safe:
    tone = "same" if cell.equal else "other"
    inner = join([_token(cell.left, language), _token(cell.right, language)])
    return element("span", inner, class_=f"wb-pairtoken {tone}")


def _token(token: SideToken | None, language: Language) -> Safe:
    if token is None:
        return element("i", "∅", class_="absent", title=say(language, "tokenview.absent"))
    cut = token.role == "cut"
    mark = say(language, "tokenview.cut") if cut else NOTHING
    title = join([str(token.index), mark], " ") if cut else str(token.index)
    shown = element("s" if cut else "span", readable(token.name, 24), dir="auto")
    return element("i", shown, class_=token.role, title=title)


def _plain(trace: Trace, stage: str, name: str, text: int) -> Any:
    values = trace.stage(stage).plain.get(name)
    return values[text] if values is not None and text < len(values) else None
