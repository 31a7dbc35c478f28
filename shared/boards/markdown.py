"""The tables of a task as Markdown for reading and as CSV for computing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from shared.boards.curve import Point, curve_markdown
from shared.boards.layout import CONF, Layout, read_common, read_layout
from shared.boards.sections import Section
from shared.boards.tables import Column, Table, csv_paths, csv_table, legend, markdown_table
from shared.help import command
from shared.licence import NOT_COMMERCIAL, restriction
from shared.provenance import Hardware
from shared.record import Record

_EVIDENCE = [
    Column("row", "name", "text"),
    Column("evidence", "links", "text"),
    Column("note", "note", "text"),
]


def tables(task: str, sections: Sequence[Section], *, conf: Path = CONF) -> dict[str, str]:
    """Return `<task>.md` and `<task>.csv` with their texts."""
    layout = read_layout(task, conf=conf)
    shown = [*layout.tables, *read_common(conf)]
    columns = [column for table in shown for column in table.columns] + layout.csv_only
    rows = [row for section in sections for row in section.rows]
    return {
        f"{task}.md": _page(task, layout, [_section(section, shown) for section in sections]),
        f"{task}.csv": csv_table(rows, ["data.name", *csv_paths(columns, rows)]),
    }


def _section(section: Section, tables: Sequence[Table]) -> list[str]:
    parts = [f"## {section.data}", "\n".join(f"- {fact}" for fact in facts(section.records))]
    if section.reference:
        parts.append(
            f"The reference, which others are compared with on the same documents, is *{section.reference}*."
        )
    for table in tables:
        if shown := markdown_table(section.rows, table.columns):  # nothing where no row has a value
            parts += [f"### {section.data}: {table.title}", table.note, shown]
    parts += _curves(section)
    parts += [f"### {section.data}: evidence", markdown_table(section.rows, _EVIDENCE)]
    return [*parts, "\n".join(f"- {line}" for line in legend(section.rows))]


def _curves(section: Section) -> list[str]:
    """Return a table for each row whose score is known by its number of labels."""
    reference = next((row for row in section.rows if row["name"] == section.reference), None)
    parts = []
    for row in section.rows:
        if row.get("curve"):
            points = [Point(*point) for point in row["curve"]]
            target = None if reference is None else (section.reference, reference["score"]["value"])
            parts += [
                f"### {section.data}: {row['name']} by labelled examples",
                curve_markdown(points, target),
            ]
    return parts


def facts(records: Sequence[Record]) -> list[str]:
    """Return the data, its licence, the metric and the machines, as the records state them."""
    first = records[0]
    forbidden = restriction(None, first.data.licence) == NOT_COMMERCIAL
    limited = f": {NOT_COMMERCIAL}, nor are weights trained on it" if forbidden else ""
    ran = [record for record in records if record.inference or record.training]
    machines = sorted({_machine(record.hardware) for record in ran})
    trained = (record.training.hardware for record in ran if record.training)
    elsewhere = sorted({_machine(hardware) for hardware in trained if hardware} - set(machines))
    return [
        f"Data: {_sizes(records)}, split {first.data.split}, digest `{first.data.digest[:12]}`.",
        f"Licence of the data: {first.data.licence}{limited}.",
        f"Metric: {first.metric.name} version {first.metric.version}, ordered by {first.metric.main}.",
        *[f"Measured on: {machine}." for machine in machines],
        *[f"Trained on: {machine}." for machine in elsewhere],
    ]


def _sizes(records: Sequence[Record]) -> str:
    """Return how many examples were scored: a range where each run divides the data anew."""
    examples = sorted({record.data.num_examples for record in records})
    if len(examples) > 1:
        return f"{examples[0]:,} to {examples[-1]:,} examples, divided anew in each run"
    return f"{examples[0]:,} examples of {records[0].data.num_documents:,} documents"


def _machine(hardware: Hardware) -> str:
    accelerator = hardware.accelerator or "no accelerator"
    return f"{hardware.cpu}, {hardware.threads} threads, {hardware.memory_gib:.0f} GiB, {accelerator}"


def _page(task: str, layout: Layout, sections: Sequence[Sequence[str]]) -> str:
    head = [
        f"# {layout.title}",
        f"Rendered from `records/{task}/`, `measurements/{task}/`, `conf/cited/{task}.yaml` and the prices "
        f"of `conf/` by `{command(task, 'publish')}`, never edited by hand. "
        "[README.md](README.md) says how to read it.",
    ]
    if not sections:
        head.append("Nothing has been published yet.")
    return "\n\n".join([*head, *(part for section in sections for part in section if part)]) + "\n"
