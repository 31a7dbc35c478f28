"""The shapes of retrieval: passages, a query with passages to order for it, a passage with its queries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

TOP = 10  # passages of a ranking that make the answer; the others are there for recall

Quotation = tuple[tuple[int, int], ...]  # half-open stretches of a text, in characters, one after the other


@dataclass(frozen=True, slots=True)
class Passage:
    """A text that can be found; its id has no white space, as TREC run files ask.

    `document` is what it was cut from, shared with its neighbours; '' where it stands alone. `title` is what
    it is headed by, which stands in front of each window of a long text.
    """

    id: str
    text: str
    document: str = ""
    title: str = ""

    @property
    def whole(self) -> str:
        """The title and the text, each from a new line; a blank one is left out."""
        return "\n".join(part for part in (self.title, self.text) if part.strip())


@dataclass(frozen=True, slots=True)
class RankingExample:
    """A query (`text`) with the passages to order for it, the best of a first stage first.

    `first` are the first stage's scores of these passages, in their order; empty where there was none.
    `grades` are the judgements by passage id, 0 for not relevant; they may name passages that the first stage
    did not find. `document` is the unit that intervals are resampled by.
    """

    id: str
    text: str
    passages: tuple[Passage, ...] = ()
    first: tuple[float, ...] = ()
    grades: Mapping[str, int] = field(default_factory=dict)
    document: str = ""

    def relevant(self) -> dict[str, int]:
        """Return the grades above 0, the highest first."""
        ordered = sorted(self.grades.items(), key=lambda item: (-item[1], item[0]))
        return {passage: grade for passage, grade in ordered if grade > 0}

    def gold(self) -> RankingPrediction:
        """Return the answer that is wholly right."""
        return RankingPrediction(self.id, tuple(self.relevant()))


@dataclass(frozen=True, slots=True)
class RankingPrediction:
    """Passages for the query with the same id, best first.

    `scores` and `probabilities` (of being relevant, calibrated) belong to the first of them and may be fewer.
    `nothing` says that none of them answers the query, as far as the threshold goes.
    """

    id: str
    ranked: tuple[str, ...] = ()
    scores: tuple[float, ...] = ()
    probabilities: tuple[float, ...] = ()
    nothing: bool = False
    abstained: str = ""  # why the order is not given as an answer; '' where it is

    def confidences(self, unit: str) -> list[float]:
        """Return how sure it is that the first passage is relevant."""
        return list(self.probabilities[:1])

    def held_back(self, unit: str, least: float, reason: str) -> RankingPrediction:
        """Return the answer, which is 'nothing' where the first passage's probability is below `least`."""
        if max(self.probabilities[:1], default=0.0) >= least:
            return self
        return replace(self, nothing=True, abstained=reason)

    @property
    def key(self) -> tuple[Any, ...]:
        """What two predictions share that give the same answer: the first passages."""
        return (self.nothing, *self.ranked[:TOP])

    def shown(self, text: str) -> list[dict[str, Any]]:
        """Return the answer as a person reads it."""
        answer = "nothing answers this" if self.nothing else " ".join(self.ranked[:3])
        return [{"facet": "passages", "answer": answer}]


@dataclass(frozen=True, slots=True)
class QueryExample:
    """A passage (`text`) with the queries that people asked of it."""

    id: str
    text: str
    queries: tuple[str, ...] = ()
    document: str = ""

    def gold(self) -> QueryPrediction:
        """Return the answer that is wholly right."""
        return QueryPrediction(self.id, self.queries)


@dataclass(frozen=True, slots=True)
class QueryPrediction:
    """The queries for the passage with the same id, each once.

    `queries` were written, so their text is our own. Those in `quoted` are words of the passage: what is kept
    of them is where these stand.
    """

    id: str
    queries: tuple[str, ...] = ()
    quoted: tuple[Quotation, ...] = ()

    @property
    def key(self) -> tuple[Any, ...]:
        """What two predictions share that give the same answer; a quoted query is no written one."""
        return (*self.queries, *self.quoted)

    def texts(self, passage: str) -> tuple[str, ...]:
        """Return all queries, those quoted from this passage last and with single spaces."""
        quoted = (" ".join(passage[start:end] for start, end in quotation) for quotation in self.quoted)
        return (*self.queries, *(" ".join(query.split()) for query in quoted))

    def shown(self, text: str) -> list[dict[str, Any]]:
        """Return the answer as a person reads it."""
        return [{"facet": "query", "answer": query} for query in self.texts(text)]
