from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf

from shared.contracts import Score
from shared.errors import ConfigError, UserError
from shared.examples import AnomalyExample, AnomalyPrediction
from shared.intervals import Array, Ranking, Statistic, bootstrap, stack_counts
from shared.typed_config import build
from tasks.anomaly.metric import MAIN, AnomalyScores
from tasks.anomaly.scores import ORDER, auroc, average_precision


def metric(main: str = "average_precision") -> AnomalyScores:
    return AnomalyScores(main, [0.01, 0.05])


def examples_of(gold: str) -> list[AnomalyExample]:
    """An example for each letter: `x` is anomalous, `.` is normal, `?` nobody has labelled."""
    known = {"x": True, ".": False, "?": None}
    return [
        AnomalyExample(f"e{place}", (f"text {place}",), anomalous=known[letter], document=f"e{place}")
        for place, letter in enumerate(gold)
    ]


def predictions_of(scores: list[float], alarms: str = "") -> list[AnomalyPrediction]:
    """A prediction for each score; `!` among the alarms is one."""
    flags = alarms or "." * len(scores)
    pairs = enumerate(zip(scores, flags, strict=True))
    return [AnomalyPrediction(f"e{place}", score=score, alarm=flag == "!") for place, (score, flag) in pairs]


def value(name: str, gold: str, scores: list[float]) -> float:
    return metric().score(examples_of(gold), predictions_of(scores))[name].value


def of(statistic: Statistic, scores: list[float], gold: str, draws: list[list[float]]) -> list[float]:
    assert isinstance(statistic, Ranking)
    positives = np.array([float(letter == "x") for letter in gold])
    return list(statistic.of(np.array(scores), positives, np.array(draws)))


def random_ranking() -> tuple[Array, Array, Array]:
    """Scores with many ties, positives, and fifty draws, each with both."""
    generator = np.random.default_rng(7)
    scores = generator.integers(0, 12, 80).astype(np.float64)
    positives = (generator.random(80) < 0.25).astype(np.float64)
    return scores, positives, generator.multinomial(80, np.full(80, 1 / 80), size=50).astype(np.float64)


def test_rankings_equal_scikit_learn_on_random_draws_with_ties() -> None:
    from sklearn.metrics import average_precision_score, roc_auc_score

    scores, positives, draws = random_ranking()
    for ranking, reference in ((average_precision, average_precision_score), (auroc, roc_auc_score)):
        expected = [reference(positives, scores, sample_weight=draw) for draw in draws]
        assert ranking.of(scores, positives, draws) == pytest.approx(expected)


def test_average_precision_is_the_mean_precision_at_each_anomaly() -> None:
    """Anomalies stand first and third of four: (1/1 + 2/3) / 2; of their pairs, 3 of 4 are in order."""
    assert value("average_precision", "x.x.", [4, 3, 2, 1]) == pytest.approx(5 / 6)
    assert value("auroc", "x.x.", [4, 3, 2, 1]) == 0.75


def test_texts_with_one_score_for_all_have_no_order_and_no_average_precision() -> None:
    assert value("average_precision", "x...", [2, 2, 2, 2]) == 0.0
    assert value("auroc", "x...", [2, 2, 2, 2]) == 0.5
    assert value("average_precision", "x...", [2, 2, 2, 1]) == pytest.approx(1 / 3)


def test_a_draw_without_anomalies_or_without_normal_texts_has_the_score_of_all_texts() -> None:
    """All: (1/1 + 2/3) / 2. Drawn: the normal texts, the anomalies, three times a normal text above one."""
    draws: list[list[float]] = [[0, 2, 0, 2], [3, 0, 1, 0], [0, 3, 1, 0]]
    assert of(average_precision, [4, 3, 2, 1], "x.x.", draws) == pytest.approx([5 / 6, 5 / 6, 1 / 4])
    assert of(auroc, [4, 3, 2, 1], "x.x.", draws) == [0.75, 0.75, 0.0]
    assert of(average_precision, [4, 3], "xx", [[1, 1]]) == [0.0]


def test_recall_is_that_of_the_lowest_threshold_with_few_enough_false_alarms() -> None:
    """Of 100 normal texts one is above the second anomaly, two are above the third."""
    gold = "x.x.x" + "." * 98
    scores = [float(-place) for place in range(len(gold))]
    assert value("recall_at_1", gold, scores) == pytest.approx(2 / 3)
    assert value("recall_at_5", gold, scores) == 1.0


def test_a_tie_that_brings_too_many_false_alarms_brings_no_anomaly_either() -> None:
    gold = "xx" + "." * 20
    assert value("recall_at_1", gold, [9, 5, 5, *[0.0] * 19]) == 0.5
    assert value("recall_at_5", gold, [9, 5, 5, *[0.0] * 19]) == 1.0


def test_precision_at_k_takes_as_many_texts_as_there_are_anomalies() -> None:
    assert value("precision_at_k", "x.xx.", [5, 4, 3, 2, 1]) == pytest.approx(2 / 3)


