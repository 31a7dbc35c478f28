"""Whether a query finds the passage that it was written for, as the filter of arXiv 2209.11755 asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from shared.passages import Passage
from tasks.retrieval.collection import Query

if TYPE_CHECKING:
    from tasks.retrieval.collection import FirstStage

Asked = tuple[str, str]  # a query's text, the id of its passage


def round_trip_ranks(
    passages: Sequence[Passage], queries: Sequence[Asked], *, stage: FirstStage
) -> list[int]:
    """Return the rank from 1 at which each query's own passage comes back among all the passages.

    Ties count against it: of passages with the same text each comes last, and what the stage does not find
    at all has the last rank of all.
    """
    if not queries:
        return []
    places = {passage.id: place for place, passage in enumerate(passages)}
    asked = [Query(str(number), text) for number, (text, _) in enumerate(queries)]
    scores = stage.score(passages, asked)
    return [
        int((row >= row[places[passage]]).sum()) for row, (_, passage) in zip(scores, queries, strict=True)
    ]


def kept(
    passages: Sequence[Passage], queries: Sequence[Asked], *, stage: FirstStage, most: int
) -> list[Asked]:
    """Return the queries whose own passage comes back at rank `most` or better, in order."""
    ranks = round_trip_ranks(passages, queries, stage=stage)
    return [asked for asked, rank in zip(queries, ranks, strict=True) if rank <= most]
