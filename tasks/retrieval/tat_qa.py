"""TAT-QA: questions over tables and paragraphs of financial reports, as a search for what answers them."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.errors import ConfigError
from shared.fetch import PinnedFile, fetch
from shared.passages import Passage, RankingExample
from tasks.retrieval.collection import Collection, Query
from tasks.retrieval.data import TYPES, ranked
from tasks.retrieval.report import data_report

Context = Mapping[str, Any]


@dataclass(frozen=True)
class TatQA:
    """TAT-QA (Zhu et al., ACL 2021): a context is a table with the paragraphs around it, and its questions.

    Upstream's dev gives train and validation, its test_gold test; its own train is not used. Both of dev have
    all of dev's passages, and the questions of a context are in one of them. A passage is a paragraph or a
    table, which has a line for each row. Questions name no company: others' passages may answer them too.
    """

    name: str
    licence: str
    train: PinnedFile
    test: PinnedFile
    validation_share: float  # of dev's contexts
    first_stage: Any  # a `_target_` node of `tasks.retrieval.first_stage`; None: all passages, in order
    depth: int  # candidates of a query; 0 for all
    data_dir: Path

    def __post_init__(self) -> None:
        if not 0 < self.validation_share < 1:
            raise ConfigError(
                [f"data.validation_share={self.validation_share}; allowed: above 0 and below 1"]
            )

    def types(self) -> Mapping[str, str]:
        """Return the one thing there is to find."""
        return TYPES

    def files(self, split: str) -> list[Path]:
        """Return the file that the split is read from, fetched if need be."""
        return [fetch(self.test if split == "test" else self.train, data_dir=self.data_dir.expanduser())]

    def passages(self, split: str) -> tuple[Passage, ...]:
        """Return the passages of the split's file."""
        contexts = enumerate(self._contexts(split))
        return tuple(passage for place, context in contexts for passage in _passages(place, context))

    def collection(self, split: str) -> Collection:
        """Return the passages of the split's file, and the split's questions with a relevant one."""
        asked = self._queries(split, self._contexts(split))
        return Collection(self.passages(split), tuple(query for query in asked if query.grades))

    def load(self, split: str) -> list[RankingExample]:
        """Return the split's questions with their candidates; ids are `<context>-q<order>`."""
        return ranked(self.collection(split), first_stage=self.first_stage, depth=self.depth)

    def report(self) -> str:
        """Return the data report."""
        contexts = self._contexts("train")
        asked = [query for split in ("train", "validation") for query in self._queries(split, contexts)]
        left_out = sum(not query.grades for query in asked)
        return data_report(self, notes=[f"questions left out, as nothing is relevant: {left_out}"])

    def _contexts(self, split: str) -> list[Context]:
        contexts: list[Context] = json.loads(self.files(split)[0].read_text(encoding="utf-8"))
        return contexts

    def _queries(self, split: str, contexts: Sequence[Context]) -> list[Query]:
        held_out = _held_out(contexts, self.validation_share)
        return [
            query
            for place, context in enumerate(contexts)
            if split == "test" or (context["table"]["uid"] in held_out) is (split == "validation")
            for query in _questions(place, context)
        ]


def _held_out(contexts: Sequence[Context], share: float) -> set[str]:
    """Return the table uids of validation, the first of a shuffle that their names alone decide."""
    uids = sorted(context["table"]["uid"] for context in contexts)
    random.Random("tat-qa").shuffle(uids)
    return set(uids[: round(share * len(uids))])


def _passages(place: int, context: Context) -> list[Passage]:
    """Return the table and the paragraphs of the context at this place of its file."""
    table = Passage(f"{place}-t", _table_text(context["table"]["table"]), str(place))
    paragraphs = context["paragraphs"]
    return [table, *(Passage(f"{place}-{item['order']}", item["text"], str(place)) for item in paragraphs)]


def _table_text(rows: Sequence[Sequence[str]]) -> str:
    """Return a line for each row with its cells in order, empty cells and rows left out."""
    filled = ([cell.strip() for cell in row if cell.strip()] for row in rows)
    return "\n".join(" | ".join(cells) for cells in filled if cells)


def _questions(place: int, context: Context) -> list[Query]:
    """Return the questions of the context, those with nothing relevant among them."""
    queries = []
    for question in context["questions"]:
        relevant = ["t"] if "table" in question["answer_from"] else []
        relevant += question["rel_paragraphs"]
        grades = {f"{place}-{name}": 1 for name in relevant}
        name = f"{place}-q{question['order']}"
        queries.append(Query(name, question["question"], grades, str(place)))
    return queries
