import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from shared import adapters
from shared.compose import compose_run
from shared.errors import BundleError, ConfigError, UserError
from shared.evaluate import infer, inspect, predict
from shared.examples import UNRELATED, AnomalyExample, AnomalyPrediction, Part, Reasons
from shared.model import Model, create_model
from tests.shared.training import losses_of

OVERRIDES = ["head.window_tokens=16", "head.overlap_tokens=4", "head.false_alarms=0.05"]
WEIGHTS = "{neighbours:1,mahalanobis:0.5,surface:1,likeness:0.5,probe:0.5,logit:0.5}"  # every part counts
LONG = "the pump of hall nine runs warm and loud again " * 4


def normal(number: int) -> AnomalyExample:
    return AnomalyExample(f"n{number}", (f"pump {number} of hall {number % 7} is ok",), False, "", "pump")


def odd(number: int) -> AnomalyExample:
    return AnomalyExample(f"o{number}", (f"FIRE in hall {number}!!! call {number}00",), True, "fire", "fire")


TRAINING = [*map(normal, range(30)), odd(1), odd(2)]
HELD_OUT = [normal(number) for number in range(40, 65)]
NEW = [
    normal(70),
    odd(7),
    AnomalyExample("long", (LONG,)),
    AnomalyExample("window", ("pump 3 of hall 3 is ok", "gas leak near the door", "pump 5 of hall 5 is ok")),
    normal(71),
    AnomalyExample("empty", ("",)),
    replace(HELD_OUT[0], id="as held out"),
]


def new_model(*overrides: str) -> Model:
    config = compose_run("anomaly", [*OVERRIDES, *overrides])
    return create_model(config.model, config.head, config.lora, types=config.data.types(), seed=1)


def changed(model: Model) -> Model:
    """The model with every trainable weight away from its start, so that a lost one is seen."""
    torch.manual_seed(7)
    with torch.no_grad():
        for weight in model.trained_state().values():
            weight.add_(0.02 * torch.randn_like(weight))
    return model.eval()


def read(model: Model, examples: Sequence[AnomalyExample]) -> tuple[Any, ...]:
    features = model.head.encode(examples)
    return examples, features, infer(model, features, batch_tokens=512)


def learnt(model: Model) -> Model:
    """The model after it was shown the texts of training and of validation."""
    model.head.measure(*read(model, TRAINING))
    model.head.tune(*read(model, HELD_OUT))
    return model


def save(model: Model, folder: Path, *overrides: str) -> Path:
    config = compose_run("anomaly", [*OVERRIDES, *overrides])
    origin = adapters.Origin("anomaly", config.resolved["head"], "sample", "none")
    adapters.save_bundle(model, folder, origin=origin, lora=config.lora)
    return folder


def rows(*numbers: tuple[float, ...]) -> list[np.ndarray]:
    """Logits and embeddings of windows."""
    return [np.array(row, dtype=np.float32) for row in numbers]


@pytest.fixture(scope="module")
def model() -> Model:
    return new_model()


@pytest.fixture(scope="module")
def taught() -> Model:
    return learnt(changed(new_model(f"head.weights={WEIGHTS}")))


def test_windows_cover_long_texts_and_every_text_of_an_example(model: Model) -> None:
    """Of 16 tokens, each shares 4 with the one before: 40 tokens need windows at 0, 12 and 24."""
    examples = [
        AnomalyExample("a", ("pump " * 40,)),
        AnomalyExample("b", ("", "pump", "hall " * 17)),
    ]
    windows = model.head.encode(examples)
    assert [(w.example, w.place, w.num_tokens) for w in windows] == [
        (0, 0, 18),
        (0, 0, 18),
        (0, 0, 18),
        (1, 0, 2),
        (1, 1, 3),
        (1, 2, 18),
        (1, 2, 7),
    ]


def test_a_batch_has_padded_tokens_their_mask_targets_and_weights(model: Model) -> None:
    examples = [AnomalyExample("a", ("pump",), True), AnomalyExample("b", ("pump hall",))]
    batch = model.head.collate(model.head.encode(examples))
    assert batch["mask"].tolist() == [[1, 1, 1, 0], [1, 1, 1, 1]]
    assert batch["tokens"][0].tolist() == [*model.head.encode(examples)[0].tokens, 0]
    assert [str(target) for target in batch["targets"].tolist()] == ["1.0", "nan"]
    assert batch["weights"].tolist() == [1.0, 1.0]


