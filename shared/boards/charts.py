"""The figures of a data set: which rows each shows, the plot, and its numbers as a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from shared.boards import plots, trust_plots
from shared.boards.curve import Point, crossing
from shared.boards.plots import ByClass, Learning, Priced
from shared.boards.rows import Row
from shared.boards.tables import find, formatter
from shared.boards.trust_plots import MOST_ROWS, Trusted

_CLASSES = ("f1/", "macro_f1/")  # scores whose rest of the name is a class or a facet
_TENTHS = [tenth / 10 for tenth in range(1, 11)]
BINS = 15  # of a reliability diagram
_interval = formatter("interval")
_BEST = f"The best rows that give a confidence, at most {MOST_ROWS}"


@dataclass(frozen=True)
class Figure:
    """A plot, what it shows, and its numbers; no headings where the data set's table has them."""

    title: str
    caption: str
    svg: str
    headings: list[str]
    rows: list[list[str]]


def figures(rows: Sequence[Row], *, id: str, data: str, main: str) -> list[Figure]:
    """Return the figures that the rows, best first, have numbers for; `id` begins the ids of their parts."""
    found = [
        _cost(rows, id=f"{id}-cost", data=data, main=main),
        *_trust(rows, id=id, data=data),
        _classes(rows, id=f"{id}-classes", data=data),
        *[
            _learning(row, rows, id=f"{id}-learning-{place}", data=data, main=main)
            for place, row in enumerate(rows)
            if row.get("curve")
        ],
    ]
    return [figure for figure in found if figure is not None]


def _cost(rows: Sequence[Row], *, id: str, data: str, main: str) -> Figure | None:
    priced = [
        Priced(row["name"], row["kind"], dollars, **row["score"])
        for row in rows
        if (dollars := find(row, "cost.dollars_per_1000")) is not None
    ]
    if len(priced) < 2:
        return None
    return Figure(
        title="Quality against cost",
        caption=(
            f"{main} with its 95 % interval, where one is known. The stairs join the rows that none beats on "
            "both; a row without a name here is in the table above."
        ),
        svg=plots.cost_plot(priced, id=id, title=f"{data}: quality against cost", main=main),
        headings=[],
        rows=[],
    )


def _trust(rows: Sequence[Row], *, id: str, data: str) -> list[Figure]:
    sure = [row for row in rows if find(row, "reliability.bins")][:MOST_ROWS]
    if not sure:
        return []
    unit = sure[0]["reliability"]["unit"]
    trusted = [_trusted(row) for row in sure]
    return [
        _reliability(sure, trusted, id=f"{id}-reliability", data=data, unit=unit),
        _risk(trusted, id=f"{id}-risk", data=data, unit=unit),
    ]


def _trusted(row: Row) -> Trusted:
    known = row["reliability"]
    return Trusted(
        name=row["name"],
        ece=known["ece"]["value"],
        bins=[(confidence, right) for confidence, right, _ in _pooled(known["bins"])],
        curve=[(coverage, risk) for coverage, risk in known["curve"]],
    )


def _pooled(bins: Sequence[Sequence[float]]) -> list[tuple[float, float, float]]:
    """Return at most `BINS` bins (mean confidence, share right, number): those of several runs joined."""
    size = math.ceil(len(bins) / BINS)
    groups = [bins[first : first + size] for first in range(0, len(bins), size)]
    return [(_weighted(group, 0), _weighted(group, 1), sum(count for *_, count in group)) for group in groups]


def _weighted(group: Sequence[Sequence[float]], place: int) -> float:
    return sum(each[place] * each[2] for each in group) / sum(count for *_, count in group)


def _reliability(sure: Sequence[Row], trusted: Sequence[Trusted], *, id: str, data: str, unit: str) -> Figure:
    return Figure(
        title="Are the confidences true?",
        caption=(
            f"Share of {unit} that are right against mean confidence, in bins of equal size: on the diagonal "
            f"a confidence of 90 % is right nine times in ten, below it too sure. {_BEST}."
        ),
        svg=trust_plots.reliability_plot(trusted, id=id, title=f"{data}: reliability of the confidences"),
        headings=["row", "mean confidence", "share right", unit],
        rows=[
            [row["name"], f"{confidence:.3f}", f"{right:.3f}", f"{count:,.0f}"]
            for row in sure
            for confidence, right, count in _pooled(row["reliability"]["bins"])
        ],
    )


def _risk(trusted: Sequence[Trusted], *, id: str, data: str, unit: str) -> Figure:
    return Figure(
        title="What abstaining buys",
        caption=(
            f"Share wrong among the {unit} that are kept when only the surest are answered, on this very "
            f"split: what a threshold would have left, not a promise. {_BEST}."
        ),
        svg=trust_plots.risk_plot(trusted, id=id, title=f"{data}: risk by coverage", unit=unit),
        headings=["row", *[f"{100 * share:.0f} % answered" for share in _TENTHS]],
        rows=[[row.name, *[_risk_at(row, share) for share in _TENTHS]] for row in trusted],
    )


def _risk_at(row: Trusted, share: float) -> str:
    """Return the risk at the smallest coverage of the curve that reaches the share."""
    found = next((risk for coverage, risk in row.curve if coverage >= share - 1e-9), None)
    return "not reached" if found is None else f"{100 * found:.1f} %"


def _classes(rows: Sequence[Row], *, id: str, data: str) -> Figure | None:
    prefix = next((prefix for prefix in _CLASSES if len(_names(rows, prefix)) > 1), None)
    if prefix is None:
        return None
    names = _names(rows, prefix)
    shown = [
        ByClass(row["name"], row["kind"], [row["scores"].get(prefix + name) for name in names])
        for row in _best_of_kinds(rows, prefix)
    ]
    score = prefix.rstrip("/")
    return Figure(
        title="Class by class",
        caption=f"{score} of each class or facet, for the best row of each kind.",
        svg=plots.class_plot(shown, names, id=id, title=f"{data}: {score} by class", main=score),
        headings=["row", *names],
        rows=[[row.name, *["none" if v is None else f"{v:.3f}" for v in row.values]] for row in shown],
    )


def _names(rows: Sequence[Row], prefix: str) -> list[str]:
    keys = dict.fromkeys(key for row in rows for key in row["scores"] if key.startswith(prefix))
    return [key.removeprefix(prefix) for key in keys]


def _best_of_kinds(rows: Sequence[Row], prefix: str) -> list[Row]:
    scored = [row for row in rows if any(key.startswith(prefix) for key in row["scores"])]
    return list({row["kind"]: row for row in reversed(scored)}.values())[::-1]


def _learning(row: Row, rows: Sequence[Row], *, id: str, data: str, main: str) -> Figure:
    points = [Point(*point) for point in row["curve"]]
    api = next((other for other in rows if other["kind"] == "replayed" and other["score"]), None)
    target = api["score"]["value"] if api else None
    curve = Learning(
        name=row["name"],
        points=[(point.examples, point.value, point.low, point.high) for point in points],
        target_name=api["name"] if api else "",
        target=target,
        crossing=None if target is None else crossing(points, target),
    )
    return Figure(
        title="How many labels it takes",
        caption=f"{curve} Mean over seeds with its 95 % interval.",
        svg=plots.learning_plot(curve, id=id, title=f"{data}: learning curve of {row['name']}", main=main),
        headings=["training examples", f"{main} [95 %]", "seeds"],
        rows=[[f"{point.examples:,}", _interval(asdict(point)), f"{point.seeds}"] for point in points],
    )
