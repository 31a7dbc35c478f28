"""Rows of one's own: CSV with a header or JSON lines, a column for each facet, each fault with its line."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from shared.errors import DataError, few, suggest
from shared.examples import FacetExample, Span
from shared.ontology import Cardinality, Facet, Ontology
from shared.table_files import Fault, check_known, csv_rows, json_rows, read_cell, read_text, take_id

MARKS = "marks"  # of JSON lines alone
_ADVICE = "; name in data.ignore those that are there for others"


@dataclass(frozen=True)
class Columns:
    """Which column holds what; all but the text may be absent from a file."""

    text: str
    pair: str
    id: str
    document: str
    separator: str  # between the concepts of one cell
    none_word: str  # a cell that says: none of the facet's concepts
    ignore: tuple[str, ...]  # columns that are there for others


def read_examples(path: Path, *, split: str, columns: Columns, ontology: Ontology) -> list[FacetExample]:
    """Return the examples of a .jsonl file, or of CSV under any other name; ids are given or `<split>-<row>`.

    A cell that is empty says that its facet was not labelled. Raises `DataError` for the first row that does
    not fit: an unknown column or concept, too many concepts or excluded ones, no text, an id that repeats.
    """
    facets = [facet.id for facet in ontology.facets]
    own = [columns.text, columns.pair, columns.id, columns.document, MARKS]
    allowed = list(dict.fromkeys(filter(None, [*own, *facets, *columns.ignore])))
    examples: list[FacetExample] = []
    lines: dict[str, int] = {}
    for number, (line, row) in enumerate(_rows(path, allowed)):
        fault = partial(DataError, file=path, line=line)
        example = _example(row, f"{split}-{number}", columns=columns, ontology=ontology, fault=fault)
        take_id(example.id, line=line, taken=lines, fault=fault)
        examples.append(example)
    if not any(example.labels or example.values for example in examples):
        found = f"no label in {len(examples)} rows" if examples else "the file holds no example"
        raise DataError(f"{found}; facets: {', '.join(facets)}", file=path)
    return examples


def text_of_row(row: Mapping[str, Any], name: str, fault: Fault) -> FacetExample:
    """Return the text to predict of {"text", "pair"?, "marks"?}."""
    text = read_text(row, "text", fault)
    pair = read_text(row, "pair", fault) if row.get("pair") is not None else ""
    return FacetExample(
        id=name, text=text, pair=pair, marks=_marks(row.get(MARKS) or [], text, fault), document=name
    )


def _rows(path: Path, allowed: Sequence[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line a row begins on, its cells) of JSON lines, whose rows may leave out columns, or of CSV."""
    if path.suffix != ".jsonl":
        yield from csv_rows(path, check=partial(_check_header, allowed=allowed))
        return
    for line, row in json_rows(path):
        check_known(row, allowed, partial(DataError, file=path, line=line), advice=_ADVICE)
        yield line, row


def _check_header(header: Sequence[str], fault: Fault, *, allowed: Sequence[str]) -> None:
    check_known(header, allowed, fault, advice=_ADVICE)
    if allowed[0] not in header:
        raise fault(f"no column {allowed[0]!r}, found {', '.join(header)}; name it as data.text=COLUMN")


def _example(
    row: Mapping[str, Any], otherwise: str, *, columns: Columns, ontology: Ontology, fault: Fault
) -> FacetExample:
    text = read_text(row, columns.text, fault)
    if not text.strip():
        raise fault(f"{columns.text!r} is empty")
    name = read_cell(row, columns.id) or otherwise
    labels: dict[str, tuple[str, ...]] = {}
    values: dict[str, float] = {}
    for facet in ontology.facets:
        cell = row.get(facet.id)
        if cell is None or (isinstance(cell, str) and not cell.strip()):
            continue
        if facet.cardinality is Cardinality.number:
            values[facet.id] = _number(cell, facet, fault)
        else:
            labels[facet.id] = _concepts(cell, facet, columns=columns, ontology=ontology, fault=fault)
    _check_disjoint(labels, ontology, fault)
    return FacetExample(
        id=name,
        text=text,
        pair=read_text(row, columns.pair, fault) if row.get(columns.pair) else "",
        marks=_marks(row.get(MARKS) or [], text, fault),
        labels=labels,
        values=values,
        document=read_cell(row, columns.document) or name,
    )


def _number(cell: Any, facet: Facet, fault: Fault) -> float:
    try:
        value = math.nan if isinstance(cell, bool) else float(cell)
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise fault(f"{facet.id} is {cell!r}; expected a number such as -0.25")
    return value


def _concepts(
    cell: Any, facet: Facet, *, columns: Columns, ontology: Ontology, fault: Fault
) -> tuple[str, ...]:
    """Return the most specific concepts of a cell; a list of JSON names them one by one."""
    parts = cell if isinstance(cell, list) else str(cell).split(columns.separator)
    names = [str(part).strip() for part in parts]
    if names == [columns.none_word]:
        return ()
    own = [ontology.concepts[place].id for place in ontology.by_facet[facet.id]]
    for name in names:
        if name not in own:
            raise fault(f"unknown concept {name!r} of {facet.id}{suggest(name, own)}; allowed: {few(own)}")
    found = ontology.most_specific(names)
    if facet.single and len(found) > 1:
        raise fault(f"{facet.id} has {', '.join(found)}; allowed: one concept ({facet.cardinality.value})")
    return found


def _check_disjoint(labels: Mapping[str, tuple[str, ...]], ontology: Ontology, fault: Fault) -> None:
    chosen = [concept for concepts in labels.values() for concept in concepts]
    named = frozenset().union(*(ontology.closure[concept] for concept in chosen))
    for pair in ontology.disjoint:
        if set(pair) <= named:
            raise fault(f"{', '.join(chosen)} brings {' and '.join(pair)}, which exclude each other")


def _marks(given: Any, text: str, fault: Fault) -> tuple[Span, ...]:
    """Return the marked stretches e1 and e2, or none."""
    shape = '[{"start": 0, "end": 4, "label": "e1"}, {"start": 9, "end": 12, "label": "e2"}]'
    if not isinstance(given, list) or not all(isinstance(mark, dict) for mark in given):
        raise fault(f'"marks" is {given!r}; expected a list such as {shape}')
    marks = tuple(_mark(mark, text, shape, fault) for mark in given)
    if marks and [mark.label for mark in marks] != ["e1", "e2"]:
        raise fault(f'"marks" has {", ".join(mark.label for mark in marks)}; expected e1, then e2')
    return marks


def _mark(given: Mapping[str, Any], text: str, shape: str, fault: Fault) -> Span:
    start, end, label = given.get("start"), given.get("end"), given.get("label")
    if type(start) is not int or type(end) is not int or not isinstance(label, str):
        raise fault(f"mark {dict(given)!r}; expected {shape}")
    if not 0 <= start < end <= len(text):
        allowed = f"0 <= start < end <= {len(text)}, the text's length"
        raise fault(f"mark {start} to {end} is empty or outside its text; allowed: {allowed}")
    return Span(start, end, label)
