from dataclasses import replace

from shared.examples import Bullet
from tasks.summarization.evidence import Source
from tasks.summarization.faults import Rules
from tasks.summarization.style import Fault
from tests.tasks.summarization.test_check import SENTENCES, STYLE


def test_faults_are_those_of_style_then_figures_and_names_that_the_document_lacks() -> None:
    rules = Rules(STYLE)
    assert rules.faults(["Profit tripled to $41 million.", "orders fell 4%."], Source(SENTENCES)) == [
        Fault("case", 0, "'Profit'"),
        Fault("figures", 1, "not in the document: 4%"),
    ]
    assert rules.faults(["profit tripled at foldmark."], Source(SENTENCES)) == [
        Fault("names", 0, "not in the document: tripled"),
        Fault("names", 0, "not in the document: foldmark"),
    ]


def test_what_a_bullet_breaks_is_apart_from_what_the_summary_lacks_as_a_whole() -> None:
    rules = Rules(replace(STYLE, required=["dividend"]))
    assert rules.broken_by("orders fell 3%.", Source(SENTENCES)) == []
    assert rules.lacking([Bullet("orders fell 3%.")]) == {"required"}
    assert rules.lacking([Bullet("orders fell 4%."), Bullet("dividend is $0.25.")]) == set()


def test_a_figure_told_as_another_kind_is_a_fault_unless_kinds_are_left_out() -> None:
    source = Source(("The first quarter was good.", "Adjusted profit was $5 million.", "Sales fell 2%."))
    lines = ["q2 sales fell 2%.", "profit was $5 million.", "adjusted profit was $5 million."]
    assert Rules(STYLE).faults(lines, source) == [
        Fault("quarter", 0, "not so in the document: 'q2'"),
        Fault("twice", 1, "bullet 3 tells it as another kind"),
    ]
    assert Rules(STYLE, kinds=False).faults(lines, source) == []


def test_a_bullet_tells_again_what_stands_or_what_stands_as_another_kind() -> None:
    source = Source(("Adjusted profit was $5 million.",))
    beside = ["sales fell 2%.", "adjusted profit was $5 million."]
    for rules, other in ((Rules(STYLE), True), (Rules(STYLE, kinds=False), False)):
        assert rules.tells_again(beside[0], beside, source)
        assert rules.tells_again("profit was $5 million.", beside, source) is other
        assert not rules.tells_again("profit was $6 million.", beside, source)
