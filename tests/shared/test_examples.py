import random

import pytest

from shared.examples import (
    FacetAnswer,
    FacetExample,
    FacetPrediction,
    Span,
    SpanExample,
    SpanPrediction,
    find_words,
    join_words,
    span_words,
)


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


ADA, ACME = Span(0, 3, "PER"), Span(9, 18, "ORG")
TEXT = "Ada left Acme Corp"
WORDS = ((0, 3), (4, 8), (9, 13), (14, 18))


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


def test_strict_matching_does_not_look_at_the_probability() -> None:
    assert Span(0, 3, "PER", 0.25).key == ADA.key == (0, 3, "PER")


NEWS = FacetExample(
    "7",
    "Bonds fell, said Ada",
    pair="And then?",
    marks=(Span(0, 5, "e1"), Span(17, 20, "e2")),
    labels={"topic": ("bonds",), "actors": ("bank", "fund"), "place": ()},
    values={"score": -0.5},
    document="d",
)


def test_gold_is_the_answer_that_is_wholly_right() -> None:
    assert SpanExample("1", TEXT, (ADA,), WORDS).gold() == SpanPrediction("1", (ADA,))
    assert NEWS.gold() == FacetPrediction(
        "7",
        {
            "topic": FacetAnswer(("bonds",)),
            "actors": FacetAnswer(("bank", "fund")),
            "place": FacetAnswer(()),
            "score": FacetAnswer(value=-0.5),
        },
    )


def test_an_answer_that_is_not_given_keeps_its_guess() -> None:
    assert FacetAnswer(("bonds",)).given == ("bonds",)
    unsure = FacetAnswer(("bonds",), abstained="out of scope")
    assert (unsure.concepts, unsure.given) == (("bonds",), ())


def test_two_predictions_of_the_same_answers_share_their_key() -> None:
    """Neither the order of facets nor probabilities count, nor what lies behind two decimals of a number."""
    one = FacetPrediction(
        "1", {"topic": FacetAnswer(("bonds",), probability=0.5), "score": FacetAnswer(value=0.251)}
    )
    same = FacetPrediction("1", {"score": FacetAnswer(value=0.254), "topic": FacetAnswer(("bonds",))})
    assert one.key == same.key
    others = [
        FacetPrediction("1", {"topic": FacetAnswer(("bonds",)), "score": FacetAnswer(value=0.261)}),
        FacetPrediction("1", {"topic": FacetAnswer(("sport",)), "score": FacetAnswer(value=0.25)}),
        FacetPrediction(
            "1", {"topic": FacetAnswer(("bonds",), abstained="odd"), "score": FacetAnswer(value=0.25)}
        ),
    ]
    assert all(other.key != one.key for other in others)


def test_an_answer_that_is_not_given_is_the_answer_none() -> None:
    silent, none = FacetAnswer(("bonds",), abstained="odd"), FacetAnswer()
    assert FacetPrediction("1", {"topic": silent}).key == FacetPrediction("1", {"topic": none}).key


def test_facets_are_shown_as_a_person_reads_them() -> None:
    prediction = FacetPrediction(
        "1",
        {
            "actors": FacetAnswer(("bank", "fund")),
            "topic": FacetAnswer(("bonds",), abstained="odd"),
            "score": FacetAnswer(value=0.256),
        },
    )
    assert prediction.shown("any text") == [
        {"facet": "actors", "answer": "bank, fund"},
        {"facet": "topic", "answer": ""},
        {"facet": "score", "answer": "0.26"},
    ]
