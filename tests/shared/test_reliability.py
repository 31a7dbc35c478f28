import random

import numpy as np
import pytest

from shared.contracts import Score, Trial
from shared.record import Reliability
from shared.reliability import BINS, averaged, reliability, risk_coverage


def judged(*answers: tuple[float, bool], document: str = "") -> Reliability:
    """What these answers come to, each in a document of its own unless one is named."""
    trials = [Trial(document or str(place), *answer) for place, answer in enumerate(answers)]
    found = reliability({"spans": trials})
    assert found is not None
    return found


def random_trials(seed: int, number: int, *, digits: int) -> list[Trial]:
    """Answers that are right less often than they say; few digits make equal confidences."""
    generator = random.Random(seed)
    confidences = [round(generator.random() ** 0.5, digits) for _ in range(number)]
    return [
        Trial(str(place % 20), confidence, generator.random() < confidence**2)
        for place, confidence in enumerate(confidences)
    ]


FOUR = ((0.6, True), (0.9, True), (0.6, False), (0.8, False))


def test_calibration_is_the_gap_of_confidence_and_share_right_and_the_brier_score_the_squared_one() -> None:
    """Bins 0.6 (two answers, gap 0.1), 0.8 (gap 0.8) and 0.9 (gap 0.1); squares 0.16, 0.01, 0.36, 0.64."""
    found = judged(*FOUR)
    assert (found.unit, found.num) == ("spans", 4)
    assert found.bins == [[0.6, 0.5, 2], [0.8, 0, 1], [0.9, 1, 1]]
    assert found.ece.value == 0.275  # (2 * 0.1 + 0.8 + 0.1) / 4
    assert found.brier.value == 0.2925  # 1.17 / 4


def test_the_surest_answers_are_kept_first_and_equally_sure_ones_together() -> None:
    """One answer, right; two, one wrong; four, two wrong."""
    found = judged(*FOUR)
    assert found.curve == [[0.25, 0], [0.5, 0.5], [1, 0.5]]
    assert found.aurc == 0.375  # (0 + 0.5 + 0.5 + 0.5) / 4


def test_coverage_at_a_risk_is_the_largest_that_keeps_it_and_may_come_after_a_worse_one() -> None:
    """Right, wrong, then 18 right: a risk of 0 at first, then of 5 % or less at full coverage alone."""
    answers = [(1 - place / 100, place != 1) for place in range(20)]
    assert judged(*answers).coverage_at == {"1": 0.05, "5": 1.0, "10": 1.0}
    assert judged((0.9, False), (0.8, True)).coverage_at == {"1": 0.0, "5": 0.0, "10": 0.0}


def test_before_calibration_is_judged_by_the_raw_confidences_of_the_same_answers() -> None:
    """Raw, both say 0.9 and one is right: a gap of 0.4; calibrated to 0.5 there is none."""
    trials = [Trial("a", 0.5, True, raw=0.9), Trial("b", 0.5, False, raw=0.9)]
    found = reliability({"spans": trials})
    assert found is not None and found.ece_raw is not None and found.brier_raw is not None
    assert (found.ece.value, found.ece_raw.value) == (0.0, 0.4)
    assert (found.brier.value, found.brier_raw.value) == (0.25, 0.41)  # (0.1 ** 2 + 0.9 ** 2) / 2
    partly = reliability({"spans": [trials[0], Trial("b", 0.5, False)]})
    assert partly is not None and partly.ece_raw is None
    assert averaged([found, partly]).ece_raw is None
    assert averaged([found, found]).ece_raw == found.ece_raw


def test_no_answers_have_no_reliability() -> None:
    assert reliability({}) is None


@pytest.mark.parametrize("digits", [6, 2, 1])
def test_bins_equal_those_of_scikit_learn_on_random_answers(digits: int) -> None:
    from sklearn.calibration import calibration_curve
    from sklearn.metrics import brier_score_loss

    trials = random_trials(1, 500, digits=digits)
    right = [trial.right for trial in trials]
    confidence = [trial.confidence for trial in trials]
    found = reliability({"spans": trials})
    assert found is not None
    shares, means = calibration_curve(right, confidence, n_bins=BINS, strategy="quantile")
    assert [row[:2] for row in found.bins] == pytest.approx(np.stack([means, shares], axis=1), abs=1e-6)
    assert sum(size for *_, size in found.bins) == 500
    ece = sum(size * abs(mean - share) for mean, share, size in found.bins) / 500
    assert found.ece.value == pytest.approx(ece, abs=2e-6)
    assert found.brier.value == pytest.approx(brier_score_loss(right, confidence), abs=1e-6)


@pytest.mark.parametrize("digits", [6, 1])
def test_risks_and_their_mean_equal_those_of_a_plain_loop_on_random_answers(digits: int) -> None:
    trials = random_trials(2, 300, digits=digits)
    risks = []
    for least in sorted(trial.confidence for trial in trials):
        kept = [trial for trial in trials if trial.confidence >= least]
        risks.append(sum(not trial.right for trial in kept) / len(kept))
    found = reliability({"spans": trials})
    assert found is not None
    assert found.aurc == pytest.approx(sum(risks) / 300, abs=1e-6)
    coverage, risk = risk_coverage(
        np.array([trial.confidence for trial in trials]), np.array([float(trial.right) for trial in trials])
    )
    assert set(risk.tolist()) == set(risks)
    assert coverage[-1] == 1 and (np.diff(coverage) > 0).all()


def test_a_curve_has_sixty_points_at_most_and_ends_with_all_answers() -> None:
    trials = random_trials(3, 2000, digits=6)
    found = reliability({"spans": trials})
    assert found is not None and len(found.curve) == 60
    assert found.curve[0][0] == pytest.approx(1 / 60, abs=1e-3)
    assert found.curve[-1] == [1, pytest.approx(sum(not trial.right for trial in trials) / 2000)]


def test_answers_of_a_document_are_drawn_together() -> None:
    alone = judged(*FOUR, document="d")
    assert alone.brier == Score(0.2925, 0.2925, 0.2925)
    apart = judged((0.9, True), (0.8, False))
    assert apart.brier == Score(0.325, 0.01, 0.64)  # a quarter of the draws are the right one twice


def test_runs_are_averaged_at_equal_steps_of_coverage_and_their_bins_stand_side_by_side() -> None:
    left, right = judged((0.9, True), (0.5, False)), judged((0.8, False), (0.8, False))
    found = averaged([left, right])
    assert found.num == 4
    assert found.ece.value == 0.55  # (0.3 + 0.8) / 2
    assert found.aurc == 0.625  # ((0 + 0.5) / 2 + 1) / 2
    assert found.coverage_at == {"1": 0.25, "5": 0.25, "10": 0.25}
    assert found.bins == [[0.5, 0, 1], [0.8, 0, 2], [0.9, 1, 1]]
    assert [found.curve[place] for place in (0, 29, 59)] == [[0.016667, 0.5], [0.5, 0.5], [1, 0.75]]


def test_a_single_run_is_its_own_mean() -> None:
    alone = judged(*FOUR)
    assert averaged([alone]) == alone
