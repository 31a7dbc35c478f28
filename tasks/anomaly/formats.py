"""Texts of one's own: plain lines, JSON lines and CSV with a header, each fault with its line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from shared.errors import DataError, suggest
from shared.examples import AnomalyExample
from shared.files import read_lines
from shared.table_files import Fault, check_known, csv_rows, json_rows, read_cell, read_text, take_id

_JSON_KEYS = ("id", "text", "texts", "anomalous", "kind", "group")


@dataclass(frozen=True)
class Words:
    """What a label says, whatever its case; an empty one says nothing."""

    anomaly: Sequence[str]
    normal: Sequence[str]

    def read(self, cell: str, fault: Fault) -> bool | None:
        """Return whether the label says anomaly, None where it is empty; another word is a fault."""
        word = cell.strip().casefold()
        if word in map(str.casefold, self.anomaly):
            return True
        if word in map(str.casefold, self.normal):
            return False
        if not word:
            return None
        allowed = [*self.anomaly, *self.normal]
        raise fault(
            f"unknown label {cell.strip()!r}{suggest(word, allowed)}; data.anomaly_words: "
            f"{', '.join(self.anomaly)}; data.normal_words: {', '.join(self.normal)}"
        )


@dataclass(frozen=True)
class Columns:
    """Which column holds what; all but the text may be absent from a file."""

    text: str
    label: str
    kind: str
    group: str
    id: str
    ignore: tuple[str, ...]  # columns that are there for others


def read_plain(path: Path, labels: Path | None, *, words: Words) -> tuple[list[AnomalyExample], int]:
    """Return the lines of a text file that are not blank, and how many are; ids are `line-<number>` from 1.

    A line is normal, unless the line of `labels` with the same number says otherwise. Raises `DataError`
    for an unknown label, and for files that differ in length.
    """
    marks = [] if labels is None else list(read_lines(labels))
    examples, number = [], 0
    for number, line in read_lines(path):
        text = line.rstrip("\r\n")
        if labels is not None and number > len(marks):
            raise DataError(f"has {len(marks)} lines; {path} has more, a label for each", file=labels)
        if text.strip():
            label = False if labels is None else _label(marks[number - 1], labels, words)
            name = f"line-{number}"
            examples.append(AnomalyExample(name, (text,), label, document=name))
    if number < len(marks):
        raise DataError(f"has {len(marks)} lines; {path} has {number}, a label for each", file=labels or path)
    return _not_empty(examples, path), number - len(examples)


def read_json_lines(path: Path) -> list[AnomalyExample]:
    """Return the examples of {"text" or "texts", "anomalous", "kind"?, "group"?, "id"?} a line.

    "anomalous" is true, false, or null where nobody has said; ids are given or `line-<number>`. Raises
    `DataError` for the first line that does not fit, an unknown key or an id that repeats.
    """
    examples: list[AnomalyExample] = []
    lines: dict[str, int] = {}
    for number, row in json_rows(path):
        fault = partial(DataError, file=path, line=number)
        check_known(row, _JSON_KEYS, fault, noun="key")
        name = take_id(read_cell(row, "id") or f"line-{number}", line=number, taken=lines, fault=fault)
        texts = _filled(_texts(row, fault), fault)
        kind, group = read_cell(row, "kind"), read_cell(row, "group")
        examples.append(AnomalyExample(name, texts, _told(row, fault), kind, group, name))
    return _not_empty(examples, path)


def read_table(path: Path, *, split: str, columns: Columns, words: Words) -> list[AnomalyExample]:
    """Return the rows of a .jsonl file, or of CSV under any other name; ids are given or `<split>-<row>`.

    Without a label column each row is normal. Raises `DataError` for the first row that does not fit: an
    unknown column or label, no text, an id that repeats.
    """
    own = [columns.text, columns.label, columns.kind, columns.group, columns.id]
    allowed = [*own, *columns.ignore]
    check = partial(check_columns, needed=[columns.text])
    rows = list(json_rows(path) if path.suffix == ".jsonl" else csv_rows(path, check=check))
    labelled = any(columns.label in row for _, row in rows)
    examples: list[AnomalyExample] = []
    lines: dict[str, int] = {}
    for place, (line, row) in enumerate(rows):
        fault = partial(DataError, file=path, line=line)
        check_known(row, allowed, fault, advice="; name in data.ignore those that are there for others")
        texts = _filled((read_text(row, columns.text, fault),), fault)
        label = words.read(read_cell(row, columns.label), fault) if labelled else False
        name = take_id(read_cell(row, columns.id) or f"{split}-{place}", line=line, taken=lines, fault=fault)
        kind, group = read_cell(row, columns.kind), read_cell(row, columns.group)
        examples.append(AnomalyExample(name, texts, label, kind, group, name))
    return _not_empty(examples, path)


def check_columns(header: Sequence[str], fault: Fault, *, needed: Sequence[str]) -> None:
    """Raise the fault for the first column that is needed and not there."""
    for name in needed:
        if name not in header:
            raise fault(f"no column {name!r}{suggest(name, header)}, found {', '.join(header)}")


def texts_of_row(row: Mapping[str, Any], name: str, fault: Fault) -> AnomalyExample:
    """Return the text, or the window of texts, to predict of {"text" or "texts"}."""
    return AnomalyExample(name, _texts(row, fault), document=name)


def check_normal(train: Sequence[AnomalyExample], path: Path) -> None:
    """Raise `DataError` where train has no normal text to learn from."""
    if not any(example.anomalous is False for example in train):
        raise DataError(
            f"no normal text in train among {len(train)}: give texts with a label that says normal", file=path
        )


def _label(mark: tuple[int, str], path: Path, words: Words) -> bool | None:
    number, cell = mark
    return words.read(cell, partial(DataError, file=path, line=number))


def _texts(row: Mapping[str, Any], fault: Fault) -> tuple[str, ...]:
    """Return the one text or the window's texts."""
    if "texts" not in row:
        return (read_text(row, "text", fault),)
    texts = row["texts"]
    if "text" in row or not isinstance(texts, list) or not texts:
        raise fault('expected "text" with a string, or "texts" with a list of strings')
    return tuple(read_text({"texts": text}, "texts", fault) for text in texts)


def _filled(texts: tuple[str, ...], fault: Fault) -> tuple[str, ...]:
    if not all(text.strip() for text in texts):
        raise fault("the text is empty")
    return texts


def _told(row: Mapping[str, Any], fault: Fault) -> bool | None:
    value = row.get("anomalous")
    if "anomalous" not in row or not (value is None or isinstance(value, bool)):
        found = f'"anomalous" is {value!r}' if "anomalous" in row else 'no "anomalous"'
        raise fault(f"{found}; allowed: true, false, or null where nobody has said")
    return value


def _not_empty(examples: list[AnomalyExample], path: Path) -> list[AnomalyExample]:
    if not examples:
        raise DataError("the file holds no text", file=path)
    return examples
