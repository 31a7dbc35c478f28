"""Tables side by side as one, what their cells are sorted by, and why one is empty."""

from typing import Any

import pytest

from shared.boards.cells import Cell, grid, without
from shared.boards.tables import Column, Table

TINY = {
    "name": "tiny",
    "kind": "measured",
    "place": "1=",
    "score": {"value": 0.8, "low": 0.7, "high": 0.9},
    "runs": {"count": 3, "unit": "seed", "min": 0.75, "max": 0.875},
    "speed": {"median": 100.0, "low": 90.0, "high": 120.0},
}
CITED = {"name": "elsewhere", "kind": "cited", "score": {"value": 0.75, "low": None, "high": None}}
NOTHING = {"name": "nothing", "kind": "baseline"}
NAME = Column("row", "name", "text")
SCORE = Column("f1", "score", "interval")
SPEED = Column("documents/s", "speed", "median")


def cell(row: dict[str, Any], column: Column) -> Cell:
    (line,) = grid(
        [{**row, "always": "x"}], [Table("", "", [column, Column("always", "always", "text")])]
    ).lines
    return line.cells[0]


def test_each_value_is_shown_once_under_the_first_table_that_has_it() -> None:
    found = grid([TINY, CITED], [Table("result", "", [NAME, SCORE]), Table("speed", "", [SCORE, SPEED])])
    assert [(group.title, [column.title for column in group.columns]) for group in found.groups] == [
        ("result", ["f1"]),
        ("speed", ["documents/s"]),
    ]


def test_what_is_empty_for_all_rows_is_left_out() -> None:
    found = grid([CITED, NOTHING], [Table("result", "", [SCORE]), Table("speed", "", [SPEED])])
    assert [column.title for column in found.columns] == ["f1"]
    assert [line.row["name"] for line in found.lines] == ["elsewhere"]


def test_an_empty_cell_says_why() -> None:
    lines = grid([TINY, CITED], [Table("", "", [SCORE, SPEED])]).lines
    assert lines[1].cells[1] == Cell("n/s", False, empty=True)


def test_the_best_row_is_not_compared_with_itself() -> None:
    best = Column("minus the best", "best", "corrected")
    other = {
        **CITED,
        "best": {"value": -0.05, "low": -0.1, "high": 0.0, "p": 0.02, "p_holm": 0.04, "tie": False},
    }
    lines = grid([TINY, other], [Table("", "", [best])]).lines
    assert lines[0].cells[0] == Cell("the best", False, order=0.0)
    assert lines[1].cells[0] == Cell("-0.050 [-0.100, +0.000],\np = 0.040", False, order=-0.05)
    assert (lines[0].best, lines[1].best) == (True, False)


@pytest.mark.parametrize(
    ("column", "text", "order"),
    [
        (SCORE, "0.800 [0.700, 0.900]", 0.8),
        (SPEED, "100 [90.0, 120]", 100.0),
        (Column("over runs", "runs", "spread"), "0.750 to 0.875,\n3 seeds", 0.125),
        (Column("place", "place", "text"), "1=", 1.0),
        (Column("kind", "kind", "text"), "measured", None),
    ],
)
def test_a_cell_is_sorted_by_the_middle_of_its_numbers(
    column: Column, text: str, order: float | None
) -> None:
    assert cell(TINY, column) == Cell(text, column.show == "text", order=order)


def test_a_table_loses_the_columns_that_are_shown_elsewhere() -> None:
    assert without(Table("a", "b", [NAME, SCORE, SPEED]), {"score"}) == Table("a", "b", [NAME, SPEED])
