"""Drawing in SVG: scales, axes, lines, marks and texts.

Lengths are in units of the drawing, of which a plot is `WIDTH` wide; y grows downwards. Colours and fonts are
classes of `assets/page.css`, so that a plot follows the page into dark mode.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from shared.boards.labels import LINE, Box, Label, is_away, nearest

WIDTH = 380.0
_SHAPES = {
    "measured": '<circle class="mark measured" cx="{x}" cy="{y}" r="4.5"/>',
    "replayed": '<path class="mark replayed" d="M{x} {y}m0-6l6 6-6 6-6-6z"/>',
    "baseline": '<path class="mark baseline" d="M{x} {y}m-4-4h8v8h-8z"/>',
    "cited": '<path class="mark cited" d="M{x} {y}m0-5.5l5.5 9.5h-11z"/>',
}


@dataclass(frozen=True)
class Scale:
    """Maps values of [low, high] to [start, end] of the drawing, by their logarithm where `log`."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """Return where the value lies."""
        low, high, value = (math.log(v) if self.log else v for v in (self.low, self.high, value))
        return self.start + (value - low) / (high - low) * (self.end - self.start)


def svg(parts: Sequence[str], *, id: str, title: str, description: str, height: float) -> str:
    """Return the drawing as an image that a screen reader names and describes."""
    return (
        f'<svg viewBox="0 0 {WIDTH:g} {height:g}" role="img" aria-labelledby="{id}-title {id}-description">'
        f'<title id="{id}-title">{escape(title)}</title>'
        f'<desc id="{id}-description">{escape(description)}</desc>{"".join(parts)}</svg>'
    )


def ticks(low: float, high: float, *, most: int = 6) -> list[float]:
    """Return round numbers in [low, high], 1, 2 or 5 times a power of ten apart, at most so many."""
    step = 10.0 ** math.floor(math.log10((high - low) / most))
    steps = (step, 2 * step, 5 * step, 10 * step)
    step = next(s for s in steps if _count(low, high, s) <= most)
    first = math.ceil(low / step - 1e-9)
    return [round((first + i) * step, 10) for i in range(_count(low, high, step))]


def log_ticks(low: float, high: float, *, most: int = 6) -> list[float]:
    """Return powers of ten in [low, high], at most so many; 1, 2 and 5 times them where they fit."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    fine = _within([factor * 10.0**p for p in powers for factor in (1, 2, 5)], low, high)
    if len(fine) <= most:
        return fine
    whole = _within([10.0**power for power in powers], low, high)
    return whole[:: math.ceil(len(whole) / most)]


def axes(
    x: Scale,
    y: Scale,
    *,
    x_ticks: Sequence[tuple[float, str]],
    y_ticks: Sequence[tuple[float, str]],
    x_title: str,
    y_title: str,
    y_left: float = 2.0,
) -> str:
    """Return grid lines, ticks (value, text), and titles with the units; that of y begins at `y_left`."""
    bottom, parts = y.start, []
    for value, label in y_ticks:
        parts.append(line(x.start, y(value), x.end, y(value), "grid"))
        parts.append(text(Label([label], x.start - 6, y(value) + 4, "end"), "tick"))
    for value, label in x_ticks:
        parts.append(line(x(value), bottom, x(value), bottom + 4, "axis"))
        parts.append(text(Label([label], x(value), bottom + 16, "middle"), "tick"))
    parts.append(line(x.start, bottom, x.end, bottom, "axis"))
    parts.append(text(Label([x_title], x.end, bottom + 33, "end"), "axis-title"))
    parts.append(text(Label([y_title], y_left, y.end - 12), "axis-title"))
    return "".join(parts)


def line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    """Return a straight line."""
    return polyline([(x1, y1), (x2, y2)], style)


def uprights(ends: Sequence[tuple[float, float, float]], style: str) -> str:
    """Return upright lines as one shape, each given by x and the y of its ends."""
    path = "".join(f"M{_n(x)} {_n(start)}V{_n(end)}" for x, start, end in ends)
    return f'<path class="{style}" d="{path}"/>'


def polyline(points: Sequence[tuple[float, float]], style: str) -> str:
    """Return a line through the points."""
    return f'<path class="{style}" d="M{"L".join(f"{_n(x)} {_n(y)}" for x, y in points)}"/>'


def rectangle(box: Box, style: str) -> str:
    """Return a rectangle."""
    size = f'width="{_n(box.right - box.left)}" height="{_n(box.bottom - box.top)}"'
    return f'<rect class="{style}" x="{_n(box.left)}" y="{_n(box.top)}" {size}/>'


def mark(kind: str, x: float, y: float, *, title: str = "") -> str:
    """Return the mark of a kind of row, a shape of its own; the title shows under a pointer."""
    shape = _SHAPES[kind].format(x=_n(x), y=_n(y))
    return f"<g>{f'<title>{escape(title)}</title>' if title else ''}{shape}</g>"


def dots(points: Sequence[tuple[float, float]]) -> str:
    """Return dots as one shape: lines without length, whose round ends meet."""
    path = "".join(f"M{_n(x)} {_n(y)}h0" for x, y in points)
    return f'<path class="dots" d="{path}"/>'


def text(label: Label, style: str) -> str:
    """Return the lines of a label."""
    anchor = "" if label.anchor == "start" else f' text-anchor="{label.anchor}"'
    start = f'<text class="{style}" x="{_n(label.x)}"{anchor}'
    lines = [
        f'{start} y="{_n(label.y + LINE * row)}">{escape(content)}</text>'
        for row, content in enumerate(label.lines)
    ]
    return "".join(lines)


def leader(label: Label, x: float, y: float) -> str:
    """Return the line from a mark to its label, nothing where the two are next to each other."""
    end = nearest(label.box, x, y)
    return line(x, y, *end, "leader") if is_away(label, x, y) else ""


def _within(values: Sequence[float], low: float, high: float) -> list[float]:
    return [value for value in values if low * (1 - 1e-9) <= value <= high * (1 + 1e-9)]


def _count(low: float, high: float, step: float) -> int:
    return math.floor(high / step + 1e-9) - math.ceil(low / step - 1e-9) + 1


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
