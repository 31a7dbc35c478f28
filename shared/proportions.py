"""Shares of answers that come in documents: how much they tell, bounds on them, and a test of a limit.

The answers of one document err together, so that a hundred of them tell less than a hundred apart. A share's
variance over documents divided by that of as many independent answers is its design effect, which grows with
the answers a document has and with their correlation (Kish 1965, 'Survey sampling'). Answers count as so many
fewer, and the exact binomial takes their number (Korn, Graubard 1998, 'Confidence intervals for proportions
with small expected number of positive counts estimated from survey data').
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Share:
    """How many of so many answers are wrong, by weight, and how many independent ones they count as."""

    wrong: float
    num: int
    effective: float

    @property
    def value(self) -> float:
        """The share that is wrong, 0 of none."""
        return self.wrong / self.num if self.num else 0.0

    def bounds(self) -> tuple[float, float]:
        """Return the 95 % interval; (0, 1) of answers that tell nothing."""
        if not self.effective:
            return 0.0, 1.0
        from scipy.special import betaincinv  # scipy.stats takes a second to import

        wrong = self.value * self.effective
        right = self.effective - wrong
        tail = (1 - CONFIDENCE) / 2
        low = float(betaincinv(wrong, right + 1, tail)) if self.wrong else 0.0
        high = float(betaincinv(wrong + 1, right, 1 - tail)) if self.wrong < self.num else 1.0
        return low, high

    def p_value(self, limit: float) -> float:
        """Return the chance of so few wrong or fewer where the limit is what is wrong on average."""
        if self.wrong == self.num or not self.effective:
            return 1.0
        from scipy.special import betaincc

        wrong = self.value * self.effective
        return float(betaincc(wrong + 1, self.effective - wrong, limit))


def share(wrong: Sequence[bool], documents: Sequence[str]) -> Share:
    """Return the share of the answers that is wrong.

    One document alone tells nothing of others: its answers count as none.
    """
    found = first_shares(wrong, documents, [len(wrong)], correlation=within_correlation(wrong, documents))
    return found[0]


def first_shares(
    wrong: Sequence[bool], documents: Sequence[str], numbers: Sequence[int], *, correlation: float
) -> list[Share]:
    """Return the share of the first answers that is wrong, for each of the rising numbers of them.

    `correlation` is that of the errors of a document, see `within_correlation`.
    """
    sizes: Counter[str] = Counter()
    squares, start, found = 0, 0, []
    sums = np.concatenate([[0], np.cumsum(wrong)]).tolist()
    for number in numbers:
        for document in documents[start:number]:
            squares += 2 * sizes[document] + 1
            sizes[document] += 1
        start = number
        effective = 0.0
        if len(sizes) > 1:
            effective = number * _fewness(number, len(sizes)) / (1 + (squares / number - 1) * correlation)
        found.append(Share(int(sums[number]), number, effective))
    return found


def weighted_shares(
    wrong: Sequence[bool],
    documents: Sequence[str],
    weights: Sequence[float],
    numbers: Sequence[int],
    *,
    correlation: float,
) -> list[Share]:
    """Return `first_shares` where answers count by their weights, all above 0.

    The design effect is that of documents and weights together, by linearisation as in `within_correlation`.
    Where no answer or every answer is wrong that tells nothing, and they count as if each weighed as much as
    the heaviest.
    """
    errors, heavy = np.asarray(wrong, dtype=float), np.asarray(weights, dtype=float)
    _, places = np.unique(np.asarray(documents), return_inverse=True)
    found = []
    for plain in first_shares(wrong, documents, numbers, correlation=correlation):
        own, own_places = heavy[: plain.num], places[: plain.num]
        total, num_documents = float(own.sum()), len(np.unique(own_places))
        mean = float(np.average(errors[: plain.num], weights=own))
        effective = plain.effective * total / (plain.num * float(own.max()))
        if 0 < mean < 1 and num_documents > 1:
            sums = np.bincount(own_places, weights=own * (errors[: plain.num] - mean))
            variance = _variance(sums, num_documents, total)
            fewness = _fewness(plain.num, num_documents)
            effective = min(float(plain.num), mean * (1 - mean) / variance) * fewness
        found.append(Share(mean * plain.num, plain.num, effective))
    return found


def within_correlation(wrong: Sequence[bool], documents: Sequence[str]) -> float:
    """Return how far the answers of one document are wrong together, 0 (not at all) to 1.

    It follows from the design effect, which is the variance of the ratio of sums over documents by
    linearisation (Cochran 1977, 'Sampling techniques', 6.4) against the binomial one; 0 where no answer or
    every answer is wrong, and where each document has one answer.
    """
    sizes = Counter(documents)
    places = {name: place for place, name in enumerate(sizes)}
    sums = np.bincount([places[name] for name in documents], weights=np.asarray(wrong, dtype=float))
    num, mean = len(wrong), float(np.mean(wrong)) if len(wrong) else 0.0
    counts = np.array(list(sizes.values()))
    if len(sizes) < 2 or not 0 < mean < 1 or counts.max() == 1:
        return 0.0
    variance = _variance(sums - mean * counts, len(sizes), num)
    effect = variance * num / (mean * (1 - mean))
    others = float((counts**2).sum()) / num - 1  # that the document of a mean answer has beside it
    return float(np.clip((effect - 1) / others, 0.0, 1.0))


def _variance(sums: np.ndarray[Any, Any], num_documents: int, total: float) -> float:
    """Return that of a ratio, from what each document's sum lies apart from the mean one's."""
    return num_documents / (num_documents - 1) * float((sums**2).sum()) / total**2


def _fewness(num: int, num_documents: int) -> float:
    """Return by what a variance known from few documents shrinks the number: Korn and Graubard's t's."""
    if num_documents == num:
        return 1.0
    from scipy.special import stdtrit

    tail = (1 - CONFIDENCE) / 2
    return float((stdtrit(num - 1, tail) / stdtrit(num_documents - 1, tail)) ** 2)
