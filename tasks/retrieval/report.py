"""The data report shown before training: sizes, what the first stage finds, repeats; test is left alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from tabulate import tabulate

from shared.contracts import SPLITS
from shared.passages import QueryExample, RankingExample
from tasks.retrieval.collection import Collection

SEEN = SPLITS[:2]  # test is read by `evaluate` alone
QUERY_HEADERS = ("split", "queries", "words", "longest", "relevant", "with none", "found")
WRITTEN_HEADERS = ("split", "passages", "words", "longest", "queries", "query words", "documents")


class Source(Protocol):
    """What the reports ask of an adapter."""

    @property
    def name(self) -> str:
        """The data set's name."""

    @property
    def licence(self) -> str:
        """The data's licence."""

    def collection(self, split: str) -> Collection:
        """Return the passages and the split's queries."""

    def load(self, split: str) -> list[Any]:
        """Return the examples of a split."""


class Searched(Source, Protocol):
    """A source whose queries have candidates."""

    @property
    def first_stage(self) -> Any:
        """What finds them; None where all passages are candidates."""

    @property
    def depth(self) -> int:
        """Candidates of a query; 0 for all."""


def data_report(source: Searched, *, notes: Sequence[str] = ()) -> str:
    """Return sizes of queries and passages, what candidates hold of the relevant ones, and the notes."""
    collections = {split: source.collection(split) for split in SEEN}
    rows = [_query_row(split, source.load(split)) for split in SEEN]
    limited = source.first_stage and source.depth
    candidates = f"the {source.depth} best of the first stage" if limited else "all passages"
    lines = [
        f"data: {source.name}, licence: {source.licence}",
        str(tabulate(rows, headers=QUERY_HEADERS, floatfmt=".1f")),
        "words: mean of a query; relevant: passages, mean of a query; with none: queries without a relevant "
        f"passage; found: share of a query's relevant passages among its candidates, mean ({candidates})",
        *(_passages(split, collection) for split, collection in collections.items()),
        _repeated(collections),
        *notes,
    ]
    return "\n".join(lines)


def passage_report(source: Source) -> str:
    """Return sizes of the passages that have queries, and of these; then of all passages."""
    collections = {split: source.collection(split) for split in SEEN}
    rows = [_written_row(split, source.load(split)) for split in SEEN]
    lines = [
        f"data: {source.name}, licence: {source.licence}",
        str(tabulate(rows, headers=WRITTEN_HEADERS, floatfmt=".1f")),
        "passages: those with queries; words: mean of a passage; queries: mean of a passage",
        *(_passages(split, collection) for split, collection in collections.items()),
        _repeated(collections),
    ]
    return "\n".join(lines)


def _query_row(split: str, examples: Sequence[RankingExample]) -> list[str | int | float]:
    lengths = [_num_words(example.text) for example in examples]
    relevant = [len(example.relevant()) for example in examples]
    return [
        split,
        len(examples),
        _mean(lengths),
        max(lengths),
        _mean(relevant),
        relevant.count(0),
        f"{_found(examples):.1%}",
    ]


def _written_row(split: str, examples: Sequence[QueryExample]) -> list[str | int | float]:
    lengths = [_num_words(example.text) for example in examples]
    queries = [query for example in examples for query in example.queries]
    return [
        split,
        len(examples),
        _mean(lengths),
        max(lengths),
        len(queries) / len(examples),
        _mean(list(map(_num_words, queries))),
        len({example.document for example in examples}),
    ]


def _found(examples: Sequence[RankingExample]) -> float:
    """Return recall of the candidates, the mean over the queries that have a relevant passage."""
    shares = []
    for example in examples:
        if relevant := set(example.relevant()):
            candidates = {passage.id for passage in example.passages}
            shares.append(len(relevant & candidates) / len(relevant))
    return sum(shares) / len(shares)


def _passages(split: str, collection: Collection) -> str:
    lengths = [_num_words(passage.text) for passage in collection.passages]
    return (
        f"passages to search in {split}: {len(lengths):,}; "
        f"words of a passage: {_mean(lengths):.1f}, longest {max(lengths):,}"
    )


def _repeated(collections: Mapping[str, Collection]) -> str:
    """Return how many queries stand twice in train, and how many of validation stand in train too."""
    train = Counter(_folded(query.text) for query in collections["train"].queries)
    twice = sum(count - 1 for count in train.values())
    shared = sum(_folded(query.text) in train for query in collections["validation"].queries)
    return f"repeated queries: {twice} within train; {shared} of validation stand in train"


def _mean(numbers: Sequence[int]) -> float:
    return sum(numbers) / len(numbers)


def _num_words(text: str) -> int:
    return len(_words(text))


def _folded(text: str) -> str:
    """Return the query without what case and punctuation do to it."""
    return " ".join(_words(text.casefold()))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text)
