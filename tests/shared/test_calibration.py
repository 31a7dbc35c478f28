import random

import numpy as np
import pytest
from scipy.special import expit, logit

from shared.calibration import Judged, calibrated, fit_calibration
from shared.examples import Span, SpanExample, SpanPrediction
from shared.span_calibration import calibrate_spans, fit_span_calibration


def answers(seed: int, number: int, *, slope: float, offset: float, group: str = "") -> list[Judged]:
    """Answers that are right with probability sigmoid(slope * logit(confidence) + offset)."""
    generator = random.Random(seed)
    found = []
    for _ in range(number):
        confidence = 1 - generator.random() ** 2 * 0.9
        found.append(
            Judged(confidence, generator.random() < expit(slope * logit(confidence) + offset), group)
        )
    return found


def test_what_was_distorted_is_found_again_from_many_answers() -> None:
    values = fit_calibration(answers(1, 20_000, slope=0.5, offset=-0.4), name="x")
    assert values["x/slope"] == pytest.approx(0.5, abs=0.03)
    assert values["x/offset"] == pytest.approx(-0.4, abs=0.05)
    assert calibrated(0.9, values, name="x") == pytest.approx(expit(0.5 * logit(0.9) - 0.4), abs=0.01)


def test_the_fit_equals_scikit_learns_platt_scaling_where_there_are_no_groups() -> None:
    from sklearn.linear_model import LogisticRegression

    given = answers(2, 500, slope=0.7, offset=-0.5)
    scores = logit([answer.confidence for answer in given])[:, None]
    expected = LogisticRegression(C=np.inf).fit(scores, [answer.right for answer in given])
    values = fit_calibration(given, name="x")
    assert values["x/slope"] == pytest.approx(expected.coef_[0, 0], abs=2e-3)
    assert values["x/offset"] == pytest.approx(expected.intercept_[0], abs=2e-3)


def test_a_group_moves_as_far_as_its_answers_ask_for_and_an_unknown_one_is_common() -> None:
    many = answers(3, 4000, slope=1.0, offset=0.5, group="PER")
    few = [Judged(0.9, False, "LOC")] * 3
    worse = answers(5, 4000, slope=1.0, offset=-0.5, group="ORG")
    values = fit_calibration([*many, *few, *worse], name="x")
    sure = {group: calibrated(0.7, values, name="x", group=group) for group in ("PER", "LOC", "ORG", "DATE")}
    assert sure["PER"] == pytest.approx(expit(logit(0.7) + 0.5), abs=0.03)
    assert sure["ORG"] == pytest.approx(expit(logit(0.7) - 0.5), abs=0.03)
    assert 0.55 < sure["DATE"] < 0.75
    assert 0.25 < sure["LOC"] < sure["DATE"] - 0.05


def test_surer_answers_stay_surer_though_validation_says_the_opposite() -> None:
    given = [Judged(0.9, False)] * 30 + [Judged(0.3, True)] * 30
    values = fit_calibration(given, name="x")
    assert calibrated(0.9, values, name="x") > calibrated(0.3, values, name="x")


def test_too_few_right_or_wrong_answers_fit_nothing_and_confidences_stay() -> None:
    assert fit_calibration([Judged(0.9, True)] * 50, name="x") == {}
    assert fit_calibration([*[Judged(0.9, True)] * 200, *[Judged(0.8, False)] * 9], name="x") == {}
    assert fit_calibration([*[Judged(0.9, True)] * 200, *[Judged(0.8, False)] * 10], name="x") != {}
    assert fit_calibration([], name="x") == {}
    assert calibrated(0.123, {}, name="x") == 0.123


def test_spans_and_whole_texts_are_calibrated_apart_with_what_they_were_beside_them() -> None:
    """Each second of a hundred texts misses a span, and one of its two spans is wrong."""
    text, right = "Orla Bank paid Zoë Ek.", (Span(0, 9, "ORG"), Span(15, 21, "PER"))
    examples = [SpanExample(str(place), text, right) for place in range(100)]
    predictions = [
        SpanPrediction(
            str(place),
            (Span(0, 9, "ORG", 0.95), Span(15, 21, "PER" if place % 2 else "LOC", 0.95)),
            probability=0.95,
        )
        for place in range(100)
    ]
    values = fit_span_calibration(examples, predictions)
    found = calibrate_spans(predictions[0], values)
    assert found.probability == pytest.approx(0.5, abs=0.01)
    assert found.raw_probability == 0.95
    first, second = found.spans
    assert (first.raw_probability, second.raw_probability) == (0.95, 0.95)
    assert first.probability is not None and second.probability is not None
    assert first.probability > 0.85  # every ORG was right
    assert second.probability < 0.3  # every LOC was wrong
    assert [span.key for span in found.spans] == [span.key for span in predictions[0].spans]


def test_a_span_without_a_probability_stays_as_it_is() -> None:
    values = {"spans/slope": 1.0, "spans/offset": 1.0}
    answer = SpanPrediction("a", (Span(0, 4, "ORG", 0.5), Span(5, 9, "PER")))
    first, second = calibrate_spans(answer, values).spans
    assert (first.probability, first.raw_probability) == (0.731059, 0.5)  # sigmoid(1)
    assert second == Span(5, 9, "PER")


def test_an_older_bundle_without_a_calibration_answers_as_before() -> None:
    answer = SpanPrediction("a", (Span(0, 4, "ORG", 0.8),), probability=0.7)
    assert calibrate_spans(answer, {"threshold": 0.5}) == answer
