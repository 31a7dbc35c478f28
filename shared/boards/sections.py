"""Sections: for each data set of a task its rows, as tables, the page and decisions read them."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

from shared.boards.costs import Tariff, read_machines, row_cost, row_licence
from shared.boards.curve import curves, is_point
from shared.boards.layout import CONF, Layout, read_cited
from shared.boards.measurements import Measurement, measured_values, read_measurements
from shared.boards.own_board import is_own, layout_of
from shared.boards.prices import read_prices
from shared.boards.rows import (
    Cited,
    Row,
    churn,
    cited_row,
    compare_rows,
    divides_anew,
    group_runs,
    read_answers,
    record_row,
    sample_row,
)
from shared.boards.significance import place_rows
from shared.errors import UserError
from shared.intervals import Statistic
from shared.record import Record, read_record


@dataclass(frozen=True)
class Section:
    """One data set of a task: its rows, best first, and the records they came from."""

    task: str
    title: str  # of the task
    data: str
    main: str  # the score that orders the rows
    reference: str  # the row that others are compared with, '' for none
    rows: list[Row]
    records: list[Record]
    layout: Layout


@dataclass(frozen=True)
class Sources:
    """What rows are made from besides records: cited figures, measurements, machines and prices."""

    cited: list[Cited]
    measurements: Mapping[str, Measurement]
    tariff: Tariff
    folder: Path  # of the task's records and answers
    experiments: bool  # whether conf/experiment/ is beside the board, to be linked


def read_sections(task: str, leaderboards_dir: Path, *, conf: Path = CONF) -> list[Section]:
    """Return the task's sections in the order of its layout, those with published records alone."""
    layout = layout_of(task, leaderboards_dir, conf=conf)
    folder = leaderboards_dir / "records" / task
    sources = Sources(
        cited=read_cited(task, conf=conf),
        measurements=read_measurements(leaderboards_dir, task=task),
        tariff=Tariff(read_machines(conf), read_prices(conf), layout.priced_as),
        folder=folder,
        experiments=not is_own(leaderboards_dir),
    )
    records = [read_record(path) for path in sorted(folder.glob("*.json"))]
    of_set = {name: [record for record in records if record.data.name == name] for name in layout.references}
    return [
        Section(
            task=task,
            title=layout.title,
            data=name,
            main=found[0].metric.main,
            reference=layout.references[name],
            rows=_rows(found, layout, sources),
            records=found,
            layout=layout,
        )
        for name, found in of_set.items()
        if found
    ]


def _rows(records: Sequence[Record], layout: Layout, sources: Sources) -> list[Row]:
    """Return all rows of a data set, best main score first, those that are not comparable last."""
    statistic = _statistic(records[0], layout)
    groups = group_runs([record for record in records if not is_point(record)])
    points = curves(records, statistic=statistic)
    if alone := sorted(set(points) - {group[0].name for group in groups}):
        raise UserError(
            f"learning curves of {', '.join(alone)} on {records[0].data.name} belong to no published row: "
            "publish the row, or remove their records"
        )
    reference = layout.references[records[0].data.name]
    samples = {group[0].name: sample_row(group, statistic=statistic) for group in groups}
    rows = []
    for group in groups:
        name = group[0].name
        row = record_row(group, samples[name])
        if reference in samples and name != reference:
            row["versus"] = compare_rows(samples[name], samples[reference])
        row |= _found_beside(group, row, layout, sources)
        row["curve"] = [list(astuple(point)) for point in points.get(name, [])] or None
        rows.append(row)
    figures = [figure for figure in sources.cited if figure.data == records[0].data.name]
    rows += [cited_row(figure, main=records[0].metric.main) for figure in figures]
    for row in rows:
        row.setdefault("links", f"[source]({row.get('source')})")
    rows.sort(key=_rank)
    place_rows(rows, samples)
    return rows


def _found_beside(group: Sequence[Record], row: Row, layout: Layout, sources: Sources) -> Row:
    """Return what the row's own records do not say: speed, price, licence, churn, links."""
    measured = measured_values(row["ids"], sources.measurements, row["inference"])
    return {
        "measured": measured,
        "cost": row_cost(row, measured, tariff=sources.tariff),
        "licence": row_licence(row),
        "churn": _churn(group, layout, sources.folder),
        "links": _links(row, experiments=sources.experiments),
    }


def _churn(group: Sequence[Record], layout: Layout, folder: Path) -> Row | None:
    """Return the lowest and highest share of answers that change between two runs of the row."""
    if divides_anew(group):
        return None
    files = [folder / record.predictions.name for record in group]
    shares = churn([read_answers(path, ignored=layout.unchanged) for path in files])
    return {"low": min(shares), "high": max(shares)} if shares else None


def _rank(row: Row) -> tuple[bool, float, str]:
    return not row["comparable"], -row["score"]["value"] if row["score"] else 0.0, row["name"]


def _links(row: Row, *, experiments: bool) -> str:
    task, experiment = row["task"], row["experiment"]
    links = [f"[{number}](records/{task}/{id}.json)" for number, id in enumerate(row["ids"], start=1)]
    config = [f"[config](../conf/experiment/{experiment}.yaml)"] if experiment and experiments else []
    return ", ".join([*config, f"records {' '.join(links)}"])


def _statistic(record: Record, layout: Layout) -> Statistic:
    main = record.metric.main
    if main not in layout.statistics:
        allowed = ", ".join(layout.statistics)
        raise UserError(f"record {record.id} is ordered by {main!r}; the tables know: {allowed}")
    return _import(layout.statistics[main])


def _import(name: str) -> Statistic:
    module, _, function = name.rpartition(".")
    try:
        statistic: Statistic = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(
            f"statistic: {name!r} cannot be imported: {error}; name package.module.function"
        ) from error
    return statistic
