"""What each slice of a split lost from one version of a system to the next, and which losses are real."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any

from shared.boards.significance import LEVEL, holm
from shared.compare import Run, paired_counts
from shared.contracts import Examples, Metric
from shared.errors import UserError
from shared.intervals import Array, Difference, Statistic, paired_difference, score_counts, stack_counts
from shared.record import Counts
from shared.slices import COLUMNS, LABEL, Slice, Tally, label_f1, tally_labels
from shared.sums import by_document

FEWEST_DOCUMENTS = 5  # of four that all got worse, a sign test says no more than 0.5 ** 4 > LEVEL

Runs = Sequence[Run]
_NORMAL = NormalDist()


@dataclass(frozen=True)
class SliceLoss:
    """A slice's scores and its loss; they are None where it is not judged, and `unjudged` says why.

    A label is scored by its F1, a slice of another kind by the main score, as if there were no other
    examples. `p` is one-sided, and corrected for the number of slices that are judged.
    """

    slice: Slice
    num_documents: int
    unjudged: str = ""
    score: str = ""  # its name
    old: float | None = None
    new: float | None = None
    loss: Difference | None = None  # old minus new
    p: float = 1.0

    @property
    def value(self) -> float:
        """The loss, 0 where it is not judged."""
        return self.loss.value if self.loss else 0.0

    def breaks(self, limit: float) -> bool:
        """Return whether the loss is above the limit, and no noise."""
        return self.value > limit and self.p <= LEVEL


def slice_losses(
    examples: Examples,
    old: Runs,
    new: Runs,
    *,
    slices: Sequence[Slice],
    metric: Metric,
    fewest_items: int,
) -> list[SliceLoss]:
    """Return what the slices lost, in order; those of fewer items, or of few documents, are not judged."""
    documents = {example.id: example.document for example in examples}
    tallies = [_tally(examples, run) for run in (*old, *new)]
    found = []
    for part in slices:
        count = len({documents[id] for id in part.ids})
        if len(part.ids) < fewest_items:
            found.append(SliceLoss(part, count, unjudged=f"fewer than {fewest_items} items"))
        elif count < FEWEST_DOCUMENTS:
            found.append(SliceLoss(part, count, unjudged=f"fewer than {FEWEST_DOCUMENTS} documents"))
        elif part.kind == LABEL:
            sides = _label_counts(part.name, documents, tallies, num_old=len(old))
            found.append(_scored(part, count, sides, score="f1", statistic=label_f1))
        else:
            found.append(_main_loss(part, count, examples, old, new, metric=metric))
    return _corrected(found)


def loss_p(loss: Difference) -> float:
    """Return the one-sided p of a loss of 0 by the normal approximation, from its interval.

    The p of a bootstrap is at least one in its number of resamples, which a correction for hundreds of slices
    would never leave significant.
    """
    spread = loss_spread(loss)
    return _NORMAL.cdf(-loss.value / spread) if spread else float(loss.value <= 0)


def loss_spread(loss: Difference) -> float:
    """Return the standard error that the 95 % interval of a loss comes from."""
    return (loss.high - loss.low) / (2 * _NORMAL.inv_cdf(0.975))


def _main_loss(
    part: Slice, num_documents: int, examples: Examples, old: Runs, new: Runs, *, metric: Metric
) -> SliceLoss:
    chosen = [example for example in examples if example.id in part.ids]
    before, now = ([[one for one in run if one.id in part.ids] for run in side] for side in (old, new))
    try:
        sides = paired_counts(chosen, before, now, metric=metric)
    except UserError as error:  # such as an order without an anomaly in it
        return SliceLoss(part, num_documents, unjudged=str(error))
    return _scored(part, num_documents, sides, score=metric.main, statistic=metric.main_statistic())


def _scored(
    part: Slice, num_documents: int, sides: Sequence[Array], *, score: str, statistic: Statistic
) -> SliceLoss:
    """Return the loss of a slice from the counts (documents, runs, k) of old and new."""
    old, new = (float(score_counts(side, statistic).mean()) for side in sides)
    loss = paired_difference(sides[0], sides[1], statistic)
    return SliceLoss(part, num_documents, score=score, old=old, new=new, loss=loss, p=loss_p(loss))


def _corrected(found: Sequence[SliceLoss]) -> list[SliceLoss]:
    """Return the losses with Holm's correction for how many are judged."""
    corrected = iter(holm([part.p for part in found if part.loss]))
    return [replace(part, p=next(corrected)) if part.loss else part for part in found]


def _tally(examples: Examples, run: Run) -> dict[str, dict[str, Tally]]:
    """Return by id of the example the tally of its labels."""
    answers: dict[str, Any] = {prediction.id: prediction for prediction in run}
    return {example.id: tally_labels(example, answers[example.id]) for example in examples}


def _label_counts(
    label: str,
    documents: Mapping[str, str],
    tallies: Sequence[Mapping[str, Mapping[str, Tally]]],
    *,
    num_old: int,
) -> list[Array]:
    """Return the counts (documents, runs, COLUMNS) of old and new, over the documents that have the label.

    They have it in gold or in the answer of a run.
    """
    touched = [id for id in documents if any(label in run[id] for run in tallies)]
    own = [documents[id] for id in touched]
    tables = [
        Counts([label], COLUMNS, by_document(own, [run[id].get(label, (0.0, 0.0, 0.0)) for id in touched]))
        for run in tallies
    ]
    sides = (tables[:num_old], tables[num_old:])
    return [stack_counts(side, documents=sorted(set(own)), groups=[label]) for side in sides]
