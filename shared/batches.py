"""Batches of similar length within a token budget: little padding, and the same order for the same seed."""

import random
from collections.abc import Sequence


def length_batches(sizes: Sequence[int], *, budget: int) -> list[list[int]]:
    """Return indices grouped so that rows x longest row <= budget, shortest groups first.

    A row longer than the budget is a batch of its own. Every index occurs once.
    """
    batches: list[list[int]] = []
    for index in sorted(range(len(sizes)), key=lambda index: sizes[index]):
        if batches and (len(batches[-1]) + 1) * sizes[index] <= budget:
            batches[-1].append(index)
        else:
            batches.append([index])
    return batches


def epoch_batches(
    sizes: Sequence[int], *, budget: int, seed: int, epoch: int, weights: Sequence[float] = ()
) -> list[list[int]]:
    """Return the batches of one epoch in random order, a function of seed, epoch and weights alone.

    Rows are shuffled before the sort by length, so that rows of equal length meet others each epoch. With
    `weights` each row comes as often as its weight says in the mean: 0.25 in one epoch of four, 2 twice.
    """
    generator = random.Random(f"{seed}-{epoch}")
    order = list(range(len(sizes)))
    generator.shuffle(order)
    if weights:
        order = [index for index in order for _ in range(_times(weights[index], generator))]
    batches = length_batches([sizes[index] for index in order], budget=budget)
    generator.shuffle(batches)
    return [[order[index] for index in batch] for batch in batches]


def _times(weight: float, generator: random.Random) -> int:
    """Return the whole part of the weight, and one more by the chance of what is left."""
    return int(weight) + (generator.random() < weight % 1)
