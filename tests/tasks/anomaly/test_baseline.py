import math
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from shared.compose import compose_run
from shared.contracts import Baseline
from shared.errors import ConfigError, UserError
from shared.examples import AnomalyExample, AnomalyPrediction
from shared.training_config import ModelConfig
from shared.typed_config import build
from tasks.anomaly.baseline import (
    Detector,
    FrozenLogistic,
    NeverSeenTemplate,
    Pyod,
    RareWords,
    TextLength,
    TfidfIsolationForest,
    TfidfOneClassSvm,
)

CONF = Path(__file__).resolve().parents[3] / "conf" / "anomaly" / "baseline"
RATE = 0.2  # of false alarms: four held-out texts are enough for it

TOWNS = ("Orlen", "Marsk", "Tavel", "Brede", "Quint", "Hask")
NORMAL = (
    *(f"parcel {44 * number + 7} left the depot at {town}" for number, town in enumerate(TOWNS)),
    *(f"courier {name} signed for parcel 71" for name in ("Ines", "Bram", "Odile", "Aart", "Nuria", "Joos")),
    *(f"van {number} returned to the depot with {number + 3} parcels" for number in range(2, 8)),
    *(f"the depot at {town} opened on time" for town in TOWNS),
)
HELD_OUT = (
    "parcel 33 left the depot at Sorby",
    "courier Femke signed for parcel 640",
    "van 5 returned to the depot with 17 parcels",
    "the depot at Sorby opened on time",
)
KNOWN = ("smoke alarm in hall two, fire brigade called", "a fire broke out beside the charging racks")
SEEN = "parcel 77 left the depot at Lund"
ODD = "flames and smoke were reported in the loading bay, everyone was evacuated"


@dataclass(frozen=True)
class Given:
    """Data made by hand: texts, or windows of them, for each split."""

    train: Sequence[AnomalyExample]
    validation: Sequence[AnomalyExample]
    name: str = "given"
    licence: str = "none"

    def types(self) -> Mapping[str, str]:
        return {"anomaly": "anomaly"}

    def load(self, split: str) -> list[AnomalyExample]:
        return list({"train": self.train, "validation": self.validation}[split])

    def files(self, split: str) -> list[Path]:
        return []

    def report(self) -> str:
        return ""


def examples(*texts: str | tuple[str, ...], anomalous: bool | None = False) -> list[AnomalyExample]:
    """Return an example for each text, and for each window of texts."""
    return [
        AnomalyExample(str(number), (text,) if isinstance(text, str) else text, anomalous)
        for number, text in enumerate(texts)
    ]


def depot(*known: str) -> Given:
    """Return the depot's normal texts, with these known anomalies."""
    validation = [*examples(*HELD_OUT), *examples(*KNOWN, anomalous=True)]
    return Given([*examples(*NORMAL), *examples(*known, anomalous=True)], validation)


def answers(
    baseline: Baseline, *texts: str | tuple[str, ...], data: Given | None = None
) -> list[AnomalyPrediction]:
    found = baseline.answer(data or depot(), examples(*texts, anomalous=None))
    return list(found.predictions)


def scores(baseline: Baseline, *texts: str | tuple[str, ...], data: Given | None = None) -> list[float]:
    return [prediction.score for prediction in answers(baseline, *texts, data=data)]


@pytest.fixture(scope="module")
def model() -> ModelConfig:
    return compose_run("ner", []).model


def test_a_template_is_odd_if_no_normal_text_of_train_has_it() -> None:
    baseline = NeverSeenTemplate("never seen", RATE)
    assert scores(baseline, SEEN, ODD, "the depot at Lund opened on time") == [0.0, 1.0, 0.0]


def test_templates_of_known_anomalies_stay_odd() -> None:
    assert scores(NeverSeenTemplate("never seen", RATE), KNOWN[0], data=depot(*KNOWN)) == [1.0]


