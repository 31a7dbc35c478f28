import itertools
import random

import pytest

from shared.windows import cut_windows, owners


@pytest.mark.parametrize(
    ("sizes", "limit", "overlap", "windows"),
    [
        ([], 4, 2, []),
        ([1, 1, 1], 4, 2, [(0, 3)]),
        ([1, 1, 1, 1, 1, 1], 4, 0, [(0, 4), (4, 6)]),
        ([1, 1, 1, 1, 1, 1], 4, 2, [(0, 4), (2, 6)]),
        ([4, 4, 4], 4, 3, [(0, 1), (1, 2), (2, 3)]),
        ([3, 1, 2, 2], 4, 1, [(0, 2), (1, 3), (3, 4)]),
        ([2, 2, 3], 4, 2, [(0, 2), (2, 3)]),
        ([1, 0, 0, 1], 1, 0, [(0, 3), (1, 4)]),
    ],
    ids=[
        "no word",
        "all fit",
        "no overlap",
        "half overlap",
        "each word fills a window",
        "the overlap holds a small word and no larger one",
        "no overlap where the next word would not fit beside it",
        "words without tokens",
    ],
)
def test_windows_by_hand(sizes: list[int], limit: int, overlap: int, windows: list[tuple[int, int]]) -> None:
    assert cut_windows(sizes, limit=limit, overlap=overlap) == windows


def random_cut(seed: int) -> tuple[list[int], int, int, list[tuple[int, int]]]:
    generator = random.Random(seed)
    limit = generator.randint(1, 12)
    overlap = generator.randrange(limit)
    sizes = [generator.randint(0, limit) for _ in range(generator.randint(1, 40))]
    return sizes, limit, overlap, cut_windows(sizes, limit=limit, overlap=overlap)


@pytest.mark.parametrize("seed", range(40))
def test_windows_cover_every_word_and_keep_the_limits(seed: int) -> None:
    sizes, limit, overlap, windows = random_cut(seed)
    assert {word for start, end in windows for word in range(start, end)} == set(range(len(sizes)))
    assert all(sum(sizes[start:end]) <= limit for start, end in windows)
    for (start, end), (next_start, next_end) in itertools.pairwise(windows):
        assert start < next_start <= end < next_end
        assert sum(sizes[next_start:end]) <= overlap


@pytest.mark.parametrize("seed", range(40))
def test_the_owner_of_a_word_holds_it_farthest_from_a_cut(seed: int) -> None:
    """Of the words around it that a window shows, those up to the nearest cut are counted."""
    sizes, _, _, windows = random_cut(seed)
    for word, owner in enumerate(owners(windows, len(sizes))):
        margins = {}
        for index, (start, end) in enumerate(windows):
            if start <= word < end:
                cuts = [cut for cut in (start - 1, end) if 0 <= cut < len(sizes)]
                margins[index] = min((abs(cut - word) for cut in cuts), default=len(sizes))
        assert margins[owner] == max(margins.values())


@pytest.mark.parametrize(
    ("windows", "num_words", "owner"),
    [
        ([], 0, []),
        ([(0, 3)], 3, [0, 0, 0]),
        ([(0, 4), (2, 6)], 6, [0, 0, 0, 1, 1, 1]),
        ([(0, 5), (2, 7)], 7, [0, 0, 0, 0, 1, 1, 1]),
        ([(0, 4), (2, 6), (4, 8)], 8, [0, 0, 0, 1, 1, 2, 2, 2]),
    ],
    ids=["no word", "one window", "the middle is shared out", "a tie goes to the earlier", "three windows"],
)
def test_owners_by_hand(windows: list[tuple[int, int]], num_words: int, owner: list[int]) -> None:
    assert owners(windows, num_words) == owner