def test_of_texts_tied_at_k_precision_counts_the_share_that_fits() -> None:
    """The first is right; the second of two places is shared by three texts of which one is anomalous."""
    assert value("precision_at_k", "xx..", [5, 1, 1, 1]) == pytest.approx((1 + 1 / 3) / 2)


def test_alarms_are_scored_against_gold() -> None:
    """Two of three anomalies are alarms, and one of five normal texts is."""
    scores = metric().score(examples_of("xxx....."), predictions_of([0.0] * 8, "!!.!...."))
    assert scores["precision"].value == scores["recall"].value == pytest.approx(2 / 3)
    assert scores["f1"].value == pytest.approx(2 / 3)
    assert scores["false_alarms"].value == 0.2
    assert scores["left_alone"].value == 0.8
    assert scores["base_rate"] == Score(0.375)


def test_false_alarms_have_the_exact_interval_of_a_rate() -> None:
    """With none of 20, the upper end is 1 - 0.025 ** (1 / 20)."""
    found = metric().score(examples_of("." * 20), predictions_of([0.0] * 20))["false_alarms"]
    assert (found.value, found.low) == (0.0, 0.0)
    assert found.high == pytest.approx(0.168433, abs=1e-6)


def with_p_values(values: list[float | None]) -> list[AnomalyPrediction]:
    return [AnomalyPrediction(f"e{place}", p_value=value) for place, value in enumerate(values)]


def test_promised_rates_are_checked_on_the_p_values_of_normal_texts() -> None:
    scores = metric().score(examples_of("x...."), with_p_values([0.001, 0.01, 0.05, 0.06, 1.0]))
    assert scores["false_alarms/0.01"].value == 0.25
    assert scores["false_alarms/0.05"].value == 0.5


def test_promised_rates_are_left_out_where_a_normal_text_has_no_p_value() -> None:
    assert "false_alarms/0.01" not in metric().score(examples_of(".."), with_p_values([0.5, None]))


def test_scores_that_need_anomalies_are_left_out_without_them() -> None:
    found = metric("left_alone").score(examples_of("...."), predictions_of([1, 2, 3, 4], "!..."))
    assert list(found) == ["left_alone", "false_alarms", "base_rate"]
    assert found["left_alone"].value == 0.75


def test_scores_that_need_normal_texts_are_left_out_without_them() -> None:
    assert metric().score(examples_of("xx"), predictions_of([1, 2])) == {"base_rate": Score(1.0)}


def test_texts_that_nobody_labelled_are_not_scored() -> None:
    examples, predictions = examples_of("x?.?"), predictions_of([3, 4, 1, 2], "!!..")
    assert metric().score(examples, predictions)["precision"].value == 1.0
    assert metric().counts(examples, predictions).rows == {"e0": [3, 1], "e2": [1, 0]}
    assert list(metric().wrong(examples, predictions)) == []
    assert "nobody labelled them: 2 texts" in metric().details(examples, predictions)
    assert metric().score(examples_of("?"), predictions_of([1])) == {}


def mixed() -> tuple[list[AnomalyExample], list[AnomalyPrediction]]:
    """Sixty texts, a fifth of them anomalous; scores and alarms are right more often than not."""
    generator = np.random.default_rng(5)
    gold = "".join("x" if share < 0.2 else "." for share in generator.random(60))
    scores = [round(float(generator.normal()) + (letter == "x"), 1) for letter in gold]
    return examples_of(gold), predictions_of(scores, "".join("!" if score > 1 else "." for score in scores))


@pytest.mark.parametrize("main", MAIN)
def test_the_main_score_its_counts_and_the_quick_score_agree(main: str) -> None:
    examples, predictions = mixed()
    counts = metric(main).counts(examples, predictions)
    table = stack_counts([counts], documents=sorted(counts.rows), groups=counts.groups)
    score = metric(main).score(examples, predictions)[main]
    assert bootstrap(table, metric(main).main_statistic()).value == pytest.approx(score.value)
    assert metric(main).quick(examples, predictions) == score.value
    assert score.low is not None and score.high is not None
    assert 0 < score.low < score.value < score.high <= 1


@pytest.mark.parametrize("name", [*ORDER, "f1", "precision", "recall", "left_alone", "false_alarms"])
def test_every_score_of_texts_has_an_interval_around_it(name: str) -> None:
    score = metric().score(*mixed())[name]
    assert score.low is not None and score.high is not None
    assert score.low <= score.value <= score.high


def test_the_main_score_comes_first() -> None:
    assert next(iter(metric("auroc").score(*mixed()))) == "auroc"


def test_counts_of_texts_left_alone_are_of_normal_texts_without_an_alarm() -> None:
    counts = metric("left_alone").counts(examples_of("x..x"), predictions_of([0.0] * 4, "!!.."))
    assert (counts.groups, counts.columns) == ([""], ["quiet", "normal"])
    assert counts.rows == {"e0": [0, 0], "e1": [0, 1], "e2": [1, 1], "e3": [0, 0]}


