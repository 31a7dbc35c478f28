"""Which rows are as good as the best: paired tests against it, corrected for how many there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shared.boards.rows import Row, Sample, compare_rows

LEVEL = 0.05
FIRST = ("1", "1=")  # the places of the best row and of its ties


def place_rows(rows: Sequence[Row], samples: Mapping[str, Sample]) -> None:
    """Give each ordered row its `place`, and its difference to the best row as `best`.

    The best row is the first that was run here or replayed: a cited figure has no items to pair. Rows that
    a paired test does not tell from it, after Holm's correction over all rows of the data set, are ties and
    share the place `1=`; below them a place is the rank by score alone, of which nothing is tested.
    """
    paired = [row for row in rows if row["name"] in samples]
    best, others = paired[0], paired[1:]
    for row in others:
        row["best"] = compare_rows(samples[row["name"]], samples[best["name"]])
    tested = [row["best"] for row in others if row["best"] is not None]
    for difference, p in zip(tested, holm([difference["p"] for difference in tested]), strict=True):
        difference |= {"p_holm": p, "tie": p > LEVEL}
    tied = any(difference["tie"] for difference in tested)
    for rank, row in enumerate(paired, start=1):
        shares_first = row is best or bool(row["best"] and row["best"]["tie"])
        row["place"] = FIRST[tied] if shares_first else str(rank)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p-values corrected step by step (Holm 1979), each at most 1, in the order given."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    corrected, largest = [0.0] * len(p_values), 0.0
    for step, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - step) * p_values[index]))
        corrected[index] = largest
    return corrected
