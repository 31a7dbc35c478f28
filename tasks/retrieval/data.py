"""What the adapters of the data share, the sample collection to try out, and the queries to predict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any

from shared.errors import ConfigError, DataError
from shared.passages import Passage, RankingExample
from shared.table_files import Fault, parse_object, read_cell, read_text
from shared.typed_config import build
from tasks.retrieval.collection import Collection, FirstStage, ranking_examples
from tasks.retrieval.judgements import check_id, read_collection, read_corpus, read_query
from tasks.retrieval.report import data_report

TYPES = {"relevant": "relevant"}

_HERE = Path(__file__).parent


def ranked(collection: Collection, *, first_stage: Any, depth: int) -> list[RankingExample]:
    """Return the examples of a collection, with passages from the stage of a `_target_` node, or all."""
    if depth < 0:
        raise ConfigError([f"data.depth={depth}; allowed: 0, for all passages, or more"])
    stage: FirstStage | None = None
    if first_stage:
        stage = build(first_stage, path="data.first_stage")
    return ranking_examples(collection, stage=stage, depth=depth)


def check_test(split: str, *, name: str, file: str) -> None:
    """Raise `DataError` for another split than test, of a set that is made for test alone."""
    if split != "test":
        raise DataError(f"{name} has no {split}: the set is for test only; use split=test", file=file)


class Corpus(Enum):
    """The collections that come with the package."""

    sample = "sample"
    reports = "reports"
    filings = "filings"
    needs = "needs"


@dataclass(frozen=True)
class Sample:
    """A collection of invented texts that comes with the package, in the layout of BEIR.

    `sample` has pages of handbooks with questions, to try out; `reports` tables and paragraphs of financial
    reports, each with the questions that an analyst would ask, to show a query generator the manner;
    `filings` the same with the filing's name as a title, and questions that name company and year; `needs`
    an analyst's questions, each with further queries in the words that a page about it would have.
    """

    name: str
    licence: str
    corpus: Corpus
    first_stage: Any  # a `_target_` node of `tasks.retrieval.first_stage`; None: all passages, in order
    depth: int  # candidates of a query; 0 for all

    def types(self) -> Mapping[str, str]:
        """Return the one thing there is to find."""
        return TYPES

    def files(self, split: str) -> list[Path]:
        """Return corpus, queries and judgements of the split."""
        folder = _HERE / self.corpus.value
        return [folder / "corpus.jsonl", folder / "queries.jsonl", folder / "qrels" / f"{split}.tsv"]

    def passages(self, split: str) -> tuple[Passage, ...]:
        """Return all passages, which the splits share."""
        return read_corpus(self.files(split)[0])

    def collection(self, split: str) -> Collection:
        """Return all passages, which the splits share, and the split's queries."""
        corpus, queries, qrels = self.files(split)
        return read_collection(corpus, queries, qrels)

    def load(self, split: str) -> list[RankingExample]:
        """Return the split's queries with their candidates."""
        return ranked(self.collection(split), first_stage=self.first_stage, depth=self.depth)

    def report(self) -> str:
        """Return the data report."""
        return data_report(self)


def read_stream(lines: Iterable[str], format: str, *, file: str) -> Iterator[RankingExample]:
    """Return the queries to predict, `jsonl` with {"query", "passages", "id"?} a line.

    `passages` is a list, best of a first stage first, of texts or {"text", "id"?}; it may be empty. Ids that
    are not given are running numbers from 0. Another format is a `ConfigError`.
    """
    if format != "jsonl":
        raise ConfigError(
            [
                f"predict.format={format} is not read by this task, which orders passages for a query: "
                'use predict.format=jsonl with {"query": ..., "passages": [...]} a line'
            ]
        )
    return _read_rows(lines, file)


def _read_rows(lines: Iterable[str], file: str) -> Iterator[RankingExample]:
    for number, line in enumerate(lines):
        if line.strip():
            fault = partial(DataError, file=file, line=number + 1)
            row = parse_object(line, fault)
            name = read_cell(row, "id") or str(number)
            query = read_query(row, "query", fault)
            yield RankingExample(name, query, _candidates(row, fault), document=name)


def _candidates(row: Mapping[str, Any], fault: Fault) -> tuple[Passage, ...]:
    given = row.get("passages")
    if not isinstance(given, list):
        raise fault('no "passages" with a list of texts or of {"text", "id"?}')
    passages: dict[str, Passage] = {}
    for place, item in enumerate(given):
        piece = item if isinstance(item, dict) else {"text": item}
        name = check_id(read_cell(piece, "id") or str(place), fault)
        text = read_text(piece, "text", fault)
        if not text.strip():
            raise fault(f"passage {name!r} is empty")
        if name in passages:
            raise fault(f"passage id {name!r} stands twice in the row")
        passages[name] = Passage(name, text)
    return tuple(passages.values())
