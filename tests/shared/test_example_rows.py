import json

import pytest

from shared.example_rows import (
    example_row,
    prediction_row,
    read_example,
    read_prediction,
    span_prediction_row,
)
from shared.examples import (
    AnomalyExample,
    AnomalyPrediction,
    Bullet,
    FacetAnswer,
    FacetExample,
    FacetPrediction,
    Reasons,
    Span,
    SpanExample,
    SpanPrediction,
    SummaryExample,
    SummaryPrediction,
)
from shared.passages import QueryPrediction
from tests.shared.test_examples import ACME, ADA, NEWS, TEXT, WORDS


def test_a_prediction_row_holds_ids_and_answers_and_reads_back_the_same() -> None:
    prediction = SpanPrediction("7", (Span(0, 3, "PER", 0.25), ACME))
    row = json.loads(json.dumps(prediction_row(prediction)))
    assert row == {
        "id": "7",
        "spans": [
            {"start": 0, "end": 3, "label": "PER", "probability": 0.25},
            {"start": 9, "end": 18, "label": "ORG", "probability": None},
        ],
    }
    assert read_prediction(row) == prediction


def test_what_calibration_adds_is_written_where_it_is_known_and_reads_back() -> None:
    span = Span(0, 3, "PER", 0.25, raw_probability=0.4)
    prediction = SpanPrediction("7", (span,), probability=0.5, raw_probability=0.7)
    row = json.loads(json.dumps(prediction_row(prediction)))
    assert row["spans"][0]["raw_probability"] == 0.4
    assert (row["probability"], row["raw_probability"]) == (0.5, 0.7)
    assert read_prediction(row) == prediction


def test_predict_tells_what_it_does_not_give() -> None:
    example = SpanExample("7", TEXT, (), WORDS, "d")
    held = SpanPrediction("7", (), probability=0.4, unsure=(Span(0, 3, "PER", 0.3),), abstained="not sure")
    row = span_prediction_row(example, held)
    assert row["spans"] == []
    assert (row["abstained"], row["reason"], row["probability"]) == (True, "not sure", 0.4)
    assert row["unsure"] == [{"start": 0, "end": 3, "label": "PER", "text": "Ada", "probability": 0.3}]
    assert "abstained" not in span_prediction_row(example, SpanPrediction("7"))


def test_an_example_row_reads_back_the_same() -> None:
    example = SpanExample("7", TEXT, (ADA, ACME), WORDS, "d")
    assert read_example(json.loads(json.dumps(example_row(example)))) == example


def test_a_facet_example_row_reads_back_the_same() -> None:
    row = json.loads(json.dumps(example_row(NEWS)))
    assert read_example(row) == NEWS
    assert row["labels"] == {"topic": ["bonds"], "actors": ["bank", "fund"], "place": []}


@pytest.mark.parametrize("example", [SpanExample("1", ""), FacetExample("1", "")])
def test_an_example_of_a_text_alone_reads_back_as_its_own_kind(example: SpanExample | FacetExample) -> None:
    assert read_example(json.loads(json.dumps(example_row(example)))) == example


def test_a_facet_prediction_row_leaves_out_what_is_not_set_and_reads_back_the_same() -> None:
    prediction = FacetPrediction(
        "7",
        {
            "topic": FacetAnswer(
                ("bonds",), None, 0.75, 0.875, -3.5, "out of scope: ...", ("bonds", "sport")
            ),
            "place": FacetAnswer(independent=()),
            "score": FacetAnswer(value=0.0),
        },
    )
    row = json.loads(json.dumps(prediction_row(prediction)))
    assert row == {
        "id": "7",
        "facets": [
            {
                "facet": "topic",
                "concepts": ["bonds"],
                "probability": 0.75,
                "raw_probability": 0.875,
                "oddity": -3.5,
                "abstained": "out of scope: ...",
                "independent": ["bonds", "sport"],
            },
            {"facet": "place", "concepts": [], "independent": []},
            {"facet": "score", "concepts": [], "value": 0.0},
        ],
    }
    assert read_prediction(row) == prediction


