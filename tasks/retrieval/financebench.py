"""FinanceBench: analysts' questions about filings of listed companies, with the pages that answer them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.fetch import PinnedFile, fetch
from shared.passages import Passage, RankingExample
from shared.table_files import json_rows
from tasks.retrieval.collection import Collection, Query
from tasks.retrieval.data import TYPES, check_test, ranked
from tasks.retrieval.report import data_report


@dataclass(frozen=True)
class FinanceBench:
    """FinanceBench's open sample (Islam et al., arXiv 2311.11944), for test only.

    A passage is a page that answers one of the questions: the filings as a whole are not included, so the
    search is easier than one among all their pages. A page's id is `<filing>-<page>`, counted from 0.
    """

    name: str
    licence: str
    file: PinnedFile
    titled: bool  # each page is headed by the name of its filing, such as 3M 2018 10K
    first_stage: Any  # a `_target_` node of `tasks.retrieval.first_stage`; None: all passages, in order
    depth: int  # candidates of a query; 0 for all
    data_dir: Path

    def types(self) -> Mapping[str, str]:
        """Return the one thing there is to find."""
        return TYPES

    def files(self, split: str) -> list[Path]:
        """Return the file, fetched if need be; a `DataError` for other splits."""
        check_test(split, name=self.name, file=self.file.local)
        return [fetch(self.file, data_dir=self.data_dir.expanduser())]

    def passages(self, split: str) -> tuple[Passage, ...]:
        """Return the pages, each once."""
        return self._pages(self._rows(split))

    def collection(self, split: str) -> Collection:
        """Return the pages, and the questions, which belong to their filing's name."""
        rows = self._rows(split)
        return Collection(self._pages(rows), tuple(map(_query, rows)))

    def load(self, split: str) -> list[RankingExample]:
        """Return the questions with their candidates."""
        return ranked(self.collection(split), first_stage=self.first_stage, depth=self.depth)

    def report(self) -> str:
        """Return the data report, which asks for a train that is not there: a `DataError`."""
        return data_report(self)

    def _rows(self, split: str) -> list[dict[str, Any]]:
        return [row for _, row in json_rows(self.files(split)[0])]

    def _pages(self, rows: Sequence[Mapping[str, Any]]) -> tuple[Passage, ...]:
        pages = {_page(item): item for row in rows for item in row["evidence"]}
        return tuple(
            Passage(
                name,
                item["evidence_text_full_page"],
                document=item["doc_name"],
                title=item["doc_name"].replace("_", " ") if self.titled else "",
            )
            for name, item in pages.items()
        )


def _query(row: Mapping[str, Any]) -> Query:
    grades = {_page(item): 1 for item in row["evidence"]}
    return Query(row["financebench_id"], row["question"], grades, row["doc_name"])


def _page(evidence: Mapping[str, Any]) -> str:
    """Return the id of the page, without white space."""
    return re.sub(r"\s", "_", f"{evidence['doc_name']}-{evidence['evidence_page_num']}")
