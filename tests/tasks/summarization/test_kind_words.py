import re

import pytest

from tasks.summarization.kind_words import (
    ADJUSTS,
    LOOKS_AHEAD,
    QUARTER,
    TELLS_ADJUSTED,
    TELLS_AHEAD,
    quarter_named,
    quarter_number,
    reported_quarter,
)


def quarter(text: str) -> re.Match[str]:
    match = QUARTER.search(text)
    assert match is not None
    return match


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("q3 revenue", 3),
        ("Q3'21 revenue", 3),
        ("our Q32021 revenue", 3),
        ("2Q20 sales", 2),
        ("the fourth quarter", 4),
        ("first-quarter sales", 1),
        ("second fiscal quarters", 2),
        ("for 3rd quarter 2021", 3),
    ],
)
def test_a_quarter_is_known_however_it_is_written(text: str, number: int) -> None:
    assert quarter_number(quarter(text)) == number


@pytest.mark.parametrize(
    "text",
    ["q5", "$4q", "1.3q", "faq3", "q31", "a quarter", "the third of May", "first, quarter to date", "q3x"],
)
def test_what_only_looks_like_a_quarter_is_none(text: str) -> None:
    assert QUARTER.search(text) is None


def test_another_quarter_is_named_in_the_same_form() -> None:
    assert quarter_named(quarter("q3 revenue"), 2) == "q2"
    assert quarter_named(quarter("4Q20 revenue"), 1) == "1Q"
    assert quarter_named(quarter("the Third quarter"), 4) == "fourth"
    assert quarter_named(quarter("2nd quarter"), 3) == "3rd"


def test_the_quarter_reported_is_named_most_and_a_look_ahead_counts_little() -> None:
    assert reported_quarter(["Our second quarter was good.", "We expect a better third quarter."]) == 2
    assert reported_quarter(["In the third quarter we expect growth."] * 9 + ["Q2 sales rose."]) == 2


def test_the_opening_says_more_of_what_is_reported() -> None:
    """Three votes for q1 of the twelve sentences of the opening, two for q2 of the later ones."""
    opening = ["Welcome to the Q1 call.", *["Thank you."] * 11]
    assert reported_quarter([*opening, "Q2 was good.", "Q2 was fine."]) == 1
    assert reported_quarter([*opening, *["Q2 was good."] * 4]) == 2


def test_no_quarter_is_reported_where_none_is_named_or_two_are_alike() -> None:
    assert reported_quarter([]) is reported_quarter(["A quarter ago."]) is None
    assert reported_quarter(["Q1 beat Q2."]) is None


@pytest.mark.parametrize("text", ["sees $5", "reaffirms $5", "is estimated at $5", "expected $5", "to be $5"])
def test_what_tells_an_outlook_in_a_bullet_tells_it_in_a_document(text: str) -> None:
    assert TELLS_AHEAD.search(text)
    assert LOOKS_AHEAD.search(text)


def test_a_document_tells_an_outlook_in_more_ways() -> None:
    for text in ("a range of 5%", "we plan 5 stores", "between 5 and 6", "sales of $5 million to $6 million"):
        assert LOOKS_AHEAD.search(text)
        assert not TELLS_AHEAD.search(text)
    for text in ("Sales rose 5 percent to the highest ever.", "sales rose 5% to $6 million"):
        assert not LOOKS_AHEAD.search(text)


def test_adjusted_is_told_by_a_word_of_its_own() -> None:
    for text in ("adjusted earnings", "adj. earnings", "non-gaap earnings"):
        assert TELLS_ADJUSTED.search(text)
        assert ADJUSTS.search(text)
    assert not TELLS_ADJUSTED.search("transaction-adjusted earnings")
    assert not TELLS_ADJUSTED.search("we have adjusted.")