def labelled(group: str, anomalous: bool | None) -> AnomalyExample:
    return AnomalyExample("x", (f"a text of {group}",), anomalous, group=group)


def test_groups_weigh_alike_and_normal_texts_as_much_as_known_anomalies() -> None:
    """Where each text is an anomaly with 3/4.

    The five weigh 2.5 for each side; the normal half is shared by two groups, one of them of three texts.
    (2.5 ln 4 + 2.5 ln 4/3) / 5, which is half of ln 16/3.
    """
    model = new_model().eval()
    with torch.no_grad():
        model.head.module.anomaly.bias.fill_(math.log(3))
    examples = [*[labelled("pump", False)] * 3, labelled("door", False), labelled("fire", True)]
    model.head.start(model.backbone, examples)
    batch = model.head.collate(model.head.encode(examples))
    assert batch["weights"].tolist() == pytest.approx([5 / 12, 5 / 12, 5 / 12, 1.25, 2.5])
    assert model(batch).loss.item() == pytest.approx(0.836988, abs=1e-5)


def test_unrelated_texts_weigh_as_much_as_either_side_and_nothing_is_odd_for_being_like_them() -> None:
    elsewhere = [AnomalyExample(f"e{place}", (f"book table {place}",), True, UNRELATED) for place in (1, 2)]
    model = new_model().eval()
    model.head.start(model.backbone, [*TRAINING, *elsewhere])
    weights = model.head.collate(model.head.encode([TRAINING[0], TRAINING[-1], *elsewhere]))["weights"]
    # 34 texts, a third of the weight to each sort: 30 of one group, 2 of one group, 2 groups of one
    assert weights.tolist() == pytest.approx([34 / 3 / 30, 34 / 3 / 2, 34 / 6, 34 / 6])

    model.head.measure(*read(model, [*TRAINING, *elsewhere]))
    with_them = model.head.module.arrays()
    model.head.measure(*read(model, TRAINING))
    for name, array in model.head.module.arrays().items():
        np.testing.assert_allclose(with_them[name], array, atol=1e-5)


def test_texts_that_nobody_has_labelled_do_not_count_in_the_loss() -> None:
    model = new_model().eval()
    with torch.no_grad():
        model.head.module.anomaly.bias.fill_(math.log(3))
    encoded = model.head.encode([labelled("fire", True), labelled("pump", None), labelled("door", None)])
    assert model(model.head.collate(encoded)).loss.item() == pytest.approx(0.287682, abs=1e-5)
    found = model(model.head.collate(encoded[1:])).loss
    found.backward()
    assert found.item() == 0.0
    assert not model.head.module.anomaly.bias.grad.any()


LOSSES = [
    0.876831,
    0.378356,
    0.335975,
    0.280007,
    2.42552,
    0.719723,
    0.212181,
    8.10387,
    7.90516,
    0.591235,
    0.165492,
    0.16339,
    0.500884,
    0.141552,
    2.56998,
    0.151006,
    0.413246,
    0.124514,
    1.80083,
    7.06672,
]


def losses(folder: Path) -> list[float]:
    """Of twenty steps on texts of unlike length, some of them windows."""
    overrides = ["lora=r16", "train=quick", "train.learning_rate=2e-4", "train.head_learning_rate=1e-3"]
    overrides += ["train.batch_tokens=60", "train.max_steps=20", "train.keep=last"]
    config = compose_run("anomaly", [*OVERRIDES, *overrides])
    model = create_model(config.model, config.head, config.lora, types=config.data.types(), seed=1)
    texts = [replace(e, texts=(e.text + " again" * (place % 5),)) for place, e in enumerate(TRAINING)]
    examples = [*texts, AnomalyExample("w", (texts[0].text, LONG, "smoke"), True)]
    model.head.start(model.backbone, examples)
    return losses_of(model, examples, folder, config=config.train)


def test_twenty_steps_give_the_losses_they_always_gave_and_twice_the_same(tmp_path: Path) -> None:
    found = losses(tmp_path / "a")
    assert found == losses(tmp_path / "b")
    assert found == pytest.approx(LOSSES, rel=1e-3, abs=1e-5)


