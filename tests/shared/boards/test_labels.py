"""Labels that do not overlap, worked out on paper."""

import random

from shared.boards.labels import Box, Label, place_labels, spread_apart, text_width, wrap

FRAME = Box(0, 0, 380, 300)


def test_long_names_are_wrapped_and_cut() -> None:
    assert wrap("tiny", 100) == ["tiny"]
    assert wrap("frozen MiniLM with regression", 110) == ["frozen MiniLM", "with regression"]
    cut = wrap("frozen MiniLM with logistic regression of everything", 110)
    assert len(cut) == 2 and cut[1].endswith("…")
    assert all(text_width(line) <= 110 for line in cut)


def test_a_label_lies_right_of_its_mark_where_that_is_free() -> None:
    (label,) = place_labels([(50, 100)], [["tiny"]], taken=[], frame=FRAME)
    assert label == Label(["tiny"], 57, 104, "start")
    (other,) = place_labels([(370, 100)], [["tiny"]], taken=[], frame=FRAME)
    assert other is not None and other.anchor == "end"


def test_labels_overlap_neither_each_other_nor_marks_nor_what_is_taken() -> None:
    chance = random.Random(1)
    marks = [(chance.uniform(20, 360), chance.uniform(20, 280)) for _ in range(20)]
    taken = [Box(x - 1, y - 15, x + 1, y + 15) for x, y in marks]
    labels = place_labels(marks, [["a name", "of two lines"]] * 20, taken=taken, frame=FRAME)
    boxes = [label.box for label in labels if label is not None]
    assert 5 < len(boxes) <= 20
    for place, box in enumerate(boxes):
        assert FRAME.holds(box)
        assert not any(box.overlaps(other) for other in [*boxes[:place], *taken])


def test_a_mark_without_a_free_place_stays_unnamed() -> None:
    assert place_labels([(50, 50)], [["tiny"]], taken=[FRAME], frame=FRAME) == [None]


def test_blocks_are_spread_near_where_they_were_asked_for_in_their_order() -> None:
    assert spread_apart([50, 52, 200], [20, 20, 20], low=0, high=300) == [40, 60, 190]
    assert spread_apart([295, 290], [20, 20], low=0, high=300) == [280, 260]
    assert spread_apart([0], [20], low=0, high=300) == [0]
