import time
from dataclasses import replace
from typing import Any

import pytest

from tasks.summarization.style import RULES, Bounds, Fault, HouseStyle, check_style, rendered
from tasks.summarization.style_forms import (
    Case,
    FinalMark,
    Money,
    Order,
    Percent,
    Person,
    Tense,
    has_period,
)
from tests.tasks.summarization.test_style import LOOSE


def faults(bullets: list[str], /, **changes: Any) -> list[Fault]:
    return check_style(bullets, style=replace(LOOSE, **changes))


def found(text: str, /, **changes: Any) -> str:
    """Return what the one fault of a single bullet quotes, '' where it passes."""
    return "".join(fault.found for fault in faults([text], **changes))


def test_a_loose_style_is_passed_by_anything() -> None:
    assert faults(["We was 5% or 5 percent", "We was 5% or 5 percent", "€ mln!"]) == []


@pytest.mark.parametrize(
    ("changes", "text", "quoted"),
    [
        ({"words": Bounds(1, 3)}, "sales rose in may", "4 words, at most 3; too many: 'may'"),
        ({"words": Bounds(3, 9)}, "sales rose", "2 words, at least 3: 'sales rose'"),
        ({"words": Bounds(2, 9)}, "", "0 words, at least 2: ''"),
        ({"words": Bounds(2, 3)}, "sales rose", ""),
        ({"case": Case.lower}, "sales at Marlow UK rose", "'Marlow', 'UK'"),
        ({"case": Case.lower}, "q3 sales é $5", ""),
        ({"case": Case.sentence}, "sales rose", "'sales rose'"),
        ({"case": Case.sentence}, "SALES ROSE AGAIN", "'SALES ROSE AGAIN'"),
        ({"case": Case.sentence}, "Sales rose", ""),
        ({"case": Case.sentence}, "12% more sold", ""),
        ({"person": Person.third}, "We said our plan gives us room", "'We', 'our', 'us'"),
        ({"person": Person.third}, "i'm sure we’ve won", "\"i'm\", 'we’ve'"),
        ({"person": Person.third}, "US sales, a phase I trial, west, i.e. o-i", ""),
        ({"tense": Tense.past}, "Sales rose and costs are up", "'are'"),
        ({"tense": Tense.present}, "Sales rose and costs are up", "'rose'"),
        ({"tense": Tense.present}, "Reported sales increased", ""),
        ({"openings": ["thank you", "and"]}, "Thank you all and more", "'Thank you'"),
        ({"openings": ["and"]}, "Andes sales and more", ""),
        ({"forbidden": ["very", "one off"]}, "A very, Very bad one off", "'very', 'Very', 'one off'"),
        ({"forbidden": ["%"]}, "Up 5%", "'%'"),
        ({"forbidden": ["very"]}, "Every day", ""),
        ({"percent": Percent.word}, "Up 5% and 6 %", "'%'"),
        ({"percent": Percent.sign}, "Up 5 percent or 6 pct", "'percent', 'pct'"),
        ({"percent": Percent.sign}, "A percent sign", ""),
        ({"money": Money.sign_scale}, "From $4.2m to $5 bln", "'$4.2m', '$5 bln'"),
        ({"money": Money.sign_scale}, "Some 4 million dollars", "'4 million dollars'"),
        ({"money": Money.sign_scale}, "It cost $4,200,000", "'$4,200,000'"),
        ({"money": Money.sign_scale}, "It cost USD 5", "'USD 5'"),
        ({"money": Money.sign_scale}, "From $785,000 to $4.2 million or $3,537 million", ""),
        ({"final_mark": FinalMark.stop}, "Sales rose", "'rose'"),
        ({"final_mark": FinalMark.stop}, "Sales rose.", ""),
        ({"final_mark": FinalMark.none}, "Sales rose!", "'rose!'"),
        ({"final_mark": FinalMark.none}, "Sales rose", ""),
    ],
)
def test_a_bullet_that_breaks_a_rule_is_quoted(changes: dict[str, Any], text: str, quoted: str) -> None:
    assert found(text, **changes) == quoted


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"bullets": Bounds(1, 2)}, [Fault("bullets", None, "3 bullets, at most 2")]),
        ({"bullets": Bounds(4, 5)}, [Fault("bullets", None, "3 bullets, at least 4")]),
        ({"required": ["cash", "sales"]}, [Fault("required", None, "no 'cash'")]),
        ({"period": 0.01}, []),
        (
            {"period": 0.5},
            [Fault("period", None, "in 1 bullets, at least 2; not in 'Outlook is kept', 'outlook is kept.'")],
        ),
        (
            {"metric": 0.01, "metrics": ["cash"]},
            [
                Fault(
                    "metric",
                    None,
                    "in 0 bullets, at least 1; not in 'Outlook is kept', 'Sales rose 5% in Q2', "
                    "'outlook is kept.'",
                )
            ],
        ),
        (
            {"value": 0.4},
            [Fault("value", None, "in 1 bullets, at least 2; not in 'Outlook is kept', 'outlook is kept.'")],
        ),
        ({"order": Order.figures_first}, [Fault("order", 1, "figures after 'Outlook is kept'")]),
        ({"repeats": False}, [Fault("repeats", 2, "'outlook is kept.', as bullet 1")]),
    ],
)
def test_a_summary_that_breaks_a_rule_as_a_whole_is_told(
    changes: dict[str, Any], expected: list[Fault]
) -> None:
    assert faults(["Outlook is kept", "Sales rose 5% in Q2", "outlook is kept."], **changes) == expected


