"""How the scores of a query's passages become an order, probabilities, and 'nothing here answers this'.

A head scores a query's first n candidates. Their order is by the standardised score, plus the first stage's
and the best neighbour's of the same document, each with a weight that validation chooses by nDCG@10. A
logistic regression on validation (Platt 1999) makes a probability of relevance of a score.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from shared.passages import RankingExample, RankingPrediction

MEASURED_AT = 10  # nDCG looks so far down
CALIBRATED = 20  # passages of a query, the first ones, that the calibration is fitted on
PROBABLE = 10  # passages of an answer that have a probability

Array = np.ndarray[Any, np.dtype[np.float64]]
Places = np.ndarray[Any, np.dtype[np.intp]]


@dataclass(frozen=True)
class Weights:
    """What stands beside the standardised score of 1."""

    first: float  # of the first stage's standardised score
    document: float  # of the best score in the same document


@dataclass(frozen=True)
class Candidates:
    """A query's candidates with the head's scores of the first of them."""

    example: RankingExample
    scores: Array

    def order(self, weights: Weights) -> tuple[Places, Array]:
        """Return the scored candidates' indices, best first, and the values that order them."""
        values = _standardised(self.scores)
        if self.example.first and weights.first:
            values = values + weights.first * _standardised(np.array(self.example.first[: len(values)]))
        if weights.document:
            values = values + weights.document * self._document_best(values)
        order = np.argsort(-values, kind="stable")
        return order, values[order]

    def _document_best(self, values: Array) -> Array:
        best: dict[str, float] = {}
        places = [passage.document or passage.id for passage in self.example.passages[: len(values)]]
        for place, value in zip(places, values, strict=True):
            best[place] = max(value, best.get(place, -np.inf))
        return np.array([best[place] for place in places])

    def gains(self) -> Array:
        """Return the grade of each scored candidate."""
        passages = self.example.passages[: len(self.scores)]
        return np.array([self.example.grades.get(passage.id, 0) for passage in passages], dtype=float)


class Ordering(Protocol):
    """What `heads.settings.Ordering` says."""

    @property
    def first_weights(self) -> Sequence[float]:
        """Weights of the first stage to choose from."""

    @property
    def document_weights(self) -> Sequence[float]:
        """Weights of the document's best score to choose from."""

    @property
    def sent_away(self) -> float:
        """Share of queries with a relevant candidate that may get 'nothing'."""

    @property
    def answers(self) -> int:
        """Passages of an answer."""


def tuned(found: Sequence[Candidates], ordering: Ordering) -> dict[str, float]:
    """Return the weights of best mean nDCG@10, the calibration, and the threshold of 'nothing'.

    Of equally good weights the smallest are taken. Queries without a relevant candidate do not count.
    """
    judged = [candidates for candidates in found if candidates.gains().any()]
    if not judged:
        return {}
    pairs = sorted(
        itertools.product(ordering.first_weights, ordering.document_weights),
        key=lambda pair: (sum(pair), pair),
    )
    weights = max((Weights(*pair) for pair in pairs), key=lambda weights: _mean_ndcg(judged, weights))
    values = {"first_weight": weights.first, "document_weight": weights.document}
    values |= _calibration(judged, weights)
    best = [_probabilities(candidates, weights, values)[1].max() for candidates in judged]
    return {**values, "nothing_below": float(np.quantile(best, ordering.sent_away))}


def ranking(candidates: Candidates, decoding: Mapping[str, float], *, answers: int) -> RankingPrediction:
    """Return the answer: the scored candidates in order, then the others in the first stage's.

    Without tuning (`decoding` empty) the score alone orders, and there are no probabilities.
    """
    example = candidates.example
    weights = Weights(decoding.get("first_weight", 0.0), decoding.get("document_weight", 0.0))
    order, values = candidates.order(weights)
    indices = [*order.tolist(), *range(len(order), len(example.passages))][:answers]
    ranked = tuple(example.passages[index].id for index in indices)
    if "intercept" not in decoding or not ranked:
        return RankingPrediction(example.id, ranked, tuple(values[:answers].tolist()), nothing=not ranked)
    _, probabilities = _probabilities(candidates, weights, decoding)
    return RankingPrediction(
        example.id,
        ranked,
        tuple(values[:answers].tolist()),
        tuple(probabilities[:PROBABLE].tolist()),
        nothing=bool(probabilities.max() < decoding["nothing_below"]),
    )


def ranking_row(example: RankingExample, prediction: RankingPrediction) -> dict[str, Any]:
    """Return the answer as `predict` writes it: the passages in order with texts, scores, probabilities."""
    texts = {passage.id: passage.whole for passage in example.passages}
    passages: list[dict[str, Any]] = [{"id": name, "text": texts[name]} for name in prediction.ranked]
    for key, values in (("score", prediction.scores), ("probability", prediction.probabilities)):
        for passage, value in zip(passages, values, strict=False):
            passage[key] = value
    return {"id": prediction.id, "nothing": prediction.nothing, "passages": passages}


def ndcg(gains: Array, ideal: Sequence[int]) -> float:
    """Return nDCG@10 with linear gain (Järvelin, Kekäläinen 2002) of ranked gains; 0 without an ideal one."""
    best = sorted(ideal, reverse=True)[:MEASURED_AT]
    discounts = 1 / np.log2(np.arange(2, MEASURED_AT + 2))
    whole = float(np.dot(best, discounts[: len(best)]))
    first = gains[:MEASURED_AT]
    return float(np.dot(first, discounts[: len(first)])) / whole if whole else 0.0


def _mean_ndcg(found: Sequence[Candidates], weights: Weights) -> float:
    return float(
        np.mean(
            [
                ndcg(
                    candidates.gains()[candidates.order(weights)[0]],
                    list(candidates.example.relevant().values()),
                )
                for candidates in found
            ]
        )
    )


def _calibration(found: Sequence[Candidates], weights: Weights) -> dict[str, float]:
    """Return the logistic regression of relevance on the head's score and on the value that orders."""
    from sklearn.linear_model import LogisticRegression

    rows, relevant = [], []
    for candidates in found:
        order, values = candidates.order(weights)
        rows.append(np.stack([candidates.scores[order], values], axis=1)[:CALIBRATED])
        relevant.append(candidates.gains()[order][:CALIBRATED] > 0)
    targets = np.concatenate(relevant)
    if targets.all() or not targets.any():
        return {"score_slope": 0.0, "value_slope": 0.0, "intercept": 20.0 if targets.all() else -20.0}
    fitted = LogisticRegression(C=1e3, max_iter=1000).fit(np.concatenate(rows), targets)
    score, value = map(float, fitted.coef_[0])
    return {"score_slope": score, "value_slope": value, "intercept": float(fitted.intercept_[0])}


def _probabilities(
    candidates: Candidates, weights: Weights, decoding: Mapping[str, float]
) -> tuple[Places, Array]:
    """Return the order and the probability of relevance of each candidate in it."""
    order, values = candidates.order(weights)
    logits = (
        decoding["score_slope"] * candidates.scores[order]
        + decoding["value_slope"] * values
        + decoding["intercept"]
    )
    return order, 1 / (1 + np.exp(-logits))


def _standardised(scores: Array) -> Array:
    deviation = scores.std() if len(scores) else 0.0
    return (scores - scores.mean()) / deviation if deviation else np.zeros(len(scores))
