"""TREC's files, columns with white space between: a run is what a system found, qrels what people judged."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from shared.errors import DataError
from shared.files import read_lines, write_text_atomic
from shared.table_files import Fault

RUN = ("query", "Q0", "passage", "rank", "score", "tag")
QRELS = ("query", "iteration", "passage", "grade")
LARGEST = 3e38  # scores are kept as float32
_WHOLE = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def read_run(path: Path) -> dict[str, dict[str, float]]:
    """Return the scores by query and passage, of each query the best first, equal ones as in the file.

    The scores order the passages: a rank that contradicts them counts for nothing, as in trec_eval.
    """
    found: dict[str, dict[str, float]] = {}
    for _, query, passage, score in run_rows(path):
        found.setdefault(query, {})[passage] = score
    return {query: dict(sorted(row.items(), key=lambda item: -item[1])) for query, row in found.items()}


def run_rows(path: Path) -> Iterator[tuple[int, str, str, float]]:
    """Yield (line, query, passage, score) of a run; raises `DataError` with the line that is wrong."""
    for line, (query, _, passage, rank, score, _) in _rows(path, RUN):
        fault = partial(DataError, file=path, line=line)
        if not _WHOLE.fullmatch(rank):
            raise fault(f"rank {rank!r}; allowed: a whole number")
        if not _NUMBER.fullmatch(score) or abs(float(score)) > LARGEST:
            raise fault(f"score {score!r}; allowed: a number, at most {LARGEST:g} from 0")
        yield line, query, passage, float(score)


def read_qrels(path: Path) -> dict[str, dict[str, int]]:
    """Return the grades by query and passage, in the file's order; raises `DataError` as `run_rows` does."""
    found: dict[str, dict[str, int]] = {}
    for line, (query, _, passage, grade) in _rows(path, QRELS):
        if not _WHOLE.fullmatch(grade) or int(grade) < 0:
            raise DataError(f"grade {grade!r}; allowed: a whole number, 0 or more", file=path, line=line)
        found.setdefault(query, {})[passage] = int(grade)
    return found


def write_run(path: Path, rankings: Mapping[str, Mapping[str, float]], tag: str) -> None:
    """Write the passages of each query with their scores, ranked from 1 on as they are given, best first.

    Readers go by the scores: where they do not fall, the passages change places. Raises `DataError` for an
    id or a tag that is empty or has white space.
    """
    rows = [
        (query, "Q0", passage, str(rank), repr(float(score)), tag)
        for query, passages in rankings.items()
        for rank, (passage, score) in enumerate(passages.items(), start=1)
    ]
    for row in rows:
        for column, cell in zip(RUN, row, strict=True):
            if cell.split() != [cell]:
                raise DataError(f"{column} {cell!r} cannot be written: empty or with white space", file=path)
    write_text_atomic(path, "".join(" ".join(row) + "\n" for row in rows))


def _rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield (line, cells); blank lines are left out, and a passage may stand once for a query."""
    taken: dict[tuple[str, str], int] = {}
    for line, text in read_lines(path):
        if cells := text.split():
            fault = partial(DataError, file=path, line=line)
            if len(cells) != len(columns):
                raise fault(f"{len(cells)} columns; allowed: {len(columns)}: {' '.join(columns)}")
            _take((cells[0], cells[2]), line=line, taken=taken, fault=fault)
            yield line, cells


def _take(pair: tuple[str, str], *, line: int, taken: dict[tuple[str, str], int], fault: Fault) -> None:
    if pair in taken:
        raise fault(f"passage {pair[1]!r} stands on line {taken[pair]} too for query {pair[0]!r}")
    taken[pair] = line
