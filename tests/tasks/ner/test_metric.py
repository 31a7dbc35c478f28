import random
from dataclasses import replace
from typing import Any

import pytest

from shared.contracts import Score, Trial
from shared.errors import UserError
from shared.examples import Span, SpanExample, SpanPrediction
from tasks.ner.formats import Scheme, tagged_example
from tasks.ner.metric import EntityF1

TEXT = "Ada Lovelace left Acme for London"  # Ada Lovelace 0-12, Acme 18-22, London 27-33
ADA, ACME, LONDON = Span(0, 12, "PER"), Span(18, 22, "ORG"), Span(27, 33, "LOC")


def scored(gold: list[Span], found: list[Span]) -> dict[str, Score]:
    return EntityF1().score(*pair(gold, found))


def pair(gold: list[Span], found: list[Span]) -> tuple[list[SpanExample], list[SpanPrediction]]:
    return [SpanExample("1", TEXT, tuple(gold), document="d")], [SpanPrediction("1", tuple(found))]


def random_tags(generator: random.Random, length: int) -> list[str]:
    return generator.choices(["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-ORG", "I-ORG"], k=length)


def from_tags(tags: list[list[str]]) -> list[SpanExample]:
    return [
        tagged_example(["w"] * len(row), row, scheme=Scheme.IOB2, id=str(number), document=str(number % 7))[0]
        for number, row in enumerate(tags)
    ]


@pytest.mark.parametrize("seed", range(5))
def test_scores_equal_seqeval_strict_on_random_tags(seed: int) -> None:
    from seqeval.metrics import classification_report
    from seqeval.scheme import IOB2

    generator = random.Random(seed)
    gold = [random_tags(generator, generator.randint(1, 12)) for _ in range(40)]
    found = [
        [
            tag if generator.random() < 0.7 else other
            for tag, other in zip(row, random_tags(generator, len(row)), strict=True)
        ]
        for row in gold
    ]
    report: Any = classification_report(
        gold, found, mode="strict", scheme=IOB2, output_dict=True, zero_division=0
    )
    examples = from_tags(gold)
    predictions = [SpanPrediction(example.id, example.spans) for example in from_tags(found)]
    scores = EntityF1().score(examples, predictions)
    assert EntityF1().quick(examples, predictions) == pytest.approx(report["micro avg"]["f1-score"])
    for name, row in (("f1", "f1-score"), ("precision", "precision"), ("recall", "recall")):
        assert scores[name].value == pytest.approx(report["micro avg"][row])
        for label in ("PER", "LOC", "ORG"):
            assert scores[f"{name}/{label}"].value == pytest.approx(report[label][row])
    assert scores["macro_f1"].value == pytest.approx(report["macro avg"]["f1-score"])


def test_span_f1_counts_only_exact_matches() -> None:
    scores = scored([ADA, ACME, LONDON], [ADA, Span(18, 22, "LOC"), Span(23, 33, "LOC")])
    assert scores["f1"].value == pytest.approx(1 / 3)
    assert scores["f1/PER"].value == 1.0
    assert scores["f1/LOC"].value == scores["f1/ORG"].value == 0.0
    assert scores["macro_f1"].value == pytest.approx(1 / 3)


def test_softer_scores_give_credit_for_overlap_and_for_the_type() -> None:
    """Found: Ada right, Acme with another type, London too long."""
    scores = scored([ADA, ACME, LONDON], [ADA, Span(18, 22, "LOC"), Span(23, 33, "LOC")])
    assert scores["partial_f1"].value == pytest.approx((1 + 1 + 0.5) / 3)
    assert scores["type_f1"].value == pytest.approx(2 / 3)


def test_neighbouring_entities_do_not_overlap() -> None:
    """Ends are half-open here and inclusive in nervaluate: 0-3 and 3-6 share no letter."""
    assert scored([Span(0, 3, "PER")], [Span(3, 6, "PER")])["partial_f1"].value == 0.0


def test_nothing_to_find_and_nothing_found_is_zero() -> None:
    scores = scored([], [])
    assert {name: score.value for name, score in scores.items()} == {
        "f1": 0.0,
        "precision": 0.0,
        "recall": 0.0,
        "partial_f1": 0.0,
        "type_f1": 0.0,
    }
    assert EntityF1().quick(*pair([], [])) == 0.0


