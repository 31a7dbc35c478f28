"""Whether a new version of a system keeps its budget: how much it may change, break and lose.

Churn and negative flips are facts about these items: the value alone is held to its limit. A loss of score is
an estimate, and breaks its limit when two things hold: the value is above it, and a one-sided test over
documents tells at LEVEL that the loss is no noise. The value alone would block versions as good as the old
one wherever the limit is small beside the noise of the split; the lower bound alone, proof that the loss is
above the limit, would let pass most regressions that are somewhat above it. `smallest_seen` says what the
split is too small to see, and flips are there to catch it. Slices are tested with Holm's correction for their
number. Runs are taken as they are: documents are drawn, not seeds.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import NormalDist, fmean
from typing import Any

from shared import runs
from shared.boards.rows import churn, read_answers
from shared.boards.significance import LEVEL
from shared.compare import BETTER, WORSE, ChangedItem, Comparison, Run, compare
from shared.contracts import Examples, Metric
from shared.intervals import Difference
from shared.slice_losses import SliceLoss, loss_p, loss_spread, slice_losses
from shared.slices import find_slices
from shared.verb_config import Budget


@dataclass(frozen=True)
class System:
    """A version of a system: its runs, and of each by id what counts as the answer."""

    name: str
    runs: list[Run]
    answers: list[Mapping[str, str]]  # see `read_answers`: what leaderboards take churn from

    @property
    def churn(self) -> float | None:
        """How often two of its runs differ, so often it changes its mind by itself; None for a single run."""
        return fmean(churn(self.answers)) if len(self.answers) > 1 else None


@dataclass(frozen=True)
class Check:
    """What was found of one limit of the budget; None where nothing could be judged."""

    name: str  # the field of `Budget`
    found: float | None
    limit: float
    passed: bool
    note: str


@dataclass(frozen=True)
class Release:
    """The verdict on a new version, with what it rests on; in `comparison` left is old and right is new."""

    old: System
    new: System
    comparison: Comparison
    loss: Difference  # of the main score, old minus new; its p is two-sided
    loss_p: float  # one-sided
    smallest_seen: float  # the smallest loss that could be told from noise
    slices: list[SliceLoss]  # those that break the limit first, then by loss
    checks: list[Check]

    @property
    def broken(self) -> list[str]:
        """The limits that the new version breaks."""
        return [check.name for check in self.checks if not check.passed]

    @property
    def flips(self) -> list[ChangedItem]:
        """The items that were right in more runs before than now."""
        return [item for item in self.comparison.items if item.change == WORSE]


def read_system(name: str, files: Sequence[Path], *, ignored: Sequence[str]) -> System:
    """Return the system with a predictions file a run; keys that are `ignored` make no other answer."""
    return System(
        name,
        [runs.read_predictions(path) for path in files],
        [read_answers(path, ignored=ignored) for path in files],
    )


def judge(examples: Examples, old: System, new: System, *, metric: Metric, budget: Budget) -> Release:
    """Return the verdict on the new version; raises `UserError` as `compare` does.

    Churn is the mean over pairs of an old and a new run. A negative flip weighs the share of the runs that an
    item lost: it is one item where each side has a single run.
    """
    found = compare(examples, old.runs, new.runs, metric=metric)
    difference = found.difference
    loss = Difference(0 - difference.value, 0 - difference.high, 0 - difference.low, difference.p)
    smallest = NormalDist().inv_cdf(1 - LEVEL) * loss_spread(loss)
    slices = slice_losses(
        examples,
        old.runs,
        new.runs,
        slices=find_slices(examples, budget.slices),
        metric=metric,
        fewest_items=budget.slice_items,
    )
    slices.sort(key=lambda part: (not part.breaks(budget.slice_loss), -part.value))
    checks = [
        _churn(old, new, budget.churn),
        _negative_flips(found, budget.negative_flips),
        _loss(loss, smallest, budget.loss),
        _slice_loss(slices, budget.slice_loss),
    ]
    return Release(old, new, found, loss, loss_p(loss), smallest, slices, checks)


def flips_by_slice(release: Release) -> list[tuple[SliceLoss | None, list[ChangedItem]]]:
    """Return the negative flips, each once: under the slice that lost most, last those in none."""
    left = release.flips
    groups: list[tuple[SliceLoss | None, list[ChangedItem]]] = []
    for part in release.slices:
        own = [item for item in left if item.id in part.slice.ids] if part.value > 0 else []
        if own:
            groups.append((part, own))
            left = [item for item in left if item.id not in part.slice.ids]
    return [*groups, (None, left)] if left else groups


def release_row(release: Release) -> dict[str, Any]:
    """Return the verdict as a JSON object; it holds the texts of the negative flips."""
    found = release.comparison
    return {
        "old": release.old.name,
        "new": release.new.name,
        "passed": not release.broken,
        "broken": release.broken,
        "checks": [asdict(check) for check in release.checks],
        "score": found.score,
        "num_items": found.num_items,
        "old_score": asdict(found.left),
        "new_score": asdict(found.right),
        "loss": _loss_row(release.loss, release.loss_p),
        "smallest_seen": release.smallest_seen,
        "old_churn": release.old.churn,
        "new_churn": release.new.churn,
        "slices": [_slice_row(part, release.flips) for part in release.slices],
        "negative_flips": [
            {"slice": part.slice.title if part else None, **_flip_row(item)}
            for part, items in flips_by_slice(release)
            for item in items
        ],
    }


def _churn(old: System, new: System, limit: float) -> Check:
    share = fmean(churn(pair)[0] for pair in itertools.product(old.answers, new.answers))
    own = [
        f"runs of the {side} differ among themselves on {system.churn:.1%}"
        for side, system in (("old", old), ("new", new))
        if system.churn is not None
    ]
    return Check("churn", share, limit, share <= limit, "; ".join(own))


def _negative_flips(found: Comparison, limit: float) -> Check:
    lost = [item.left_right - item.right_right for item in found.items if item.change == WORSE]
    better = sum(item.change == BETTER for item in found.items)
    share = sum(lost) / found.num_items
    note = f"{len(lost):,} of {found.num_items:,} items; {better:,} got better"
    return Check("negative_flips", share, limit, share <= limit, note)


def _loss(loss: Difference, smallest: float, limit: float) -> Check:
    noise = loss_p(loss) > LEVEL
    note = f"95 % [{loss.low:+z.4f}, {loss.high:+z.4f}]"
    if loss.value > limit and noise:
        note += "; not told from noise"
    if smallest > limit:
        note += f"; losses below {smallest:.4f} cannot be told from noise here"
    return Check("loss", loss.value, limit, loss.value <= limit or noise, note)


def _slice_loss(slices: Sequence[SliceLoss], limit: float) -> Check:
    judged = [part for part in slices if part.loss]
    if not judged:
        return Check("slice_loss", None, limit, True, "no slice could be judged")
    worst = judged[0]
    noise = "; not told from noise" if worst.value > limit and worst.p > LEVEL else ""
    note = f"{worst.slice.title}, the worst of {len(judged)}{noise}"
    return Check("slice_loss", worst.value, limit, not worst.breaks(limit), note)


def _slice_row(part: SliceLoss, flips: Sequence[ChangedItem]) -> dict[str, Any]:
    own = [item for item in flips if item.id in part.slice.ids]
    return {
        "kind": part.slice.kind,
        "name": part.slice.name,
        "num_items": len(part.slice.ids),
        "num_documents": part.num_documents,
        "negative_flips": len(own),
        "unjudged": part.unjudged,
        "score": part.score,
        "old": part.old,
        "new": part.new,
        "loss": _loss_row(part.loss, part.p) if part.loss else None,
    }


def _loss_row(loss: Difference, p: float) -> dict[str, float]:
    """Return the loss with its interval, and the one-sided p that it is judged by."""
    return {**asdict(loss), "p": p}


def _flip_row(item: ChangedItem) -> dict[str, Any]:
    row = asdict(item)
    return {
        **{name: row[name] for name in ("id", "text", "gold")},
        "old": row["left"],
        "new": row["right"],
        "old_right": row["left_right"],
        "new_right": row["right_right"],
    }
