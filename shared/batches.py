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


def epoch_batches(sizes: Sequence[int], *, budget: int, seed: int, epoch: int) -> list[list[int]]:
    """Return the batches of one epoch in random order, a function of seed and epoch alone.

    Rows are shuffled before the sort by length, so that rows of equal length meet others each epoch.
    """
    generator = random.Random(f"{seed}-{epoch}")
    order = list(range(len(sizes)))
    generator.shuffle(order)
    batches = length_batches([sizes[index] for index in order], budget=budget)
    generator.shuffle(batches)
    return [[order[index] for index in batch] for batch in batches]