def test_a_share_of_no_bullets_asks_for_nothing() -> None:
    assert faults([], value=1) == [Fault("bullets", None, "0 bullets, at least 1")]


@pytest.mark.parametrize(
    "text",
    [
        "q1 sales",
        "In Q4'22",
        "for FY2021",
        "fiscal 2021",
        "the third quarter",
        "qtrly loss",
        "h1 2021",
        "2022e",
    ],
)
def test_a_period_is_a_quarter_a_half_or_a_year(text: str) -> None:
    assert has_period(text)


@pytest.mark.parametrize("text", ["$2021", "2,021 homes", "q5", "12,021", "a quartermaster", ""])
def test_what_looks_like_a_period_is_none(text: str) -> None:
    assert not has_period(text)


def test_a_fault_reads_well_and_counts_bullets_from_one() -> None:
    assert str(Fault("person", 1, "'we'")) == "bullet 2, person: 'we'"
    assert str(Fault("bullets", None, "3 bullets, at most 2")) == "bullets: 3 bullets, at most 2"


def test_faults_come_in_the_order_of_the_rules() -> None:
    rules = [fault.rule for fault in faults(["We", "b"], case=Case.lower, words=Bounds(2, 3), value=1)]
    assert rules == ["words", "words", "case", "value"]
    assert rules == sorted(rules, key=RULES.index)


def test_long_words_and_many_are_quoted_in_part() -> None:
    assert found("A" * 50, case=Case.lower) == repr("A" * 37 + "...")
    many = " ".join(f"A{number}" for number in range(10))
    assert found(many, case=Case.lower).endswith("'A7' and 2 more")


STRICT = replace(
    LOOSE,
    words=Bounds(1, 24),
    case=Case.lower,
    person=Person.third,
    tense=Tense.past,
    percent=Percent.sign,
    money=Money.sign_scale,
    openings=["and"],
    forbidden=["very"],
    repeats=False,
    period=1,
)


@pytest.mark.parametrize(
    "word", ["word ", "and ", "a, ", "phase ", "us$", "$1,000", "9", "we 5% ", "$9 million "]
)
def test_twenty_thousand_words_are_checked_and_rendered_in_linear_time(word: str) -> None:
    assert _seconds(word * 20_000, STRICT) < 3


def _seconds(text: str, style: HouseStyle) -> float:
    start = time.perf_counter()
    check_style([text], style=style)
    rendered(text, style=style)
    return time.perf_counter() - start
