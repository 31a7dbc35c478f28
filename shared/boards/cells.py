"""Tables as the page lays them out: cells as in Markdown, what sorts them, and why one is empty."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shared.boards.rows import Row
from shared.boards.tables import EMPTY, Column, Table, expand, find, formatter

_FIRST = ("1", "1=")
_BREAK = re.compile(
    r", (?=p [=<]|\d+ \w+s$)"
)  # before a p, or how many runs there were: a second line of a cell


@dataclass(frozen=True)
class Cell:
    """What a cell shows; `order` is what numbers are sorted by, `empty` says that its text is a mark."""

    text: str
    words: bool  # not a number
    order: float | None = None
    empty: bool = False


@dataclass(frozen=True)
class Group:
    """Columns under one heading."""

    title: str
    columns: list[Column]


@dataclass(frozen=True)
class Line:
    """A row: its name, which heads it, its kind, and a cell for each column."""

    row: Row
    cells: list[Cell]

    @property
    def best(self) -> bool:
        """Whether the row shares the first place."""
        return self.row.get("place") in _FIRST


@dataclass(frozen=True)
class Grid:
    """A table as the page lays it out."""

    groups: list[Group]
    lines: list[Line]

    @property
    def columns(self) -> list[Column]:
        """The columns of all groups."""
        return [column for group in self.groups for column in group.columns]


def grid(rows: Sequence[Row], tables: Sequence[Table]) -> Grid:
    """Return the tables side by side as one, each value once, without the columns and rows that have none.

    The name of a row is no column: it heads the row.
    """
    groups, seen = [], {"name"}
    for table in tables:
        columns = [column for column in expand(table.columns, rows) if column.value not in seen]
        seen |= {column.value for column in columns}
        columns = [column for column in columns if any(find(row, column.value) is not None for row in rows)]
        if columns:
            groups.append(Group(table.title, columns))
    columns = [column for group in groups for column in group.columns]
    lines = [Line(row, [_cell(row, column) for column in columns]) for row in rows]
    return Grid(groups, [line for line in lines if not all(cell.empty for cell in line.cells)])


def without(table: Table, paths: set[str]) -> Table:
    """Return the table without the columns of these values."""
    return replace(table, columns=[column for column in table.columns if column.value not in paths])


def _cell(row: Row, column: Column) -> Cell:
    value, words = find(row, column.value), column.show == "text"
    if value is not None:
        text = _BREAK.sub(",\n", formatter(column.show)(value))
        return Cell(text, words, order=_order(value))
    if column.value == "best" and row.get("place") in _FIRST:
        return Cell("the best", words, order=0.0)
    return Cell(EMPTY[row["kind"]][0], words, empty=True)


def _order(value: Any) -> float | None:
    """Return what a value is sorted by: of several numbers the middle one, of runs how far they lie apart."""
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, str):
        rank = value.rstrip("=")
        return float(rank) if rank.isdigit() else None
    return _middle(value) if isinstance(value, Mapping) else None


def _middle(value: Mapping[str, Any]) -> float | None:
    if "count" in value:
        return None if value["min"] is None else float(value["max"] - value["min"])
    found = next((value[key] for key in ("value", "median", "high") if key in value), None)
    return None if found is None else float(found)
