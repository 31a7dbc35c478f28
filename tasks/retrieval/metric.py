"""The scores of reranking: how well passages are ordered, and whether the answer knows what it is worth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from shared.contracts import Score, Trial, Trials
from shared.errors import ConfigError
from shared.examples import aligned
from shared.passages import RankingExample, RankingPrediction
from shared.sums import bootstrapped, by_document
from tasks.retrieval.ranking_scores import (
    CALIBRATION,
    COLUMNS,
    ORDER,
    STATISTICS,
    Pair,
    mean,
    order_scores,
    query_rows,
)

if TYPE_CHECKING:
    from shared.contracts import Types
    from shared.intervals import Statistic
    from shared.record import Counts

_FIRST = 3  # passages shown of a wrong answer
_MANY = 3  # relevant passages, and more: one row of the details

Examples = Sequence[RankingExample]
Predictions = Sequence[RankingPrediction]


@dataclass(frozen=True)
class RankingScores:
    """Scores of the order of passages, and of the answer 'nothing'.

    Means over the queries that have a relevant passage, also where the answer is 'nothing': ndcg@10 with
    linear gain, mrr@10, recall@10 and recall@100, all over the relevant passages of the whole collection.
    Over all queries: answered is the share whose answer is not 'nothing', precision@1 answered the share of
    those whose first passage is relevant. Where answers have probabilities, ece and brier judge those of the
    first ten passages of every query: the expected calibration error with 15 equally wide bins, and the mean
    squared error.

    `main` is the score that is compared and chosen by: +task.metric.main=recall@100 asks for another one than
    the table's.
    """

    main: str = "ndcg@10"

    version: ClassVar[str] = "1"

    def __post_init__(self) -> None:
        if self.main not in ORDER:
            raise ConfigError([f"task.metric.main={self.main!r}; allowed: {', '.join(ORDER)}"])

    def bind(self, types: Types) -> RankingScores:
        """Return the metric itself: there is one thing to answer."""
        return self

    def quick(self, examples: Examples, predictions: Predictions) -> float:
        """Return the mean main score; 0 where no query has a relevant passage."""
        import numpy as np

        rows = self.counts(examples, predictions).rows
        return float(mean(np.array(list(rows.values())).sum(axis=0)))

    def score(self, examples: Examples, predictions: Predictions) -> dict[str, Score]:
        """Return every score by name, each with its 95 % interval, bootstrapped over documents."""
        pairs = aligned(examples, predictions)
        rows = by_document([example.document for example, _ in pairs], query_rows(pairs))
        probable = any(prediction.probabilities for _, prediction in pairs)
        return bootstrapped(list(rows.values()), {**STATISTICS, **CALIBRATION} if probable else STATISTICS)

    def counts(self, examples: Examples, predictions: Predictions) -> Counts:
        """Return by document the sum of the main score and the number of queries with a relevant passage."""
        from shared.record import Counts

        pairs = aligned(examples, predictions)
        columns = [COLUMNS.index(self.main), COLUMNS.index("judged")]
        rows = [[row[column] for column in columns] for row in query_rows(pairs)]
        documents = [example.document for example, _ in pairs]
        return Counts(groups=[""], columns=[self.main, "queries"], rows=by_document(documents, rows))

    def main_statistic(self) -> Statistic:
        """Return the mean main score as a function of summed counts (..., 2)."""
        return mean

    def trials(self, examples: Examples, predictions: Predictions) -> Trials:
        """Return each query by its first passage, right where that is relevant, also behind a 'nothing'."""
        queries = [
            Trial(example.document, prediction.probabilities[0], example.grades.get(first, 0) > 0)
            for example, prediction in aligned(examples, predictions)
            for first in prediction.ranked[:1]
            if prediction.probabilities
        ]
        return {"queries": queries} if queries else {}

    def details(self, examples: Examples, predictions: Predictions) -> str:
        """Return scores by the number of relevant passages, and what the first stage did not find."""
        pairs = aligned(examples, predictions)
        judged = _judged(pairs)
        missing = [_not_found(example) for example, _ in judged]
        none = sum(len(ids) == len(e.relevant()) for ids, (e, _) in zip(missing, judged, strict=True))
        return "\n".join(
            [
                _table(judged),
                "",
                f"no relevant passage among the candidates: {_share(none, len(judged))}",
                f"not every relevant one among them: {_share(sum(map(bool, missing)), len(judged))}",
                f"without a relevant passage, not scored: {_share(len(pairs) - len(judged), len(pairs))}",
            ]
        )

    def wrong(self, examples: Examples, predictions: Predictions) -> Iterator[dict[str, Any]]:
        """Yield the first passages and the ranks of the relevant ones where the main score is below 1."""
        judged = _judged(aligned(examples, predictions))
        for (example, prediction), score in zip(judged, order_scores(judged)[self.main], strict=True):
            if score < 1:
                ranks = {passage: rank for rank, passage in enumerate(prediction.ranked, start=1)}
                yield {
                    "id": example.id,
                    "query": example.text,
                    "first": list(prediction.ranked[:_FIRST]),
                    "relevant": {passage: ranks.get(passage) for passage in example.relevant()},
                    "nothing": prediction.nothing,
                }


def _judged(pairs: Sequence[Pair]) -> list[Pair]:
    return [pair for pair in pairs if pair[0].relevant()]


def _not_found(example: RankingExample) -> list[str]:
    """Return the relevant passages that are not among the candidates."""
    found = {passage.id for passage in example.passages}
    return [passage for passage in example.relevant() if passage not in found]


def _table(judged: Sequence[Pair]) -> str:
    from tabulate import tabulate

    scores = order_scores(judged)
    sizes = [min(len(example.relevant()), _MANY) for example, _ in judged]
    rows = []
    for size in sorted(set(sizes)):
        chosen = [place for place, found in enumerate(sizes) if found == size]
        means = [f"{values[chosen].mean():.3f}" for values in scores.values()]
        rows.append([f"{size} or more" if size == _MANY else size, f"{len(chosen):,}", *means])
    headers = ["relevant passages", "queries", *scores]
    return str(tabulate(rows, headers=headers, disable_numparse=True, colalign=["left"] + ["right"] * 5))


def _share(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,} queries ({part / max(whole, 1):.1%})"
