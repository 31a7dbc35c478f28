"""The scores of written queries: whether they find their passage again, and how they are worded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean
from typing import TYPE_CHECKING, Any, ClassVar

from shared.contracts import Score, Trials
from shared.errors import ConfigError
from shared.examples import aligned
from shared.ngrams import ngrams
from shared.passages import Passage, QueryExample, QueryPrediction
from shared.sums import bootstrapped, by_document
from tasks.retrieval.ranking_scores import mean, ratio
from tasks.retrieval.round_trip import round_trip_ranks
from tasks.retrieval.tokens import tokenise

if TYPE_CHECKING:
    from shared.contracts import Types
    from shared.intervals import Statistic
    from shared.record import Counts
    from tasks.retrieval.collection import FirstStage

Share = tuple[float, float]  # part and whole; (0, 0) of what does not apply

NUM_SHOWN = 8  # first words in the details
_COPIED_LENGTH = 4
_NONE: Share = (0.0, 0.0)

Examples = Sequence[QueryExample]
Predictions = Sequence[QueryPrediction]


@dataclass(frozen=True)
class Written:
    """The queries for a passage, as texts, and the rank at which each of them finds it."""

    example: QueryExample
    queries: tuple[str, ...]
    ranks: list[int]

    def found(self, within: int) -> float:
        """Return the share of the queries that find the passage among the first; 0 without a query."""
        return fmean(rank <= within for rank in self.ranks) if self.ranks else 0.0


@dataclass(frozen=True)
class QueryScores:
    """Scores of the queries written for passages.

    Means over passages: round_trip is the share of a passage's queries for which `stage` has it among the
    first `found_within` of all the passages given, 0 for a passage without a query; queries is how many there
    are. Means over the passages that have queries: distinct_2 is the share of different word pairs among
    those of a passage's queries, overlap the share of a query's words that the passage has, copied_4grams the
    share of the queries' 4-grams that it has, rougeL_best a query's ROUGE-L (F, Porter's stemmer) against
    the most similar of people's queries. common_start is the share of all queries that begin with the most
    frequent first word, and has no interval.
    """

    stage: Any  # what looks for the passages: a first stage, as a `_target_` node
    found_within: int

    version: ClassVar[str] = "1"
    main: ClassVar[str] = "round_trip"

    def __post_init__(self) -> None:
        if self.found_within < 1:
            raise ConfigError([f"metric.found_within={self.found_within}; allowed: 1 or more"])
        self.first_stage()

    def first_stage(self) -> FirstStage:
        """Return what looks for the passages; raises `ConfigError` for a wrong setting of it."""
        from shared.typed_config import build

        stage: FirstStage = build(self.stage, path="metric.stage")
        return stage

    def bind(self, types: Types) -> QueryScores:
        """Return the metric itself: there is one thing to answer."""
        return self

    def quick(self, examples: Examples, predictions: Predictions) -> float:
        """Return the mean round_trip."""
        import numpy as np

        rows = self.counts(examples, predictions).rows
        return float(mean(np.array(list(rows.values())).sum(axis=0)))

    def score(self, examples: Examples, predictions: Predictions) -> dict[str, Score]:
        """Return every score by name, each but common_start with its 95 % interval over documents."""
        written = self._read(examples, predictions)
        scorer = _make_scorer()
        found = [shares(item, found_within=self.found_within, scorer=scorer) for item in written]
        rows = [[number for share in by_name.values() for number in share] for by_name in found]
        statistics: dict[str, Statistic] = {
            name: partial(ratio, part=2 * place, whole=2 * place + 1) for place, name in enumerate(found[0])
        }
        scores = bootstrapped(list(by_document(_documents(written), rows).values()), statistics)
        return {**scores, "common_start": Score(_common_start(first_words(_queries(written))))}

    def counts(self, examples: Examples, predictions: Predictions) -> Counts:
        """Return by document the sum of round_trip and the number of passages."""
        from shared.record import Counts

        written = self._read(examples, predictions)
        rows = [[item.found(self.found_within), 1.0] for item in written]
        return Counts(
            groups=[""], columns=[self.main, "passages"], rows=by_document(_documents(written), rows)
        )

    def main_statistic(self) -> Statistic:
        """Return the mean round_trip as a function of summed counts (..., 2)."""
        return mean

    def trials(self, examples: Examples, predictions: Predictions) -> Trials:
        """Return none: a written query has no probability."""
        return {}

    def details(self, examples: Examples, predictions: Predictions) -> str:
        """Return how far down the passages come back, and how queries begin, beside people's."""
        written = self._read(examples, predictions)
        ranks = [rank for item in written for rank in item.ranks]
        lines = []
        for within in sorted({1, self.found_within, 10}):
            found = sum(rank <= within for rank in ranks)
            lines.append(f"passage at rank {within} or better: {found:,} of {len(ranks):,} queries")
        bare = sum(not item.queries for item in written)
        lines.append(f"without a query: {bare:,} of {len(written):,} passages")
        return "\n".join([*lines, "", _starts_table(written)])

    def wrong(self, examples: Examples, predictions: Predictions) -> Iterator[dict[str, Any]]:
        """Yield the passages without a query, and those that a query does not find, with its rank."""
        for item in self._read(examples, predictions):
            if item.found(self.found_within) < 1:
                found = zip(item.queries, item.ranks, strict=True)
                yield {
                    "id": item.example.id,
                    "passage": item.example.text,
                    "queries": [{"query": query, "rank": rank} for query, rank in found],
                }

    def _read(self, examples: Examples, predictions: Predictions) -> list[Written]:
        pairs = aligned(examples, predictions)
        texts = [(example, prediction.texts(example.text)) for example, prediction in pairs]
        passages = [Passage(example.id, example.text, example.document) for example in examples]
        asked = [(query, example.id) for example, queries in texts for query in queries]
        ranks = iter(round_trip_ranks(passages, asked, stage=self.first_stage()))
        return [Written(example, queries, [next(ranks) for _ in queries]) for example, queries in texts]


def shares(written: Written, *, found_within: int, scorer: Any) -> dict[str, Share]:
    """Return every score of a passage by name, but for those of all queries together."""
    *own, passage = tokenise([*written.queries, written.example.text], stemmer="")
    return {
        "round_trip": (written.found(found_within), 1.0),
        "queries": (float(len(written.queries)), 1.0),
        "distinct_2": distinct_share(own),
        "overlap": overlap_share(own, passage),
        "copied_4grams": copied_share(own, passage),
        "rougeL_best": _rouge_share(written.queries, written.example.queries, scorer=scorer),
    }


def distinct_share(queries: Sequence[Sequence[str]]) -> Share:
    """Return the different word pairs over all of them; none crosses queries."""
    pairs = [pair for query in queries for pair in ngrams(query, 2)]
    return (len(set(pairs)) / len(pairs), 1.0) if pairs else _NONE


def overlap_share(queries: Sequence[Sequence[str]], passage: Sequence[str]) -> Share:
    """Return the mean share of a query's words that the passage has, of those that have words."""
    known = set(passage)
    found = [fmean(word in known for word in query) for query in queries if query]
    return (fmean(found), 1.0) if found else _NONE


def copied_share(queries: Sequence[Sequence[str]], passage: Sequence[str]) -> Share:
    """Return the share of the queries' 4-grams that stand in the passage."""
    known = set(ngrams(passage, _COPIED_LENGTH))
    own = [gram for query in queries for gram in ngrams(query, _COPIED_LENGTH)]
    return (fmean(gram in known for gram in own), 1.0) if own else _NONE


def first_words(queries: Sequence[str]) -> Counter[str]:
    """Return how many queries begin with each word, of those that have words."""
    return Counter(words[0] for words in tokenise(queries, stemmer="") if words)


def _rouge_share(queries: Sequence[str], gold: Sequence[str], *, scorer: Any) -> Share:
    if not queries or not gold:
        return _NONE
    return fmean(scorer.score_multi(gold, query)["rougeL"].fmeasure for query in queries), 1.0


def _make_scorer() -> Any:
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(["rougeL"], use_stemmer=True)


def _documents(written: Sequence[Written]) -> list[str]:
    return [item.example.document for item in written]


def _queries(written: Sequence[Written]) -> list[str]:
    return [query for item in written for query in item.queries]


def _common_start(starts: Counter[str]) -> float:
    return max(starts.values()) / starts.total() if starts else 0.0


def _starts_table(written: Sequence[Written]) -> str:
    from tabulate import tabulate

    ours = first_words(_queries(written))
    people = first_words([query for item in written for query in item.example.queries])
    rows = [
        [word, *(f"{starts[word] / max(starts.total(), 1):.1%}" for starts in (ours, people))]
        for word, _ in (ours + people).most_common(NUM_SHOWN)
    ]
    headers = ["first word", "of our queries", "of people's"]
    return str(tabulate(rows, headers=headers, disable_numparse=True, colalign=["left", "right", "right"]))