@pytest.mark.parametrize("main", MAIN)
def test_the_gold_answer_is_wholly_right(main: str) -> None:
    examples, _ = mixed()
    gold = [example.gold() for example in examples]
    score = metric(main).score(examples, gold)[main]
    assert (score.value, score.low, score.high) == (1.0, 1.0, 1.0)
    assert metric(main).quick(examples, gold) == 1.0
    assert list(metric(main).wrong(examples, gold)) == []


def test_silence_has_no_average_precision_and_misses_every_anomaly() -> None:
    examples, _ = mixed()
    silent = [AnomalyPrediction(example.id) for example in examples]
    assert metric().score(examples, silent)["average_precision"] == Score(0.0, 0.0, 0.0)
    assert len(list(metric().wrong(examples, silent))) == sum(bool(e.anomalous) for e in examples)


@pytest.mark.parametrize(
    ("main", "gold", "message"),
    [
        (
            "auroc",
            "..",
            "auroc needs anomalous and normal texts, found 0 anomalous and 2 normal; metric.main=left_alone",
        ),
        ("average_precision", "x", "found 1 anomalous and 0 normal$"),
        ("left_alone", "?", "left_alone needs normal texts, found 0 anomalous and 0 normal$"),
    ],
)
def test_a_main_score_without_ground_is_zero_while_training_and_a_mistake_in_a_record(
    main: str, gold: str, message: str
) -> None:
    examples, predictions = examples_of(gold), predictions_of([1.0] * len(gold))
    assert metric(main).quick(examples, predictions) == 0.0
    with pytest.raises(UserError, match=message):
        metric(main).counts(examples, predictions)


def test_wrong_examples_are_missed_anomalies_and_false_alarms() -> None:
    examples = [replace(example, kind="spill") for example in examples_of("xx")] + examples_of("....")[2:]
    predictions = [
        AnomalyPrediction("e0", 2.5, p_value=0.01, alarm=True),
        AnomalyPrediction("e1", 0.5, p_value=0.4),
        AnomalyPrediction("e2", 1.5, alarm=True),
        AnomalyPrediction("e3", 0.1, p_value=0.9),
    ]
    missed = {"id": "e1", "text": "text 1", "anomalous": True, "kind": "spill", "score": 0.5, "p_value": 0.4}
    false = {"id": "e2", "text": "text 2", "anomalous": False, "kind": "", "score": 1.5, "p_value": None}
    assert list(metric().wrong(examples, predictions)) == [
        {**missed, "alarm": False},
        {**false, "alarm": True},
    ]


def test_details_show_alarms_kinds_false_alarms_and_the_oddest_normal_texts() -> None:
    """The anomalies are first and fourth; two normal texts share the ranks two and three."""
    examples = [
        replace(example, kind="spill" if example.anomalous else "") for example in examples_of("x..x")
    ]
    predictions = [
        AnomalyPrediction("e0", 9.0, p_value=0.01, alarm=True),
        AnomalyPrediction("e1", 5.0, p_value=0.01, alarm=True),
        AnomalyPrediction("e2", 5.0, p_value=0.3),
        AnomalyPrediction("e3", 1.0, p_value=0.8),
    ]
    text = metric().details(examples, predictions)
    lines = [line.split() for line in text.splitlines()]
    assert ["anomalous", "1", "1"] in lines
    assert ["normal", "1", "1"] in lines
    assert ["spill", "2", "0.500", "2.5"] in lines
    assert ["(normal)", "2", "0.500", "2.5"] in lines
    assert "at the stored threshold: 1 in 2 texts, 1.26% to 98.74%" in text
    assert "at 1.00%: 1 in 2 texts, 1.26% to 98.74%\nat 5.00%: 1 in 2 texts, 1.26% to 98.74%\n" in text
    assert text.endswith("oddest normal texts, by id and score\ne1  5.0000\ne2  5.0000")


def test_a_configuration_has_the_main_score_and_the_promised_rates() -> None:
    given = {"_target_": "tasks.anomaly.metric.AnomalyScores", "main": "auroc", "promised": [0.01, 0.05]}
    assert build(OmegaConf.create(given), path="metric") == metric("auroc")
    assert metric().bind({"anomaly": "anomaly"}) == metric()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"main": "aurok"},
            r"metric.main='aurok' \(did you mean 'auroc'\?\); allowed: average_precision, au",
        ),
        ({"promised": [0.01, 5.0]}, r"metric.promised=\[0.01, 5.0\]; allowed: rates above 0 and below 1"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_with_what_is_allowed(
    given: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        AnomalyScores(**{"main": "auroc", "promised": [0.01], **given})


def test_predictions_are_aligned_by_id_and_not_by_place() -> None:
    assert metric().quick(examples_of("x."), predictions_of([2, 1])[::-1]) == 1.0
    with pytest.raises(UserError, match="do not answer the 2 examples one by one"):
        metric().quick(examples_of("x."), predictions_of([2]))


def test_a_p_value_is_no_confidence() -> None:
    odd = AnomalyPrediction("e0", score=1.0, p_value=0.01, alarm=True)
    assert metric().trials(examples_of("x"), [odd]) == {}
