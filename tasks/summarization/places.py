"""In which order a house tells things: words that put a bullet further ahead, or further behind."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import combinations

LEAST_BULLETS = 20  # that a word stands in, before it says anything of a place
RIDGE = 10.0  # of the weights
DECIMALS = 2
FOLDS = 5
ORDERED = 0.6
_WORD = re.compile(r"[^\W\d_]{2,}|[$%]")


def place(text: str, places: Mapping[str, float]) -> float:
    """Return the sum of the weights of the text's words, each once: the higher, the further behind."""
    return sum(places.get(word, 0.0) for word in _words(text))


def derive_places(summaries: Sequence[Sequence[str]], *, words: Collection[str]) -> dict[str, float]:
    """Return by word how far behind it puts a bullet; {} where these summaries have no order that words tell.

    They have one if it puts `ORDERED` of the pairs of bullets right in summaries that it was not taken from.
    """
    longer = [bullets for bullets in summaries if len(bullets) > 1]
    right = num_pairs = 0
    for fold in range(FOLDS):
        others = [bullets for number, bullets in enumerate(longer) if number % FOLDS != fold]
        places = _fitted(others, words=words)
        stand = [[place(text, places) for text in bullets] for bullets in longer[fold::FOLDS]]
        pairs = [pair for own in stand for pair in combinations(own, 2) if pair[0] != pair[1]]
        right += sum(first < second for first, second in pairs)
        num_pairs += len(pairs)
    return _fitted(longer, words=words) if num_pairs and right >= ORDERED * num_pairs else {}


def _fitted(summaries: Sequence[Sequence[str]], *, words: Collection[str]) -> dict[str, float]:
    """Return by word the weights of a ridge regression of where bullets stand, from 0 to 1, on their words.

    Words are those given and signs of money and percent, that stand in `LEAST_BULLETS` bullets.
    """
    from sklearn.linear_model import Ridge

    found = [_words(text) for bullets in summaries for text in bullets]
    stand = [index / (len(bullets) - 1) for bullets in summaries for index in range(len(bullets))]
    spread = Counter(word for own in found for word in own)
    known = sorted(word for word in {*words, "$", "%"} if spread[word] >= LEAST_BULLETS)
    if not known:
        return {}
    rows = [[float(word in own) for word in known] for own in found]
    weights = Ridge(alpha=RIDGE).fit(rows, stand).coef_
    rounded = {word: round(float(weight), DECIMALS) for word, weight in zip(known, weights, strict=True)}
    return {word: weight for word, weight in rounded.items() if weight}


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.casefold()))