def test_a_type_that_is_only_predicted_lowers_precision_and_macro_f1() -> None:
    scores = scored([ADA], [ADA, LONDON])
    assert (scores["precision"].value, scores["recall"].value) == (0.5, 1.0)
    assert scores["macro_f1"].value == 0.5


def test_the_main_scores_have_an_interval_around_them() -> None:
    gold = from_tags([["B-PER", "O"], ["B-LOC", "O"], ["B-PER", "B-LOC"]])
    found = [SpanPrediction(example.id, example.spans[:1]) for example in gold]
    score = EntityF1().score(gold, found)["f1"]
    assert score.low is not None and score.high is not None
    assert score.low < score.value < score.high


def test_counts_are_by_document_and_type() -> None:
    examples = [
        SpanExample("1", TEXT, (ADA, ACME), document="x"),
        SpanExample("2", TEXT, (LONDON,), document="y"),
        SpanExample("3", TEXT, (ADA,), document="x"),
    ]
    predictions = [
        SpanPrediction("1", (ADA,)),
        SpanPrediction("2", (ADA,)),
        SpanPrediction("3", (ADA, LONDON)),
    ]
    counts = EntityF1().counts(examples, predictions)
    assert counts.groups == ["LOC", "ORG", "PER"]
    assert counts.rows == {"x": [0, 1, 0, 0, 0, 1, 2, 2, 2], "y": [0, 0, 1, 0, 0, 0, 0, 1, 0]}


def test_predictions_are_aligned_by_id_and_not_by_place() -> None:
    examples = [SpanExample("1", TEXT, (ADA,)), SpanExample("2", TEXT, (ACME,))]
    predictions = [SpanPrediction("2", (ACME,)), SpanPrediction("1", (ADA,))]
    assert EntityF1().quick(examples, predictions) == 1.0


@pytest.mark.parametrize("ids", [["1"], ["1", "3"], ["1", "2", "2"]])
def test_ids_that_do_not_align_are_refused(ids: list[str]) -> None:
    examples = [SpanExample("1", TEXT), SpanExample("2", TEXT)]
    with pytest.raises(UserError, match="do not answer the 2 examples one by one"):
        EntityF1().quick(examples, [SpanPrediction(id) for id in ids])


def test_wrong_examples_show_what_was_missed_and_what_was_spurious() -> None:
    assert list(EntityF1().wrong(*pair([ADA, ACME], [ADA, Span(18, 22, "LOC")]))) == [
        {
            "id": "1",
            "text": TEXT,
            "missed": [{"start": 18, "end": 22, "label": "ORG", "text": "Acme"}],
            "spurious": [{"start": 18, "end": 22, "label": "LOC", "text": "Acme"}],
        }
    ]
    assert list(EntityF1().wrong(*pair([ADA], [ADA]))) == []


def test_confusion_tells_types_boundaries_missed_and_spurious_apart() -> None:
    found = [Span(0, 3, "PER"), Span(18, 22, "LOC"), Span(23, 26, "ORG")]
    assert EntityF1().confusion(*pair([ADA, ACME, LONDON], found)) == {
        ("PER", "wrong boundary"): 1,
        ("ORG", "LOC"): 1,
        ("LOC", "missed"): 1,
        ("spurious", "ORG"): 1,
    }


def test_predicted_spans_with_a_probability_are_trials_right_only_if_strictly_so() -> None:
    found = [Span(0, 12, "PER", 0.9), Span(18, 22, "LOC", 0.5), Span(28, 33, "LOC", 0.7)]
    trials = EntityF1().trials(*pair([ADA, ACME, LONDON], found))
    assert trials == {"spans": [Trial("d", 0.9, True), Trial("d", 0.5, False), Trial("d", 0.7, False)]}
    assert EntityF1().trials(*pair([ADA], [ADA])) == {}


def test_a_text_is_a_trial_of_its_own_right_only_if_nothing_is_wrong_or_missed() -> None:
    examples, predictions = pair([ADA, ACME, LONDON], [ADA, ACME])
    predictions = [replace(prediction, probability=0.8, raw_probability=0.9) for prediction in predictions]
    found = EntityF1().trials(examples, predictions)
    assert found == {"texts": [Trial("d", 0.8, False, raw=0.9)]}
