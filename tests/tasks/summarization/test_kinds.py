import pytest

from tasks.summarization.evidence import Source
from tasks.summarization.kinds import corrected, plainness, told_alike, told_as_another, wrong_kinds

SOURCE = Source(
    (
        "Welcome to the second quarter call: our second quarter was good.",
        "Revenue was $41.2 million.",
        "Adjusted earnings were $0.52 per share.",
        "On a GAAP basis we earned $0.44 per share.",
        "That excludes the mill.",
        "The margin came to 12%.",
        "We lost: a loss of $0.09 per share in mills.",
        "For the third quarter we expect revenue of $43 million to $45 million.",
        "For the year the dividend was $1.10.",
        "For fiscal 2022 we expect sales of $90 million.",
        "Costs are planned to be $8 million, in the third quarter or the fourth quarter.",
        "In the first quarter, orders were $7 million.",
    )
)


@pytest.mark.parametrize(
    ("line", "rule", "words", "right"),
    [
        ("q3 revenue $41.2 million.", "quarter", "q3", "q2 revenue $41.2 million."),
        ("3Q21 revenue $41.2 million.", "quarter", "3Q", "2Q21 revenue $41.2 million."),
        ("sees q3 revenue $41.2 million.", "outlook", "sees", "q2 revenue $41.2 million."),
        ("sees q3 sales of $90 million.", "quarter", "q3", "sees fy sales of $90 million."),
        ("sees q3 2022 sales of $90 million.", "quarter", "q3", "sees fy 2022 sales of $90 million."),
        ("sees fy 2021 revenue $43 million.", "year", "fy 2021", "sees q3 revenue $43 million."),
        ("adjusted earnings $0.44 per share.", None, None, None),  # the sentence before speaks of adjusted
        ("q2 adjusted loss $0.09 per share.", "adjusted", "adjusted", "q2 loss $0.09 per share."),
    ],
)
def test_a_figure_told_as_what_it_is_not_is_found_and_corrected(
    line: str, rule: str | None, words: str | None, right: str | None
) -> None:
    assert wrong_kinds(line, SOURCE) == ({rule: words} if rule else {})
    assert corrected(line, SOURCE) == (right or line)


@pytest.mark.parametrize(
    "line",
    [
        "q2 revenue $41.2 million.",
        "q2 adjusted earnings $0.52 per share.",
        "q2 adjusted margin 12%.",  # the sentence before it says what is left out
        "sees q3 revenue $43 million to $45 million.",
        "sees q4 revenue $43 million to $45 million.",  # an outlook may be of any quarter
        "sees q3 2021 revenue $43 million.",  # of a quarter, though it names a year
        "sees fy 2022 sales of $90 million.",
        "q1 orders $7 million.",  # its sentence names that quarter
        "revenue $41.2 million, against q4.",  # a quarter behind the figure is another's
        "q3 revenue rose.",  # no figure
        "q3 revenue $99 million.",  # in no sentence: the rule for figures finds it
    ],
)
def test_what_the_document_says_passes_and_so_does_what_it_does_not_speak_of(line: str) -> None:
    assert wrong_kinds(line, SOURCE) == {}
    assert corrected(line, SOURCE) == line


@pytest.mark.parametrize(
    "line",
    [
        "sees fy 2021 dividend $1.10.",  # its sentence speaks of a year, which is no quarter
        "revenue expected at $41.2 million.",  # no form that can be turned
        "sees q3 margin 12% on revenue of $41.2 million.",  # two figures, perhaps of two kinds
    ],
)
def test_an_outlook_is_no_result_where_that_is_not_sure(line: str) -> None:
    assert wrong_kinds(line, SOURCE).keys() == {"outlook"}
    assert corrected(line, SOURCE) == line


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        (
            "sees third quarter sales of $90 million.",
            "quarter",
        ),  # "full-year" would fit, after other words not
        ("sees fy costs of $8 million.", "year"),  # of which of the two quarters
    ],
)
def test_an_outlook_of_another_time_is_left_where_the_right_one_is_not_sure(line: str, rule: str) -> None:
    assert wrong_kinds(line, SOURCE).keys() == {rule}
    assert corrected(line, SOURCE) == line


def test_without_a_reported_quarter_none_is_wrong() -> None:
    source = Source(("Revenue was $5 million.",))
    assert wrong_kinds("q3 revenue $5 million.", source) == {}
    assert corrected("sees q3 revenue $5 million.", source) == "sees q3 revenue $5 million."


def test_of_lines_alike_but_for_the_kind_the_one_stands_that_the_document_bears_out() -> None:
    plain, adjusted = "q2 earnings $0.52 per share.", "q2 adjusted earnings $0.52 per share."
    assert told_as_another([plain, adjusted], SOURCE) == {0: 1}
    assert told_as_another([adjusted, plain, adjusted], SOURCE) == {1: 0}
    assert told_as_another(["q2 earnings $0.09.", "q2 loss $0.09."], SOURCE) == {0: 1}
    assert told_as_another([adjusted, "q2 adjusted earnings $0.44 per share."], SOURCE) == {}
    assert told_as_another([plain, plain], SOURCE) == {}  # a repetition is another rule's


def test_of_two_that_the_document_bears_out_alike_the_first_stands() -> None:
    source = Source(("Earnings: $0.52, adjusted, reported.",))
    both = ["q2 adjusted earnings $0.52.", "q2 non-gaap earnings $0.52."]
    assert told_as_another(both, source) == {1: 0}


def test_lines_call_their_figures_the_same_where_quarter_outlook_and_adjustment_agree() -> None:
    assert told_alike("q2 adjusted earnings $0.52.", "second quarter non-gaap earnings were $0.52.")
    assert told_alike("sees revenue $43 million.", "q3 revenue is expected at $43 million.")
    assert not told_alike("q2 revenue $43 million.", "q3 revenue $43 million.")
    assert not told_alike("q3 revenue $43 million.", "sees q3 revenue $43 million.")
    assert not told_alike("q2 earnings $0.52.", "q2 adj earnings $0.52.")


def test_a_line_is_as_plain_as_its_sentences_say_its_kind_and_its_words() -> None:
    """Of three shares: outlook, adjusted, words. "margin" stands beside 12%, "second" does not."""
    assert plainness("margin 12%.", SOURCE) == 1.0
    assert plainness("second margin 12%.", SOURCE) == pytest.approx(2.5 / 3, abs=1e-4)
    assert plainness("adjusted margin 12%.", SOURCE) == pytest.approx(1.5 / 3, abs=1e-4)
    assert plainness("sees margin 12%.", SOURCE) == pytest.approx(1.5 / 3, abs=1e-4)


def test_a_line_without_figures_is_of_no_known_plainness_and_one_without_sentences_of_none() -> None:
    assert plainness("the margin rose.", SOURCE) is None
    assert plainness("margin 99%.", SOURCE) == 0.0


def test_half_the_sentences_with_a_figure_count_half() -> None:
    source = Source(("Profit was $5 million.", "Adjusted profit was $5 million."))
    assert plainness("profit $5 million.", source) == pytest.approx(2.5 / 3, abs=1e-4)
