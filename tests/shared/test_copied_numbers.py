import pytest

from shared.copied_numbers import END, allowed_next, numbers_of

NUMBERS = frozenset({"452.2", "45", "17", "1,681", "2020"})
FIRST = frozenset({"4", "1", "2", ".", ",", END})  # where no number is being written
WHOLE = frozenset({".", ",", END})


def test_numbers_are_found_as_written_and_without_separators() -> None:
    assert numbers_of("Sales of $1,681.5 million in 2020, up 12%.") == {"1,681.5", "1681.5", "2020", "12"}
    assert numbers_of("EPS of $.17, or five.") == {"17"}


@pytest.mark.parametrize(
    ("before", "allowed"),
    [
        ("", FIRST),
        ("sales of $", FIRST),
        ("$4", {"5"}),
        ("$45", {"2"} | WHOLE),
        ("$452", {"."}),
        ("$452.", {"2"}),
        ("$452.2", WHOLE),
        ("$1", {"7", ","}),
        ("$1,", {"6"}),
        ("in 2020", WHOLE),
        ("in 2020,", WHOLE),
        ("in 2020 ", FIRST),
        ("eps of $.", FIRST),
        ("eps of $.1", {"7", ","}),
        ("sold 9", set()),
    ],
)
def test_a_number_may_go_on_as_one_of_the_prompt_and_end_as_one(before: str, allowed: set[str]) -> None:
    assert allowed_next(before, NUMBERS) == allowed


@pytest.mark.parametrize("before", ["$452.2.", "$452.2,"])
def test_a_mark_behind_a_decimal_number_begins_no_number_of_its_own(before: str) -> None:
    assert allowed_next(before, NUMBERS) == FIRST


@pytest.mark.parametrize(
    ("before", "allowed"),
    [
        ("in q", {"1", "2", "3", "4", END}),
        ("in Q3", WHOLE),
        ("in q3.", WHOLE),
        ("in q3,", WHOLE),
        ("in q3 ", FIRST),
        ("in iraq", FIRST),
    ],
)
def test_the_digit_of_a_quarter_is_free(before: str, allowed: set[str]) -> None:
    assert allowed_next(before, NUMBERS) == allowed


def test_a_bullet_with_the_numbers_of_its_prompt_can_be_written_to_its_end() -> None:
    text = "q3 sales of $452.2, up 45 percent. 17 of 1,681 mills sold in 2020."
    for place, character in enumerate(text):
        expected = character if character in "0123456789.," else END
        assert expected in allowed_next(text[:place], NUMBERS), text[: place + 1]
