from dataclasses import replace

import numpy as np
import pytest

from shared.contracts import Score, Trial
from shared.errors import UserError
from shared.promise import (
    Usual,
    drift,
    for_the_same_texts,
    judge_promise,
    kept,
    kept_again,
    make_promise,
    make_promises,
    promises_row,
    read_promises,
)
from shared.promise_text import promises_text
from shared.record import Promise
from shared.verb_config import PromiseConfig


def draw(
    generator: np.random.Generator, number: int, *, documents: int = 0, together: float = 0.0
) -> list[Trial]:
    """Answers that are wrong with probability 1 - confidence, by `together` more or less by document."""
    confidence = 1 - generator.random(number) ** 2 / 2
    place = np.arange(number) % (documents or number)
    worse = np.where(place % 2 == 0, 1 + together, 1 - together)
    right = generator.random(number) > (1 - confidence) * worse
    return [
        Trial(f"d{one}", round(float(sure), 6), bool(fine))
        for one, sure, fine in zip(place, confidence, right, strict=True)
    ]


ASKED = PromiseConfig(risks=[0.05, 0.1], confidence=0.95, out_of_scope=None, divisions=1)


def promise_at(threshold: float | None, risk: float = 0.05) -> Promise:
    return Promise("spans", risk, 0.95, threshold, coverage=0.5, num=100, correlation=0.0)


@pytest.mark.parametrize(("documents", "together"), [(0, 0.0), (60, 0.9)])
def test_a_promise_is_broken_in_no_more_draws_than_it_allows(documents: int, together: float) -> None:
    """300 validations; the risk of what is given is that of a very large draw. 5 % and what chance adds."""
    generator = np.random.default_rng(0)
    large = draw(generator, 60_000, documents=600, together=together)
    broken = made = 0
    for _ in range(300):
        promise = make_promise(
            "spans", draw(generator, 600, documents=documents, together=together), 0.1, confidence=0.95
        )
        found = judge_promise(promise, large)
        made += found.risk is not None
        broken += found.risk is not None and found.risk.value > 0.1
    assert made >= 200
    assert broken <= 0.05 * 300 + 2 * (300 * 0.05 * 0.95) ** 0.5


def scoped(generator: np.random.Generator, num: int, *, outside: float) -> list[Trial]:
    """Answers to texts of which a share is out of scope: there they are less sure, and never right."""
    found = []
    for place in range(num):
        out = generator.random() < outside
        confidence = round(float(generator.beta(2, 3) if out else generator.beta(6, 1)), 6)
        right = not out and bool(generator.random() < 0.9 + 0.1 * confidence)
        found.append(Trial(str(place), confidence, right, outside=outside if out else None))
    return found


def test_a_promise_for_more_texts_out_of_scope_than_validation_has_is_kept_by_those() -> None:
    """3 % of validation is out of scope, 20 % of what comes: a promise as validation has them is broken."""
    generator = np.random.default_rng(0)
    large = scoped(generator, 60_000, outside=0.2)
    told: dict[float | None, int] = {None: 0, 0.2: 0}
    made = 0
    for _ in range(100):
        validation = scoped(generator, 3_000, outside=0.03)
        for outside in told:
            promise = make_promise("facets", validation, 0.05, confidence=0.95, out_of_scope=outside)
            found = judge_promise(promise, large)
            made += found.risk is not None
            told[outside] += found.risk is not None and found.risk.value > 0.05
    assert made >= 190
    assert told[None] >= 95
    assert told[0.2] <= 0.05 * 100 + 2 * (100 * 0.05 * 0.95) ** 0.5


def test_nothing_is_promised_of_texts_out_of_scope_where_validation_has_none() -> None:
    asked = replace(ASKED, out_of_scope=0.2)
    trials = [Trial(str(place), 0.9, right=True) for place in range(100)]
    with pytest.raises(
        UserError, match=r"promise\.out_of_scope=0\.2: validation's facets .* allowed here: null"
    ):
        make_promises({"facets": trials}, asked)
    trials[0] = replace(trials[0], outside=0.01)
    (own,) = make_promises({"facets": trials}, asked)
    assert own.out_of_scope == 0.2
    assert read_promises(promises_row([own])) == [own]
    assert "95% confidence, 20% of the texts out of scope" in promises_text([own])


