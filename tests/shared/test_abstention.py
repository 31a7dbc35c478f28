import math

import pytest

from shared.abstention import Gate, make_gate
from shared.errors import UserError
from shared.examples import Bullet, FacetAnswer, FacetPrediction, Span, SpanPrediction, SummaryPrediction
from shared.passages import RankingPrediction
from shared.promise import Promises, Usual
from shared.record import Promise

USUAL = Usual(median=0.9, below=0.5, effective=400.0)


def promise(threshold: float | None, *, unit: str = "spans", risk: float = 0.05) -> Promise:
    return Promise(unit, risk, 0.95, threshold, coverage=0.8, num=500, correlation=0.0)


def found(name: str, *probabilities: float) -> SpanPrediction:
    return SpanPrediction(name, tuple(Span(2 * n, 2 * n + 1, "ORG", p) for n, p in enumerate(probabilities)))


def test_an_unsure_span_is_held_back_beside_the_others_with_its_reason() -> None:
    gate = Gate(promise(0.7), USUAL)
    answer = gate.held_back(found("a", 0.9, 0.6))
    assert [span.probability for span in answer.spans] == [0.9]
    assert [span.probability for span in answer.unsure] == [0.6]
    assert answer.abstained == "not sure enough for 5% risk: 0.7 is needed"
    assert gate.held_back(found("b", 0.7)).abstained == ""


def test_a_facet_is_held_back_alone_and_one_abstained_before_keeps_its_reason() -> None:
    answer = FacetPrediction(
        "a",
        {
            "topic": FacetAnswer(("loans",), probability=0.9),
            "tone": FacetAnswer(("calm",), probability=0.5),
            "scope": FacetAnswer(("any",), probability=0.1, abstained="out of scope"),
            "size": FacetAnswer(value=1.5),
        },
    )
    gate = Gate(promise(0.7, unit="facets"), USUAL)
    reasons = {name: own.abstained for name, own in gate.held_back(answer).facets.items()}
    asked = "not sure enough for 5% risk: 0.7 is needed"
    assert reasons == {"topic": "", "tone": asked, "scope": "out of scope", "size": ""}
    assert (gate.given, gate.num, list(gate.latest)) == (1, 2, [(0.9, "a"), (0.5, "a")])


def test_a_ranking_is_held_back_by_its_first_passage() -> None:
    gate = Gate(promise(0.7, unit="queries"), USUAL)
    held = gate.held_back(RankingPrediction("a", ("p", "q"), probabilities=(0.6, 0.9)))
    assert held.nothing and held.abstained == gate.reason  # so that its scores are those of what is given
    assert not gate.held_back(RankingPrediction("b", ("p", "q"), probabilities=(0.8, 0.1))).abstained
    assert gate.held_back(RankingPrediction("c", nothing=True)).abstained


def test_an_unsure_bullet_is_held_back_and_so_is_one_of_which_nothing_is_known() -> None:
    gate = Gate(promise(0.7, unit="bullets"), USUAL)
    bullets = (Bullet("Up.", confidence=0.7), Bullet("Down.", confidence=0.6), Bullet("All is well."))
    held = gate.held_back(SummaryPrediction("a", bullets))
    assert (held.bullets, held.unsure) == (bullets[:1], bullets[1:])
    assert (held.withheld, held.abstained) == (gate.reason, "")
    assert (gate.given, gate.num) == (1, 2)


def test_a_summary_of_which_no_bullet_is_given_abstains() -> None:
    gate = Gate(promise(0.7, unit="bullets"), USUAL)
    assert gate.held_back(SummaryPrediction("a", (Bullet("Up.", confidence=0.6),))).abstained == gate.reason
    silent = SummaryPrediction("b", abstained="the document is empty")
    assert gate.held_back(silent) is silent
    sure = SummaryPrediction("c", (Bullet("Up.", confidence=0.8),))
    assert gate.held_back(sure) is sure


def test_where_nothing_is_promised_no_answer_is_given() -> None:
    gate = Gate(promise(None), USUAL)
    assert gate.least == math.inf
    assert gate.held_back(found("a", 1.0)).spans == ()
    assert gate.report() == "given: 0 of 1 spans (0.0%); on validation 80.0%"


def test_the_report_says_when_texts_are_unlike_those_of_the_promise() -> None:
    alike, lower = Gate(promise(0.7), USUAL), Gate(promise(0.7), USUAL)
    for place in range(100):
        alike.held_back(found(str(place), 0.85 if place % 2 else 0.95))
        lower.held_back(found(str(place), 0.5))
    assert alike.report() == "given: 100 of 100 spans (100.0%); on validation 80.0%"
    assert "unlike validation's" in lower.report()


def test_a_promise_that_the_bundle_does_not_make_is_refused_with_those_it_makes() -> None:
    promises = [Promises("spans", (promise(0.7), promise(0.5, risk=0.1)), USUAL)]
    assert make_gate(promises, risk=0.1, unit="").least == 0.5
    with pytest.raises(UserError, match=r"promises risks of 0.05, 0.1; calibrate .*promise.risks=\[0.02\]"):
        make_gate(promises, risk=0.02, unit="spans")
    with pytest.raises(UserError, match="promises of spans"):
        make_gate(promises, risk=0.05, unit="texts")
    with pytest.raises(UserError, match="the verb calibrate makes them"):
        make_gate([], risk=0.05, unit="")


def test_what_is_remembered_of_a_stream_does_not_grow_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a hundred sure answers and thirty unsure ones behind them, the latest thirty are compared."""
    monkeypatch.setattr("shared.abstention.LATEST", 30)
    gate = Gate(promise(0.7), USUAL)
    for place in range(130):
        gate.held_back(found(str(place), 0.95 if place < 100 else 0.5))
    assert (gate.given, gate.num, len(gate.latest)) == (100, 130, 30)
    assert "unlike validation's" in gate.report()
