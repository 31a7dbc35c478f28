"""Scales, round numbers and the parts of an image, worked out on paper."""

import pytest

from shared.boards.drawing import Scale, leader, log_ticks, mark, svg, text, ticks
from shared.boards.labels import Label


def test_a_scale_maps_its_ends_and_middle() -> None:
    falling = Scale(0, 10, 100, 0)
    assert [falling(value) for value in (0, 5, 10)] == [100, 50, 0]
    assert Scale(0.01, 1, 0, 200, log=True)(0.1) == pytest.approx(100)


def test_ticks_are_round_and_not_too_many() -> None:
    assert ticks(0.52, 0.83) == [0.55, 0.6, 0.65, 0.7, 0.75, 0.8]
    assert ticks(0, 0.3) == [0, 0.1, 0.2, 0.3]
    assert ticks(0, 1, most=3) == [0, 0.5, 1]


def test_logarithmic_ticks_are_powers_of_ten_with_2_and_5_between_few() -> None:
    assert log_ticks(0.09, 1.2) == pytest.approx([0.1, 0.2, 0.5, 1])
    assert log_ticks(0.00005, 1.5, most=5) == pytest.approx([0.0001, 0.001, 0.01, 0.1, 1])
    assert log_ticks(1, 1e8, most=5) == pytest.approx([1, 100, 1e4, 1e6, 1e8])


def test_a_label_that_lies_away_is_joined_to_its_mark() -> None:
    assert leader(Label(["tiny"], 57, 104), 50, 100) == ""
    assert leader(Label(["tiny"], 80, 104), 50, 100) == '<path class="leader" d="M50 100L80 100"/>'


def test_an_image_is_named_and_described_and_its_texts_are_escaped() -> None:
    drawn = svg(
        [text(Label(["a < b"], 1, 2), "label")], id="plot", title="R&D", description="1 < 2", height=9
    )
    assert drawn == (
        '<svg viewBox="0 0 380 9" role="img" aria-labelledby="plot-title plot-description">'
        '<title id="plot-title">R&amp;D</title><desc id="plot-description">1 &lt; 2</desc>'
        '<text class="label" x="1" y="2">a &lt; b</text></svg>'
    )


def test_each_kind_of_row_has_a_shape_of_its_own() -> None:
    kinds = ("measured", "replayed", "baseline", "cited")
    assert len({mark(kind, 10, 20).replace(kind, "") for kind in kinds}) == 4
