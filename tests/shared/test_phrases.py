"""Guesses of how a text goes on, by phrases that come again."""

import random
from pathlib import Path

import pytest

from shared.phrases import LONGEST, Guesser, Phrases

HOUSE = [[1, 2, 3, 4, 9], [1, 2, 3, 5, 9], [1, 2, 3, 4, 8]]


def guessed(stored: Phrases, prompt: list[int], written: list[int], most: int = 9) -> list[int]:
    guesser = Guesser(stored, prompt)
    guesser.add(written)
    return guesser.guess(most)


def test_a_text_begins_and_goes_on_as_most_of_the_house_do() -> None:
    stored = Phrases.of(HOUSE)
    assert guessed(stored, [], []) == [1, 2, 3, 4]
    assert guessed(stored, [], [1, 2], most=1) == [3]
    assert stored.following[(2, 3)].share == 2 / 3


def test_what_one_text_alone_says_is_not_kept() -> None:
    stored = Phrases.of([[1, 2, 6, 7], [1, 2, 8, 9]])
    assert stored.following.keys() == {(-1,), (-1, 1), (1,)}
    assert not Phrases.of([[6, 7, 6, 7, 6, 7]]).following


def test_a_prompt_is_copied_from_and_so_is_what_was_written() -> None:
    assert guessed(Phrases({}), [7, 8, 5, 6], [8]) == [5, 6]
    assert guessed(Phrases({}), [], [3, 4, 6, 3]) == [4, 6, 3, 4, 6, 3, 4, 6, 3]
    assert guessed(Phrases({}), [7, 8], [9]) == []


def test_the_longest_phrase_tells_and_of_two_the_more_certain() -> None:
    stored = Phrases.of([[2, 3, 4], [2, 3, 4], [2, 3, 5], [2, 3, 5], [2, 3, 4]])
    assert guessed(stored, [1, 2, 3, 9], [1, 2, 3], most=1) == [9]  # (1, 2, 3), which no house text has
    assert guessed(stored, [2, 3, 9], [6, 2, 3], most=1) == [9]  # always, beside three times of five
    assert guessed(stored, [2, 3, 9, 2, 3, 8], [6, 2, 3], most=1) == [4]  # beside half of the times


@pytest.mark.parametrize("seed", range(50))
def test_guesses_are_known_tokens_no_more_than_asked_for_whatever_the_order(seed: int) -> None:
    draw = random.Random(seed)
    texts = [[draw.randrange(6) for _ in range(draw.randrange(13))] for _ in range(draw.randrange(7))]
    prompt, most = [draw.randrange(6) for _ in range(draw.randrange(13))], draw.randrange(8)
    stored = Phrases.of(texts)
    found = guessed(stored, prompt, prompt[:2], most)
    assert len(found) <= most
    assert set(found) <= {token for text in [*texts, prompt] for token in text}
    assert all(len(phrase) <= LONGEST for phrase in stored.following)
    assert Phrases.of(reversed(texts)) == stored


def test_phrases_are_read_as_they_were_written(tmp_path: Path) -> None:
    for texts in (HOUSE, []):
        stored = Phrases.of(texts)
        stored.save(tmp_path / "phrases.npz")
        assert Phrases.load(tmp_path / "phrases.npz") == stored
