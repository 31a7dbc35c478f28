"""Publishing: a run's record and its answers go into the leaderboards, or every reason against it is said."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from shared.boards.board import render_all
from shared.boards.curve import is_point
from shared.boards.layout import CONF, Layout, read_layout
from shared.boards.own_board import add_data
from shared.errors import UserError
from shared.files import write_text_atomic
from shared.provenance import FileFacts, file_facts
from shared.record import PREDICTIONS, Record, read_record, write_record

SHOWN = 20  # problems of a run
_MAX_STRING = 64  # characters of an id or a label; anything longer may be text


def publish(
    record_path: Path,
    predictions_path: Path,
    *,
    leaderboards_dir: Path,
    allow_dirty: bool = False,
    own: bool = False,
    conf: Path = CONF,
) -> Path:
    """Add the record as `add_record` does, then render everything; return the record's place."""
    path = add_record(
        record_path,
        predictions_path,
        leaderboards_dir=leaderboards_dir,
        allow_dirty=allow_dirty,
        own=own,
        conf=conf,
    )
    render_all(leaderboards_dir, conf=conf)
    return path


def add_record(
    record_path: Path,
    predictions_path: Path,
    *,
    leaderboards_dir: Path,
    allow_dirty: bool = False,
    own: bool = False,
    conf: Path = CONF,
) -> Path:
    """Copy a record and its predictions to `records/<task>/`; return the record's place.

    Raises `UserError` with every reason against it: not the test split, the sample data, no commit or a
    changed tree (unless `allow_dirty`), predictions that are not the record's, are not complete or hold text.
    A board of one's `own` takes any data and the sources as they are; it is made where there is none.
    """
    record = read_record(record_path)
    layout = read_layout(record.task, conf=conf)
    rows = [json.loads(line) for line in predictions_path.read_text(encoding="utf-8").splitlines()]
    problems = [
        *([] if own else _record_problems(record, layout, allow_dirty=allow_dirty)),
        *_split_problems(record),
        *answer_problems(rows, record, layout),
    ]
    if file_facts(predictions_path).sha256 != record.predictions.sha256:
        problems.append(f"{predictions_path} is not the file the record was made from: evaluate again")
    folder = leaderboards_dir / "records" / record.task
    if is_point(record) and not _has_row(folder, record):
        problems.append(f"it is a point of the learning curve of {record.name!r}: publish that row first")
    if problems:
        more = [f"and {len(problems) - SHOWN:,} more of this kind"] if len(problems) > SHOWN else []
        raise UserError(
            "\n".join(
                f"{record_path} cannot be published: {problem}" for problem in [*problems[:SHOWN], *more]
            )
        )
    if own:
        add_data(leaderboards_dir, task=record.task, data=record.data.name)
    text = "".join(_compact(row) + "\n" for row in rows)
    write_text_atomic(folder / f"{record.id}{PREDICTIONS}", text)
    stored = FileFacts(f"{record.id}{PREDICTIONS}", hashlib.sha256(text.encode()).hexdigest())
    write_record(replace(record, predictions=stored), folder / f"{record.id}.json")
    return folder / f"{record.id}.json"


def _has_row(folder: Path, point: Record) -> bool:
    published = (read_record(path) for path in folder.glob("*.json"))
    return any(
        (record.name, record.data.name) == (point.name, point.data.name) and not is_point(record)
        for record in published
    )


def _record_problems(record: Record, layout: Layout, *, allow_dirty: bool) -> Iterator[str]:
    if record.data.name not in layout.references:
        known = ", ".join(layout.references)
        yield (
            f"its data is {record.data.name!r}; the tables of {record.task} are for {known}; "
            "a board of your own takes any: leaderboards_dir= and another folder"
        )
    if record.code is None:
        yield "it names no commit: run from a git checkout"
    elif not record.code.clean and not allow_dirty:
        yield "it was made from changed sources: commit, then train and evaluate again"
    for path in _absolute_paths(record.config):
        yield f"its config holds a path of one machine: {path}"


def _split_problems(record: Record) -> Iterator[str]:
    if record.data.split != "test":
        yield f"its split is {record.data.split!r}: evaluate with split=test"


def _absolute_paths(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _absolute_paths(item)
    elif isinstance(value, str) and value.startswith(("/", "~")):
        yield value


def answer_problems(rows: Sequence[Any], record: Record, layout: Layout) -> Iterator[str]:
    """Yield why a record's answers may not be committed; text of others is what must never be."""
    if not len({row.get("id") for row in rows}) == len(rows) == record.data.num_examples:
        yield f"the predictions must hold each of {record.data.num_examples} ids once"
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
