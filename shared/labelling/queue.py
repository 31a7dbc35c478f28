"""The order in which a person should look at texts: the most doubtful first, and texts unlike one another."""

from __future__ import annotations

import random
from collections.abc import Sequence

from shared.labelling.drafts import Label

LEVELS = 20  # of doubt: texts of one level are ordered for variety
FEW = 50  # texts; fewer are not divided into clusters


def in_order(labels: Sequence[Label], order: str, *, seed: int) -> list[Label]:
    """Return the texts in the order they are reviewed."""
    if order == "chance":
        return by_chance(labels, seed=seed)
    return by_doubt(labels) if order == "doubt" else most_informative(labels, seed=seed)


def by_doubt(labels: Sequence[Label]) -> list[Label]:
    """Return the texts by doubt, the highest first; blank ones, of which nothing is known, before all."""
    return sorted(labels, key=lambda label: (label.draft is not None, -label.doubt))


def by_chance(labels: Sequence[Label], *, seed: int) -> list[Label]:
    """Return the texts in an order that the seed draws."""
    drawn = list(labels)
    random.Random(f"{seed}-review").shuffle(drawn)
    return drawn


def most_informative(labels: Sequence[Label], *, seed: int) -> list[Label]:
    """Return the texts by doubt, those of about equal doubt so that neighbours are unlike one another.

    Texts are clustered by their words, and each level of doubt takes its clusters in turn.
    """
    ordered = by_doubt(labels)
    clusters = dict(zip((label.example.id for label in ordered), _clusters(ordered, seed), strict=True))
    turns: dict[tuple[int, int], int] = {}
    keys = []
    most = max((label.doubt for label in labels), default=0.0) or 1.0
    for place, label in enumerate(ordered):
        blank = label.draft is None
        level = -LEVELS - 1 if blank else -round(LEVELS * label.doubt / most)
        cluster = clusters[label.example.id]
        turn = turns[level, cluster] = turns.get((level, cluster), -1) + 1
        keys.append((level, turn, place))
    return [label for _, label in sorted(zip(keys, ordered, strict=True), key=lambda pair: pair[0])]


def _clusters(labels: Sequence[Label], seed: int) -> list[int]:
    if len(labels) < FEW:
        return list(range(len(labels)))
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.feature_extraction.text import HashingVectorizer

    words = HashingVectorizer(n_features=2**12).transform(label.example.text for label in labels)
    number = min(200, len(labels) // 10)
    found: list[int] = MiniBatchKMeans(number, random_state=seed, n_init=1).fit_predict(words).tolist()
    return found