def test_before_normal_texts_are_measured_the_trained_output_alone_is_the_score(model: Model) -> None:
    """The windows of a text are averaged, and an example is as odd as its oddest text."""
    examples = [AnomalyExample("a", ("pump " * 20,)), AnomalyExample("b", ("pump", "hall"))]
    features = model.head.encode(examples)
    logits = rows((1.0, 1.0, 0.0), (2.0, 1.0, 0.0), (-4.0, 1.0, 0.0), (0.25, 0.0, 1.0))
    assert model.head.decode(examples, features, logits) == [
        AnomalyPrediction("a", 1.5),
        AnomalyPrediction("b", 0.25),
    ]


def test_while_training_nothing_is_tuned(model: Model) -> None:
    model.head.tune(*read(model, HELD_OUT[:1]))
    assert model.head.decoding == {}


# Two normal texts at right angles; a text's distance is 1 - the cosine to the nearer one.
PUMP, DOOR = ("pump 1 is ok", (0.0, 1.0, 0.0)), ("door 1 is shut", (0.0, 0.0, 1.0))
HALF = ["head.weights={neighbours:1,mahalanobis:0,surface:0,likeness:0,logit:0.5}", "head.false_alarms=0.25"]


def at(*texts: tuple[str, tuple[float, ...]]) -> tuple[list[AnomalyExample], list[np.ndarray]]:
    examples = [AnomalyExample(str(place), (text,), False) for place, (text, _) in enumerate(texts)]
    return examples, rows(*(row for _, row in texts))


def told(model: Model) -> Model:
    """The model whose held-out texts lie at distances of 0, 0.2 and 0.4."""
    for tell, (examples, logits) in (
        (model.head.measure, at(PUMP, DOOR)),
        (
            model.head.tune,
            at(("a", (0.0, 1.0, 0.0)), ("b", (0.0, 0.8, 0.6)), ("c", (0.0, 0.6, -0.8))),
        ),
    ):
        tell(examples, model.head.encode(examples), logits)
    return model


def test_weights_lack_none_but_the_probe() -> None:
    settings = new_model(*HALF).head.settings
    assert replace(settings, weights={n: w for n, w in settings.weights.items() if n != "probe"})
    with pytest.raises(ConfigError, match="needed: neighbours"):
        replace(settings, weights={n: w for n, w in settings.weights.items() if n != "surface"})


def test_a_probe_is_fitted_where_it_is_weighed_alone() -> None:
    for weight, size in (("0", 0), ("1", 384 + 7 + 1)):
        model = new_model(*HALF, f"head.weights.probe={weight}")
        model.head.measure(*read(model, TRAINING))
        assert model.head.module.arrays()["probe"].shape == (size,)


def test_weights_of_before_the_probe_score_as_they_did() -> None:
    newer, older = new_model(*HALF), new_model(*HALF)
    weights = {name: weight for name, weight in newer.head.settings.weights.items() if name != "probe"}
    older.head.decoder.settings = replace(newer.head.settings, weights=weights)
    examples, logits = at(("pump 2 in FLAMES", (0.0, 0.28, -0.96)), ("pump 3 is ok", (4.0, 0.8, 0.6)))
    one, other = (
        model.head.decode(examples, model.head.encode(examples), logits)
        for model in (told(newer), told(older))
    )
    assert one == other


def test_p_values_and_alarms_are_as_computed_by_hand() -> None:
    """Held-out distances have mean 0.2 and standard deviation 0.163299; logits without any have scale 0.01.

    The five score 3.184340, 0.0 as one held out, 1.224745 as the highest of them, -1.224745 as the lowest,
    and 0.0 + 4 / 0.01 / 2 from its logit.
    """
    model = told(new_model(*HALF))
    examples, logits = at(
        ("pump 2 in FLAMES", (0.0, 0.28, -0.96)),
        ("b again", (0.0, 0.8, -0.6)),
        ("c again", (0.0, -0.8, 0.6)),
        ("a again", (0.0, 0.0, 1.0)),
        ("pump 3 is ok", (4.0, 0.8, 0.6)),
    )
    found = model.head.decode(examples, model.head.encode(examples), logits)
    assert [prediction.id for prediction in found] == ["0", "1", "2", "3", "4"]
    assert [prediction.score for prediction in found] == pytest.approx(
        [3.184340, 0.0, 1.224745, -1.224745, 200.0], abs=1e-5
    )
    assert [prediction.p_value for prediction in found] == [0.25, 0.75, 0.5, 1.0, 0.25]
    assert [prediction.alarm for prediction in found] == [True, False, False, False, True]
    assert [prediction.reasons is not None for prediction in found] == [True, False, False, False, True]


