import random
from collections.abc import Sequence

import pytest

from shared.compose import compose_run
from shared.evaluate import infer, inspect
from shared.examples import AnomalyExample, AnomalyPrediction, Part, Reasons
from shared.model import Model, create_model
from shared.occlusion import Occlusion

OCCLUSION = Occlusion(max_parts=24, blank="[UNK]")


def alarm(id: str, score: float) -> AnomalyPrediction:
    return AnomalyPrediction(id, score, 0.01, True, Reasons(template="t"))


def probed(occlusion: Occlusion, *texts: str) -> list[tuple[str, ...]]:
    """The texts of the probes of an alarm for these texts."""
    return [probe.texts for probe in occlusion.probes([AnomalyExample("a", texts)], [alarm("a", 1.0)])]


def named(*scores: float, texts: tuple[str, ...]) -> list[str]:
    """The parts named when the probes have these scores."""
    example = AnomalyExample("a", texts)
    answers = [AnomalyPrediction(str(place), score) for place, score in enumerate(scores)]
    (found,) = OCCLUSION.explain([example], [alarm("a", 1.0)], answers)
    assert found.reasons is not None
    return [example.text[part.start : part.end] for part in found.reasons.parts]


def test_each_probe_leaves_out_exactly_one_word_of_a_text() -> None:
    assert probed(OCCLUSION, " fan  of\track\nstopped ") == [
        (" [UNK]  of\track\nstopped ",),
        (" fan  [UNK]\track\nstopped ",),
        (" fan  of\t[UNK]\nstopped ",),
        (" fan  of\track\n[UNK] ",),
    ]


def test_each_probe_leaves_out_exactly_one_text_of_a_window() -> None:
    assert probed(OCCLUSION, "fan ok", "", "door\nopen") == [
        ("", "door\nopen"),
        ("fan ok", "door\nopen"),
        ("fan ok", ""),
    ]


def test_equal_texts_of_a_window_are_left_out_together() -> None:
    """Without one of two that are equally odd the score would stay, and neither be named."""
    assert probed(OCCLUSION, "ok", "smoke", "ok", "smoke") == [("smoke", "smoke"), ("ok", "ok")]
    assert named(1.0, 0.2, texts=("ok", "smoke", "ok", "smoke")) == ["smoke"]
    assert probed(OCCLUSION, "smoke", "smoke") == [("",)]  # a window has at least one text


def test_a_text_of_one_word_or_none_has_no_part_beside_another() -> None:
    assert probed(OCCLUSION, "smoke") == [("[UNK]",)]
    assert named(0.5, texts=("smoke",)) == []
    assert probed(OCCLUSION, "") == probed(OCCLUSION, " \n") == []
    assert named(texts=("",)) == []


@pytest.mark.parametrize(
    ("most", "parts"), [(5, ["a", "b", "c", "d", "e"]), (3, ["a b", "c d", "e"]), (1, ["a b c d e"])]
)
def test_a_long_text_has_runs_of_words_as_parts(most: int, parts: list[str]) -> None:
    text = "a b c d e"
    assert probed(Occlusion(most, blank="*"), text) == [(text.replace(part, "*"),) for part in parts]


def test_the_three_largest_rises_are_named_the_largest_first() -> None:
    """The median part leaves 1.25, so that every word left out raises the score of 1, and yet `e` least."""
    scores = (1.125, 1.0625, 2.0, 1.25, 1.03125, 1.3, 1.1875, 1.4, 1.5)
    assert named(*scores, texts=("a b c d e f g h i",)) == ["e", "b", "a"]


def test_a_rise_is_measured_from_the_median_part() -> None:
    """Probes of 0.25, 1.0 and 0.75: the first lies 0.5 below the median, the last at it."""
    example, answers = AnomalyExample("a", ("a b c",)), [AnomalyPrediction("x", s) for s in (0.25, 1.0, 0.75)]
    (found,) = OCCLUSION.explain([example], [alarm("a", 1.0)], answers)
    assert found == AnomalyPrediction("a", 1.0, 0.01, True, Reasons((Part(0, 1, 0.5),), template="t"))


def test_what_padding_does_to_a_score_is_no_rise() -> None:
    assert named(2.00001, 0.5, 1.99998, 2.0, texts=("ok", "smoke", "fine", "well")) == ["smoke"]


