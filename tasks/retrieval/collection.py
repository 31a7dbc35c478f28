"""A collection: passages that can be found, and queries with the judgements that people gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from shared.passages import Passage, QueryExample, RankingExample

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True, slots=True)
class Query:
    """A query with its judgements by passage id, 0 for not relevant; `document` groups those to resample."""

    id: str
    text: str
    grades: Mapping[str, int] = field(default_factory=dict)
    document: str = ""


@dataclass(frozen=True)
class Collection:
    """Passages, each id once, and the queries of one split; a query without judgements is not in it."""

    passages: tuple[Passage, ...]
    queries: tuple[Query, ...]


class FirstStage(Protocol):
    """Finds passages for queries, quickly and all of them at once."""

    def score(self, passages: Sequence[Passage], queries: Sequence[Query]) -> Array:
        """Return (queries, passages) float32, the higher the better; -inf for a passage not found."""


def ranking_examples(collection: Collection, *, stage: FirstStage | None, depth: int) -> list[RankingExample]:
    """Return each query with the `depth` best passages of the first stage, best first; ties by order.

    Without a stage, or with a depth of 0, all passages come; without a stage in the collection's order.
    """
    if stage is None:
        return [_example(query, collection.passages, ()) for query in collection.queries]
    import numpy as np

    examples = []
    scores = stage.score(collection.passages, collection.queries)
    for query, row in zip(collection.queries, scores, strict=True):
        order = np.argsort(-row, kind="stable")[: depth or None]
        found = [int(index) for index in order if np.isfinite(row[index])]
        passages = tuple(collection.passages[index] for index in found)
        examples.append(_example(query, passages, tuple(float(row[index]) for index in found)))
    return examples


def query_examples(collection: Collection) -> list[QueryExample]:
    """Return each passage that is relevant to a query, with its queries, in the collection's order."""
    asked: dict[str, list[Query]] = {}
    for query in collection.queries:
        for passage, grade in query.grades.items():
            if grade > 0:
                asked.setdefault(passage, []).append(query)
    return [
        QueryExample(
            passage.id,
            passage.whole,
            tuple(dict.fromkeys(query.text for query in asked[passage.id])),
            passage.document or passage.id,
        )
        for passage in collection.passages
        if passage.id in asked
    ]


def _example(query: Query, passages: tuple[Passage, ...], first: tuple[float, ...]) -> RankingExample:
    return RankingExample(query.id, query.text, passages, first, query.grades, query.document or query.id)
