"""Plots of what a data set's rows reach: for how many dollars, on which class, after how many labels.

Each is one SVG image, whose numbers the page also gives as a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.boards import drawing
from shared.boards.drawing import WIDTH, Scale
from shared.boards.labels import LINE, Box, Label, place_labels, text_width, wrap

LEFT, TOP, FOOT, HEIGHT = 44.0, 28.0, 42.0, 320.0  # of a plot: for its axes' numbers and titles, and in all
_LABEL = 100.0  # how wide a row's name may be beside its mark, in three lines
_BAR, _BETWEEN = 13.0, 10.0  # a bar, and the room between classes


@dataclass(frozen=True)
class Priced:
    """A row of the plot of score against cost."""

    name: str
    kind: str
    dollars: float  # per 1,000 documents
    value: float
    low: float | None
    high: float | None

    def __str__(self) -> str:
        """Return the row in words."""
        interval = "" if self.low is None or self.high is None else f" [{self.low:.3f}, {self.high:.3f}]"
        return f"{self.name}: {self.value:.3f}{interval} at {dollars(self.dollars)}"


@dataclass(frozen=True)
class ByClass:
    """A row's score of each class; None where it has none."""

    name: str
    kind: str
    values: Sequence[float | None]


@dataclass(frozen=True)
class Learning:
    """A row's mean score by number of training examples, and the API row it is compared with."""

    name: str
    points: Sequence[tuple[int, float, float | None, float | None]]  # examples, mean, low, high
    target_name: str
    target: float | None
    crossing: int | None  # the number of examples from which it passes the target

    def __str__(self) -> str:
        """Return in a sentence where the curve passes the API row."""
        if self.target is None:
            return f"{self.name}: no API row to compare with."
        if self.crossing is None:
            return (
                f"{self.name} does not pass {self.target_name} ({self.target:.3f}) with these many examples."
            )
        return (
            f"{self.name} passes {self.target_name} ({self.target:.3f}) at about {self.crossing:,} examples."
        )


def cost_plot(rows: Sequence[Priced], *, id: str, title: str, main: str) -> str:
    """Return the score against dollars; the rows that none beats on both are named first."""
    front = frontier(rows)
    ordered = [*front, *[row for row in rows if row not in front]]
    x, y = _cost_scale(rows), _score_scale([v for row in rows for v in (row.value, row.low, row.high)])
    spans = [
        (row.kind, x(row.dollars), y(row.low), y(row.high))
        for row in ordered
        if row.low is not None and row.high is not None
    ]
    marks = [(row, x(row.dollars), y(row.value)) for row in ordered]
    labels = place_labels(
        [(across, down) for _, across, down in marks],
        [wrap(row.name, _LABEL, most=3) for row in ordered],
        taken=[Box(across - 1, high, across + 1, low) for _, across, low, high in spans],
        frame=Box(LEFT, y.end - 4, WIDTH, y.start),
    )
    named = [(label, mark) for label, mark in zip(labels, marks, strict=True) if label is not None]
    parts = [
        _cost_axes(x, y, main),
        _stairs([(across, down) for _, across, down in marks[: len(front)]], x.end),
        *[drawing.line(across, low, across, high, f"span {kind}") for kind, across, low, high in spans],
        *[drawing.leader(label, across, down) for label, (_, across, down) in named],
        *[drawing.mark(row.kind, across, down, title=str(row)) for row, across, down in reversed(marks)],
        *[drawing.text(label, "label") for label, _ in named],
    ]
    described = "; ".join(str(row) for row in ordered)
    return drawing.svg(parts, id=id, title=title, description=described, height=HEIGHT)


def frontier(rows: Sequence[Priced]) -> list[Priced]:
    """Return the rows that no row beats on both cost and score, the cheapest first."""
    front: list[Priced] = []
    for row in sorted(rows, key=lambda row: (row.dollars, -row.value)):
        if not front or row.value > front[-1].value:
            front.append(row)
    return front


def class_plot(rows: Sequence[ByClass], classes: Sequence[str], *, id: str, title: str, main: str) -> str:
    """Return a bar for each class and row, rows of different kinds told apart by their filling."""
    left = 20 + min(110.0, max(text_width(name) for name in classes))
    top = LINE * len(rows) + 20
    pitch = _BAR * len(rows) + _BETWEEN
    x, y = Scale(0, 1, left, WIDTH - 40), Scale(0, len(classes), top, top + pitch * len(classes))
    parts = [_key(row, LINE * place + 12) for place, row in enumerate(rows)]
    parts += [_upright(value, x, y) for value in (0.0, 0.5, 1.0)]
    parts.append(drawing.text(Label([main], x.end, y.end + 33, "end"), "axis-title"))
    for number, name in enumerate(classes):
        shown = wrap(name, left - 12, most=1)
        parts.append(
            drawing.text(Label(shown, left - 8, y(number) + (pitch - _BETWEEN) / 2 + 4, "end"), "label")
        )
        parts += [
            _bar(row.kind, row.values[number], x, y(number) + _BAR * place) for place, row in enumerate(rows)
        ]
    described = "; ".join(_by_class(row, classes) for row in rows)
    return drawing.svg(parts, id=id, title=title, description=described, height=y.end + FOOT)