def test_of_equal_rises_the_first_part_comes_first() -> None:
    assert named(1.0, 0.5, 1.0, 0.5, 1.0, texts=("a b c d e",)) == ["b", "d"]


def test_without_an_alarm_nothing_is_probed_and_nothing_changes() -> None:
    examples = [AnomalyExample("a", ("ok",)), AnomalyExample("b", ("smoke", "ok", "fine"))]
    predictions = [AnomalyPrediction("a", 0.1, 0.5), alarm("b", 2.0)]
    assert OCCLUSION.probes(examples[:1], predictions[:1]) == []
    assert [probe.texts for probe in OCCLUSION.probes(examples, predictions)] == [
        ("ok", "fine"),
        ("smoke", "fine"),
        ("smoke", "ok"),
    ]
    quiet, loud = OCCLUSION.explain(examples, predictions, [alarm("p", s) for s in (0.5, 2.0, 2.0)])
    assert quiet == predictions[0]
    assert loud.reasons == Reasons((Part(0, 5, 1.5),), template="t")


def test_texts_are_the_same_whatever_their_ids_and_labels() -> None:
    one, other = AnomalyExample("a", ("x", "y"), True), AnomalyExample("b", ("x", "y"), False)
    assert OCCLUSION.key(one) == OCCLUSION.key(other) != OCCLUSION.key(AnomalyExample("a", ("x\ny",)))


HOSTS, STATES = ("harbor-01", "harbor-02", "harbor-03", "harbor-04"), ("started", "finished", "queued")


def log_line(generator: random.Random) -> str:
    """An invented normal line of one of two formats."""
    host, state, job = generator.choice(HOSTS), generator.choice(STATES), generator.randint(1000, 9999)
    if generator.random() < 0.5:
        return f"scheduler: job {job} {state} on host {host} by user batch in {job % 90} seconds"
    return f"storage: volume {job % 60} of host {host} is healthy, {job % 500} files, {job % 97} % full"


@pytest.fixture(scope="module")
def watch() -> Model:
    """MiniLM as it is, shown 120 normal lines and 60 held-out ones."""
    config = compose_run("anomaly", ["head.false_alarms=0.05"])
    model = create_model(config.model, config.head, config.lora, types=config.data.types(), seed=1)
    generator = random.Random(0)
    lines = [AnomalyExample(str(place), (log_line(generator),), False) for place in range(180)]
    for tell, examples in ((model.head.measure, lines[:120]), (model.head.tune, lines[120:])):
        features = model.head.encode(examples)
        tell(examples, features, infer(model, features, batch_tokens=4096))
    return model


def reasons_for(model: Model, texts: Sequence[str]) -> Reasons:
    (found,) = inspect(model, model.head.inspector, [AnomalyExample("x", tuple(texts))], batch_tokens=4096)
    assert found.alarm and found.reasons is not None
    return found.reasons


JOB = "scheduler: job 4711 finished on host harbor-02 by user batch in 31 seconds"
VOLUME = "storage: volume 12 of host harbor-03 is healthy, 207 files, 41 % full"


@pytest.mark.parametrize(
    ("line", "field", "planted"),
    [
        (JOB, "finished", "crashed"),
        (JOB, "harbor-02", "kitchen-pc"),
        (JOB, "batch", "intruder"),
        (VOLUME, "healthy,", "burning,"),
        (VOLUME, "harbor-03", "xk2.evil.example"),
        (VOLUME, "volume", "wallet"),
    ],
)
def test_a_field_planted_in_a_normal_line_is_among_the_three_parts_named(
    watch: Model, line: str, field: str, planted: str
) -> None:
    (as_it_was,) = inspect(watch, watch.head.inspector, [AnomalyExample("x", (line,))], batch_tokens=4096)
    assert not as_it_was.alarm
    changed = line.replace(field, planted)
    reasons = reasons_for(watch, [changed])
    assert planted in [changed[part.start : part.end] for part in reasons.parts]
    assert len(reasons.parts) <= 3
    assert planted.strip(",").split(".")[0].split("-")[0] in reasons.unseen_words


def test_a_line_planted_in_a_window_is_the_part_named(watch: Model) -> None:
    texts = (JOB, "storage: volume 12 of host harbor-03 is burning, 207 files, 41 % full", VOLUME)
    reasons = reasons_for(watch, texts)
    text = "\n".join(texts)
    assert [text[part.start : part.end] for part in reasons.parts] == [texts[1]]
