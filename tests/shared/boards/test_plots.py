"""What the plots of quality show, read off their SVG."""

import re
from xml.etree import ElementTree

from shared.boards.plots import (
    ByClass,
    Learning,
    Priced,
    class_plot,
    cost_plot,
    dollars,
    frontier,
    learning_plot,
)

FREE = Priced("dictionary", "baseline", 0.0001, 0.5, 0.4, 0.6)
TINY = Priced("tiny + LoRA", "measured", 0.001, 0.8, 0.76, 0.84)
WORSE = Priced("worse & dearer", "measured", 0.002, 0.7, None, None)
LARGE = Priced("large API model", "replayed", 1.0, 0.75, 0.7, 0.8)


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter("text")]


def description(svg: str) -> str:
    return ElementTree.fromstring(svg).findtext("desc") or ""


def test_the_frontier_holds_what_no_row_beats_on_both_cost_and_score() -> None:
    assert frontier([LARGE, WORSE, TINY, FREE]) == [FREE, TINY]
    same_price = Priced("same price", "measured", 0.001, 0.6, None, None)
    assert frontier([same_price, TINY]) == [TINY]


def test_the_cost_plot_names_its_rows_and_says_their_numbers() -> None:
    svg = cost_plot([TINY, LARGE, WORSE, FREE], id="a", title="FiNER-ORD", main="f1")
    assert {"dictionary", "tiny + LoRA", "large API model", "worse & dearer"} <= set(texts(svg))
    assert {"f1", "dollars per 1,000 documents, logarithmic", "$0.001", "$1"} <= set(texts(svg))
    assert description(svg) == (
        "dictionary: 0.500 [0.400, 0.600] at $0.0001; tiny + LoRA: 0.800 [0.760, 0.840] at $0.001; "
        "large API model: 0.750 [0.700, 0.800] at $1; worse & dearer: 0.700 at $0.002"
    )
    assert svg.count('class="span') == 3  # none for the row without an interval


def test_rows_of_one_score_and_price_still_make_a_plot() -> None:
    assert "nan" not in cost_plot([TINY, TINY], id="a", title="t", main="f1")


def test_the_class_plot_has_a_bar_and_a_number_for_each_class_and_row() -> None:
    rows = [ByClass("tiny", "measured", [0.75, 0.9]), ByClass("large", "replayed", [0.5, None])]
    svg = class_plot(rows, ["ORG", "PER"], id="a", title="t", main="f1")
    assert [text for text in texts(svg) if re.fullmatch(r"0\.\d{3}|none", text)] == [
        "0.750",
        "0.500",
        "0.900",
        "none",
    ]
    assert svg.count('<rect class="bar measured"') == 3  # its key and two classes
    assert svg.count('<rect class="bar replayed"') == 2
    assert description(svg) == "tiny: ORG 0.750, PER 0.900; large: ORG 0.500, PER none"


def test_the_learning_curve_says_where_it_passes_the_api_row() -> None:
    points = [(100, 0.6, 0.55, 0.65), (400, 0.8, None, None)]
    passing = Learning("tiny", points, "large API model", 0.7, 200)
    svg = learning_plot(passing, id="a", title="t", main="f1")
    assert {"100", "400", "large API model 0.700", "about 200"} <= set(texts(svg))
    assert svg.count('class="span') == 1
    assert description(svg) == "tiny passes large API model (0.700) at about 200 examples."


def test_a_curve_that_passes_nothing_says_so() -> None:
    points = [(100, 0.6, 0.55, 0.65), (400, 0.65, 0.6, 0.7)]
    never = Learning("tiny", points, "large", 0.7, None)
    assert str(never) == "tiny does not pass large (0.700) with these many examples."
    assert 'class="target"' in learning_plot(never, id="a", title="t", main="f1")
    alone = Learning("tiny", points, "", None, None)
    assert str(alone) == "tiny: no API row to compare with."
    assert 'class="target"' not in learning_plot(alone, id="a", title="t", main="f1")


def test_dollars_have_three_digits_and_no_exponent() -> None:
    assert [dollars(value) for value in (0.00015637, 0.9, 12.345, 1234)] == [
        "$0.000156",
        "$0.9",
        "$12.3",
        "$1,230",
    ]
