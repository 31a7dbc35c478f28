"""Which figures a data set has, and the numbers they give as tables."""

from shared.boards.charts import Figure, figures
from shared.boards.rows import Row
from tests.shared.boards.boards_by_hand import DICTIONARY, LARGE, ROWS, TINY


def drawn(rows: list[Row]) -> dict[str, Figure]:
    found = figures(rows, id="ner-finer-ord", data="FiNER-ORD", main="f1")
    return {figure.title: figure for figure in found}


def test_a_full_data_set_has_every_figure() -> None:
    assert list(drawn(ROWS)) == [
        "Quality against cost",
        "Are the confidences true?",
        "What abstaining buys",
        "Class by class",
        "How many labels it takes",
    ]


def test_a_figure_is_left_out_where_its_numbers_are_missing() -> None:
    assert drawn([DICTIONARY]) == {}
    assert list(drawn([TINY | {"reliability": None, "curve": None}, DICTIONARY])) == ["Class by class"]


def test_the_risk_at_each_tenth_is_that_of_the_next_point_of_the_curve() -> None:
    figure = drawn(ROWS)["What abstaining buys"]
    assert figure.headings[:3] == ["row", "10 % answered", "20 % answered"]
    assert figure.rows[0] == ["tiny + LoRA", *["0.0 %"] * 2, *["5.0 %"] * 3, *["20.0 %"] * 5]


def test_bins_are_listed_row_by_row() -> None:
    figure = drawn(ROWS)["Are the confidences true?"]
    assert figure.headings == ["row", "mean confidence", "share right", "spans"]
    assert figure.rows[0] == ["tiny + LoRA", "0.500", "0.400", "10"]
    assert len(figure.rows) == 6


def test_classes_are_compared_for_the_best_row_of_each_kind() -> None:
    second = {**TINY, "name": "second"}
    figure = drawn([TINY, second, LARGE])["Class by class"]
    assert figure.headings == ["row", "ORG", "PER"]
    assert figure.rows == [["tiny + LoRA", "0.750", "0.900"], ["large API model", "0.720", "0.680"]]


def test_the_learning_curve_is_set_against_the_best_api_row() -> None:
    figure = drawn(ROWS)["How many labels it takes"]
    assert figure.caption.startswith("tiny + LoRA passes large API model (0.700) at about 200 examples.")
    assert figure.rows == [["100", "0.600 [0.550, 0.650]", "3"], ["400", "0.800 [0.760, 0.840]", "3"]]


def test_the_bins_of_several_runs_are_pooled_with_their_neighbours() -> None:
    bins = [[place / 32, place / 32, 3] for place in range(31)] + [[0.97, 0.55, 1]]
    figure = drawn([TINY | {"reliability": TINY["reliability"] | {"bins": bins}}])[
        "Are the confidences true?"
    ]
    assert len(figure.rows) == 11  # thirty-two bins by three
    assert figure.rows[0] == ["tiny + LoRA", "0.031", "0.031", "9"]
    assert figure.rows[-1] == [
        "tiny + LoRA",
        "0.946",
        "0.841",
        "4",
    ]  # (3 x 30/32 + 0.97) / 4, (3 x 30/32 + 0.55) / 4
