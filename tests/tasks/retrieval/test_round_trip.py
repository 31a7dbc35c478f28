from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from shared.passages import Passage
from tasks.retrieval.collection import Query
from tasks.retrieval.round_trip import kept, round_trip_ranks


@dataclass(frozen=True)
class SharedWords:
    """Counts the words that query and passage share; a passage that shares none is not found."""

    def score(
        self, passages: Sequence[Passage], queries: Sequence[Query]
    ) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Return (queries, passages) float32."""
        shared = [[len({*q.text.split()} & {*p.text.split()}) for p in passages] for q in queries]
        scores = np.array(shared, dtype=np.float32)
        return np.where(scores > 0, scores, -np.inf).astype(np.float32)


PASSAGES = [
    Passage("rent", "the rent of the barn rose"),
    Passage("rent-again", "the rent of the barn rose"),
    Passage("wages", "wages at the mill fell"),
    Passage("wool", "wool was dear"),
]


def ranks(*queries: tuple[str, str]) -> list[int]:
    return round_trip_ranks(PASSAGES, queries, stage=SharedWords())


def test_the_best_passage_has_rank_one_and_each_better_one_counts() -> None:
    assert ranks(("wages at the mill", "wages"), ("the wool rose", "wool"), ("wool mill at", "wool")) == [
        1,
        4,  # both barns share two words with it, the mill one
        2,
    ]


def test_ties_count_against_the_passage() -> None:
    assert ranks(("rent of the barn", "rent"), ("rent of the barn", "rent-again")) == [2, 2]


def test_a_passage_that_is_not_found_has_the_last_rank_of_all() -> None:
    assert ranks(("sheep", "rent"), ("wool", "wages"), ("", "wool")) == [4, 4, 4]


def test_no_query_has_no_rank() -> None:
    assert ranks() == []


def test_kept_are_the_queries_within_the_rank_in_order() -> None:
    queries = [("the wool rose", "wool"), ("rent of the barn", "rent"), ("mill wages", "wages")]
    assert kept(PASSAGES, queries, stage=SharedWords(), most=2) == queries[1:]
    assert kept(PASSAGES, queries, stage=SharedWords(), most=1) == queries[2:]
