from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.passages import Passage
from tasks.retrieval.collection import Collection, Query, query_examples, ranking_examples
from tasks.retrieval.report import data_report, passage_report
from tests.tasks.retrieval import adapter

PASSAGES = (
    Passage("a", "We sold 7 vans.", "d1"),
    Passage("b", "Bees sleep in winter here.", "d1"),
    Passage("c", "Bread"),
)
TRAIN = (
    Query("q1", "vans sold?", {"a": 2, "b": 1}),
    Query("q2", "do bees sleep now", {"b": 1}),
    Query("q3", "Vans, SOLD", {"a": 1}),
)
VALIDATION = (Query("q4", "Do bees sleep: now", {"c": 1}), Query("q5", "more", {"c": 0}))


@dataclass(frozen=True)
class Given:
    """Data made by hand, with the first passage as the only candidate; test is not there to be looked at."""

    written: bool = False
    name: str = "given"
    licence: str = "none"
    depth: int = 1
    first_stage: Any = "given"

    def collection(self, split: str) -> Collection:
        queries: Mapping[str, tuple[Query, ...]] = {"train": TRAIN, "validation": VALIDATION}
        return Collection(PASSAGES, queries[split])

    def load(self, split: str) -> list[Any]:
        if self.written:
            return query_examples(self.collection(split))
        cut = Collection(PASSAGES[: self.depth], self.collection(split).queries)
        return list(ranking_examples(cut, stage=None, depth=0))


def test_sizes_and_what_candidates_hold_are_counted_in_train_and_validation() -> None:
    """Train: 2 + 4 + 2 words, 2 + 1 + 1 relevant; of q1 half is found, of q2 nothing, of q3 all."""
    lines = data_report(Given()).splitlines()
    assert lines[0] == "data: given, licence: none"
    assert [row.split() for row in lines[3:5]] == [
        ["train", "3", "2.7", "4", "1.3", "0", "50.0%"],
        ["validation", "2", "2.5", "4", "0.5", "1", "0.0%"],
    ]
    assert lines[5].endswith("mean (the 1 best of the first stage)")


def test_passages_to_search_and_repeated_queries_are_counted_whatever_their_case_and_marks() -> None:
    assert data_report(Given(), notes=["a note"]).splitlines()[-4:] == [
        "passages to search in train: 3; words of a passage: 3.3, longest 5",
        "passages to search in validation: 3; words of a passage: 3.3, longest 5",
        "repeated queries: 1 within train; 1 of validation stand in train",
        "a note",
    ]


def test_passages_with_queries_are_counted_with_their_queries() -> None:
    """Train: a has two queries of 2 words, b has q1 and q2 with 2 and 4; both belong to one document."""
    lines = passage_report(Given(written=True)).splitlines()
    assert lines[0] == "data: given, licence: none"
    assert [row.split() for row in lines[3:5]] == [
        ["train", "2", "4.5", "5", "2.0", "2.5", "1"],
        ["validation", "1", "1.0", "1", "1.0", "4.0", "1"],
    ]
    assert lines[-1] == "repeated queries: 1 within train; 1 of validation stand in train"


def test_without_a_first_stage_the_report_says_that_all_passages_are_candidates() -> None:
    report = adapter("sample").report()
    assert "among its candidates, mean (all passages)" in report
    assert report.count("100.0%") == 2
