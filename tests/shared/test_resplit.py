import numpy as np
import pytest

from shared.contracts import Trial
from shared.resplit import alarm_rates_text, resplit, resplit_alarms, resplits_text


def answers(split: str, number: int, *, wrong: float) -> dict[str, list[Trial]]:
    generator = np.random.default_rng(len(split))
    return {
        "spans": [
            Trial(f"d{place}", round(float(generator.random()), 6), bool(generator.random() > wrong))
            for place in range(number)
        ]
    }


def test_divisions_have_the_sizes_of_the_splits_and_keep_what_all_answers_allow() -> None:
    """2 % of all answers are wrong: 5 % can be promised, and given is nearly everything."""
    (found,) = resplit(
        answers("validation", 400, wrong=0.02),
        answers("test", 600, wrong=0.02),
        [0.05],
        confidence=0.95,
        times=20,
    )
    assert {own.promise.num for own in found.found} == {400}
    assert {own.num for own in found.found} == {600}
    assert found.below >= 0.9
    assert found.reached == 1.0
    assert "at most 5% of spans given are wrong" in resplits_text([found])


def test_documents_of_one_name_in_two_splits_are_two_and_are_never_divided() -> None:
    validation = {"spans": [Trial("d", 0.9, True)] * 3 + [Trial("e", 0.8, False)] * 2}
    test = {"spans": [Trial("d", 0.7, True)] * 5, "texts": [Trial("d", 0.7, True)]}
    (found,) = resplit(validation, test, [0.05], confidence=0.95, times=10)
    sizes = {own.num for own in found.found}
    assert sizes <= {10 - 3 - 2, 10 - 3 - 5, 10 - 2 - 5}  # two of the documents of 3, 2 and 5 answers
    assert len(sizes) > 1


def test_alarms_of_normal_texts_are_as_frequent_as_promised_however_they_are_divided() -> None:
    scores = np.random.default_rng(0).normal(size=1500).tolist()
    found = resplit_alarms(scores[:600], scores[600:], [0.01, 0.05], times=200)
    assert [own.promised for own in found] == [0.01, 0.05]
    for own in found:
        # of 601 places the highest 6, or 30, raise an alarm
        assert own.mean == pytest.approx(int(own.promised * 601) / 601, rel=0.1)
        assert own.within_chance >= 0.9
        assert {(drawn.total, drawn.held_out) for drawn in own.found} == {(900, 600)}
    assert alarm_rates_text(found).splitlines()[2].startswith("at most 1% of normal texts raise an alarm")


def test_equal_scores_make_alarms_fewer_than_promised() -> None:
    (own,) = resplit_alarms([1.0] * 300, [1.0] * 300, [0.05], times=5)
    assert (own.mean, own.within_chance) == (0.0, 0.0)
