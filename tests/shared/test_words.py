import random

import pytest

from shared.examples import Span, SpanExample
from shared.words import find_words, join_words, span_words
from tests.shared.test_examples import ACME, ADA, TEXT, WORDS


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        (" \t\n", []),
        ("Ada left Acme.", ["Ada", "left", "Acme", "."]),
        (
            "AT&T's Q3-2024: $3.5bn (+2%)",
            ["AT&T", "'s", "Q3-2024", ":", "$", "3.5bn", "(", "+", "2", "%", ")"],
        ),
        ("1,000,000 in the U.S.", ["1,000,000", "in", "the", "U.S", "."]),
        ("'quoted' -- O’Neil’s don't", ["'", "quoted", "'", "-", "-", "O’Neil", "’s", "don't"]),
        ("Zürich 東京 😀", ["Zürich", "東京", "😀"]),
        ("@acme #up\nEUR/USD", ["@", "acme", "#", "up", "EUR", "/", "USD"]),
    ],
)
def test_words_are_runs_with_inner_marks_else_single_marks(text: str, words: list[str]) -> None:
    assert [text[start:end] for start, end in find_words(text)] == words


def test_word_offsets_count_code_points() -> None:
    assert find_words("😀 Ada, ok") == ((0, 1), (2, 5), (5, 6), (7, 9))


@pytest.mark.parametrize("seed", range(20))
def test_words_cover_all_but_white_space_once(seed: int) -> None:
    text = "".join(random.Random(seed).choices("aZ9é東_.,'&-’ \t\n\u00a0$%😀\u0301", k=60))
    covered = [position for start, end in find_words(text) for position in range(start, end)]
    assert covered == [position for position, character in enumerate(text) if not character.isspace()]


@pytest.mark.parametrize(
    ("words", "text", "offsets"),
    [
        ([], "", ()),
        (["Ada"], "Ada", ((0, 3),)),
        (["Ada", "left", "Acme"], "Ada left Acme", ((0, 3), (4, 8), (9, 13))),
        (["😀", "New York", "."], "😀 New York .", ((0, 1), (2, 10), (11, 12))),
    ],
)
def test_joined_words_stand_where_their_offsets_say(
    words: list[str], text: str, offsets: tuple[tuple[int, int], ...]
) -> None:
    assert join_words(words) == (text, offsets)


def test_spans_on_word_boundaries_become_word_ranges() -> None:
    assert span_words(SpanExample("1", TEXT, (ADA, ACME), WORDS)) == ([(0, 1, "PER"), (2, 4, "ORG")], [])


@pytest.mark.parametrize("lost", [Span(4, 7, "X"), Span(5, 8, "X"), Span(5, 7, "X"), Span(3, 8, "X")])
def test_a_span_that_no_word_boundary_fits_is_lost_and_the_others_stay(lost: Span) -> None:
    assert span_words(SpanExample("1", TEXT, (ADA, lost, ACME), WORDS)) == (
        [(0, 1, "PER"), (2, 4, "ORG")],
        [lost],
    )


def test_all_spans_are_lost_in_a_text_without_words() -> None:
    assert span_words(SpanExample("1", TEXT, (ADA,))) == ([], [ADA])
