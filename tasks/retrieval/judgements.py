"""The layout of BEIR, a corpus, queries and judgements: read into a collection, each fault with its line."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from shared.errors import DataError
from shared.files import read_lines
from shared.passages import Passage
from shared.table_files import Fault, json_rows, read_cell, read_text, take_id
from tasks.retrieval.collection import Collection, Query

HEADER = ("query-id", "corpus-id", "score")
QUERY_CHARACTERS = 100_000  # of a query at most: a longer one is a document in the wrong column

Grades = dict[str, dict[str, int]]  # query id -> passage id -> grade


def read_collection(corpus: Path, queries: Path, qrels: Path) -> Collection:
    """Return the corpus and the queries that `qrels` judge, each in the order of its file.

    Raises `DataError` for the first row that does not fit, and where no query has a relevant passage.
    """
    passages, texts = read_corpus(corpus), _read_queries(queries)
    grades = _read_grades(qrels, queries=texts, passages={passage.id for passage in passages})
    if not any(grade for judged in grades.values() for grade in judged.values()):
        raise DataError("no query has a relevant passage: no judgement is above 0", file=qrels)
    judged = (Query(name, text, grades[name]) for name, text in texts.items() if name in grades)
    return Collection(passages, tuple(judged))


def read_corpus(path: Path) -> tuple[Passage, ...]:
    """Return the passages in the order of the file; raises `DataError` for a row that does not fit."""
    taken: dict[str, int] = {}
    passages = []
    for line, row in json_rows(path):
        fault = partial(DataError, file=path, line=line)
        name = take_id(check_id(read_text(row, "_id", fault), fault), line=line, taken=taken, fault=fault)
        passage = Passage(name, read_text(row, "text", fault), _document(row, fault), _title(row, fault))
        if not passage.whole:
            raise fault("the passage is empty: neither title nor text has a word")
        passages.append(passage)
    return tuple(passages)


def read_query(row: Mapping[str, Any], key: str, fault: Fault) -> str:
    """Return the query; raises the fault for one that is blank or longer than `QUERY_CHARACTERS`."""
    query = read_text(row, key, fault)
    if not query.strip():
        raise fault(f'"{key}" is empty; allowed: a query with words')
    if len(query) > QUERY_CHARACTERS:
        raise fault(f"the query has {len(query):,} characters; allowed: {QUERY_CHARACTERS:,}")
    return query


def check_id(name: str, fault: Fault) -> str:
    """Return the id; raises the fault for one that is empty or has white space, as run files cannot."""
    if not name or re.search(r"\s", name):
        raise fault(f"id {name!r} is empty or has white space; allowed: an id without")
    return name


def _title(row: Mapping[str, Any], fault: Fault) -> str:
    return read_text(row, "title", fault) if row.get("title") else ""


def _document(row: Mapping[str, Any], fault: Fault) -> str:
    metadata = row.get("metadata") or {}
    if not isinstance(metadata, dict):
        raise fault(
            f'"metadata" is {metadata!r}; allowed: an object, with "document" for what it was cut from'
        )
    return read_cell(metadata, "document")


def _read_queries(path: Path) -> dict[str, str]:
    """Return the queries' texts by id."""
    taken: dict[str, int] = {}
    texts = {}
    for line, row in json_rows(path):
        fault = partial(DataError, file=path, line=line)
        name = take_id(check_id(read_text(row, "_id", fault), fault), line=line, taken=taken, fault=fault)
        texts[name] = read_query(row, "text", fault)
    return texts


def _read_grades(path: Path, *, queries: Container[str], passages: Container[str]) -> Grades:
    """Return the judgements; blank lines are left out."""
    grades: Grades = {}
    lines = ((number, line.rstrip("\r\n")) for number, line in read_lines(path))
    number, header = next(lines, (1, ""))
    if tuple(header.split("\t")) != HEADER:
        names = ", ".join(HEADER)
        raise DataError(f"header {header!r}; allowed: {names}, with tabs between", file=path, line=number)
    for number, line in lines:
        if line.strip():
            fault = partial(DataError, file=path, line=number)
            query, passage, grade = _judgement(line, fault)
            _check_known(query, passage, queries=queries, passages=passages, fault=fault)
            if passage in grades.setdefault(query, {}):
                raise fault(f"query {query!r} and passage {passage!r} are judged twice")
            grades[query][passage] = grade
    return grades


def _judgement(line: str, fault: Fault) -> tuple[str, str, int]:
    cells = line.split("\t")
    if len(cells) != len(HEADER):
        raise fault(f"{len(cells)} columns in {line[:80]!r}; allowed: {len(HEADER)}, with tabs between")
    query, passage, grade = cells
    if not re.fullmatch("[0-9]{1,9}", grade):
        raise fault(f"grade {grade!r}; allowed: a whole number from 0, for not relevant")
    return query, passage, int(grade)


def _check_known(
    query: str, passage: str, *, queries: Container[str], passages: Container[str], fault: Fault
) -> None:
    if query not in queries:
        raise fault(f"query {query!r} is not among the queries")
    if passage not in passages:
        raise fault(f"passage {passage!r} is not in the corpus")
