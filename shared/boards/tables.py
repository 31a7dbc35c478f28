"""Tables as a layout declares them: which columns, how their values are shown, and why a cell is empty."""

from __future__ import annotations

import csv
import fnmatch
import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tabulate import tabulate

from shared.boards.rows import Row
from shared.errors import UserError, suggest


@dataclass(frozen=True)
class Column:
    """A column: its title, the dotted path of its values in a row, and how they are shown.

    A `*` in the path stands for every key there is, and in the title for that key: `scores.f1_*`.
    """

    title: str
    value: str
    show: str


@dataclass(frozen=True)
class Table:
    """A table of a data set; `note` is printed below its title."""

    title: str
    note: str
    columns: list[Column]
    apart: bool = False  # on the page: few rows have its values, so that it stands below the wide table


PROMISED = "5"  # percent of the answers given, in tables
NONE_GIVEN = "none given"
EMPTY = {
    "cited": ("n/s", "not stated or not comparable"),
    "measured": ("n/m", "not measured or not applicable"),
    "baseline": ("n/a", "no weights, no training"),
    "replayed": ("n/a", "it did not run here"),
}


def markdown_table(rows: Sequence[Row], columns: Sequence[Column]) -> str:
    """Return the rows as a Markdown table, without the columns and the rows that have no value but a name."""
    columns = expand(columns, rows)
    rows = [row for row in rows if any(find(row, column.value) is not None for column in columns[1:])]
    shown = [column for column in columns if any(find(row, column.value) is not None for row in rows)]
    cells = [[_cell(row, column).replace("|", "\\|") for column in shown] for row in rows]
    align = ["left" if column.show == "text" else "right" for column in shown]
    headers = [column.title for column in shown]
    return str(tabulate(cells, headers=headers, tablefmt="pipe", colalign=align, disable_numparse=True))


def csv_table(rows: Sequence[Row], paths: Sequence[str]) -> str:
    """Return the rows as CSV, one column per path, numbers to six decimals, empty where there is no value."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(paths)
    for row in rows:
        writer.writerow([_plain(find(row, path)) for path in paths])
    return file.getvalue()


def csv_paths(columns: Sequence[Column], rows: Sequence[Row]) -> list[str]:
    """Return the paths of the columns, each once, nested values opened into their parts."""
    return list(
        dict.fromkeys(path for column in expand(columns, rows) for path in _opened(column.value, rows))
    )


def _opened(path: str, rows: Sequence[Row]) -> list[str]:
    values = [find(row, path) for row in rows]
    parts = dict.fromkeys(key for value in values if isinstance(value, Mapping) for key in value)
    return [own for part in parts for own in _opened(f"{path}.{part}", rows)] or [path]


def expand(columns: Sequence[Column], rows: Sequence[Row]) -> list[Column]:
    """Return the columns with each `*` replaced by the keys that the rows have, in their order."""
    expanded = []
    for column in columns:
        parent, _, pattern = column.value.rpartition(".")
        if "*" not in pattern:
            expanded.append(column)
            continue
        keys = dict.fromkeys(key for row in rows for key in find(row, parent) or {})
        prefix = len(pattern.partition("*")[0])
        for key in fnmatch.filter(keys, pattern):
            title = column.title.replace("*", key[prefix:])
            expanded.append(Column(title, f"{parent}.{key}", column.show))
    return expanded


def find(row: Mapping[str, Any], path: str) -> Any:
    """Return the value at a dotted path, None where there is none; the last key may have dots itself."""
    if path in row:
        return row[path]
    key, _, rest = path.partition(".")
    below = row.get(key)
    return find(below, rest) if rest and isinstance(below, Mapping) else None


def legend(rows: Sequence[Row]) -> list[str]:
    """Return what the marks of empty cells mean, for the kinds of row there are."""
    kinds = [kind for kind in EMPTY if any(row["kind"] == kind for row in rows)]
    return [f"`{EMPTY[kind][0]}` in a {kind} row: {EMPTY[kind][1]}." for kind in kinds]


def _cell(row: Row, column: Column) -> str:
    value = find(row, column.value)
    if value is None:
        return EMPTY[row["kind"]][0]
    return formatter(column.show)(value)


def formatter(show: str) -> Callable[[Any], str]:
    """Return the function that shows a value; raises `UserError` for an unknown name."""
    if show not in _SHOW:
        raise UserError(f"show: {show!r} is unknown{suggest(show, _SHOW)}; allowed: {', '.join(_SHOW)}")
    return _SHOW[show]


def _interval(score: Mapping[str, float | None]) -> str:
    if score["low"] is None or score["high"] is None:
        return f"{score['value']:.3f}"
    return f"{score['value']:.3f} [{score['low']:.3f}, {score['high']:.3f}]"


def _difference(score: Mapping[str, float]) -> str:
    p = f"p = {score['p']:.3f}" if score["p"] >= 0.001 else "p < 0.001"
    return f"{score['value']:+.3f} [{score['low']:+.3f}, {score['high']:+.3f}], {p}"


def _corrected(score: Mapping[str, Any]) -> str:
    p = f"p = {score['p_holm']:.3f}" if score["p_holm"] >= 0.001 else "p < 0.001"
    tie = ", a tie" if score["tie"] else ""
    return f"{score['value']:+.3f} [{score['low']:+.3f}, {score['high']:+.3f}], {p}{tie}"


def _share_range(shares: Mapping[str, float]) -> str:
    low, high = f"{100 * shares['low']:.1f}", f"{100 * shares['high']:.1f}"
    return f"{low} %" if low == high else f"{low} to {high} %"


def _median(spread: Mapping[str, float | None]) -> str:
    shown = _significant(spread["median"])
    if spread["low"] is None:
        return shown
    return f"{shown} [{_significant(spread['low'])}, {_significant(spread['high'])}]"


def _significant(value: float | None) -> str:
    """Return the number to three significant digits, without an exponent."""
    if not value:
        return "0"
    decimals = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{decimals}f}"


def _spread(runs: Mapping[str, Any]) -> str:
    if runs["count"] == 1:
        return f"1 {runs['unit']}"
    count = f"{runs['count']} {runs['unit']}s"
    return (
        count
        if runs["min"] is None or runs["min"] == runs["max"]
        else f"{runs['min']:.3f} to {runs['max']:.3f}, {count}"
    )


def _count(value: float) -> str:
    for size, letter in ((1e9, "B"), (1e6, "M")):
        if value >= size:
            return f"{value / size:.1f} {letter}"
    return f"{value:,.0f}"


_SHOW: dict[str, Callable[[Any], str]] = {
    "text": str,
    "score": lambda value: f"{value:.3f}",
    "interval": _interval,
    "difference": _difference,
    "spread": _spread,
    "count": _count,
    "percent": lambda value: f"{100 * value:.1f} %",
    "minutes": lambda value: f"{value / 60:.1f}",
    "one_decimal": lambda value: f"{value:.1f}",
    "two_decimals": lambda value: f"{value:.2f}",
    "whole": lambda value: f"{value:,.0f}",
    "corrected": _corrected,
    "share_range": _share_range,
    "median": _median,
    "significant": _significant,
    "given": lambda own: f"{100 * own[PROMISED]['given']:.1f} %",
    "wrong": lambda own: _interval(own[PROMISED]["wrong"]) if own[PROMISED]["wrong"] else NONE_GIVEN,
    "verdict": lambda own: own[PROMISED]["verdict"],
}


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return f"{round(value, 6) + 0.0:.6f}".rstrip("0").rstrip(".")  # + 0.0 turns -0.0 into 0.0
    return value