def test_an_alarm_says_its_nearest_normal_texts_its_template_and_what_was_never_seen() -> None:
    model = told(new_model(*HALF))
    examples, logits = at(("pump 2 in FLAMES, in", (0.0, 0.28, -0.96)), ("pump 3 is ok", (4.0, 0.8, 0.6)))
    first, second = model.head.decode(examples, model.head.encode(examples), logits)
    assert first.reasons == Reasons(
        nearest=(("pump 1 is ok", pytest.approx(0.28)), ("door 1 is shut", pytest.approx(-0.96))),
        template="pump <*> in FLAMES, in",
        template_seen=False,
        unseen_words=("2", "in", "flames"),
    )
    assert (second.reasons.template, second.reasons.template_seen) == ("pump <*> is ok", True)
    assert second.reasons.unseen_words == ("3",)


def test_a_window_is_as_odd_as_its_oddest_text_which_its_reasons_are_of() -> None:
    model = told(new_model(*HALF))
    window = AnomalyExample("w", ("pump 4 is ok", "smoke", "door 2 is shut"))
    logits = rows((0.0, 1.0, 0.0), (0.0, 0.28, -0.96), (0.0, 0.0, 1.0))
    (found,) = model.head.decode([window], model.head.encode([window]), logits)
    assert found.score == pytest.approx(3.184340, abs=1e-5)
    assert (found.reasons.template, found.reasons.unseen_words) == ("smoke", ("smoke",))
    assert found.reasons.nearest[0] == ("pump 1 is ok", pytest.approx(0.28))


def test_too_few_held_out_texts_for_the_promised_rate_are_a_user_error() -> None:
    model = new_model("head.false_alarms=0.05")
    model.head.measure(*read(model, TRAINING))
    mixed = [*HELD_OUT[:18], odd(8), odd(9)]  # anomalies are not held out
    with pytest.raises(UserError, match=r"head\.false_alarms=0\.05 needs 19 normal texts in .* there are 18"):
        model.head.tune(*read(model, mixed))
    model.head.tune(*read(model, HELD_OUT[:19]))


def test_without_a_normal_text_there_is_nothing_to_measure(model: Model) -> None:
    with pytest.raises(UserError, match="train has no normal text"):
        model.head.measure(*read(model, [odd(1), odd(2)]))


def test_of_repeated_texts_every_held_out_one_counts_and_of_anomalies_none() -> None:
    model = new_model("head.false_alarms=0.2")
    model.head.measure(*read(model, TRAINING))
    model.head.tune(*read(model, [*HELD_OUT[:2], *HELD_OUT[:2], odd(8)]))
    assert len(model.head.module.held_out) == 4


def figures(predictions: Sequence[AnomalyPrediction]) -> np.ndarray:
    return np.array([(prediction.score, prediction.p_value) for prediction in predictions])


def test_alarms_and_p_values_do_not_depend_on_the_other_texts_of_a_batch(taught: Model) -> None:
    """Also those of texts that equal a held-out one: rounding must not put one above itself."""
    examples = [*NEW, *(replace(example, id=f"{example.id} again") for example in HELD_OUT)]
    together = predict(taught, examples, batch_tokens=4096)
    backwards = predict(taught, examples[::-1], batch_tokens=100)[::-1]
    alone = [predict(taught, [example], batch_tokens=16)[0] for example in examples]
    assert [prediction.alarm for prediction in together[:7]] == [False, True, True, True, False, True, False]
    for others in (backwards, alone):
        assert [other.key for other in others] == [prediction.key for prediction in together]
        assert [other.p_value for other in others] == [prediction.p_value for prediction in together]
        np.testing.assert_allclose(figures(others), figures(together), atol=1e-4, rtol=1e-4)


