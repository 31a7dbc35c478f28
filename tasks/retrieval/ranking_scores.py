"""The scores of rankings: of each query, and what they come to, summed over documents.

Gain is linear in the grade, as for trec_eval. A passage is relevant if its grade is above 0. The numbers of a
query are additive, so that every score is a function of their sums, as intervals and leaderboards ask.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any

from shared import sums
from shared.passages import TOP, RankingExample, RankingPrediction

if TYPE_CHECKING:
    from shared.intervals import Array, Statistic

Pair = tuple[RankingExample, RankingPrediction]

ORDER = ("ndcg@10", "mrr@10", "recall@10", "recall@100")
COLUMNS = (*ORDER, "judged", "answered", "right", "queries")  # of `query_row`
BINS = 15  # of probabilities, equally wide
_CUTOFF, _DEPTH = 10, 100  # the ranks that ORDER looks at
_OTHER = -1.0  # the id of all passages that are not relevant


def order_scores(pairs: Sequence[Pair]) -> dict[str, Array]:
    """Return the scores of ORDER of each ranking, (Q,) each; the queries must have a relevant passage.

    Recall is over all relevant passages, found by the first stage or not. A passage that is ranked twice
    counts where it stands first.
    """
    import numpy as np

    relevant = [example.relevant() for example, _ in pairs]
    width = max([_CUTOFF, *map(len, relevant)])  # the ideal order is summed over as many ranks as any other
    judged = np.full((len(pairs), width, 2), (_OTHER, 0.0))  # (id, grade), the highest grade first
    ranked = np.full((len(pairs), _DEPTH, 2), (_OTHER, 0.0))  # as answered: ranx sorts no array
    for query, (grades, (_, prediction)) in enumerate(zip(relevant, pairs, strict=True)):
        judged[query, : len(grades)] = list(enumerate(grades.values()))
        ids = {passage: number for number, passage in enumerate(grades)}
        found = [ids.get(passage, _OTHER) for passage in dict.fromkeys(prediction.ranked)][:_DEPTH]
        ranked[query, : len(found), 0] = found
    return _evaluated(judged, ranked)


def query_rows(pairs: Sequence[Pair]) -> list[list[float]]:
    """Return the additive numbers of each query: COLUMNS, then those of `calibration_row`.

    `right` says that the query was answered and its first passage is relevant. A query without a relevant
    passage has no scores of ORDER and is not `judged`.
    """
    judged = [pair for pair in pairs if pair[0].relevant()]
    scores = order_scores(judged)
    by_id = {example.id: [float(scores[name][i]) for name in ORDER] for i, (example, _) in enumerate(judged)}
    rows = []
    for example, prediction in pairs:
        order = by_id.get(example.id)
        answered = not prediction.nothing
        right = answered and any(example.grades.get(passage, 0) > 0 for passage in prediction.ranked[:1])
        row = [*(order or [0.0] * len(ORDER)), float(order is not None), float(answered), float(right), 1.0]
        rows.append(row + calibration_row(example, prediction))
    return rows


def calibration_row(example: RankingExample, prediction: RankingPrediction) -> list[float]:
    """Return the sum of probability minus relevance by bin, that of its square, and the number (BINS + 2).

    Counted are the first TOP passages that have a probability. A bin has its lower edge, the last one
    both; a passage that nobody judged is not relevant.
    """
    row = [0.0] * (BINS + 2)
    found = zip(prediction.ranked, prediction.probabilities, strict=False)
    for passage, probability in list(found)[:TOP]:
        gap = probability - (example.grades.get(passage, 0) > 0)
        row[min(int(probability * BINS), BINS - 1)] += gap
        row[BINS] += gap**2
        row[BINS + 1] += 1
    return row


def ratio(summed: Array, *, part: int, whole: int) -> Array:
    """Return one column of the last axis over another, 0 where that is 0."""
    return sums.divided(summed[..., part], summed[..., whole])


def mean(summed: Array) -> Array:
    """Return the mean from sums and numbers (..., 2): the main score of both tasks."""
    return ratio(summed, part=0, whole=1)


def ece(summed: Array) -> Array:
    """Return the expected calibration error from summed `query_rows`.

    It grows by resampling, as by any noise: its interval may lie above it.
    """
    return sums.ece(summed[..., len(COLUMNS) :])


def brier(summed: Array) -> Array:
    """Return the mean squared error of the probabilities from summed `query_rows`."""
    return sums.brier(summed[..., len(COLUMNS) :])


STATISTICS: dict[str, Statistic] = {  # of summed `query_rows`
    **{name: partial(ratio, part=i, whole=COLUMNS.index("judged")) for i, name in enumerate(ORDER)},
    "answered": partial(ratio, part=COLUMNS.index("answered"), whole=COLUMNS.index("queries")),
    "precision@1 answered": partial(ratio, part=COLUMNS.index("right"), whole=COLUMNS.index("answered")),
}
CALIBRATION: dict[str, Statistic] = {"ece": ece, "brier": brier}


def _evaluated(judged: Array, ranked: Array) -> dict[str, Array]:
    """Return what ranx makes of both; arrays need a quarter of the compilation that its Qrels and Run do."""
    evaluate = _import_evaluate()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="unsafe cast")  # numba's, on compiling ranx's own loops
        scores: dict[str, Array] = evaluate(judged, ranked, list(ORDER), return_mean=False, threads=1)
    return scores


def _import_evaluate() -> Any:
    """Return ranx's `evaluate`.

    ranx imports ir_datasets for downloads, whose import makes twenty folders in the user's home: an empty
    module stands in for it meanwhile.
    """
    stand_in = ModuleType("ir_datasets")
    known = sys.modules.setdefault("ir_datasets", stand_in)
    from ranx import evaluate

    if known is stand_in:
        del sys.modules["ir_datasets"]
    return evaluate
