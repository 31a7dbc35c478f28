"""Whether measuring published rows again ranks them as before."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from shared.boards.measurements import REPEATED, Measurement

_Values = tuple[Sequence[float], Sequence[float]]  # of the repeats, before and after


@dataclass(frozen=True)
class Ranks:
    """Pairs of rows that were measured twice, by one figure."""

    figure: str
    same: int  # pairs in the same order both times
    pairs: int
    same_apart: int  # of the pairs that are apart
    apart: int  # pairs whose repeats, both times, do not overlap


def compare_ranks(before: Mapping[str, Measurement], after: Mapping[str, Measurement]) -> list[Ranks]:
    """Return how far the medians rank alike, for each figure; of rows measured twice on one processor.

    Both are record id -> measurement, of one task; a row that was not measured again is left out.
    """
    rows = [
        (before[id], again)
        for id, again in sorted(after.items())
        if id in before and again != before[id] and again.hardware.cpu == before[id].hardware.cpu
    ]
    return [_ranks(figure, [_values(row, figure) for row in rows]) for figure in REPEATED if len(rows) > 1]


def _values(row: tuple[Measurement, Measurement], figure: str) -> _Values:
    first, second = (getattr(one, figure) for one in row)
    return first, second


def _ranks(figure: str, rows: Sequence[_Values]) -> Ranks:
    same = same_apart = apart = 0
    for left, right in combinations(rows, 2):
        orders = [_order(a, b) for a, b in zip(left, right, strict=True)]
        alike = orders[0] == orders[1]
        clear = all(_are_apart(a, b) for a, b in zip(left, right, strict=True))
        same, apart, same_apart = same + alike, apart + clear, same_apart + (alike and clear)
    return Ranks(figure, same, len(rows) * (len(rows) - 1) // 2, same_apart, apart)


def _order(left: Sequence[float], right: Sequence[float]) -> bool:
    return statistics.median(left) < statistics.median(right)


def _are_apart(left: Sequence[float], right: Sequence[float]) -> bool:
    return max(left) < min(right) or max(right) < min(left)


def ranks_text(ranks: Sequence[Ranks]) -> str:
    """Return a line a figure."""
    lines = [
        f"  {one.figure:<22} {one.same} of {one.pairs} pairs of rows in the same order; of those whose "
        f"repeats do not overlap, {one.same_apart} of {one.apart}"
        for one in ranks
    ]
    return "\n".join(["measured again:", *lines])