def learning_plot(row: Learning, *, id: str, title: str, main: str) -> str:
    """Return the score by number of training examples, and where it passes the API row."""
    x = Scale(row.points[0][0] / 1.1, row.points[-1][0] * 1.1, LEFT, WIDTH - 12, log=True)
    y = _score_scale([*[value for _, *values in row.points for value in values], row.target])
    means = [(x(examples), y(mean)) for examples, mean, *_ in row.points]
    parts = [
        drawing.axes(
            x,
            y,
            x_ticks=[(examples, f"{examples:,}") for examples, *_ in row.points],
            y_ticks=_score_ticks(y),
            x_title="training examples, logarithmic",
            y_title=main,
        ),
        *[
            drawing.line(x(examples), y(low), x(examples), y(high), "span measured")
            for examples, _, low, high in row.points
            if low is not None and high is not None
        ],
        drawing.polyline(means, "line line-1"),
        *[drawing.mark("measured", *mean) for mean in means],
        *_target(row, x, y),
    ]
    return drawing.svg(parts, id=id, title=title, description=str(row), height=HEIGHT)


def dollars(value: float) -> str:
    """Return an amount to three significant digits, without an exponent."""
    return f"${float(f'{value:.3g}'):,.10f}".rstrip("0").rstrip(".")


def _cost_scale(rows: Sequence[Priced]) -> Scale:
    amounts = [row.dollars for row in rows]
    return Scale(min(amounts) / 2, max(amounts) * 2, LEFT, WIDTH - 8, log=True)


def _score_scale(scores: Sequence[float | None]) -> Scale:
    """Return the scale of the scores that there are, with some room around the lowest and the highest."""
    known = [score for score in scores if score is not None]
    room = 0.06 * (max(known) - min(known)) or 0.05
    return Scale(min(known) - room, max(known) + room, HEIGHT - FOOT, TOP)


def _score_ticks(y: Scale) -> list[tuple[float, str]]:
    return [(value, f"{value:g}") for value in drawing.ticks(y.low, y.high)]


def _cost_axes(x: Scale, y: Scale, main: str) -> str:
    return drawing.axes(
        x,
        y,
        x_ticks=[(value, dollars(value)) for value in drawing.log_ticks(x.low, x.high, most=5)],
        y_ticks=_score_ticks(y),
        x_title="dollars per 1,000 documents, logarithmic",
        y_title=main,
    )


def _stairs(front: Sequence[tuple[float, float]], end: float) -> str:
    """Return the best score to be had for so many dollars."""
    points = [front[0]]
    for across, down in front[1:]:
        points += [(across, points[-1][1]), (across, down)]
    return drawing.polyline([*points, (end, points[-1][1])], "frontier")


def _key(row: ByClass, y: float) -> str:
    swatch = drawing.rectangle(Box(8, y - 9, 22, y), f"bar {row.kind}")
    name = wrap(f"{row.name} ({row.kind})", WIDTH - 40, most=1)
    return swatch + drawing.text(Label(name, 29, y), "label")


def _upright(value: float, x: Scale, y: Scale) -> str:
    label = drawing.text(Label([f"{value:g}"], x(value), y.end + 16, "middle"), "tick")
    return drawing.line(x(value), y.start - 4, x(value), y.end, "grid") + label


def _bar(kind: str, value: float | None, x: Scale, top: float) -> str:
    end, bottom = x(value or 0.0), top + _BAR - 2
    bar = "" if value is None else drawing.rectangle(Box(x(0), top, end, bottom), f"bar {kind}")
    return bar + drawing.text(Label([_shown(value)], end + 5, bottom - 1), "tick")


def _by_class(row: ByClass, classes: Sequence[str]) -> str:
    shown = [f"{name} {_shown(value)}" for name, value in zip(classes, row.values, strict=True)]
    return f"{row.name}: {', '.join(shown)}"


def _shown(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"


def _target(row: Learning, x: Scale, y: Scale) -> list[str]:
    """Return the API row's line, and the place where the curve passes it."""
    if row.target is None:
        return []
    height = y(row.target)
    parts = [
        drawing.line(x.start, height, x.end, height, "target"),
        drawing.text(Label([f"{row.target_name} {row.target:.3f}"], x.start + 6, height - 6), "label"),
    ]
    if row.crossing is not None:
        at = x(row.crossing)
        anchor, shift = ("start", 6) if at < (x.start + x.end) / 2 else ("end", -6)
        parts.append(drawing.line(at, height, at, y.start, "target"))
        label = Label([f"about {row.crossing:,}"], at + shift, y.start - 8, anchor)
        parts.append(drawing.text(label, "label"))
    return parts
