"""Leaderboards: runs are published as records with their answers; tables are rendered from those alone."""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from shared.errors import UserError
from shared.files import write_text_atomic
from shared.help import command
from shared.intervals import Statistic
from shared.provenance import FileFacts, file_facts
from shared.record import Record, read_record, write_record
from shared.rows import (
    Cited,
    Row,
    churn,
    cited_row,
    compare_rows,
    divides_anew,
    group_runs,
    read_answers,
    record_row,
)
from shared.tables import Column, Table, csv_paths, csv_table, legend, markdown_table
from shared.typed_json import read_as

CONF = Path(__file__).resolve().parent.parent / "conf"
PREDICTIONS = ".predictions.jsonl"
_MAX_STRING = 64  # characters of an id or a label; anything longer may be text
_EVIDENCE = [
    Column("row", "name", "text"),
    Column("evidence", "links", "text"),
    Column("note", "note", "text"),
]


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


def publish(
    record_path: Path,
    predictions_path: Path,
    *,
    leaderboards_dir: Path,
    allow_dirty: bool = False,
    conf: Path = CONF,
) -> Path:
    """Copy a record and its predictions to `records/<task>/`, render the tables; return the record's place.

    Raises `UserError` with every reason against it: not the test split, the sample data, no commit or a
    changed tree (unless `allow_dirty`), predictions that are not the record's, are not complete or hold text.
    """
    record = read_record(record_path)
    layout = read_layout(record.task, conf=conf)
    rows = [json.loads(line) for line in predictions_path.read_text(encoding="utf-8").splitlines()]
    problems = [*_record_problems(record, layout, allow_dirty=allow_dirty), *_row_problems(rows, layout)]
    if file_facts(predictions_path).sha256 != record.predictions.sha256:
        problems.append(f"{predictions_path} is not the file the record was made from: evaluate again")
    if (
        len({row.get("id") for row in rows}) != record.data.num_examples
        or len(rows) != record.data.num_examples
    ):
        problems.append(f"{predictions_path} must hold each of {record.data.num_examples} ids once")
    if problems:
        raise UserError("\n".join(f"{record_path} cannot be published: {problem}" for problem in problems))
    folder = leaderboards_dir / "records" / record.task
    text = "".join(_compact(row) + "\n" for row in rows)
    write_text_atomic(folder / f"{record.id}{PREDICTIONS}", text)
    stored = FileFacts(f"{record.id}{PREDICTIONS}", hashlib.sha256(text.encode()).hexdigest())
    write_record(replace(record, predictions=stored), folder / f"{record.id}.json")
    render(record.task, leaderboards_dir, conf=conf)
    return folder / f"{record.id}.json"


def render(task: str, leaderboards_dir: Path, *, conf: Path = CONF) -> None:
    """Write `<task>.md` and `<task>.csv` from published records and cited figures, always the same bytes."""
    layout, cited = read_layout(task, conf=conf), read_cited(task, conf=conf)
    folder = leaderboards_dir / "records" / task
    records = [read_record(path) for path in sorted(folder.glob("*.json"))]
    sections, all_rows = [], []
    for name, reference in layout.references.items():
        of_set = [record for record in records if record.data.name == name]
        if not of_set:
            continue
        groups = group_runs(of_set)
        statistic = _statistic(of_set[0], layout)
        figures = [figure for figure in cited if figure.data == name]
        rows = _rows(groups, figures, reference=reference, statistic=statistic)
        all_rows += rows
        sections.append(_section(of_set, rows, layout) + _churn_table(groups, layout, folder))
    write_text_atomic(leaderboards_dir / f"{task}.md", _page(task, layout, sections))
    columns = [column for table in layout.tables for column in table.columns] + layout.csv_only
    paths = ["data.name", *csv_paths(columns, all_rows)]
    write_text_atomic(leaderboards_dir / f"{task}.csv", csv_table(all_rows, paths))


def read_layout(task: str, *, conf: Path = CONF) -> Layout:
    """Return the task's layout; raises `UserError` for a wrong key or type, or when there is none."""
    path = conf / "leaderboard" / f"{task}.yaml"
    layout: Layout = read_as(Layout, _read_yaml(path), file=path)
    return layout


def read_cited(task: str, *, conf: Path = CONF) -> list[Cited]:
    """Return the task's published figures; none when there is no conf/cited/<task>.yaml."""
    path = conf / "cited" / f"{task}.yaml"
    if not path.is_file():
        return []
    rows: list[Cited] = read_as(list[Cited], _read_yaml(path), file=path)
    return rows


