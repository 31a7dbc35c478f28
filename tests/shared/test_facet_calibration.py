import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from shared.facet_calibration import Classes, auroc, choose_detector, fit_temperature, oddities


def test_the_temperature_says_what_was_right_in_three_of_four_cases() -> None:
    """Log odds of 4, right three times of four: sigmoid(4 / T) = 3/4 gives T = 4 / ln 3."""
    right = np.array([True, True, True, False])
    found = fit_temperature(lambda t: float(np.logaddexp(0, np.where(right, -4.0, 4.0) / t).mean()))
    assert found == pytest.approx(3.640957, abs=1e-3)


@pytest.mark.parametrize(("sign", "bound"), [(-1.0, 0.05), (1.0, 20.0)])
def test_scores_that_are_always_right_or_wrong_give_a_temperature_at_a_bound(
    sign: float, bound: float
) -> None:
    assert fit_temperature(lambda t: float(np.logaddexp(0, sign * 4.0 / t))) == pytest.approx(bound, rel=0.2)


DETECTORS = ("max_softmax", "energy", "mahalanobis")


@pytest.mark.parametrize("detectors", [DETECTORS, *((name,) for name in DETECTORS)])
def test_each_detector_says_how_odd_a_text_is(detectors: tuple[str, ...]) -> None:
    found = oddities(
        detectors,
        np.log([[0.5, 0.5], [0.9, 0.1]]),
        np.array([[0.0, 0.0], [np.log(3), 0.0]]),
        np.array([[1.0, 1.0], [4.0, -0.5]]),
        Classes(means=np.array([[0.0, 0.0], [4.0, 0.0]]), precision=np.diag([1.0, 4.0])),
    )
    expected = {
        "max_softmax": pytest.approx([-0.5, -0.9]),
        "energy": pytest.approx([-0.693147, -1.386294]),  # -ln 2, -ln 4
        "mahalanobis": pytest.approx([5.0, 1.0]),  # 1 + 4 from the first mean, 4 / 4 from the second
    }
    assert {name: values.tolist() for name, values in found.items()} == {
        name: expected[name] for name in detectors
    }


def test_no_distance_is_measured_where_no_mean_is_known() -> None:
    nothing = np.zeros((0, 2))
    one = np.zeros((1, 1))
    found = oddities(DETECTORS, one, one, np.zeros((1, 2)), Classes(means=nothing, precision=nothing))
    assert list(found) == ["max_softmax", "energy"]


def test_the_detector_that_tells_most_pairs_apart_is_chosen() -> None:
    """Of four pairs the first tells two apart, the second three, the third one and a tie."""
    found = {
        "max_softmax": np.array([1.0, 4.0, 2.0, 3.0]),
        "energy": np.array([1.0, 3.0, 2.0, 4.0]),
        "mahalanobis": np.array([1.0, 9.0, 1.0, 3.0]),
    }
    detector, threshold = choose_detector(found, inside=[0, 1], outside=[2, 3], sent_away=0.0)
    assert (detector, threshold) == ("energy", 3.5)


@pytest.mark.parametrize(("sent_away", "above"), [(0.0, 0), (0.05, 5), (0.25, 25)])
def test_above_the_threshold_lies_the_share_that_may_be_sent_away(sent_away: float, above: int) -> None:
    values = np.append(np.random.default_rng(0).permutation(100).astype(float), 1000.0)
    _, threshold = choose_detector({"energy": values}, inside=range(100), outside=[100], sent_away=sent_away)
    assert (values[:100] > threshold).sum() == above


def test_of_few_texts_none_is_sent_away_where_one_would_be_too_large_a_share() -> None:
    """One of four is more than a hundredth; the threshold was taken between the third and the fourth."""
    values = np.array([1.0, 2.0, 3.0, 4.0, 8.0])
    detector, threshold = choose_detector({"energy": values}, inside=range(4), outside=[4], sent_away=0.01)
    assert (detector, threshold) == ("energy", 6.0)


def test_a_model_that_is_all_but_certain_of_every_text_does_not_send_all_of_them_away() -> None:
    """The threshold was rounded to six places, and minus all but one lies above minus one."""
    values = -1.0 + 1e-9 * np.append(np.arange(1.0, 101.0), 1000.0)
    _, threshold = choose_detector({"max_softmax": values}, inside=range(100), outside=[100], sent_away=0.05)
    assert (values[:100] > threshold).sum() == 5


@pytest.mark.parametrize("seed", range(20))
def test_auroc_agrees_with_scikit_learn_on_random_values_with_ties(seed: int) -> None:
    generator = np.random.default_rng(seed)
    inside = generator.integers(0, 8, generator.integers(1, 40)).astype(float)
    outside = generator.integers(2, 10, generator.integers(1, 40)).astype(float)
    labels = [0] * len(inside) + [1] * len(outside)
    expected = roc_auc_score(labels, np.concatenate([inside, outside]))
    assert auroc(inside, outside) == pytest.approx(expected, abs=1e-12)


def test_auroc_counts_a_tie_half() -> None:
    assert auroc(np.array([1.0, 2.0]), np.array([2.0, 2.0])) == 0.75
