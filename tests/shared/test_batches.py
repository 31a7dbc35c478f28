import random

import pytest

from shared.batches import epoch_batches, length_batches


@pytest.mark.parametrize(
    ("sizes", "budget", "batches"),
    [
        ([], 8, []),
        ([5, 1, 3, 1, 9], 6, [[1, 3], [2], [0], [4]]),
        ([5, 1, 3, 1, 9], 10, [[1, 3, 2], [0], [4]]),
        ([2, 2, 2, 2], 4, [[0, 1], [2, 3]]),
        ([0, 0, 7], 1, [[0, 1], [2]]),
    ],
)
def test_batches_by_hand(sizes: list[int], budget: int, batches: list[list[int]]) -> None:
    assert length_batches(sizes, budget=budget) == batches


@pytest.mark.parametrize("seed", range(20))
def test_every_index_occurs_once_within_the_budget_or_alone(seed: int) -> None:
    generator = random.Random(seed)
    sizes = [generator.randint(1, 60) for _ in range(generator.randint(0, 80))]
    for batches in (
        length_batches(sizes, budget=50),
        epoch_batches(sizes, budget=50, seed=seed, epoch=2),
    ):
        assert sorted(index for batch in batches for index in batch) == list(range(len(sizes)))
        for batch in batches:
            assert len(batch) == 1 or len(batch) * max(sizes[index] for index in batch) <= 50


SIZES = [3, 1, 2] * 8


def test_the_order_of_an_epoch_depends_on_seed_and_epoch_alone() -> None:
    first = epoch_batches(SIZES, budget=6, seed=1, epoch=0)
    random.seed(9)
    random.random()
    assert epoch_batches(SIZES, budget=6, seed=1, epoch=0) == first
    for seed, epoch in ((1, 1), (2, 0), (11, 0), (0, 1)):
        assert epoch_batches(SIZES, budget=6, seed=seed, epoch=epoch) != first


def test_the_order_of_an_epoch_is_the_same_in_every_process() -> None:
    """A resumed training goes on in the order of the killed one; the list was printed by another process."""
    assert epoch_batches([1, 1, 2, 2, 3], budget=4, seed=1, epoch=0) == [[3, 2], [4], [0, 1]]


def test_rows_of_equal_length_meet_others_each_epoch() -> None:
    pairs = [
        {frozenset(batch) for batch in epoch_batches([1] * 20, budget=2, seed=1, epoch=epoch)}
        for epoch in range(2)
    ]
    assert len(pairs[0]) == 10
    assert pairs[0] != pairs[1]


def test_batches_do_not_run_from_short_to_long() -> None:
    lengths = [SIZES[batch[0]] for batch in epoch_batches(SIZES, budget=6, seed=1, epoch=0)]
    assert lengths != sorted(lengths)