def test_an_empty_text_is_read(taught: Model) -> None:
    (found,) = predict(taught, [AnomalyExample("e", ("",))], batch_tokens=64)
    assert found.alarm and np.isfinite(found.score)
    assert (found.reasons.template, found.reasons.unseen_words) == ("", ())


@pytest.mark.parametrize("lora", ["lora=head", "lora=r16"])
def test_a_bundle_gives_the_same_predictions_with_their_reasons(tmp_path: Path, lora: str) -> None:
    overrides = [lora, f"head.weights={WEIGHTS}"]
    model = learnt(changed(new_model(*overrides)))
    folder = save(model, tmp_path / "bundle", *overrides)
    expected = inspect(model, model.head.inspector, NEW, batch_tokens=512)
    assert sum(prediction.reasons is not None for prediction in expected) >= 3
    loaded = adapters.load_bundle(folder, merge=False)
    assert inspect(loaded, loaded.head.inspector, NEW, batch_tokens=512) == expected
    whole = adapters.load_bundle(folder)
    merged = inspect(whole, whole.head.inspector, NEW, batch_tokens=512)
    assert [prediction.p_value for prediction in merged] == [prediction.p_value for prediction in expected]
    np.testing.assert_allclose(figures(merged), figures(expected), atol=1e-4, rtol=1e-4)
    for one, other in zip(merged, expected, strict=True):
        assert other.reasons is None or [text for text, _ in one.reasons.nearest] == [
            text for text, _ in other.reasons.nearest
        ]


def test_a_loaded_bundle_that_is_tuned_anew_knows_the_normal_texts(tmp_path: Path) -> None:
    model = learnt(changed(new_model()))
    loaded = adapters.load_bundle(save(model, tmp_path / "bundle"), merge=False)
    loaded.head.tune(*read(loaded, HELD_OUT))
    assert loaded.head.decoding == model.head.decoding
    expected = [prediction.p_value for prediction in predict(model, NEW, batch_tokens=512)]
    assert [prediction.p_value for prediction in predict(loaded, NEW, batch_tokens=512)] == expected


def test_something_else_than_anomalies_is_refused(model: Model) -> None:
    model.head.ask({"anomaly": "anomaly"})
    with pytest.raises(BundleError, match="tells anomalies from normal texts, asked for: PER"):
        model.head.ask({"PER": "person"})


def test_a_row_has_score_p_value_and_promise_and_an_alarms_reasons_with_their_texts(model: Model) -> None:
    example = AnomalyExample("7", ("pump ok", "smoke"))
    quiet = {
        "id": "7",
        "score": 0.5,
        "p_value": 0.25,
        "alarm": False,
        "promised": 0.05,
        "held_out": 0,
    }
    assert model.head.row(example, AnomalyPrediction("7", 0.5, 0.25)) == quiet
    reasons = Reasons((Part(8, 13, 1.5),), (("pump fine", 0.75),), "smoke", False, ("smoke",))
    assert model.head.row(example, AnomalyPrediction("7", 0.5, 0.25, True, reasons)) == {
        **quiet,
        "alarm": True,
        "text": "pump ok\nsmoke",
        "template": "smoke",
        "template_seen": False,
        "unseen_words": ["smoke"],
        "parts": [{"text": "smoke", "start": 8, "end": 13, "rise": 1.5}],
        "nearest": [{"text": "pump fine", "similarity": 0.75}],
    }


def test_the_head_says_what_an_alarm_promises(model: Model) -> None:
    assert model.head.finds() == "texts unlike the normal ones, with at most 5.0% false alarms"


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("head.false_alarms=0", "head.false_alarms=0.0; allowed: above 0, below 1"),
        ("head.false_alarms=1", "head.false_alarms=1.0; allowed: above 0, below 1"),
        ("head.overlap_tokens=16", "head.overlap_tokens=16; allowed: 0 up to head.window_tokens=16"),
        ("+head.weights.length=1", "head.weights names .*length.*; needed: neighbours, mahalanobis"),
    ],
)
def test_settings_that_cannot_work_are_named(override: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        compose_run("anomaly", [*OVERRIDES, override])
