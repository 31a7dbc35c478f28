"""Passages with the queries that people asked of them, from any judged collection; and those to predict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from shared.errors import DataError
from shared.passages import QueryExample
from shared.table_files import Fault, read_cell, read_text, read_texts
from shared.typed_config import build
from tasks.retrieval.collection import Collection, query_examples
from tasks.retrieval.report import passage_report

TYPES = {"query": "query"}


@dataclass(frozen=True)
class Passages:
    """The passages of a collection that are relevant to a query of the split, with these queries.

    Ids are those of the passages, so a passage that is relevant in two splits has the same id in both.
    """

    name: str
    licence: str
    source: Any  # a `_target_` node of an adapter of the task `reranking`

    def types(self) -> Mapping[str, str]:
        """Return the one thing there is to write."""
        return TYPES

    def files(self, split: str) -> list[Path]:
        """Return the files of the collection."""
        found: list[Path] = self._source().files(split)
        return found

    def collection(self, split: str) -> Collection:
        """Return all passages, asked about or not, and the split's queries."""
        found: Collection = self._source().collection(split)
        return found

    def load(self, split: str) -> list[QueryExample]:
        """Return the split's passages with their queries."""
        return query_examples(self.collection(split))

    def report(self) -> str:
        """Return the data report."""
        return passage_report(self)

    def _source(self) -> Any:
        return build(self.source, path="data.source")


def read_passages(lines: Iterable[str], format: str, *, file: str) -> Iterator[QueryExample]:
    """Return the passages to predict, one a line: `text`, or `jsonl` with {"text", "id"?, "document"?}.

    Ids and errors are those of `table_files.read_texts`; an empty passage is a `DataError` too.
    """

    def of_text(text: str, name: str) -> QueryExample:
        fault = partial(DataError, file=file, line=int(name) + 1)
        return QueryExample(name, _filled(text, fault), document=name)

    return read_texts(lines, format, file=file, of_text=of_text, of_row=_of_row)


def _of_row(row: Mapping[str, Any], name: str, fault: Fault) -> QueryExample:
    text = _filled(read_text(row, "text", fault), fault)
    return QueryExample(name, text, document=read_cell(row, "document") or name)


def _filled(text: str, fault: Fault) -> str:
    if not text.strip():
        raise fault("the passage is empty")
    return text
