"""All leaderboards on one HTML page, which loads nothing: tables, plots, the calculator and the claims."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from shared.boards.cells import Grid, grid, without
from shared.boards.charts import Figure, figures
from shared.boards.claims import CheckedClaim
from shared.boards.markdown import facts
from shared.boards.question import Field
from shared.boards.rows import Row
from shared.boards.sections import Section
from shared.boards.tables import EMPTY, Column, Table, legend

_ASSETS = Path(__file__).parent / "assets"
_LIMITS = Table(
    "what was not read",
    "*Unparsed* is the share of tokens that a large model's reply says nothing readable about; *cut tokens* "
    "are beyond what a model reads, texts *beyond the window* are read in several pieces.",
    [
        Column("unparsed", "coverage.unparsed_share", "percent"),
        Column("cut tokens", "coverage.truncated_tokens", "whole"),
        Column("beyond the window", "coverage.texts_beyond_window", "whole"),
    ],
)
_DECIDING = {  # what `decision.decide` reads of a row, beside what every row has
    "measured": ["documents_per_second", "tokens_per_second", "latency_p95_ms"],
    "cost": ["input_tokens", "output_tokens", "input_price", "output_price", "dollars_per_hour"],
    "training": ["examples", "wall_seconds"],
    "reliability": ["curve"],
    "licence": ["base", "data", "commercial"],
}


@dataclass(frozen=True)
class Board:
    """A data set as the page shows it."""

    id: str
    data: str
    facts: list[str]
    reference: str
    grid: Grid
    more: list[tuple[Table, Grid]]  # the task's own scores
    legend: list[str]
    figures: list[Figure]
    priced: bool  # whether the calculator can decide between rows


@dataclass(frozen=True)
class Contents:
    """What a page is made of besides the boards of the tasks."""

    tables: Sequence[Table]  # that every data set has
    fields: Mapping[str, Field]  # of the calculator's question
    offers: Sequence[Mapping[str, Any]]  # API models by price alone
    claims: Sequence[CheckedClaim]


def page(sections: Sequence[Section], contents: Contents) -> str:
    """Return the page of these data sets, grouped by task in the order given: always the same text."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_ASSETS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["inline"] = _inline
    tasks = [
        (title, [_board(section, contents.tables) for section in of_task])
        for title, of_task in itertools.groupby(sections, key=lambda section: section.title)
    ]
    priced = any(board.priced for _, boards in tasks for board in boards)
    return environment.get_template("page.html").render(
        tasks=tasks,
        contents=contents,
        notes=[*contents.tables, _LIMITS],
        priced=priced,
        data=_script_json(sections, contents),
        empty=json.dumps({kind: reason for kind, (_, reason) in EMPTY.items()}),
        css=_read("page.css"),
        scripts=[_read(name) for name in ("page.js", *(("calculator.js", "form.js") if priced else ()))],
    )


def _board(section: Section, tables: Sequence[Table]) -> Board:
    id = _id(section)
    wide = [table for table in tables if not table.apart]
    shown = grid(section.rows, [_result(section.main), *wide, _LIMITS])
    above = {column.value for column in shown.columns}
    below = [*section.layout.tables, *(table for table in tables if table.apart)]
    own = [(table, grid(section.rows, [without(table, above)])) for table in below]
    return Board(
        id=id,
        data=section.data,
        facts=facts(section.records),
        reference=section.reference,
        grid=shown,
        more=[(table, found) for table, found in own if found.groups],
        legend=legend(section.rows),
        figures=figures(section.rows, id=id, data=section.data, main=section.main),
        priced=_is_priced(section),
    )


def _result(main: str) -> Table:
    columns = [
        Column("kind", "kind", "text"),
        Column(f"{main} [95 %]", "score", "interval"),
        Column("over runs", "runs", "spread"),
        Column("parameters", "parameters.total", "count"),
    ]
    return Table("result", "", columns)


def _is_priced(section: Section) -> bool:
    return any(row.get("cost") for row in section.rows)


def _script_json(sections: Sequence[Section], contents: Contents) -> str:
    """Return the data of the calculator, which no `</script>` in it can end early."""
    boards = {
        _id(section): [_deciding(row) for row in section.rows if row["kind"] != "cited"]
        for section in sections
        if _is_priced(section)
    }
    data = {
        "boards": boards,
        "offers": list(contents.offers),
        "fields": {name: asdict(field) for name, field in contents.fields.items()},
    }
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _deciding(row: Row) -> Row:
    """Return the parts of a row that a decision rests on."""
    return {
        **{key: row.get(key) for key in ("name", "kind", "place", "comparable", "score", "churn")},
        **{key: _parts(row, key, names) for key, names in _DECIDING.items()},
    }


def _parts(row: Row, key: str, names: Sequence[str]) -> Row | None:
    value = row.get(key)
    return None if value is None else {name: value[name] for name in names if value.get(name) is not None}


def _id(section: Section) -> str:
    return re.sub(r"[^a-z0-9]+", "-", f"{section.task} {section.data}".lower()).strip("-")


def _inline(text: str) -> Any:
    """Return the text of a note as HTML, with its `code` and *emphasis*."""
    from markupsafe import Markup, escape

    html = re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text)))
    return Markup(re.sub(r"\*([^*]+)\*", r"<em>\1</em>", html))


def _read(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")
