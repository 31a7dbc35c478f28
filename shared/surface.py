"""How a text is written, apart from what it says: its length, marks, digits and words never met.

An encoder reads past much of this: a text that shouts and is full of figures may mean what others mean. Such
counts have long told spam from letters (Sahami et al. 1998, 'A Bayesian approach to filtering junk e-mail').
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

import numpy as np
from numpy.typing import NDArray

SURFACE = (
    "log_characters",  # natural logarithm; an empty text counts as one character
    "digit_share",  # of the characters, as the next two
    "capital_share",
    "mark_share",  # neither letter, digit nor white space
    "mean_word_characters",
    "unseen_word_share",  # of the words
    "longest_digit_run",
)

_WORD = re.compile(r"\w+")
_DIGITS = re.compile(r"\d+")

Array = NDArray[np.float64]


def words(text: str) -> list[str]:
    """Return the runs of letters, digits and underscores, lower-cased, in order."""
    return _WORD.findall(text.lower())


def surface(text: str, *, known_words: AbstractSet[str]) -> list[float]:
    """Return the features named by `SURFACE`; shares and means of nothing are 0."""
    found = words(text)
    characters, num_words = max(len(text), 1), max(len(found), 1)
    return [
        math.log(characters),
        sum(map(str.isdigit, text)) / characters,
        sum(map(str.isupper, text)) / characters,
        sum(not (character.isalnum() or character.isspace()) for character in text) / characters,
        sum(map(len, found)) / num_words,
        sum(word not in known_words for word in found) / num_words,
        float(max(map(len, _DIGITS.findall(text)), default=0)),
    ]


def surfaces(texts: Sequence[str], *, known_words: AbstractSet[str]) -> Array:
    """Return the features (N, 7) of each text."""
    rows = [surface(text, known_words=known_words) for text in texts]
    return np.array(rows).reshape(len(texts), len(SURFACE))


def surfaces_of_training(texts: Sequence[str]) -> Array:
    """Return the features (N, 7) of the texts that the known words themselves come from.

    Measured by their own words, none would ever be unseen, and every new text would look odd beside them. So
    those at even places are measured by the words of those at odd places, and the other way round.
    """
    found = np.zeros((len(texts), len(SURFACE)))
    for own in (0, 1):
        others = {word for text in texts[1 - own :: 2] for word in words(text)}
        found[own::2] = surfaces(texts[own::2], known_words=others)
    return found
