from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from shared.errors import ConfigError
from shared.typed_config import typed
from tasks.summarization.style import Bounds, HouseStyle, check_style, instruction, rendered
from tasks.summarization.style_forms import Case, FinalMark, Money, Order, Percent, Person, Tense

FILES = sorted((Path(__file__).parents[3] / "conf" / "style").glob("*.yaml"))
BRIEF = next(path for path in FILES if path.stem == "brief")
LOOSE = HouseStyle(
    name="loose",
    bullets=Bounds(1, 9),
    words=Bounds(1, 99),
    case=Case.any,
    person=Person.any,
    tense=Tense.any,
    percent=Percent.any,
    money=Money.any,
    final_mark=FinalMark.any,
    order=Order.any,
    repeats=True,
    openings=[],
    required=[],
    forbidden=[],
    period=0,
    metric=0,
    value=0,
    metrics=[],
    wording=[],
)


def read(path: Path, **changes: Any) -> HouseStyle:
    node = OmegaConf.merge(OmegaConf.load(path), OmegaConf.create(changes))
    style: HouseStyle = typed(node, HouseStyle, path="style")  # type: ignore[arg-type]  # of one mapping
    return style


def mistakes(**changes: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        replace(LOOSE, **changes)
    return caught.value.mistakes


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_style_file_has_its_own_name_and_says_how_it_is_used(path: Path) -> None:
    assert read(path).name == path.stem
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("# House style") and "python -m tasks.summarization" in first


def test_the_brief_style_passes_a_brief_of_its_own() -> None:
    bullets = ["Revenue rose 12% to $41.2 million in Q2.", "Marlow Tools names a new head of sales."]
    assert check_style(bullets, style=read(BRIEF)) == []


def test_the_ectsum_style_passes_telegrams_in_small_letters() -> None:
    bullets = [
        "compname reports q3 earnings per share $0.83.",
        "q3 revenue rose 2 percent to $452.2 million.",
    ]
    assert check_style(bullets, style=read(BRIEF.with_name("ectsum.yaml"))) == []


def test_a_wrong_value_of_a_file_is_named_with_what_is_allowed() -> None:
    with pytest.raises(ConfigError, match=r"style\.case='upper'"):
        read(BRIEF, case="upper")


@pytest.mark.parametrize(
    ("changes", "mistake"),
    [
        (
            {"bullets": Bounds(4, 2)},
            "style.bullets.min=4 is above style.bullets.max=2: lower the one or raise the other",
        ),
        (
            {"words": Bounds(9, 8)},
            "style.words.min=9 is above style.words.max=8: lower the one or raise the other",
        ),
        ({"words": Bounds(0, 8)}, "style.words.min=0; allowed: a whole number above 0"),
        ({"period": 1.5}, "style.period=1.5; allowed: a share of the bullets from 0 to 1"),
        ({"forbidden": [" "]}, "style.forbidden holds an empty word: delete it"),
        (
            {"required": ["net sales"], "forbidden": ["Sales"]},
            "style.required has 'net sales' and style.forbidden has 'sales': delete one of them",
        ),
        (
            {"percent": Percent.word, "forbidden": ["percent"]},
            "style.percent=word writes 'percent' and style.forbidden has it: change one of them",
        ),
        (
            {"percent": Percent.sign, "forbidden": ["%"]},
            "style.percent=sign writes '%' and style.forbidden has it: change one of them",
        ),
        (
            {"money": Money.sign_scale, "forbidden": ["million"]},
            "style.money=sign_scale writes 'million' and style.forbidden has it: change one of them",
        ),
        (
            {"case": Case.lower, "required": ["Marlow"]},
            "style.required has 'Marlow' and style.case=lower refuses 'Marlow': change one of them",
        ),
        (
            {"person": Person.third, "required": ["our outlook"]},
            "style.required has 'our outlook' and style.person=third refuses 'our': change one of them",
        ),
        (
            {"tense": Tense.past, "required": ["sees"]},
            "style.required has 'sees' and style.tense=past refuses 'sees': change one of them",
        ),
        (
            {"percent": Percent.sign, "required": ["percent of sales"]},
            "style.required has 'percent of sales' and style.percent=sign refuses 'percent': "
            "change one of them",
        ),
        (
            {"metric": 0.5, "metrics": ["sales"], "forbidden": ["sales"]},
            "style.metric=0.5 and style.metrics has none outside style.forbidden: name one",
        ),
        (
            {"metric": 0.5, "metrics": []},
            "style.metric=0.5 and style.metrics has none outside style.forbidden: name one",
        ),
        (
            {"bullets": Bounds(1, 1), "words": Bounds(1, 2), "required": ["net sales", "profit"]},
            "style.required has 3 words; style.bullets.max x style.words.max leaves room for 2",
        ),
    ],
)
def test_rules_that_contradict_one_another_are_refused_with_both_named(
    changes: dict[str, Any], mistake: str
) -> None:
    assert mistakes(**changes) == [mistake]


def test_all_mistakes_of_a_style_are_reported_at_once() -> None:
    found = mistakes(bullets=Bounds(4, 2), value=2, required=["sales"], forbidden=["sales"])
    assert [mistake.split("=")[0].split(" has")[0] for mistake in found] == [
        "style.bullets.min",
        "style.value",
        "style.required",
    ]


def test_a_file_with_contradictions_is_refused_when_it_is_read() -> None:
    with pytest.raises(ConfigError, match=r"style\.percent=sign writes '%' and style.forbidden has it"):
        read(BRIEF, forbidden=["%"])


def test_the_instruction_tells_each_rule_that_asks_something() -> None:
    style = replace(
        LOOSE,
        bullets=Bounds(2, 4),
        words=Bounds(5, 5),
        person=Person.third,
        percent=Percent.sign,
        value=0.5,
        period=0.1,
        forbidden=["very"],
    )
    assert instruction(style) == (
        "Write 2 to 4 bullets, one a line, of 5 words. Write in the third person: no I, we, our or us. "
        "Write 5%, not 5 percent. Tell a period, a figure. Never say: very."
    )


@pytest.mark.parametrize(
    ("changes", "sentence", "bullet"),
    [
        ({"case": Case.lower}, "Sales at Marlow Tools rose.", "sales at marlow tools rose."),
        ({"case": Case.sentence}, "sales at Marlow rose.", "Sales at Marlow rose."),
        ({"final_mark": FinalMark.stop}, "Sales rose, didn't they?", "Sales rose, didn't they."),
        ({"final_mark": FinalMark.none}, "Sales rose.", "Sales rose"),
        ({"percent": Percent.word}, "Up 5% or 6 % at best", "Up 5 percent or 6 percent at best"),
        ({"percent": Percent.sign}, "Up 5 percent, a 6-percent gain", "Up 5%, a 6% gain"),
        ({"percent": Percent.sign}, "Five percent more", "Five percent more"),
        ({"money": Money.sign_scale}, "Sales of $4.2 mln", "Sales of $4.2 million"),
        ({"money": Money.sign_scale}, "Sales of $4.2B", "Sales of $4.2 billion"),
        ({"money": Money.sign_scale}, "Sales of 4.2 million dollars", "Sales of $4.2 million"),
        ({"money": Money.sign_scale}, "Sales of USD 28.9 mln", "Sales of $28.9 million"),
        ({"money": Money.sign_scale}, "Sales of $452,200,000", "Sales of $452.2 million"),
        ({"money": Money.sign_scale}, "Sales of $3,000,000,000", "Sales of $3 billion"),
        ({"money": Money.sign_scale}, "Homes at $785,000 each", "Homes at $785,000 each"),
        ({"money": Money.sign_scale}, "Sales of $3,537 million", "Sales of $3,537 million"),
        ({"openings": ["and", "thank you"]}, "Thank you, and and sales rose", "sales rose"),
        ({"openings": ["thank you"]}, "Thank you.", "Thank you."),
        ({"openings": ["so"]}, "Some sales rose", "Some sales rose"),
        (
            {"person": Person.third},
            "We're sure our plan helps us",
            "the company is sure its plan helps it",
        ),
        ({"person": Person.third}, "The US, a Phase I trial", "The US, a Phase I trial"),
        ({}, "  Sales \n rose ", "Sales rose"),
        ({}, " ", ""),
    ],
)
def test_a_sentence_is_put_into_the_houses_forms(changes: dict[str, Any], sentence: str, bullet: str) -> None:
    assert rendered(sentence, style=replace(LOOSE, **changes)) == bullet


@pytest.mark.parametrize(
    ("sentence", "bullet"),
    [
        (
            "As told in March 2021, sales at Marlow rose 5% to $4.2 million",
            "sales at Marlow rose 5% to $4.2 million",
        ),
        ("Sales rose 5% to $4.2 million, helped by new shops in towns", "Sales rose 5% to $4.2 million"),
        ("Sales in the north and south rose from $4.2 million", "Sales in the north and south rose"),
        ("Sales in all shops came between $40 and $50 million", "Sales in all shops came"),
        ("one two three four five six seven eight nine", "one two three four five six seven eight"),
    ],
    ids=["front without a figure", "at a comma", "no figure cut", "no range cut", "at a word"],
)
def test_a_sentence_too_long_is_cut_outside_its_figures(sentence: str, bullet: str) -> None:
    assert rendered(sentence, style=replace(LOOSE, words=Bounds(3, 8))) == bullet


def test_a_clause_that_comes_first_loses_its_opening_too() -> None:
    style = replace(LOOSE, words=Bounds(3, 8), openings=["and"])
    assert rendered("As we look back, and sales rose 5% to $4.2 million", style=style) == (
        "sales rose 5% to $4.2 million"
    )


def test_what_is_rendered_passes_the_rules_that_rendering_can_keep() -> None:
    style = read(BRIEF)
    bullet = rendered("And we think our sales rose 5 percent to $41,200,000!", style=style)
    assert bullet == "The company think its sales rose 5% to $41.2 million."
    assert [fault for fault in check_style([bullet], style=style) if fault.bullet is not None] == []


def test_rendering_twice_gives_the_same_bullet() -> None:
    style = read(BRIEF)
    once = rendered("So, we've sold 4.2 million dollars of tools, up 5 percent", style=style)
    assert once == "The company has sold $4.2 million of tools, up 5%."
    assert rendered(once, style=style) == once
