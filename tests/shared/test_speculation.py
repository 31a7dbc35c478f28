"""Speculative decoding: the text that is written token by token, in fewer passes."""

import copy
from typing import Any

import pytest
from transformers import LogitsProcessorList

from shared.bases import find_base
from shared.compose import compose_run
from shared.copied_numbers import numbers_of
from shared.decoder import load_decoder
from shared.modules.copied_numbers import CopiedNumbers
from shared.modules.speculation import SpeculativeWriter
from shared.modules.writing import Drawn
from shared.phrases import Guesser, Phrases
from shared.writing import Wish
from tests.benchmarks.writing_speed import generating
from tests.shared.short_base import SHORT

LIMIT = 40


@pytest.fixture(scope="module")
def decoder(short_base: None) -> tuple[Any, Any]:
    backbone, tokenizer = load_decoder(find_base(compose_run("summarization", SHORT).model))
    return backbone.eval(), tokenizer


@pytest.fixture
def prompt(decoder: tuple[Any, Any]) -> list[int]:
    tokens: list[int] = decoder[1]("Revenue rose 12% to $41.2 million, after 37.5 in Q2.")["input_ids"]
    return tokens


def generated(decoder: tuple[Any, Any], prompt: list[int], *processors: Any) -> list[int]:
    """Return what `generate` writes token by token."""
    write = generating(*decoder, logits_processor=LogitsProcessorList(processors))
    return write(Wish(prompt, LIMIT))


def passes(decoder: tuple[Any, Any], phrases: Phrases, wish: Wish) -> tuple[list[int], int]:
    """Return what is written, and in how many passes."""
    counted: list[None] = []
    handle = decoder[0].register_forward_hook(lambda *_: counted.append(None))
    try:
        found = SpeculativeWriter(*decoder, phrases).write(wish)
    finally:
        handle.remove()
    return found, len(counted)


def test_right_guesses_save_passes_and_change_nothing(decoder: tuple[Any, Any], prompt: list[int]) -> None:
    expected = generated(decoder, prompt)
    known = Phrases.of([expected, expected])
    found, count = passes(decoder, known, Wish(prompt, LIMIT))
    assert found == expected
    assert count < 0.6 * len(expected)


def test_wrong_guesses_change_nothing(decoder: tuple[Any, Any], prompt: list[int]) -> None:
    expected = generated(decoder, prompt)
    wrong = [(token + 1) % 1000 for token in expected]
    phrases = Phrases.of([[a, b] for pair in zip(expected, wrong, strict=True) for a, b in [pair, pair]])
    guesser = Guesser(phrases, prompt)
    guesser.add(expected[:1])
    assert guesser.guess(1) == wrong[:1]
    found, _ = passes(decoder, phrases, Wish(prompt, LIMIT))
    assert found == expected


@pytest.mark.parametrize("limit", [1, 2, 7])
def test_no_more_is_written_than_asked_for(limit: int, decoder: tuple[Any, Any], prompt: list[int]) -> None:
    expected = generated(decoder, prompt)
    found, _ = passes(decoder, Phrases.of([expected, expected]), Wish(prompt, limit))
    assert found == expected[:limit]


def test_nothing_is_written_behind_the_end(decoder: tuple[Any, Any], prompt: list[int]) -> None:
    """The token that comes fifth is taken for the end, as the base alone rarely ends."""
    backbone, tokenizer = decoder
    expected = generated(decoder, prompt)
    ending = copy.deepcopy(tokenizer)
    ending.eos_token = tokenizer.convert_ids_to_tokens(expected[4])
    writer = SpeculativeWriter(backbone, ending, Phrases.of([expected, expected]))
    assert writer.write(Wish(prompt, LIMIT)) == expected[: expected.index(expected[4]) + 1]


def test_numbers_are_those_of_the_prompt(decoder: tuple[Any, Any], prompt: list[int]) -> None:
    numbers = numbers_of(decoder[1].decode(prompt))
    expected = generated(decoder, prompt, CopiedNumbers(decoder[1], [numbers]))
    free = generated(decoder, prompt)
    found, _ = passes(decoder, Phrases.of([free, free]), Wish(prompt, LIMIT, numbers=numbers))
    assert found == expected


def test_what_is_drawn_is_drawn_by_the_seed(decoder: tuple[Any, Any], prompt: list[int]) -> None:
    expected = generated(decoder, prompt, Drawn([5], temperature=0.7, top_p=0.9))
    assert expected != generated(decoder, prompt)
    wish = Wish(prompt, LIMIT, temperature=0.7, top_p=0.9, seed=5)
    found, count = passes(decoder, Phrases.of([expected, expected]), wish)
    assert found == expected
    assert count < 0.6 * len(expected)


def test_what_is_written_is_shown(decoder: tuple[Any, Any], prompt: list[int]) -> None:
    shown: list[str] = []
    found, _ = passes(decoder, Phrases({}), Wish(prompt, LIMIT, show=shown.append))
    assert "".join(shown).strip() == decoder[1].decode(found, skip_special_tokens=True).strip()
    assert len(shown) > 3 and shown[-1] == "\n"