def test_lengths_are_compared_in_standard_deviations_of_their_logs() -> None:
    """Of 2, 2, 8 and 8 letters the logs are 1 and 3 in units of log 2: the mean is 2, the deviation 1."""
    data = Given(examples("ab", "cd", "abcdefgh", "ijklmnop"), examples("abcd", "abc", "abcdef", "a"))
    found = scores(TextLength("length", RATE), "abcd", "a", "a" * 32, data=data)
    assert found == pytest.approx([0.0, 2.0, 3.0])


def test_where_all_texts_are_as_long_another_length_is_odd() -> None:
    data = Given(examples("ab", "cd"), examples("ef", "gh", "ij", "kl"))
    assert scores(TextLength("length", RATE), "mn", "abcd", data=data) == pytest.approx([0.0, math.log(2)])


def test_rare_words_are_a_mean_of_surprises() -> None:
    """Train has on 2, off 1, ! 1: with one added to each and to a new word, 3, 2, 2 and 1 of 8."""
    data = Given(examples("On off", "on!"), examples("on", "on", "off", "off"))
    found = scores(RareWords("rare", RATE), "ON", "off on", "new", "  ", data=data)
    expected = [math.log(8 / 3), (math.log(4) + math.log(8 / 3)) / 2, math.log(8), math.log(8)]
    assert found == pytest.approx(expected)


def test_p_values_count_the_held_out_normal_texts_that_are_at_least_as_odd() -> None:
    """Held-out scores 0, 1, 1, 2, 3 by length; the anomaly of validation, at 5, does not count."""
    data = Given(
        examples("ab", "cd", "abcdefgh", "ijklmnop"),
        [*examples("a" * 4, "a" * 2, "a" * 8, "a" * 16, "a" * 32), *examples("a" * 128, anomalous=True)],
    )
    found = answers(TextLength("length", RATE), "b" * 64, "b" * 16, "b" * 4, data=data)
    assert [prediction.p_value for prediction in found] == pytest.approx([1 / 6, 3 / 6, 6 / 6])
    assert [prediction.alarm for prediction in found] == [True, False, False]


def test_a_window_is_as_odd_as_its_oddest_text() -> None:
    data = Given(examples(("ab", "cd"), ("abcdefgh", "ijklmnop")), examples(*[("abcd", "ab")] * 4))
    assert scores(TextLength("length", RATE), ("abcd", "a" * 32, "a"), data=data) == pytest.approx([3.0])


def test_too_few_held_out_texts_for_the_rate_are_refused() -> None:
    with pytest.raises(UserError, match=r"rate=0\.1 needs 9 normal texts in validation, there are 4"):
        answers(TextLength("length", 0.1), SEEN)


@pytest.mark.parametrize("rate", [-0.01, 0.0, 1.0])
def test_a_rate_lies_between_none_and_all(rate: float) -> None:
    with pytest.raises(UserError, match=f"rate={rate} is no rate of false alarms"):
        answers(TextLength("length", rate), SEEN)


def test_train_without_a_normal_text_is_refused() -> None:
    data = Given(examples(*KNOWN, anomalous=True), examples(*HELD_OUT))
    with pytest.raises(UserError, match="given has no normal text in train"):
        answers(RareWords("rare", RATE), SEEN, data=data)


def test_texts_that_nobody_has_labelled_are_taken_as_normal() -> None:
    data = Given(examples(*NORMAL, anomalous=None), examples(*HELD_OUT, anomalous=None))
    assert scores(NeverSeenTemplate("never seen", RATE), SEEN, ODD, data=data) == [0.0, 1.0]


@pytest.mark.parametrize(
    "baseline",
    [
        TextLength("length", RATE),
        RareWords("rare", RATE),
        TfidfOneClassSvm("machine", RATE, nu=0.1),
    ],
    ids=lambda baseline: baseline.name,
)
def test_a_text_unlike_all_others_raises_an_alarm_and_known_anomalies_change_nothing(
    baseline: Baseline,
) -> None:
    usual, odd = answers(baseline, HELD_OUT[0], ODD)
    assert odd.score > usual.score
    assert odd.alarm and not usual.alarm
    assert answers(baseline, HELD_OUT[0], ODD, data=depot(*KNOWN)) == [usual, odd]


