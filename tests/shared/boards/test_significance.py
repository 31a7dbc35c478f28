"""Places share the first where a paired test, corrected for the number of rows, tells none from the best."""

from typing import Any

import pytest

from shared.boards.rows import record_row, sample_row
from shared.boards.significance import holm, place_rows
from shared.contracts import Score
from shared.record import Counts, Record
from tests.shared.records import make_record, micro_f1


def test_holm_multiplies_the_smallest_p_by_how_many_there_are_and_never_falls() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []


def record_of(name: str, right: int, *, counted: bool = True) -> Record:
    """Forty documents with one gold span each, of which the first `right` are found."""
    rows = {f"d{index:02}": [float(index < right), 1, 1] for index in range(40)}
    counts = Counts(groups=["PER"], columns=["tp", "predicted", "gold"], rows=rows) if counted else None
    return make_record(id=name, name=name, scores={"f1": Score(right / 40)}, counts=counts)


def placed(*records: Record) -> dict[str, Any]:
    groups = [[record] for record in records]
    samples = {group[0].name: sample_row(group, statistic=micro_f1) for group in groups}
    rows = [record_row(group, samples[group[0].name]) for group in groups]
    rows.sort(key=lambda row: -row["score"]["value"])
    place_rows(rows, samples)
    return {row["name"]: row for row in rows}


def test_rows_that_no_test_tells_from_the_best_share_the_first_place() -> None:
    rows = placed(record_of("best", 36), record_of("close", 35), record_of("far", 12))
    assert {name: row["place"] for name, row in rows.items()} == {"best": "1=", "close": "1=", "far": "3"}
    assert rows["close"]["best"]["tie"] and not rows["far"]["best"]["tie"]
    assert rows["far"]["best"]["value"] == pytest.approx(-0.6)
    assert rows["far"]["best"]["p_holm"] == pytest.approx(2 * rows["far"]["best"]["p"])
    assert rows["best"].get("best") is None


def test_a_best_row_without_a_tie_stands_alone() -> None:
    rows = placed(record_of("best", 36), record_of("far", 12))
    assert [row["place"] for row in rows.values()] == ["1", "2"]


def test_a_row_whose_metric_is_not_counted_has_a_place_and_no_test() -> None:
    rows = placed(record_of("best", 36), record_of("uncounted", 30, counted=False))
    assert rows["uncounted"]["place"] == "2"
    assert rows["uncounted"]["best"] is None