def _read_yaml(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise UserError(f"{path} cannot be read: {error}") from error


def _record_problems(record: Record, layout: Layout, *, allow_dirty: bool) -> Iterator[str]:
    if record.data.name not in layout.references:
        known = ", ".join(layout.references)
        yield f"its data is {record.data.name!r}; the tables of {record.task} are for {known}"
    if record.data.split != "test":
        yield f"its split is {record.data.split!r}: evaluate with split=test"
    if record.code is None:
        yield "it names no commit: run from a git checkout"
    elif not record.code.clean and not allow_dirty:
        yield "it was made from changed sources: commit, then train and evaluate again"
    for path in _absolute_paths(record.config):
        yield f"its config holds a path of one machine: {path}"


def _absolute_paths(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _absolute_paths(item)
    elif isinstance(value, str) and value.startswith(("/", "~")):
        yield value


def _row_problems(rows: Sequence[Any], layout: Layout) -> Iterator[str]:
    """Yield why rows may not be committed; text of others is what must never be."""
    for number, row in enumerate(rows, start=1):
        for key, value in _leaves(row):
            if key not in layout.answer_keys:
                yield f"prediction {number} has the key {key!r}; allowed: {', '.join(layout.answer_keys)}"
            elif isinstance(value, str) and len(value) > _MAX_STRING and key not in layout.written_keys:
                yield f"prediction {number} has a {key} of {len(value)} characters: ids and labels only"


def _leaves(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _leaves(item, name)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, key)
    else:
        yield key, value


def _compact(row: Any) -> str:
    """Return the row as one line of JSON without spaces, numbers to six decimals."""
    rounded = json.loads(json.dumps(row), parse_float=lambda number: round(float(number), 6))
    return json.dumps(rounded, ensure_ascii=False, separators=(",", ":"))


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


def _rows(
    groups: Sequence[Sequence[Record]], cited: Sequence[Cited], *, reference: str, statistic: Statistic
) -> list[Row]:
    """Return all rows of a data set, best main score first, those that are not comparable last."""
    compared = next((group for group in groups if group[0].name == reference), None)
    rows = []
    for group in groups:
        row = record_row(group, statistic=statistic)
        if compared is not None and group is not compared:
            row["versus"] = compare_rows(group, compared, statistic=statistic)
        row["links"] = _links(row)
        rows.append(row)
    rows += [cited_row(figure, main=groups[0][0].metric.main) for figure in cited]
    for row in rows:
        row.setdefault("links", f"[source]({row.get('source')})")
    return sorted(rows, key=_rank)


def _rank(row: Row) -> tuple[bool, float, str]:
    return not row["comparable"], -row["score"]["value"] if row["score"] else 0.0, row["name"]


def _links(row: Row) -> str:
    task, experiment = row["task"], row["experiment"]
    links = [f"[{number}](records/{task}/{id}.json)" for number, id in enumerate(row["ids"], start=1)]
    config = [f"[config](../conf/experiment/{experiment}.yaml)"] if experiment else []
    return ", ".join([*config, f"records {' '.join(links)}"])


def _section(records: Sequence[Record], rows: Sequence[Row], layout: Layout) -> list[str]:
    name = records[0].data.name
    parts = [f"## {name}", _facts(records)]
    if reference := layout.references[name]:
        parts.append(
            f"The reference, which others are compared with on the same documents, is *{reference}*."
        )
    for table in layout.tables:
        if shown := markdown_table(rows, table.columns):  # nothing where no row has a value
            parts += [f"### {name}: {table.title}", table.note, shown]
    parts += [f"### {name}: evidence", markdown_table(rows, _EVIDENCE)]
    return [*parts, "\n".join(f"- {line}" for line in legend(rows))]


def _facts(records: Sequence[Record]) -> str:
    """Return the data, its licence, the metric and the machines, as the records state them."""
    first = records[0]
    limited = ": not for commercial use, nor are weights trained on it" if "NC" in first.data.licence else ""
    machines = sorted({_machine(record) for record in records if record.inference or record.training})
    lines = [
        f"- Data: {_sizes(records)}, split {first.data.split}, digest `{first.data.digest[:12]}`.",
        f"- Licence of the data: {first.data.licence}{limited}.",
        f"- Metric: {first.metric.name} version {first.metric.version}, ordered by {first.metric.main}.",
        *[f"- Measured on: {machine}." for machine in machines],
    ]
    return "\n".join(lines)


def _sizes(records: Sequence[Record]) -> str:
    """Return how many examples were scored: a range where each run divides the data anew."""
    examples = sorted({record.data.num_examples for record in records})
    if len(examples) > 1:
        return f"{examples[0]:,} to {examples[-1]:,} examples, divided anew in each run"
    return f"{examples[0]:,} examples of {records[0].data.num_documents:,} documents"


def _machine(record: Record) -> str:
    hardware = record.hardware
    accelerator = hardware.accelerator or "no accelerator"
    return f"{hardware.cpu}, {hardware.threads} threads, {hardware.memory_gib:.0f} GiB, {accelerator}"


def _churn_table(groups: Sequence[Sequence[Record]], layout: Layout, folder: Path) -> list[str]:
    """Return the table of how much the answers of a row change between its runs, if a row has several."""
    rows: list[Row] = []
    for group in groups:
        if divides_anew(group):
            continue
        files = [folder / record.predictions.name for record in group]
        if shares := churn([read_answers(path, ignored=layout.unchanged) for path in files]):
            runs = f"{len(group)} {'seeds' if group[0].kind == 'measured' else 'runs'}"
            rows.append(
                {"name": group[0].name, "kind": group[0].kind, "runs": runs, "shares": _range(shares)}
            )
    if not rows:
        return []
    columns = [
        Column("row", "name", "text"),
        Column("runs", "runs", "text"),
        Column("answers that change", "shares", "text"),
    ]
    note = (
        "The share of examples answered differently by two runs of one row, over all pairs of its runs. Runs "
        "of a replayed row are the same model asked again; those of a measured row differ in their seed."
    )
    return ["### Answers that change between runs", note, markdown_table(rows, columns)]


def _range(shares: Sequence[float]) -> str:
    low, high = f"{100 * min(shares):.1f}", f"{100 * max(shares):.1f}"
    return f"{low} %" if low == high else f"{low} to {high} %"


def _page(task: str, layout: Layout, sections: Sequence[Sequence[str]]) -> str:
    head = [
        f"# {layout.title}",
        f"Rendered from `records/{task}/` and `conf/cited/{task}.yaml` by `{command(task, 'publish')}`, "
        "never edited by hand. [README.md](README.md) says how to read it.",
    ]
    if not sections:
        head.append("Nothing has been published yet.")
    return "\n\n".join([*head, *(part for section in sections for part in section if part)]) + "\n"
