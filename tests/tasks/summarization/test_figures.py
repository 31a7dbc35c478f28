import itertools
import random
import time
from decimal import Decimal

import pytest

from tasks.summarization.figures import Figure, find_figures, supported, unsupported

CASES = [  # claim, source, figures of the claim that the source does not bear out
    # scale words, separators, suffixes
    ("q3 revenue $452.2 million", "Revenue was $452,200,000.", ""),
    ("q3 revenue $452.2 million", "Revenue came to $452.2 million.", ""),
    ("q3 revenue $452.2 mln", "Revenue came to $452.2 million.", ""),
    ("q3 revenue $0.4522 billion", "Revenue came to $452.2 million.", ""),
    ("q3 revenue $452.2m", "Revenue came to 452.2 million dollars.", ""),
    ("q3 revenue $452.3 million", "Revenue came to $452.2 million.", "$452.3 million"),
    ("q3 revenue $452.2 billion", "Revenue came to $452.2 million.", "$452.2 billion"),
    ("q3 revenue $452.2", "Revenue came to $452.2 million.", "$452.2"),
    ("sales $3.8 bln", "Sales reached $3.8 billion.", ""),
    ("sales $3.8 bn", "Sales reached $3,800 million.", ""),
    ("sales $3,800 million", "Sales reached $3.8 billion.", ""),
    ("sales $3,801 million", "Sales reached $3.8 billion.", "$3,801 million"),
    ("sales $1.2 trillion", "Assets of $1,200 billion.", ""),
    ("assets $1.2tn", "Assets of $1.2 trillion.", ""),
    ("shipped 300k units", "We shipped 300,000 units.", ""),
    ("shipped 300 thousand units", "We shipped 300,000 units.", ""),
    ("shipped 400k units", "We shipped 400,000 units.", ""),
    ("shipped 30k units", "We shipped 300,000 units.", "30k"),
    ("authorised $50mm", "The board authorised $50 million.", ""),
    ("authorised $50-million buyback", "The board authorised $50 million.", ""),
    ("authorised $50million", "The board authorised $50 million.", ""),
    ("added 2,500 users", "We added 2500 users.", ""),
    ("added 2,500 users", "We added 25,000 users.", "2,500"),
    # number words
    ("sold 3 million units", "We sold three million units.", ""),
    ("sold three million units", "We sold 3,000,000 units.", ""),
    ("sold 4 million units", "We sold three million units.", "4 million"),
    ("a 0.5% rise", "It rose half a percent.", ""),
    ("a 0.5% rise", "It rose a half of a percent.", ""),
    ("a half percent rise", "It rose 50 basis points.", ""),
    ("2.5% rise", "It rose two and a half percent.", ""),
    ("2.5% rise", "It rose 2 and a half percent.", ""),
    ("25% rise", "It rose twenty-five percent.", ""),
    ("26% rise", "It rose twenty-five percent.", "26%"),
    ("invests $500 million", "We invest half a billion dollars.", ""),
    ("invests $500 million", "We invest five hundred million dollars.", ""),
    ("invests $1 million", "We invest a million dollars.", ""),
    ("invests $1.5 million", "We invest one and a half million.", ""),
    ("sells in 2 states", "We sell in two states.", "2"),
    # rounding
    ("sales $452 million", "Sales were $452.2 million.", ""),
    ("sales $450 million", "Sales were $452.2 million.", "$450 million"),
    ("sales $0.5 billion", "Sales were $452.2 million.", ""),
    ("sales $1.2 billion", "Sales were $1,249.9 million.", ""),
    ("sales $1.3 billion", "Sales were $1,249.9 million.", "$1.3 billion"),
    ("sales $1.2 billion", "Sales were $1,250 million.", ""),
    ("sales $1.3 billion", "Sales were $1,250 million.", ""),
    ("sales $1.25 billion", "Sales were $1.2 billion.", "$1.25 billion"),
    ("sales $452.2 million", "Sales were $452 million.", "$452.2 million"),
    ("margin 15%", "Margin was 14.6%.", ""),
    ("margin 14%", "Margin was 14.6%.", "14%"),
    ("margin 14.60%", "Margin was 14.6%.", ""),
    ("margin 12.4%", "Margin was 12.35%.", ""),
    ("margin 12.3%", "Margin was 12.35%.", "12.3%"),
    ("margin 12.2%", "Margin was 12.25%.", ""),
    ("margin 12.3%", "Margin was 12.25%.", ""),
    ("eps $1.2", "Earnings of $1.20 per share.", ""),
    ("eps $1.20", "Earnings of $1.2 per share.", ""),
    ("eps $1.2", "Earnings of $1.26 per share.", "$1.2"),
    # cents and currencies
    ("eps $0.31", "We earned 31 cents per share.", ""),
    ("eps 31 cents", "We earned $0.31 per share.", ""),
    ("eps $.31", "We earned $0.31 per share.", ""),
    ("eps $0.31", "We earned 31¢ per share.", ""),
    ("eps $0.03", "We earned three cents a share.", ""),
    ("eps $0.31", "We earned $0.31 cents per share.", ""),
    ("eps $31", "We earned 31 cents per share.", "$31"),
    ("eps $0.31", "We earned 30 cents per share.", "$0.31"),
    ("net income usd 28.9 mln", "Net income of $28.9 million.", ""),
    ("net income US$28.9 million", "Net income of 28.9 million US dollars.", ""),
    ("net income €28.9 million", "Net income of $28.9 million.", "€28.9 million"),
    ("net income €28.9 million", "Net income of EUR 28.9 million.", ""),
    ("net income €28.9 million", "Net income of 28.9 million euros.", ""),
    ("net income £3bn", "Net income of GBP 3 billion.", ""),
    ("net income £3bn", "Net income of €3 billion.", "£3bn"),
    ("net income C$5 million", "Net income of $5 million.", "C$5 million"),
    ("net income C$5 million", "Net income of CAD 5 million.", ""),
    ("net income $5 million", "Net income of 5 million Canadian dollars.", "$5 million"),
    ("net income $5 million", "In millions, net income was 5,000,000.", ""),
    ("diluted$0.06", "Diluted earnings of $0.06.", ""),
    # per cent, basis points, points, times
    ("margin up 0.25%", "Margin rose 25 basis points.", ""),
    ("margin up 25 bps", "Margin rose 0.25 percentage points.", ""),
    ("margin up 25 basis points", "Margin rose 25 percent.", "25 basis points"),
    ("margin up 25%", "Margin rose 25 bps.", "25%"),
    ("margin up 350 basis points", "A 350-basis-point gain.", ""),
    ("margin up 350+ basis points", "Up 3.5 percentage points.", ""),
    ("margin up 1.5 pct", "Margin rose 1.5 per cent.", ""),
    ("margin up 0.3%", "Margin rose 25 basis points.", ""),
    ("margin up 9%", "Margin was up 9 points.", ""),
    ("margin up 9%", "Revenue of $9 was booked.", "9%"),
    ("leverage 2.5x", "Leverage of 2.5 times.", ""),
    ("leverage 2.5x", "Leverage at a ratio of 2.5.", ""),
    ("leverage 3x", "Leverage of three times.", ""),
    ("leverage 2.5x", "Leverage up 2.5%.", "2.5x"),
    # signs
    ("loss per share $0.12", "Earnings per share were negative $0.12.", ""),
    ("loss per share $0.12", "Earnings per share were $(0.12).", ""),
    ("loss per share $0.12", "Earnings per share were ($0.12).", ""),
    ("loss per share $0.12", "Earnings per share were -$0.12.", ""),
    ("earnings per share $-0.12", "We had a loss of $0.12 per share.", ""),
    ("earnings per share ($0.12)", "We had a loss of $0.12 per share.", ""),
    ("earnings per share $0.12", "Earnings per share were ($0.12).", "$0.12"),
    ("earnings per share -$0.12", "Earnings per share were $0.12.", "-$0.12"),
    ("cash flow ($1.5) million", "Cash flow was minus $1.5 million.", ""),
    ("cash flow (1.5) million", "Cash flow was -1.5 million.", ""),
    ("sales fell 7%", "Sales growth was -7%.", ""),
    ("sales down 7 percent", "Sales growth was (7%).", ""),
    ("sales rose 7 percent", "Sales growth was (7%).", "7 percent"),
    ("sales fell 7%", "Sales declined 7%.", ""),
    ("sales growth −7%", "A 7% decline in sales.", ""),
    # ranges
    ("sees eps $0.83-$0.87", "We expect $0.83 to $0.87.", ""),
    ("sees eps $0.83 to $0.88", "We expect $0.83 to $0.87.", "$0.88"),
    ("sees eps $0.83 - 0.87", "We expect between $0.83 and $0.87.", ""),
    ("sees sales $1.725 billion to $1.775 billion", "Sales between $1,725 million and $1,775 million.", ""),
    ("sees sales $2.5 billion to $2.7 billion", "Sales of $2.5 to $2.7 billion.", ""),
    ("sees sales $2.5-$2.7 billion", "Sales of $2.5 billion to $2.7 billion.", ""),
    ("sees sales $2.5 billion", "Sales of $2.4 to $2.7 billion.", "$2.5 billion"),
    ("sees growth 14% to 16%", "Growth of 14 to 16 percent.", ""),
    ("sees growth 3-5%", "Growth between 3 and 5 percent.", ""),
    ("sees growth 20% -22%", "Growth of 20% to 22%.", ""),
    ("sees growth 2-3 percent", "Growth of two to three percent.", ""),
    ("sees margin up 25 to 50 bps", "Margin up 0.25% to 0.5%.", ""),
    ("sees eps $0.31 to $0.33", "Earnings of 31 to 33 cents.", ""),
    ("sees capex $40 million to $60 million", "Capex of $40 to 60 million.", ""),
    ("sees cash flow $900 million to $1.1 billion", "Between $900 million and $1.1 billion.", ""),
    ("sees cash flow $0.9 to $1.1 billion", "Between $900 million and $1.1 billion.", ""),
    ("sees loss $1.2 to $1.4 million", "We expect -$1.2 to -$1.4 million.", ""),
    ("sales $1.2 billion", "A loss of $1.2 and sales of $3 billion.", "$1.2 billion"),
    ("eps $0.30", "Sales of $1.2 billion and $0.30 per share.", ""),
    ("900 homes closed", "Closings rose 5% to 900.", ""),
    # dates, periods and names that are no figures
    ("q3 2021 sales $5 million", "Sales of $5 million.", ""),
    ("fiscal 2022 sales $5 million as of june 30, 2021", "Sales of $5 million.", ""),
    ("on 30 june, covid-19 and form 10-k", "No figure here.", ""),
    ("fy21 and q4-21 and '21 and 2q21", "No figure here.", ""),
    ("first 9 months; 13 weeks ended may 1", "No figure here.", ""),
    ("section 404, phase 3, tier 1, cet1, 401(k)", "No figure here.", ""),
    ("1. sales grew", "No figure here.", ""),
    ("call 888-555-0100 at 8:30 a.m.", "No figure here.", ""),
    ("sales 30 million", "The quarter ended June 30, 2021.", "30 million"),
    ("sales up 19%", "Despite COVID-19 sales grew.", "19%"),
    ("eps $3", "In Q3 we grew.", "$3"),
    ("opened 2,021 stores", "In 2021 we opened stores.", "2,021"),
    ("top 10 customers", "Our top ten customers.", "10"),
    ("top 10 customers", "Our top 10 customers.", ""),
    # more than one figure, and none
    ("sales up 2.5% to $452.2 million", "Sales grew 2.5% and reached $452.2 million.", ""),
    ("sales up 2.5% to $452.2 million", "Sales grew 2.6% and reached $452.2 million.", "2.5%"),
    ("sales up", "Sales grew 2.6%.", ""),
    ("sales up 3%", "", "3%"),
]


