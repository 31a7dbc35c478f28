"""A linear-chain conditional random field over IOB2 tags (Lafferty et al. 2001): best tags and marginals.

N texts, W words, C tags. A transition table is (C + 1, C): row i holds the scores of what may follow tag i,
the last row those of what may begin a text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from shared.batches import length_batches

IGNORED = -100  # the target of padding, which stands behind all words of a row
FORBIDDEN = -1e4  # score of a transition that IOB2 rules out
SOLVED = 65_536  # words, padding included, that are gone through at once

Array = np.ndarray[Any, np.dtype[np.float32]]
Indices = np.ndarray[Any, np.dtype[np.int64]]
Doubles = np.ndarray[Any, np.dtype[np.float64]]


def iob2_tags(labels: Iterable[str]) -> list[str]:
    """Return the tags of these labels, in the order O, B-x, I-x, B-y."""
    return ["O", *(f"{prefix}-{label}" for label in labels for prefix in "BI")]


def forbidden_transitions(tags: Sequence[str]) -> Array:
    """Return (C + 1, C): `FORBIDDEN` where IOB2 rules the transition out (I-x follows B-x or I-x), else 0."""
    penalty = np.zeros((len(tags) + 1, len(tags)), dtype=np.float32)
    for column, tag in enumerate(tags):
        if tag.startswith("I-"):
            ruled_out = [other not in (tag, f"B-{tag[2:]}") for other in [*tags, ""]]
            penalty[ruled_out, column] = FORBIDDEN
    return penalty


@dataclass(frozen=True)
class Solution:
    """What a text's word scores say of its tags."""

    tags: Indices  # (W,) of the best-scoring sequence
    probability: float  # of that sequence among all of them; 1 without words
    marginals: Array  # (W, C) of each tag at each word


def solve(scores: Sequence[Array], transitions: Array) -> list[Solution]:
    """Return the best tags and the probabilities of each text, from its word scores (W, C).

    Viterbi's search and the forward and backward sums go through many texts at once, the longest first, so
    that those which have a word at a place stand in front.
    """
    nothing = Solution(np.zeros(0, np.int64), 1.0, np.zeros((0, transitions.shape[1]), np.float32))
    found, filled = [nothing] * len(scores), [index for index, rows in enumerate(scores) if len(rows)]
    for group in length_batches([len(scores[index]) for index in filled], budget=SOLVED):
        longest_first = [filled[place] for place in reversed(group)]
        solutions = _solve_together([scores[index] for index in longest_first], transitions)
        for index, solution in zip(longest_first, solutions, strict=True):
            found[index] = solution
    return found


def _solve_together(scores: Sequence[Array], transitions: Array) -> list[Solution]:
    """Return the solutions of texts with words, the longest first."""
    sizes = np.array([len(rows) for rows in scores])
    padded = np.zeros((len(scores), sizes[0], transitions.shape[1]), dtype=np.float32)
    for row, values in zip(padded, scores, strict=True):
        row[: len(values)] = values
    present = [int((sizes > word).sum()) for word in range(sizes[0])]  # texts that have such a word
    tags = _best(padded, transitions, sizes, present)
    emitted = np.exp(padded.astype(np.float64) - padded.max(axis=2, keepdims=True))
    moves = np.exp(transitions.astype(np.float64) - transitions.max())
    before, sums = _forward(emitted, moves, present)
    joint = before * _backward(emitted, moves, present)
    joint /= joint.sum(axis=2, keepdims=True)
    solutions = []
    for row, size in enumerate(sizes):
        own = tags[row, :size]
        steps = moves[np.concatenate([[len(moves) - 1], own[:-1]]), own] * emitted[row, np.arange(size), own]
        with np.errstate(divide="ignore"):  # a forbidden move has the logarithm of 0
            probability = float(np.exp(np.log(steps).sum() - np.log(sums[row, :size]).sum()))
        solutions.append(Solution(own, probability, joint[row, :size].astype(np.float32)))
    return solutions


def _best(scores: Array, transitions: Array, sizes: Indices, present: Sequence[int]) -> Indices:
    """Return the best tags (N, W) by Viterbi's search; those behind a text's end mean nothing."""
    num_texts, num_words, num_tags = scores.shape
    best, back = scores[:, 0] + transitions[-1], np.zeros((num_texts, num_words, num_tags), dtype=np.int64)
    for word in range(1, num_words):
        going = present[word]
        paths = best[:going, :, None] + transitions[:-1]
        back[:going, word] = paths.argmax(axis=1)
        best[:going] = paths.max(axis=1) + scores[:going, word]
    tags = np.zeros((num_texts, num_words), dtype=np.int64)
    tags[np.arange(num_texts), sizes - 1] = best.argmax(axis=1)
    for word in range(num_words - 1, 0, -1):
        rows = np.arange(present[word])
        tags[rows, word - 1] = back[rows, word, tags[rows, word]]
    return tags


def _forward(emitted: Doubles, moves: Doubles, present: Sequence[int]) -> tuple[Doubles, Doubles]:
    """Return the shares (N, W, C) of paths to each word that end in each tag, and their scale (N, W)."""
    before, sums = np.ones_like(emitted), np.ones(emitted.shape[:2])
    for word, going in enumerate(present):
        arrived = before[:going, word - 1] @ moves[:-1] if word else moves[-1]
        reached = arrived * emitted[:going, word]
        sums[:going, word] = reached.sum(axis=1)
        before[:going, word] = reached / sums[:going, word, None]
    return before, sums


def _backward(emitted: Doubles, moves: Doubles, present: Sequence[int]) -> Doubles:
    """Return the shares (N, W, C) of paths from each word on that begin in each tag."""
    after = np.ones_like(emitted)
    for word in range(len(present) - 2, -1, -1):
        going = present[word + 1]
        reached = (emitted[:going, word + 1] * after[:going, word + 1]) @ moves[:-1].T
        after[:going, word] = reached / reached.sum(axis=1, keepdims=True)
    return after
