"""Windows over a long text: overlapping runs of whole words, and which window answers for a word."""

from collections.abc import Sequence


def cut_windows(sizes: Sequence[int], *, limit: int, overlap: int) -> list[tuple[int, int]]:
    """Return half-open word ranges that cover all words, each of at most `limit` tokens, in order.

    `sizes[i]` is the number of tokens of word i, at most `limit`. Neighbouring windows share up to `overlap`
    tokens, and each window reaches at least one word further than the one before. No word gives no window.
    """
    windows: list[tuple[int, int]] = []
    start = 0
    while start < len(sizes):
        end, used = start, 0
        while end < len(sizes) and used + sizes[end] <= limit:
            used += sizes[end]
            end += 1
        windows.append((start, end))
        if end == len(sizes):
            break
        previous, start, shared = start, end, 0
        while start - 1 > previous and shared + sizes[start - 1] <= overlap:
            start -= 1
            shared += sizes[start]
        if sum(sizes[start : end + 1]) > limit:  # the next word would not fit beside this much overlap
            start = end
    return windows


def owners(windows: Sequence[tuple[int, int]], num_words: int) -> list[int]:
    """Return for each word the index of the window in which it stands farthest from a cut edge.

    The ends of the text are no cut. Ties go to the earlier window.
    """
    best = [0] * num_words
    margins = [-1.0] * num_words
    for index, (start, end) in enumerate(windows):
        for word in range(start, end):
            left = word - start if start > 0 else float("inf")
            right = end - 1 - word if end < num_words else float("inf")
            if min(left, right) > margins[word]:
                best[word], margins[word] = index, min(left, right)
    return best
