"""Labels that do not overlap: how wide they are, and where there is room for them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

LINE = 14.0  # from one line of text to the next
_ASCENT, _DESCENT = 10.0, 4.0  # of a line of text, around its baseline
_NARROW, _WIDE = set(" iljtfrI.,:;'|!()[]-"), set("mwMW%@+=$")
_GAP = 7.0  # between a mark and its label
_AWAY = (0.0, 10.0, 20.0, 32.0, 46.0)  # further than that, with a line to it
_ROOM = 5.0  # around a label that lies away, lest it be read as another mark's


@dataclass(frozen=True)
class Box:
    """A rectangle of the drawing."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Box) -> bool:
        """Return whether the two share an area."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )

    def holds(self, other: Box) -> bool:
        """Return whether the other lies inside."""
        return (
            self.left <= other.left
            and other.right <= self.right
            and self.top <= other.top
            and other.bottom <= self.bottom
        )


@dataclass(frozen=True)
class Label:
    """Lines of text, the first one's baseline at (x, y)."""

    lines: Sequence[str]
    x: float
    y: float
    anchor: str = "start"  # or middle, end

    @property
    def box(self) -> Box:
        """The area that the text takes."""
        width = max(text_width(line) for line in self.lines)
        left = self.x - {"start": 0.0, "middle": width / 2, "end": width}[self.anchor]
        bottom = self.y + LINE * (len(self.lines) - 1) + _DESCENT
        return Box(left, self.y - _ASCENT, left + width, bottom)


def text_width(content: str) -> float:
    """Return about how wide a line of 12 units' height is, rather more than less."""
    return sum(4.2 if c in _NARROW else 10.2 if c in _WIDE else 8.4 if c.isupper() else 7.0 for c in content)


def wrap(content: str, width: float, *, most: int = 2) -> list[str]:
    """Return the text in lines no wider than asked, cut with an ellipsis after so many."""
    lines = [""]
    for word in content.split():
        longer = f"{lines[-1]} {word}".strip()
        if not lines[-1] or text_width(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    if len(lines) > most:
        lines = [*lines[: most - 1], " ".join(lines[most - 1 :])]
    return [_cut(each, width) for each in lines]


def place_labels(
    marks: Sequence[tuple[float, float]], texts: Sequence[Sequence[str]], *, taken: Sequence[Box], frame: Box
) -> list[Label | None]:
    """Return a label beside each mark, the first ones first served; None where no place is free.

    A label lies inside `frame`, and on none of the boxes `taken`, marks or labels; no leader crosses a label,
    or a mark apart from its own.
    """
    around = [Box(x - 5, y - 5, x + 5, y + 5) for x, y in marks]
    named: list[Box] = []
    placed: list[Label | None] = []
    for (x, y), own, lines in zip(marks, around, texts, strict=True):
        apart = [box for box in around if not box.overlaps(own)]
        free = (
            label
            for label in _beside(x, y, lines)
            if frame.holds(label.box)
            and not _overlap([_needed(label, x, y)], [*taken, *around, *named])
            and not _overlap(_on_the_way(label, x, y), [*apart, *named])
        )
        placed.append(next(free, None))
        if (label := placed[-1]) is not None:
            named += [label.box, *_on_the_way(label, x, y)]
    return placed


def spread_apart(
    positions: Sequence[float], sizes: Sequence[float], *, low: float, high: float
) -> list[float]:
    """Return the tops of blocks of these sizes, near the centres asked for, in their order, none overlapping.

    The blocks must fit into [low, high] together.
    """
    order = sorted(range(len(positions)), key=lambda index: positions[index])
    tops, free = [0.0] * len(positions), low
    for index in order:
        tops[index] = max(free, positions[index] - sizes[index] / 2)
        free = tops[index] + sizes[index]
    end = high
    for index in reversed(order):
        tops[index] = min(tops[index], end - sizes[index])
        end = tops[index]
    return tops


def nearest(box: Box, x: float, y: float) -> tuple[float, float]:
    """Return the point of the box that is nearest to (x, y)."""
    return min(max(x, box.left), box.right), min(max(y, box.top), box.bottom)


def is_away(label: Label, x: float, y: float) -> bool:
    """Return whether a label is so far from its mark at (x, y) that a line must join the two."""
    return math.dist(nearest(label.box, x, y), (x, y)) > _GAP + 1


def _overlap(ours: Sequence[Box], others: Sequence[Box]) -> bool:
    return any(box.overlaps(other) for box in ours for other in others)


def _needed(label: Label, x: float, y: float) -> Box:
    """Return the label's area, with some room where it lies away from its mark."""
    box, room = label.box, _ROOM if is_away(label, x, y) else 0.0
    return Box(box.left - room, box.top - room, box.right + room, box.bottom + room)


def _beside(x: float, y: float, lines: Sequence[str]) -> Iterator[Label]:
    """Yield the places for a mark's label, the nearest and most natural ones first."""
    extra = LINE * (len(lines) - 1)
    for away in _AWAY:
        above, below = y - _GAP - away - _DESCENT - extra, y + _GAP + away + _ASCENT
        for height in (y + 4 - extra / 2, above, below):
            yield Label(lines, x + _GAP + away, height)
            yield Label(lines, x - _GAP - away, height, "end")
        for height in (above, below):
            yield Label(lines, x, height, "middle")


def _on_the_way(label: Label, x: float, y: float) -> list[Box]:
    """Return small boxes along the label's leader, from where it leaves the mark."""
    if not is_away(label, x, y):
        return []
    right, down = nearest(label.box, x, y)
    steps = [step / 8 for step in range(2, 9)]
    centres = [(x + (right - x) * step, y + (down - y) * step) for step in steps]
    return [Box(across - 1, height - 1, across + 1, height + 1) for across, height in centres]


def _cut(content: str, width: float) -> str:
    if text_width(content) <= width:
        return content
    while text_width(content + "…") > width:
        content = content[:-1]
    return content.rstrip(" ,") + "…"
