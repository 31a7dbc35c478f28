"""A linear-chain conditional random field over IOB2 tags (Lafferty et al. 2001): best tags and marginals.

W words, C tags. A transition table is (C + 1, C): row i holds the scores of what may follow tag i,
the last row those of what may begin a text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

IGNORED = -100  # the target of padding, which stands behind all words of a row
FORBIDDEN = -1e4  # score of a transition that IOB2 rules out

Array = np.ndarray[Any, np.dtype[np.float32]]
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


def best_tags(scores: Array, transitions: Array) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return the tags (W,) of the best-scoring sequence by Viterbi's search, from word scores (W, C)."""
    tags = np.zeros(len(scores), dtype=np.int64)
    if len(scores) == 0:
        return tags
    best, back = scores[0] + transitions[-1], np.zeros(scores.shape, dtype=np.int64)
    for word in range(1, len(scores)):
        paths = best[:, None] + transitions[:-1]
        back[word] = paths.argmax(axis=0)
        best = paths.max(axis=0) + scores[word]
    tags[-1] = best.argmax()
    for word in range(len(scores) - 1, 0, -1):
        tags[word - 1] = back[word, tags[word]]
    return tags


def marginals(scores: Array, transitions: Array) -> Array:
    """Return the probability (W, C) of each tag at each word, by forward and backward sums."""
    emitted, moves = _scaled(scores, transitions)
    before, _ = _forward(emitted, moves)
    after = np.ones_like(emitted)
    for word in range(len(scores) - 2, -1, -1):
        reached = moves[:-1] @ (emitted[word + 1] * after[word + 1])
        after[word] = reached / reached.sum()
    joint = before * after
    normalised: Array = (joint / joint.sum(axis=1, keepdims=True)).astype(np.float32)
    return normalised


def path_probability(scores: Array, tags: np.ndarray[Any, np.dtype[np.int64]], transitions: Array) -> float:
    """Return the probability of the whole sequence of tags (W,), W at least 1, among all sequences."""
    emitted, moves = _scaled(scores, transitions)
    _, sums = _forward(emitted, moves)
    steps = moves[np.concatenate([[len(moves) - 1], tags[:-1]]), tags] * emitted[np.arange(len(tags)), tags]
    with np.errstate(divide="ignore"):  # a forbidden move has the logarithm of 0
        return float(np.exp(np.log(steps).sum() - np.log(sums).sum()))


def _scaled(scores: Array, transitions: Array) -> tuple[Doubles, Doubles]:
    """Return exp of the scores (W, C) and of the transitions, each scaled so that the largest is 1."""
    emitted = np.exp(scores.astype(np.float64) - scores.max(axis=1, keepdims=True, initial=-np.inf))
    return emitted, np.exp(transitions.astype(np.float64) - transitions.max())


def _forward(emitted: Doubles, moves: Doubles) -> tuple[Doubles, Doubles]:
    """Return the shares (W, C) of paths to each word that end in each tag, and their scale (W,)."""
    before, sums = np.empty_like(emitted), np.empty(len(emitted))
    for word in range(len(emitted)):
        reached = (before[word - 1] @ moves[:-1] if word else moves[-1]) * emitted[word]
        sums[word] = reached.sum()
        before[word] = reached / sums[word]
    return before, sums
