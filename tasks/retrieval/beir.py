"""Collections in the layout of BEIR: a folder of one's own, and public files at a fixed commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.errors import ConfigError, DataError
from shared.fetch import PinnedFile, fetch
from shared.passages import Passage, RankingExample
from tasks.retrieval.collection import Collection
from tasks.retrieval.data import TYPES, check_test, ranked
from tasks.retrieval.judgements import read_collection, read_corpus
from tasks.retrieval.report import data_report

_FILES = {"train": ("train",), "validation": ("validation", "dev"), "test": ("test",)}


@dataclass(frozen=True)
class Beir:
    """A folder of one's own: corpus.jsonl, queries.jsonl and a file of judgements for each split.

    A line of the corpus is {"_id", "text", "title"?, "metadata"?: {"document"?}}, of the queries {"_id",
    "text"}. Judgements are qrels/<split>.tsv with a header; those of validation may be named dev.tsv.
    """

    name: str
    licence: str
    folder: str
    first_stage: Any  # a `_target_` node of `tasks.retrieval.first_stage`; None: all passages, in order
    depth: int  # candidates of a query; 0 for all

    def types(self) -> Mapping[str, str]:
        """Return the one thing there is to find."""
        return TYPES

    def files(self, split: str) -> list[Path]:
        """Return corpus, queries and judgements of the split."""
        folder = self._given()
        return [folder / "corpus.jsonl", folder / "queries.jsonl", _judgements(folder / "qrels", split)]

    def passages(self, split: str) -> tuple[Passage, ...]:
        """Return all passages; no query is read."""
        return read_corpus(self._given() / "corpus.jsonl")

    def collection(self, split: str) -> Collection:
        """Return all passages, and the queries that are judged in the split."""
        corpus, queries, qrels = self.files(split)
        return read_collection(corpus, queries, qrels)

    def load(self, split: str) -> list[RankingExample]:
        """Return the split's queries with their candidates."""
        return ranked(self.collection(split), first_stage=self.first_stage, depth=self.depth)

    def report(self) -> str:
        """Return the data report."""
        return data_report(self)

    def _given(self) -> Path:
        if not self.folder:
            raise ConfigError(
                [
                    "data.folder is empty: give the folder with corpus.jsonl, queries.jsonl and qrels, as "
                    "data.folder=path/to/folder, or data.source.folder for the task query_generation"
                ]
            )
        return Path(self.folder)


@dataclass(frozen=True)
class PinnedBeir:
    """Public files in the layout of BEIR, for test only."""

    name: str
    licence: str
    corpus: PinnedFile
    queries: PinnedFile
    qrels: PinnedFile
    first_stage: Any  # a `_target_` node of `tasks.retrieval.first_stage`; None: all passages, in order
    depth: int  # candidates of a query; 0 for all
    data_dir: Path

    def types(self) -> Mapping[str, str]:
        """Return the one thing there is to find."""
        return TYPES

    def files(self, split: str) -> list[Path]:
        """Return corpus, queries and judgements, fetched if need be; a `DataError` for other splits."""
        check_test(split, name=self.name, file=self.qrels.local)
        pinned = (self.corpus, self.queries, self.qrels)
        return [fetch(file, data_dir=self.data_dir.expanduser()) for file in pinned]

    def passages(self, split: str) -> tuple[Passage, ...]:
        """Return all passages."""
        return read_corpus(self.files(split)[0])

    def collection(self, split: str) -> Collection:
        """Return all passages and the judged queries."""
        corpus, queries, qrels = self.files(split)
        return read_collection(corpus, queries, qrels)

    def load(self, split: str) -> list[RankingExample]:
        """Return the judged queries with their candidates."""
        return ranked(self.collection(split), first_stage=self.first_stage, depth=self.depth)

    def report(self) -> str:
        """Return the data report, which asks for a train that is not there: a `DataError`."""
        return data_report(self)


def _judgements(folder: Path, split: str) -> Path:
    """Return the file of the split's judgements; raises `DataError`, with the splits there are."""
    for name in _FILES[split]:
        if (folder / f"{name}.tsv").is_file():
            return folder / f"{name}.tsv"
    found = ", ".join(sorted(path.stem for path in folder.glob("*.tsv"))) or "none"
    wanted = " or ".join(f"{name}.tsv" for name in _FILES[split])
    raise DataError(f"no {wanted} with the judgements of {split}; splits there: {found}", file=folder)
