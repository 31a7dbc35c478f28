"""Whether confidences are what they say, and how many answers a threshold on them would keep.

The expected calibration error (Naeini et al. 2015) has bins of equal mass (Nguyen, O'Connor 2015; Nixon et
al. 2019). It is the plain estimator: noise counts as error, so it is too high for few answers, and an
interval by resampling, which adds noise, may lie above it. The Brier score has no bins and no such fault.

Answers are kept the surest first: the share kept is the coverage, the share of them that is wrong the risk
(Geifman, El-Yaniv 2017). AURC is the mean risk over all coverages (Geifman, Uziel, El-Yaniv 2019). Answers of
equal confidence are kept together, as any threshold keeps them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple
from statistics import fmean
from typing import Any

import numpy as np

from shared.contracts import Score, Trial
from shared.intervals import Array
from shared.record import Reliability
from shared.sums import bootstrapped, brier, ece

Places = np.ndarray[Any, np.dtype[np.intp]]

BINS = 15
RISKS = (1, 5, 10)  # percent
STEPS = 60  # of coverage, at which a curve has points
PLACES = 6


def reliability(by_unit: Mapping[str, Sequence[Trial]]) -> Reliability | None:
    """Return how far the confidences of the main unit, the first, can be trusted, None without any.

    Intervals are bootstrapped over the documents that have an answer.
    """
    if not by_unit:
        return None
    unit, trials = next(iter(by_unit.items()))
    rows = {name: row for row, name in enumerate(sorted({trial.document for trial in trials}))}
    confidence = np.array([trial.confidence for trial in trials])
    right = np.array([float(trial.right) for trial in trials])
    places = [rows[trial.document] for trial in trials]
    scores = _scores(places, confidence, right, num_rows=len(rows))
    known = [trial.raw for trial in trials if trial.raw is not None]
    before = _scores(places, np.array(known), right, num_rows=len(rows)) if len(known) == len(trials) else {}
    coverage, risk = risk_coverage(confidence, right)
    return Reliability(
        unit=unit,
        num=len(trials),
        ece=scores["ece"],
        brier=scores["brier"],
        ece_raw=before.get("ece"),
        brier_raw=before.get("brier"),
        aurc=round(float(np.diff(coverage, prepend=0) @ risk), PLACES),
        coverage_at={
            str(most): round(float(coverage[risk <= most / 100].max(initial=0)), PLACES) for most in RISKS
        },
        bins=_bins(confidence, right),
        curve=_thinned(coverage, risk),
    )


def averaged(runs: Sequence[Reliability]) -> Reliability:
    """Return the means over the runs of one row, the bins of all runs side by side.

    The bounds of intervals are means as well, which is rather too wide for an interval of the mean. Risk is
    averaged at STEPS coverages, linear between the points of a run.
    """
    if len(runs) == 1:
        return runs[0]
    steps = np.arange(1, STEPS + 1) / STEPS
    risks = np.mean([np.interp(steps, *np.transpose(run.curve)) for run in runs], axis=0)
    return Reliability(
        unit=runs[0].unit,
        num=sum(run.num for run in runs),
        ece=_mean([run.ece for run in runs]),
        brier=_mean([run.brier for run in runs]),
        ece_raw=_mean_known([run.ece_raw for run in runs]),
        brier_raw=_mean_known([run.brier_raw for run in runs]),
        aurc=round(fmean(run.aurc for run in runs), PLACES),
        coverage_at={
            most: round(fmean(run.coverage_at[most] for run in runs), PLACES) for most in runs[0].coverage_at
        },
        bins=sorted(own for run in runs for own in run.bins),
        curve=np.stack([steps, risks], axis=1).round(PLACES).tolist(),
    )


def gap_counts(rows: Sequence[int], confidence: Array, right: Array, *, num_rows: int) -> Array:
    """Return (documents, BINS + 2): the sum of confidence minus right by bin, of its square, the number.

    `rows`, `confidence` and `right` (1 or 0) are those of each answer, `rows` the places of their documents.
    Resampling keeps the edges of the bins.
    """
    counts = np.zeros((num_rows, BINS + 2))
    places, gaps = _places(confidence).tolist(), (confidence - right).tolist()
    for row, place, gap in zip(rows, places, gaps, strict=True):
        counts[row, place] += gap
        counts[row, -2:] += (gap**2, 1)
    return counts


def risk_coverage(confidence: Array, right: Array) -> tuple[Array, Array]:
    """Return coverages and risks, one of each for every distinct confidence, the highest first."""
    order = np.argsort(-confidence, kind="stable")
    last = np.flatnonzero(np.diff(confidence[order], append=-np.inf))  # of those with equal confidence
    kept = last + 1
    wrong = np.cumsum(1 - right[order])[last]
    return kept / len(order), wrong / kept


def _places(confidence: Array) -> Places:
    """Return the bin of each confidence; edges are quantiles, equal confidences share a bin."""
    edges = np.quantile(confidence, np.linspace(0, 1, BINS + 1)[1:-1])
    return np.searchsorted(edges, confidence)


def _bins(confidence: Array, right: Array) -> list[list[float]]:
    """Return mean confidence, share right and number of each bin that has answers."""
    places = _places(confidence)
    sizes = np.bincount(places)
    sums = np.stack([np.bincount(places, weights=values) for values in (confidence, right)])
    means = (sums[:, sizes > 0] / sizes[sizes > 0]).round(PLACES)
    bins: list[list[float]] = np.stack([*means, sizes[sizes > 0]], axis=1).tolist()
    return bins


def _thinned(coverage: Array, risk: Array) -> list[list[float]]:
    """Return the points that first reach each of STEPS equal steps of coverage."""
    kept = np.unique(np.searchsorted(coverage, np.arange(1, STEPS + 1) / STEPS))
    points: list[list[float]] = np.stack([coverage, risk], axis=1)[kept].round(PLACES).tolist()
    return points


def _scores(rows: Sequence[int], confidence: Array, right: Array, *, num_rows: int) -> dict[str, Score]:
    counts = gap_counts(rows, confidence, right, num_rows=num_rows)
    return {
        name: _mean([score]) for name, score in bootstrapped(counts, {"ece": ece, "brier": brier}).items()
    }


def _mean_known(scores: Sequence[Score | None]) -> Score | None:
    known = [score for score in scores if score is not None]
    return _mean(known) if len(known) == len(scores) else None


def _mean(scores: Sequence[Score]) -> Score:
    """Return the mean of the scores and of their bounds, rounded."""
    return Score(*np.mean([astuple(score) for score in scores], axis=0).round(PLACES).tolist())
