"""What one brings oneself, documents with summaries or to predict; and the sample corpus to try out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from shared.errors import DataError
from shared.examples import SummaryExample
from shared.table_files import (
    Fault,
    check_known,
    given_path,
    json_rows,
    read_cell,
    read_text,
    read_texts,
    take_id,
)
from tasks.summarization.report import data_report
from tasks.summarization.sentences import split_sentences

TYPES = {"summary": "summary"}

_KEYS = ("id", "document", "summary")
_SAMPLE = Path(__file__).parent / "sample"


@dataclass(frozen=True)
class JsonLines:
    """JSON lines of one's own, a file for each split: {"document", "summary", "id"?}.

    A document is a text or a list of sentences, a summary a text with a bullet a line or a list of bullets.
    """

    name: str
    licence: str
    train: str
    validation: str
    test: str

    def types(self) -> Mapping[str, str]:
        """Return the one thing there is to write."""
        return TYPES

    def files(self, split: str) -> list[Path]:
        """Return the split's file."""
        path = {"train": self.train, "validation": self.validation, "test": self.test}[split]
        return [given_path(path, split, example=f"path/to/{split}.jsonl")]

    def load(self, split: str) -> list[SummaryExample]:
        """Return the split's documents; ids are given or `<split>-<line>`, counted from 1."""
        return _read(self.files(split)[0], split)

    def report(self) -> str:
        """Return the data report."""
        return data_report(self)


@dataclass(frozen=True)
class Sample:
    """The embedded corpus: quarterly reports of invented firms, with bullets in the style `brief`."""

    name: str
    licence: str

    def types(self) -> Mapping[str, str]:
        """Return the one thing there is to write."""
        return TYPES

    def files(self, split: str) -> list[Path]:
        """Return the split's file."""
        return [_SAMPLE / f"{split}.jsonl"]

    def load(self, split: str) -> list[SummaryExample]:
        """Return the split's reports."""
        return _read(self.files(split)[0], split)

    def report(self) -> str:
        """Return the data report."""
        return data_report(self)


def read_stream(lines: Iterable[str], format: str, *, file: str) -> Iterator[SummaryExample]:
    """Return the documents to predict, one a line: `text`, or `jsonl` with {"document" or "text", "id"?}.

    Documents may be empty. Ids and errors are those of `table_files.read_texts`.
    """
    return read_texts(
        lines,
        format,
        file=file,
        of_text=lambda text, name: SummaryExample(name, tuple(split_sentences(text)), document=name),
        of_row=_of_row,
    )


def _of_row(row: Mapping[str, Any], name: str, fault: Fault) -> SummaryExample:
    if ("document" in row) == ("text" in row):
        raise fault('expected one of "document" and "text", with a string or a list of strings')
    return SummaryExample(
        name, read_sentences(row, "document" if "document" in row else "text", fault), document=name
    )


def _read(path: Path, split: str) -> list[SummaryExample]:
    """Return the examples of a file; raises `DataError` for the first line that does not fit."""
    examples: list[SummaryExample] = []
    taken: dict[str, int] = {}
    for line, row in json_rows(path):
        fault = partial(DataError, file=path, line=line)
        check_known(row, _KEYS, fault, noun="key")
        name = take_id(read_cell(row, "id") or f"{split}-{line}", line=line, taken=taken, fault=fault)
        sentences = check_filled(read_sentences(row, "document", fault), "document", fault)
        bullets = check_filled(read_pieces(row, "summary", fault), "summary", fault)
        examples.append(SummaryExample(name, sentences, bullets, name))
    if not examples:
        raise DataError("the file holds no document", file=path)
    return examples


def read_sentences(row: Mapping[str, Any], key: str, fault: Fault) -> tuple[str, ...]:
    """Return the sentences that are given, or those of a text."""
    if isinstance(row.get(key), str):
        return tuple(split_sentences(read_text(row, key, fault)))
    return read_pieces(row, key, fault)


def read_pieces(row: Mapping[str, Any], key: str, fault: Fault) -> tuple[str, ...]:
    """Return the strings of a list or the lines of a text, white space made one space, without blank ones."""
    given = row.get(key)
    if isinstance(given, list):
        pieces = [read_text({key: piece}, key, fault) for piece in given]
    else:
        pieces = read_text(row, key, fault).splitlines()
    return tuple(" ".join(piece.split()) for piece in pieces if piece.strip())


def check_filled(pieces: tuple[str, ...], key: str, fault: Fault) -> tuple[str, ...]:
    """Return the pieces; raises the fault where there is none."""
    if not pieces:
        raise fault(f'"{key}" is empty; allowed: a text or a list of strings with words')
    return pieces
