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
