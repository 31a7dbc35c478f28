"""The layout of a task's tables, and the published figures beside its rows, as conf/ declares them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from shared.boards.rows import Cited
from shared.boards.tables import Column, Table
from shared.files import read_yaml
from shared.typed_json import read_as

CONF = Path(__file__).resolve().parent.parent.parent / "conf"


@dataclass(frozen=True)
class Layout:
    """conf/leaderboard/<task>.yaml: the tables of a task, as data."""

    title: str
    statistics: dict[str, str]  # main score -> package.module.function, see `intervals.Statistic`
    answer_keys: list[str]  # the keys a committed prediction may have, at any depth
    written_keys: list[str]  # those of them that hold what a model of ours wrote, of any length
    unchanged: list[str]  # the keys whose change does not make another answer
    references: dict[str, str]  # data set -> the row that its others are compared with, '' for none
    tables: list[Table]
    csv_only: list[Column]
    priced_as: dict[str, str] = field(default_factory=dict)  # row of an API model -> its name in conf/prices
    off_page: list[str] = field(
        default_factory=list
    )  # data sets that tables have, and the page has no room for


def read_layout(task: str, *, conf: Path = CONF) -> Layout:
    """Return the task's layout; raises `UserError` for a wrong key or type, or when there is none."""
    path = conf / "leaderboard" / f"{task}.yaml"
    layout: Layout = read_as(Layout, read_yaml(path), file=path)
    return layout


def read_common(conf: Path = CONF) -> list[Table]:
    """Return the tables that every data set of every task has, from conf/leaderboards.yaml."""
    path = conf / "leaderboards.yaml"
    tables: list[Table] = read_as(list[Table], read_yaml(path), file=path)
    return tables


def read_cited(task: str, *, conf: Path = CONF) -> list[Cited]:
    """Return the task's published figures; none when there is no conf/cited/<task>.yaml."""
    path = conf / "cited" / f"{task}.yaml"
    if not path.is_file():
        return []
    rows: list[Cited] = read_as(list[Cited], read_yaml(path), file=path)
    return rows
