"""How a word is written: what an encoder that reads lower case alone never sees."""

from functools import lru_cache

SHAPES = ("none", "lower", "capitalised", "upper", "initial", "mixed", "digits", "alphanumeric", "mark")


@lru_cache(maxsize=65_536)  # most words of a text came before
def word_shape(word: str) -> int:
    """Return how a word is written, as an index into SHAPES."""
    if not any(character.isalnum() for character in word):
        return SHAPES.index("mark")
    if not any(character.isalpha() for character in word):
        return SHAPES.index("digits")
    if any(character.isdigit() for character in word):
        return SHAPES.index("alphanumeric")
    if word.islower():
        return SHAPES.index("lower")
    if word.isupper():
        return SHAPES.index("initial" if len(word.rstrip(".")) == 1 else "upper")
    return SHAPES.index("capitalised" if word[0].isupper() and word[1:].islower() else "mixed")
