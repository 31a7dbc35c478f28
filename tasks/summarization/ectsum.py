"""ECTSum: transcripts of earnings calls, with the bullets that Reuters wrote of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.errors import DataError, few
from shared.examples import SummaryExample
from shared.files import read_lines
from shared.trees import PinnedTree, fetch_tree
from tasks.summarization.data import TYPES
from tasks.summarization.report import data_report

_LISTINGS = Path(__file__).parent / "trees"  # the lists of checksums


@dataclass(frozen=True)
class Part:
    """The files of a split: a call has the same name in both trees."""

    transcripts: PinnedTree
    summaries: PinnedTree


@dataclass(frozen=True)
class ECTSum:
    """ECTSum (Mukherjee et al., EMNLP 2022): a sentence a line, a bullet a line; an id is `TICKER_qN_YYYY`.

    Of train and validation so many documents are kept as asked for (0: all). The draw depends on the split's
    name and on ids alone, and a smaller one is part of a larger one. Test is always whole.
    """

    name: str
    licence: str
    train: Part
    validation: Part
    test: Part
    train_documents: int
    validation_documents: int
    data_dir: Path

    def types(self) -> Mapping[str, str]:
        """Return the one thing there is to write."""
        return TYPES

    def files(self, split: str) -> list[Path]:
        """Return the transcripts and summaries that the split is read from, fetched if need be."""
        return [path for pair in self._pairs(split).values() for path in pair]

    def load(self, split: str) -> list[SummaryExample]:
        """Return the split's documents, in order of id; blank lines are left out.

        Raises `DataError` for a transcript or a summary without a line, or one that is not UTF-8.
        """
        return [
            SummaryExample(name, _lines(transcript), _lines(summary), document=name)
            for name, (transcript, summary) in self._pairs(split).items()
        ]

    def report(self) -> str:
        """Return the data report."""
        return data_report(self)

    def _pairs(self, split: str) -> dict[str, tuple[Path, Path]]:
        """Return by id the files of the documents drawn, in order of id."""
        part = {"train": self.train, "validation": self.validation, "test": self.test}[split]
        limit = {"train": self.train_documents, "validation": self.validation_documents}.get(split, 0)
        transcripts = _by_name(part.transcripts, self.data_dir.expanduser())
        summaries = _by_name(part.summaries, self.data_dir.expanduser())
        if alone := sorted(transcripts.keys() ^ summaries.keys()):
            file = {**transcripts, **summaries}[alone[0]]
            raise DataError(f"no transcript and summary both for {few(alone)}", file=file)
        return {name: (transcripts[name], summaries[name]) for name in _drawn(transcripts, split, limit)}


def _by_name(tree: PinnedTree, data_dir: Path) -> dict[str, Path]:
    return {path.stem: path for path in fetch_tree(tree, listings=_LISTINGS, data_dir=data_dir)}


def _drawn(names: Mapping[str, Path], split: str, limit: int) -> list[str]:
    """Return `limit` of the names, sorted; 0 is all of them."""
    shuffled = sorted(names, key=lambda name: hashlib.sha256(f"{split}/{name}".encode()).digest())
    return sorted(shuffled[: limit or None])


def _lines(path: Path) -> tuple[str, ...]:
    """Return the lines that are not blank, without white space around them."""
    lines = tuple(line.strip() for _, line in read_lines(path) if line.strip())
    if not lines:
        raise DataError("no line with text; a transcript and its summary have one each at least", file=path)
    return lines