def test_the_forest_isolates_what_is_rare_in_train_but_cannot_see_words_that_train_does_not_have() -> None:
    data = Given(examples(*["van parked", "van parked outside"] * 10, "bicycle stolen"), examples(*HELD_OUT))
    baseline = TfidfIsolationForest("forest", RATE, dimensions=50, seed=1)
    usual, rare, unseen = scores(baseline, "van parked", "bicycle stolen", "van exploded", data=data)
    assert usual < rare
    assert unseen == scores(baseline, "van", data=data)[0]


@pytest.mark.parametrize("detector", Detector)
def test_the_detectors_of_pyod_find_a_text_about_something_else(
    detector: Detector, model: ModelConfig
) -> None:
    baseline = Pyod("pyod", RATE, detector, model, seed=1)
    usual, odd, again = answers(baseline, HELD_OUT[0], ODD, HELD_OUT[0])
    assert odd.score > usual.score == again.score
    assert odd.alarm and not usual.alarm
    assert [prediction.id for prediction in (usual, odd, again)] == ["0", "1", "2"]


def test_the_nearest_neighbour_score_is_the_distance_to_the_fifth(model: ModelConfig) -> None:
    """A text that train has five times is at distance 0 from all of them."""
    data = Given(examples(*[SEEN] * 5, *NORMAL), examples(*HELD_OUT))
    seen, other = scores(Pyod("kNN", RATE, Detector.KNN, model, seed=1), SEEN, HELD_OUT[0], data=data)
    assert seen == pytest.approx(0.0, abs=1e-3)
    assert other > 0.1


def test_logistic_regression_learns_what_the_known_anomalies_are_about(model: ModelConfig) -> None:
    baseline = FrozenLogistic("logistic", RATE, c=10.0, model=model)
    new, usual, odd = answers(baseline, "the ice cream van is hiring a driver", SEEN, ODD, data=depot(*KNOWN))
    assert odd.score > 0 > usual.score
    assert odd.score > new.score
    assert odd.alarm


def test_logistic_regression_without_a_known_anomaly_is_refused(model: ModelConfig) -> None:
    with pytest.raises(UserError, match=r"given gives no known anomaly .* set data\.known"):
        answers(FrozenLogistic("logistic", RATE, c=10.0, model=model), SEEN)


def settings(path: Path) -> Baseline:
    """Return the baseline of a YAML, as a run with seed 1 has it."""
    model = OmegaConf.load(CONF.parents[1] / "model" / "minilm.yaml")
    run = OmegaConf.create({"seed": 1, "model": model, "baseline": OmegaConf.load(path)})
    baseline: Baseline = build(run.baseline, path="baseline")
    return baseline


def test_every_row_has_a_name_of_its_own_and_says_its_command() -> None:
    paths = sorted(CONF.glob("*.yaml"))
    assert {settings(path).name for path in paths} == {
        "never-seen template",
        "text length",
        "rare words",
        "TF-IDF + isolation forest",
        "TF-IDF + one-class SVM",
        "frozen MiniLM + ECOD",
        "frozen MiniLM + kNN",
        "frozen MiniLM + LOF",
        "frozen MiniLM + isolation forest",
        "frozen MiniLM + logistic regression",
    }
    for path in paths:
        assert f"python -m tasks.anomaly evaluate baseline={path.stem}" in path.read_text(encoding="utf-8")


def test_an_unknown_detector_is_refused() -> None:
    node = OmegaConf.create({"_target_": "tasks.anomaly.baseline.Pyod", "detector": "HBOS"})
    with pytest.raises(ConfigError, match=r"baseline\.detector='HBOS'.*allowed"):
        build(node, path="baseline")


def test_settings_are_read_without_a_heavy_library() -> None:
    code = (
        "import sys, tasks.anomaly.baseline; print({'numpy', 'sklearn', 'pyod', 'drain3'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
