"""Rows that were measured twice: how many pairs keep their order."""

from dataclasses import replace

from shared.boards.measurements import Measurement
from shared.boards.ranks import Ranks, compare_ranks, ranks_text
from tests.shared.boards.test_measurements import MEASUREMENT


def rows(**rates: list[float]) -> dict[str, Measurement]:
    """Return measurements of these documents a second; all else is the same."""
    return {id: replace(MEASUREMENT, record=id, documents_per_second=found) for id, found in rates.items()}


def test_pairs_are_counted_by_their_order_and_by_whether_they_are_apart() -> None:
    before = rows(slow=[1.0, 2.0, 3.0], middle=[3.0, 4.0, 5.0], fast=[10.0, 11.0, 12.0])
    after = rows(slow=[4.0, 5.0, 6.0], middle=[3.0, 4.0, 4.5], fast=[10.0, 12.0, 12.0])
    documents = compare_ranks(before, after)[0]
    assert documents == Ranks("documents_per_second", same=2, pairs=3, same_apart=2, apart=2)
    assert "2 of 3 pairs of rows in the same order; of those whose repeats do not overlap, 2 of 2" in (
        ranks_text([documents])
    )


def test_a_swap_of_rows_that_are_apart_both_times_is_told() -> None:
    ranks = compare_ranks(rows(a=[1.0], b=[2.0]), rows(a=[4.0], b=[3.0]))
    assert ranks[0] == Ranks("documents_per_second", same=0, pairs=1, same_apart=0, apart=1)


def test_rows_not_measured_again_or_on_another_processor_are_left_out() -> None:
    before = rows(kept=[1.0], moved=[2.0], again=[3.0])
    elsewhere = replace(before["moved"], hardware=replace(MEASUREMENT.hardware, cpu="another"))
    assert compare_ranks(before, {**before, "moved": elsewhere, **rows(again=[4.0], new=[5.0])}) == []
