"""Plots of how far confidences can be trusted: whether they are true, and what abstaining by them buys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.boards import drawing
from shared.boards.drawing import WIDTH, Scale
from shared.boards.labels import LINE, Box, Label, spread_apart, wrap
from shared.boards.plots import FOOT, HEIGHT, LEFT, TOP

_LINES = ("line-1", "line-2", "line-3", "line-4")  # told apart by colour and by dashes
MOST_ROWS = len(_LINES)
_SIDE, _ABOVE, _BELOW = 130.0, 36.0, 50.0  # of a panel: the square, and the room for its texts
_GUTTER = 132.0  # for the names right of a plot
_PERCENT = [(share / 100, f"{share} %") for share in (0, 20, 40, 60, 80, 100)]
_HALVES = [(0.0, "0 %"), (0.5, "50 %"), (1.0, "100 %")]


@dataclass(frozen=True)
class Trusted:
    """A row that gives confidences; a bin is (mean confidence, share right), a threshold (coverage, risk)."""

    name: str
    ece: float
    bins: Sequence[tuple[float, float]]
    curve: Sequence[tuple[float, float]]


def reliability_plot(rows: Sequence[Trusted], *, id: str, title: str) -> str:
    """Return a panel for each of at most `MOST_ROWS` rows: share right by confidence, and the diagonal."""
    pitch = _ABOVE + _SIDE + _BELOW
    parts = []
    for place, row in enumerate(rows):
        left, top = place % 2 * WIDTH / 2 + 42, place // 2 * pitch + _ABOVE
        parts.append(_panel(row, Box(left, top, left + _SIDE, top + _SIDE)))
    described = "; ".join(f"{row.name}: expected calibration error {row.ece:.3f}" for row in rows)
    return drawing.svg(
        parts, id=id, title=title, description=described, height=pitch * ((len(rows) + 1) // 2)
    )


def risk_plot(rows: Sequence[Trusted], *, id: str, title: str, unit: str) -> str:
    """Return for at most `MOST_ROWS` rows the share wrong among the answers kept, the surest first."""
    highest = max(risk for row in rows for _, risk in row.curve)
    x, y = Scale(0, 1, LEFT, WIDTH - _GUTTER), Scale(0, 1.05 * highest or 0.01, HEIGHT - FOOT, TOP)
    parts = [
        drawing.axes(
            x,
            y,
            x_ticks=_PERCENT,
            y_ticks=[(value, f"{100 * value:g} %") for value in drawing.ticks(0, y.high)],
            x_title=f"coverage: share of {unit} answered",
            y_title="risk: share of them wrong",
        )
    ]
    curves = [[(x(coverage), y(risk)) for coverage, risk in row.curve] for row in rows]
    parts += [drawing.polyline(curve, f"line {style}") for curve, style in zip(curves, _LINES, strict=False)]
    parts += _names([row.name for row in rows], [curve[-1] for curve in curves], y)
    described = "; ".join(f"{row.name}: {_end(row)}" for row in rows)
    return drawing.svg(parts, id=id, title=title, description=described, height=HEIGHT)


def _panel(row: Trusted, box: Box) -> str:
    x, y = Scale(0, 1, box.left, box.right), Scale(0, 1, box.bottom, box.top)
    name = wrap(row.name, _SIDE + 34, most=1)
    parts = [
        drawing.text(Label(name, box.left - 40, box.top - 24), "label"),
        drawing.axes(
            x,
            y,
            x_ticks=_HALVES,
            y_ticks=_HALVES,
            x_title="confidence",
            y_title="share right",
            y_left=box.left - 40,
        ),
        drawing.line(x(0), y(0), x(1), y(1), "diagonal"),
        drawing.uprights([(x(sure), y(sure), y(right)) for sure, right in row.bins], "span measured"),
        drawing.dots([(x(sure), y(right)) for sure, right in row.bins]),
        drawing.text(Label([f"ECE {row.ece:.3f}"], x(1) - 4, y(0) - 6, "end"), "tick"),
    ]
    return "".join(parts)


def _names(names: Sequence[str], ends: Sequence[tuple[float, float]], y: Scale) -> list[str]:
    """Return the names right of where lines end, spread so that none lies on another, joined to the ends."""
    lines = [wrap(name, _GUTTER - 18, most=3) for name in names]
    sizes = [LINE * len(each) + 4 for each in lines]
    tops = spread_apart([down for _, down in ends], sizes, low=y.end - 8, high=y.start + 8)
    parts = []
    for text, (across, down), top, size in zip(lines, ends, tops, sizes, strict=True):
        parts.append(drawing.line(across, down, WIDTH - _GUTTER + 10, top + size / 2, "leader"))
        parts.append(drawing.text(Label(text, WIDTH - _GUTTER + 13, top + 12), "label"))
    return parts


def _end(row: Trusted) -> str:
    coverage, risk = row.curve[-1]
    return f"{100 * risk:.1f} % wrong at {100 * coverage:.0f} % coverage"
