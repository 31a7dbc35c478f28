"""Rows of files that people bring, CSV with a header or JSON lines, each with the line that it begins on."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from shared.errors import DataError, suggest
from shared.files import read_lines

Fault = Callable[[str], DataError]  # a problem -> the error that names its file and line


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
