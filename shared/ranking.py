"""How the scores of a query's passages become an order, probabilities, and 'nothing here answers this'.

A head scores a query's first n candidates. Their order is by the standardised score, plus the first stage's
and the best neighbour's of the same document, each with a weight that validation chooses by nDCG@10. A
logistic regression on validation (Platt 1999) makes a probability of relevance of a passage's score, the
value that orders, and how far that stands out from the other candidates': few passages answer a query, and
the more of them look alike, the less likely is each.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from shared.heads.settings import Ordering
from shared.passages import TOP, RankingExample, RankingPrediction

MEASURED_AT = 10  # nDCG looks so far down
FARTHEST = 30.0  # logits beyond it are 0 or 1 to thirteen digits
CALIBRATED = 20  # passages of a query, the first ones, that the calibration is fitted on

Array = np.ndarray[Any, np.dtype[np.float64]]
Places = np.ndarray[Any, np.dtype[np.intp]]


@dataclass(frozen=True)
class Weights:
    """What stands beside the standardised score of 1."""

    first: float  # of the first stage's standardised score
    document: float  # of the best score in the same document


@dataclass(frozen=True)
class Candidates:
    """A query's candidates with the head's scores of the first of them, n."""

    example: RankingExample
    scores: Array

    def order(self, weights: Weights) -> tuple[Places, Array]:
        """Return the scored candidates' indices (n,), best first, and the values that order them, falling."""
        values = self._scores + weights.first * self._first
        if weights.document:
            best = np.full(len(values), -np.inf)
            np.maximum.at(best, self._documents, values)
            values = values + weights.document * best[self._documents]
        order = np.argsort(-values, kind="stable")
        return order, values[order]

    @cached_property
    def gains(self) -> Array:
        """The grade of each scored candidate (n,)."""
        passages = self.example.passages[: len(self.scores)]
        return np.array([self.example.grades.get(passage.id, 0) for passage in passages], dtype=float)

    @cached_property
    def _scores(self) -> Array:
        return _standardised(self.scores)

    @cached_property
    def _first(self) -> Array:
        """What the first stage gave (n,), 0 where there was none."""
        if not self.example.first:
            return np.zeros(len(self.scores))
        return _standardised(np.array(self.example.first[: len(self.scores)]))

    @cached_property
    def _documents(self) -> Places:
        """The number of each scored candidate's document (n,); a passage that stands alone is its own."""
        numbers: dict[str, int] = {}
        places = [passage.document or passage.id for passage in self.example.passages[: len(self.scores)]]
        return np.array([numbers.setdefault(place, len(numbers)) for place in places], dtype=np.intp)


def tuned(found: Sequence[Candidates], ordering: Ordering) -> dict[str, float]:
    """Return the weights of best mean nDCG@10, the calibration, and the threshold of 'nothing'.

    Of equally good weights the smallest are taken. Queries without a relevant candidate do not count.
    """
    judged = [candidates for candidates in found if candidates.gains.any()]
    if not judged:
        return {}
    pairs = sorted(
        itertools.product(ordering.first_weights, ordering.document_weights),
        key=lambda pair: (sum(pair), pair),
    )
    weights = max((Weights(*pair) for pair in pairs), key=lambda weights: _mean_ndcg(judged, weights))
    values = {"first_weight": weights.first, "document_weight": weights.document}
    values |= _calibration(judged, weights)
    best = [_probabilities(candidates, *candidates.order(weights), values).max() for candidates in judged]
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
    probabilities = _probabilities(candidates, order, values, decoding)
    return RankingPrediction(
        example.id,
        ranked,
        tuple(values[:answers].tolist()),
        tuple(probabilities[:TOP].tolist()),
        nothing=bool(probabilities.max() < decoding["nothing_below"]),
    )


def ranking_row(example: RankingExample, prediction: RankingPrediction) -> dict[str, Any]:
    """Return the answer as `predict` writes it: the passages in order with texts, scores, probabilities."""
    texts = {passage.id: passage.whole for passage in example.passages}
    passages: list[dict[str, Any]] = [{"id": name, "text": texts[name]} for name in prediction.ranked]
    for key, values in (("score", prediction.scores), ("probability", prediction.probabilities)):
        for passage, value in zip(passages, values, strict=False):
            passage[key] = value
    row = {"id": prediction.id, "nothing": prediction.nothing, "passages": passages}
    return {**row, "abstained": True, "reason": prediction.abstained} if prediction.abstained else row


def ndcg(gains: Array, ideal: Sequence[int]) -> float:
    """Return nDCG@10 with linear gain (Järvelin, Kekäläinen 2002) of ranked gains; 0 without an ideal one."""
    best = sorted(ideal, reverse=True)[:MEASURED_AT]
    discounts = 1 / np.log2(np.arange(2, MEASURED_AT + 2))
    whole = float(np.dot(best, discounts[: len(best)]))
    first = gains[:MEASURED_AT]
    return float(np.dot(first, discounts[: len(first)])) / whole if whole else 0.0


def _mean_ndcg(found: Sequence[Candidates], weights: Weights) -> float:
    ordered = [(candidates.gains[candidates.order(weights)[0]], candidates.example) for candidates in found]
    return float(np.mean([ndcg(gains, list(example.relevant().values())) for gains, example in ordered]))


def _calibration(found: Sequence[Candidates], weights: Weights) -> dict[str, float]:
    """Return the logistic regression of relevance on the head's score and on the value that orders."""
    from sklearn.linear_model import LogisticRegression

    rows, relevant = [], []
    for candidates in found:
        order, values = candidates.order(weights)
        columns = [candidates.scores[order], values, _standing_out(values)]
        rows.append(np.stack(columns, axis=1)[:CALIBRATED])
        relevant.append(candidates.gains[order][:CALIBRATED] > 0)
    targets = np.concatenate(relevant)
    if targets.all() or not targets.any():
        return {"score_slope": 0.0, "value_slope": 0.0, "intercept": 20.0 if targets.all() else -20.0}
    fitted = LogisticRegression(C=1e3, max_iter=1000).fit(np.concatenate(rows), targets)
    score, value, lead = map(float, fitted.coef_[0])
    slopes = {"score_slope": score, "value_slope": value, "lead_slope": lead}
    return {**slopes, "intercept": float(fitted.intercept_[0])}


def _probabilities(
    candidates: Candidates, order: Places, values: Array, decoding: Mapping[str, float]
) -> Array:
    """Return the probability of relevance of each candidate in this order."""
    logits = (
        decoding["score_slope"] * candidates.scores[order]
        + decoding["value_slope"] * values
        + decoding.get("lead_slope", 0.0) * _standing_out(values)  # older bundles do not look at the others
        + decoding["intercept"]
    )
    return 1 / (1 + np.exp(-logits))


def _standing_out(values: Array) -> Array:
    """Return the logit of each value's share in the softmax of all (n,), no more than FARTHEST from 0."""
    if len(values) < 2:
        return np.zeros(len(values))
    below = np.clip(np.logaddexp.reduce(values) - values, np.finfo(float).tiny, 2 * FARTHEST)
    logits: Array = np.clip(-np.log(np.expm1(below)), -FARTHEST, FARTHEST)
    return logits


def _standardised(scores: Array) -> Array:
    deviation = scores.std() if len(scores) else 0.0
    return (scores - scores.mean()) / deviation if deviation else np.zeros(len(scores))