def test_the_table_holds_enough_cases_and_none_twice() -> None:
    assert len({(claim, source) for claim, source, _ in CASES}) == len(CASES) >= 120


@pytest.mark.parametrize(("claim", "source", "lacking"), CASES)
def test_a_claim_is_borne_out_by_its_source_or_not(claim: str, source: str, lacking: str) -> None:
    found = [figure.text for figure in unsupported(claim, find_figures(source))]
    assert found == ([lacking] if lacking else [])


M, B = 10**6, 10**9


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Sales: $452.2 million.", [("$452.2 million", 452_200_000, 100_000, "$")]),
        ("at $1,250.75 today", [("$1,250.75", "1250.75", "0.01", "$")]),
        ("25 basis points", [("25 basis points", "0.25", "0.01", "%")]),
        ("EUR 5 million", [("EUR 5 million", 5 * M, M, "EUR")]),
        ("C$3.10", [("C$3.10", "3.10", "0.01", "CAD")]),
        ("¥100bn", [("¥100bn", 100 * B, B, "JPY")]),
        ("of $(0.12) and (1.5)", [("$(0.12)", "-0.12", "0.01", "$"), ("(1.5)", "-1.5", "0.1", "")]),
        ("(3%) but (3)", [("(3%)", -3, 1, "%")]),
        ("minus 2.5%", [("minus 2.5%", "-2.5", "0.1", "%")]),
        ("-5% first", [("-5%", -5, 1, "%")]),
        ("2.5x to 3x", [("2.5x", "2.5", "0.1", "x"), ("3x", 3, 1, "x")]),
        ("14 to 16 percent", [("14", 14, 1, "%"), ("16 percent", 16, 1, "%")]),
        (
            "$2.5 to $2.7 billion",
            [("$2.5", 25 * B // 10, B // 10, "$"), ("$2.7 billion", 27 * B // 10, B // 10, "$")],
        ),
        (
            "$2.5 billion to 2.7",
            [("$2.5 billion", 25 * B // 10, B // 10, "$"), ("2.7", 27 * B // 10, B // 10, "$")],
        ),
        ("5-7%", [("5", 5, 1, "%"), ("7%", 7, 1, "%")]),
        ("5%-7", [("5%", 5, 1, "%"), ("7", 7, 1, "%")]),
        ("rose 5% to 900", [("5%", 5, 1, "%"), ("900", 900, 1, "")]),
        (
            "$1.5 million and $0.30",
            [("$1.5 million", 1_500_000, 100_000, "$"), ("$0.30", "0.30", "0.01", "$")],
        ),
        ("$5,000 to $2 million", [("$5,000", 5000, 1, "$"), ("$2 million", 2 * M, M, "$")]),
        ("one to two percent", [("one", 1, 1, "%"), ("two percent", 2, 1, "%")]),
        ("half a billion", [("half a billion", B // 2, B // 10, "")]),
        ("two hundred million", [("two hundred million", 200 * M, 100 * M, "")]),
        ("$0.22.q2 next", [("$0.22", "0.22", "0.01", "$")]),
        ("mid-20% range, mid-20s", [("20%", 20, 1, "%")]),
        ("2019 levels, $2019, 2,019", [("$2019", 2019, 1, "$"), ("2,019", 2019, 1, "")]),
        ("two of us, one-third, three quarters", []),
        ("3M sells 3m; $3m", [("$3m", 3 * M, M, "$")]),
        ("12/31/2021 24/7 1.2.3 5,6 2½% 5th 1990s", []),
        ("may 5% grow, may 5", [("5%", 5, 1, "%")]),
        ("(2) costs\n3) cash", []),
        ("9" * 19 + " " + "9" * 18, [("9" * 18, 10**18 - 1, 1, "")]),
        ("", []),
    ],
)
def test_figures_of_a_text(text: str, expected: list[tuple[str, int | str, int | str, str]]) -> None:
    found = [(figure.text, figure.value, figure.step, figure.unit) for figure in find_figures(text)]
    assert found == [(shown, Decimal(value), Decimal(step), unit) for shown, value, step, unit in expected]


def test_a_figure_says_where_it_stands_and_whether_a_word_near_it_carries_a_minus() -> None:
    assert find_figures("up 3%. a loss of $2") == [
        Figure(3, 5, "3%", Decimal(3), Decimal(1), "%"),
        Figure(17, 19, "$2", Decimal(2), Decimal(1), "$", falls=True),
    ]


def test_a_word_in_another_sentence_carries_no_minus() -> None:
    assert not find_figures("We lost a customer. Sales rose 3%. Costs fell.")[0].falls


def test_units_do_not_cross_a_line() -> None:
    assert [figure.unit for figure in find_figures("we sold 5\npercent of it")] == [""]


def test_zero_is_a_figure_like_others() -> None:
    zero, small, one = find_figures("0% and 0.4% and 1%")
    assert supported(zero, zero)
    assert supported(zero, small)
    assert not supported(zero, one)


PIECES = [
    *"0123456789$€£%()-−–.,'’/:#+ \n\t\0½٣é\u00a0\u2028\ud800😀",
    *(
        "1,234",
        "99.5",
        "million",
        "bn",
        "basis points",
        "cents",
        "and a half",
        "half a",
        "twenty",
        "one",
        "hundred",
    ),
    *(
        "june",
        "q3",
        "2021",
        "minus",
        "to",
        "usd",
        "C$",
        "section",
        "x",
        "loss",
        "percent",
        "9" * 40,
        " ",
        " ",
        " ",
    ),
]


def test_noise_never_fails_and_each_figure_slices_back() -> None:
    generator = random.Random(4)
    for _ in range(1500):
        text = "".join(generator.choices(PIECES, k=generator.randrange(40)))
        found = find_figures(text)
        assert all(text[figure.start : figure.end] == figure.text != "" for figure in found)
        assert all(left.end <= right.start for left, right in itertools.pairwise(found))
        assert all(figure.step > 0 for figure in found)
        assert unsupported(text, found) == []


@pytest.mark.parametrize(
    "piece",
    [
        *(
            "9",
            "1,",
            "111,",
            "1.",
            "1/",
            "1-",
            "5 to ",
            "-2021 ",
            "(",
            "-",
            " ",
            "\n",
            "$",
            "one ",
            "hundred ",
            "june ",
        ),
        *(
            "a half of a ",
            "two and a half ",
            "5 million ",
            "sales rose 5 ",
            "’2",
            "q",
            "1:1",
            "888 ",
            "loss ",
        ),
    ],
)
def test_twenty_thousand_pieces_take_seconds_and_not_minutes(piece: str) -> None:
    start = time.process_time()
    find_figures(f"5%{piece * 20_000}x")
    assert time.process_time() - start < 5


def test_a_value_in_any_of_its_forms_bears_out_the_others() -> None:
    generator = random.Random(5)
    for _ in range(300):
        number = generator.randrange(1, 10 ** generator.randrange(5, 13))
        forms = [
            f"${number}",
            f"${number:,}",
            f"{number:,} dollars",
            f"${number // 1000:,}.{number % 1000:03}k",
            f"${number // M:,}.{number % M:06} million",
            f"${number // B:,}.{number % B:09} bn",
            f"{number}00 cents",
            f"of {number:,}.0 in all",
        ]
        figures = [find_figures(form) for form in forms]
        assert [len(found) for found in figures] == [1] * len(forms)
        assert all(supported(claim, source) for (claim,) in figures for (source,) in figures)


def test_a_rounded_value_is_borne_out_and_its_neighbours_are_not() -> None:
    source = find_figures("$12,345,678")
    borne_out = "$12.346 million; $12.35 million; $12.3 million; $12 million"
    assert unsupported(borne_out, source) == []
    others = ["$12.345 million", "$12.34 million", "$12.4 million", "$13 million", "$12.3457 million"]
    assert [figure.text for figure in unsupported("; ".join(others), source)] == others[:-1]