def test_other_risks_are_promised_for_the_texts_that_the_bundle_was() -> None:
    trials = [
        Trial(str(place), 0.9, right=True, outside=0.01 if place == 0 else None) for place in range(100)
    ]
    rows = promises_row(make_promises({"facets": trials}, replace(ASKED, out_of_scope=0.2)))
    assert for_the_same_texts(ASKED, rows) == replace(ASKED, out_of_scope=0.2)
    other = replace(ASKED, out_of_scope=0.1)
    assert for_the_same_texts(other, rows) == other
    assert for_the_same_texts(ASKED, promises_row(make_promises({"facets": trials}, ASKED))) == ASKED
    assert for_the_same_texts(ASKED, []) == ASKED


def test_the_threshold_gives_the_most_answers_of_those_that_pass() -> None:
    """400 sure ones that are right, then 100 unsure ones of which each second is wrong."""
    sure = [Trial(f"s{place}", 0.9 + place / 10_000, right=True) for place in range(400)]
    unsure = [Trial(f"u{place}", place / 1000, right=place % 2 == 0) for place in range(100)]
    promise = make_promise("spans", [*unsure, *sure], 0.05, confidence=0.95)
    assert promise.threshold is not None
    assert 0.05 < promise.threshold < 0.1  # some unsure ones may pass, those of 50 % risk cannot all
    assert 0.8 <= promise.coverage < 0.9
    assert judge_promise(promise, sure).coverage == 1.0


def test_few_answers_promise_nothing_however_right_they_are() -> None:
    """With none wrong, 86 answers are needed: 0.95 ** 85 > 0.05 / 4 > 0.95 ** 86."""
    right = [Trial(str(place), 0.9, right=True) for place in range(86)]
    assert make_promise("spans", right[:85], 0.05, confidence=0.95).threshold is None
    assert make_promise("spans", right, 0.05, confidence=0.95).threshold == 0.9


def test_answers_that_are_equally_sure_are_given_together() -> None:
    trials = [Trial(str(place), 0.9, right=place > 50) for place in range(500)]  # a tenth is wrong
    assert make_promise("spans", trials, 0.05, confidence=0.95).threshold is None
    assert make_promise("spans", trials, 0.2, confidence=0.95).coverage == 1.0


def test_nothing_promised_gives_no_answer() -> None:
    found = judge_promise(promise_at(None), [Trial("d", 1.0, right=True)])
    assert (found.coverage, found.risk, found.verdict) == (0.0, None, "no promise")


@pytest.mark.parametrize(
    ("wrong", "verdict"), [(0, "kept"), (5, "kept"), (9, "within chance"), (15, "broken")]
)
def test_the_verdict_follows_from_what_is_wrong_and_its_interval(wrong: int, verdict: str) -> None:
    """Of 100 answers: 5 % is 5; the exact interval of 9 begins at 4.2 %, that of 15 at 8.6 %."""
    trials = [Trial(str(place), 0.9, right=place >= wrong) for place in range(100)]
    assert judge_promise(promise_at(0.5), [*trials, Trial("low", 0.4, right=False)]).verdict == verdict


def test_promises_and_what_became_of_them_come_back_from_their_rows() -> None:
    trials = draw(np.random.default_rng(1), 500)
    promises = make_promises({"spans": trials, "texts": trials[:200]}, ASKED)
    assert read_promises(promises_row(promises)) == promises
    assert promises[0].at(0.1) == promises[0].promises[1]
    assert promises[0].at(0.2) is None
    found = kept(promises[0], trials)
    assert kept_again(found, {"spans": trials}) == found
    assert kept_again(found, {})[0].num == 0


def test_validations_own_confidences_are_no_drift_and_lower_ones_are() -> None:
    usual = Usual(median=0.8, below=0.5, effective=200.0)
    alike = [0.7, 0.9] * 100
    assert drift(usual, alike, [str(place) for place in range(200)]) == 1.0
    lower = [0.7] * 140 + [0.9] * 60
    # z = 0.2 / sqrt(0.6 * 0.4 * (1 / 200 + 1 / 200)) = 4.08
    assert drift(usual, lower, [str(place) for place in range(200)]) == pytest.approx(4.5e-5)
    assert drift(usual, lower, ["one"] * 200) is None  # one document tells nothing
    assert drift(Usual(1.0, 0.0, 50.0), [1.0] * 50, [str(place) for place in range(50)]) == 1.0


def test_the_risk_of_what_is_given_has_its_interval() -> None:
    trials = [Trial(str(place), 0.9, right=place != 0) for place in range(10)]
    assert judge_promise(promise_at(0.5), trials).risk == Score(0.1, 0.002529, 0.445016)
