"""What people bring, each fault with its line: CSV with a header, JSON lines, texts to predict."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from shared.errors import ConfigError, DataError, suggest
from shared.files import read_lines

STREAMS = ("text", "jsonl")

Fault = Callable[[str], DataError]  # a problem -> the error that names its file and line


def given_path(value: str, setting: str, *, example: str) -> Path:
    """Return the path that a setting of the data gives; an empty one is a `ConfigError` with the example."""
    if not value:
        raise ConfigError([f"data.{setting} is empty: give the file, as data.{setting}={example}"])
    return Path(value)


def csv_rows(
    path: Path, *, check: Callable[[Sequence[str], Fault], None]
) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line a row begins on, its cells by column); blank lines are left out.

    `check` is given the header. Raises `DataError` for a column named twice and a row of another length.
    """
    header: list[str] = []
    for line, cells in _csv_cells(path):
        fault = partial(DataError, file=path, line=line)
        if not header:
            header = [cell.strip() for cell in cells]
            _check_named_once(header, fault)
            check(header, fault)
        elif len(cells) != len(header):
            raise fault(f"{len(cells)} cells; the header has {len(header)}: {', '.join(header)}")
        else:
            yield line, dict(zip(header, cells, strict=True))


def json_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number, object) of each line that is not blank."""
    for number, line in read_lines(path):
        if line.strip():
            yield number, parse_object(line, partial(DataError, file=path, line=number))


def parse_object(line: str, fault: Fault) -> dict[str, Any]:
    """Return the JSON object of the line."""
    try:
        row = json.loads(line)
    except ValueError as error:
        raise fault(f"not JSON: {error}") from error
    if not isinstance(row, dict):
        raise fault(f'no JSON object with "text" in {line[:80]!r}')
    return row


def read_texts(
    lines: Iterable[str],
    format: str,
    *,
    file: str,
    of_text: Callable[[str, str], Any],
    of_row: Callable[[Mapping[str, Any], str, Fault], Any],
) -> Iterator[Any]:
    """Yield an example a line: `text` by `of_text(text, id)`, `jsonl` by `of_row(object, id, fault)`.

    Ids are those given, else the running number from 0; blank lines of `jsonl` are left out. Another format
    is a `ConfigError`.
    """
    if format not in STREAMS:
        raise ConfigError(
            [f"predict.format={format} is not read by this task; formats: {', '.join(STREAMS)}"]
        )
    for number, line in enumerate(lines):
        text = line.rstrip("\r\n")
        if format == "text":
            yield of_text(text, str(number))
        elif text.strip():
            fault = partial(DataError, file=file, line=number + 1)
            row = parse_object(text, fault)
            yield of_row(row, read_cell(row, "id") or str(number), fault)


def read_cell(row: Mapping[str, Any], column: str) -> str:
    """Return the cell without white space around it, '' where there is none."""
    return "" if row.get(column) is None else str(row[column]).strip()


def read_text(row: Mapping[str, Any], column: str, fault: Fault) -> str:
    """Return the text of a column; raises the fault where it is no string, or not whole Unicode."""
    text = row.get(column)
    if not isinstance(text, str):
        raise fault(f'no "{column}" with a string in {json.dumps(row)[:80]!r}')
    if half := re.search("[\ud800-\udfff]", text):
        raise fault(f"half of a surrogate pair at character {half.start()} of {column!r}")
    return text


def take_id(name: str, *, line: int, taken: dict[str, int], fault: Fault) -> str:
    """Return the id after noting its line in `taken`; raises the fault for one that another line has."""
    if name in taken:
        raise fault(f"id {name!r} stands on line {taken[name]} too")
    taken[name] = line
    return name


def check_known(
    found: Iterable[str], allowed: Sequence[str], fault: Fault, *, noun: str = "column", advice: str = ""
) -> None:
    """Raise the fault for the first name that is not allowed, with the one probably meant."""
    for name in found:
        if name not in allowed:
            raise fault(
                f"unknown {noun} {name!r}{suggest(name, allowed)}; {noun}s: {', '.join(allowed)}{advice}"
            )


def _csv_cells(path: Path) -> Iterator[tuple[int, list[str]]]:
    rows = csv.reader((line for _, line in read_lines(path)), strict=True)
    line = 1
    try:
        for cells in rows:
            if cells:
                yield line, cells
            line = rows.line_num + 1
    except csv.Error as error:
        raise DataError(f"no CSV: {error}", file=path, line=line) from error


def _check_named_once(header: Sequence[str], fault: Fault) -> None:
    for name in header:
        if header.count(name) > 1:
            raise fault(f"{header.count(name)} columns named {name!r}")