def test_a_prediction_set_is_written_where_there_is_one_and_reads_back_the_same() -> None:
    given = FacetAnswer(("bonds",), candidates=("bonds", ""), sure=())
    prediction = FacetPrediction("7", {"topic": given, "place": FacetAnswer()})
    row = json.loads(json.dumps(prediction_row(prediction)))
    assert row["facets"] == [
        {"facet": "topic", "concepts": ["bonds"], "candidates": ["bonds", ""], "sure": []},
        {"facet": "place", "concepts": []},
    ]
    assert read_prediction(row) == prediction


def test_what_is_near_a_text_is_not_written_with_its_answer() -> None:
    row = prediction_row(FacetPrediction("7", {}, nearest=(("3", 0.5),)))
    assert row == {"id": "7", "facets": []}


@pytest.mark.parametrize(
    "row",
    [
        {"id": "7"},
        {"id": "7", "facets": [{"facet": "topic", "concept": ["bonds"]}]},
        {"id": "7", "facets": [{"concepts": ["bonds"]}]},
        {"facets": []},
    ],
)
def test_a_row_that_is_no_prediction_is_refused(row: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError)):
        read_prediction(row)


def test_an_anomaly_example_row_reads_back_the_same() -> None:
    example = AnomalyExample("7", ("pump 1 ok", "FIRE"), True, kind="fire", group="E1", document="7")
    assert read_example(json.loads(json.dumps(example_row(example)))) == example


def test_an_anomaly_prediction_row_holds_no_text_and_reads_back_the_same() -> None:
    prediction = AnomalyPrediction("7", 2.5, 0.01, True)
    explained = AnomalyPrediction("7", 2.5, 0.01, True, Reasons(nearest=(("pump 1 ok", 0.5),)))
    row = json.loads(json.dumps(prediction_row(explained)))
    assert row == {"id": "7", "score": 2.5, "p_value": 0.01, "alarm": True}
    assert read_prediction(row) == prediction


def test_a_summary_example_reads_back_the_same() -> None:
    example = SummaryExample("7", ("One.", "Two."), ("One.",), "7", (1, 0), ("One.",))
    assert read_example(json.loads(json.dumps(example_row(example)))) == example
    plain = SummaryExample("8", ())
    assert read_example(json.loads(json.dumps(example_row(plain)))) == plain


def test_a_summary_row_has_our_own_text_and_of_a_quotation_only_where_it_stands() -> None:
    written = Bullet("Revenue rose.", (3, 1), mark="rewritten", faults=("words: 'rose'",))
    prediction = SummaryPrediction("7", (written, Bullet("Their words.", (0,), quoted=True)), read=(0, 1, 3))
    row = json.loads(json.dumps(prediction_row(prediction)))
    assert row["bullets"] == [
        {"text": "Revenue rose.", "sources": [3, 1], "mark": "rewritten", "faults": ["words: 'rose'"]},
        {"sources": [0], "quoted": True},
    ]
    assert read_prediction(row) == SummaryPrediction(
        "7", (written, Bullet("", (0,), quoted=True)), read=(0, 1, 3)
    )
    for sure in (0.5, 0.0):
        told = SummaryPrediction("9", (Bullet("Up.", confidence=sure),))
        assert read_prediction(json.loads(json.dumps(prediction_row(told)))) == told
    silent = SummaryPrediction("8", abstained="the document is empty")
    assert read_prediction(json.loads(json.dumps(prediction_row(silent)))) == silent


def test_a_query_row_has_our_own_text_and_of_a_quotation_only_where_it_stands() -> None:
    prediction = QueryPrediction("7", ("Who left?",), (((0, 3), (9, 18)), ((4, 8),)))
    row = json.loads(json.dumps(prediction_row(prediction)))
    assert row == {"id": "7", "queries": ["Who left?"], "quoted": [[[0, 3], [9, 18]], [[4, 8]]]}
    assert read_prediction(row) == prediction
    assert read_prediction(row).key == prediction.key


def test_a_row_of_written_queries_is_as_it_was_before_there_were_quotations() -> None:
    line = '{"id": "7", "queries": ["Who left?"]}'
    assert json.dumps(prediction_row(read_prediction(json.loads(line)))) == line
