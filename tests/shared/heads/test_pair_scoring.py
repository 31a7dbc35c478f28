import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from shared import adapters
from shared.compose import compose_run
from shared.errors import BundleError, ConfigError, UserError
from shared.evaluate import coverage, predict
from shared.model import Model, create_model
from shared.passages import Passage, RankingExample
from tests.shared.short_base import SHORT_ENCODER
from tests.shared.training import losses_of

OVERRIDES = ["head=pair_scoring", "head.window_tokens=12", "head.overlap_tokens=4", "train.epochs=1"]
LONG = Passage("long", "The harbour is closed on Sundays. " * 3 + "Parcels travel by rail to the depot.")
PASSAGES = (
    Passage("rent", "The lease of the warehouse ends in March."),
    Passage("leave", "Staff get thirty days of paid holiday a year."),
    LONG,
)
HOLIDAY = RankingExample(
    "h", "how many days of holiday do staff have", PASSAGES, (3.0, 2.0, 1.0), {"leave": 1}
)
TRAIN = RankingExample("t", "how do parcels travel", PASSAGES, (3.0, 2.0, 1.0), {"long": 1})


def new_model(*overrides: str) -> Model:
    config = compose_run("reranking", [*OVERRIDES, *overrides])
    return create_model(config.model, config.head, config.lora, types=config.data.types(), seed=1)


@pytest.fixture(scope="module")
def model() -> Model:
    return new_model()


def save(model: Model, folder: Path) -> Path:
    config = compose_run("reranking", OVERRIDES)
    origin = adapters.Origin("reranking", config.resolved["head"], "sample", "none")
    adapters.save_bundle(model.eval(), folder, origin=origin, lora=config.lora)
    return folder


def test_a_pair_is_made_of_each_window_of_the_first_candidates(model: Model) -> None:
    pairs = model.head.encode([HOLIDAY])
    assert [(pair.place, pair.part) for pair in pairs] == [(0, 0), (1, 0), (2, 0), (2, 1), (2, 2), (2, 3)]
    assert {pair.query_length for pair in pairs} == {10}
    assert coverage([HOLIDAY], pairs).texts_beyond_window == 1
    assert [pair.place for pair in new_model("head.depth=2").head.encode([HOLIDAY])] == [0, 1]


def test_before_training_the_cosines_order_and_the_rest_keeps_its_place() -> None:
    answer = predict(new_model("head.depth=2"), [HOLIDAY], batch_tokens=512)[0]
    assert answer.ranked == ("leave", "rent", "long") and len(answer.scores) == 2


def test_a_long_passage_counts_by_its_best_window(model: Model) -> None:
    pairs = model.head.encode([HOLIDAY])
    logits = [np.float32(value) for value in (0.0, 1.0, -5.0, -4.0, 3.0, -9.0)]
    (found,) = model.head.candidates([HOLIDAY], pairs, logits)
    assert found.scores.tolist() == [0.0, 1.0, 3.0]
    assert model.head.decode([HOLIDAY], pairs, logits)[0].ranked == ("long", "leave", "rent")


def test_a_choice_has_the_relevant_candidates_and_the_others_to_tell_them_from() -> None:
    model = new_model("head.depth=1")
    lost = replace(TRAIN, id="lost", grades={"elsewhere": 1})
    training = [TRAIN, lost]
    model.head.start(model.backbone, training)
    (choice,) = model.head.encode(training)
    assert list(choice.positives) == [2] and list(choice.negatives) == [0]
    assert len(model.head.encode([TRAIN, lost])) == 2  # equal ones that validate: pairs, one candidate each


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ("listwise", math.log(1 + math.exp(-1) + math.exp(-2))),
        ("pairwise", (math.log(1 + math.exp(-1)) + math.log(1 + math.exp(-2))) / 2),
    ],
)
def test_the_loss_of_one_query_is_as_worked_out_by_hand(loss: str, expected: float) -> None:
    head = new_model(f"head.loss={loss}").head
    unknown = torch.full((3,), float("nan"))
    assert head.module.loss(torch.tensor([2.0, 1.0, 0.0]), unknown).item() == pytest.approx(expected)


def test_a_teachers_margins_pull_the_scores(tmp_path: Path) -> None:
    """Margins 1 and 2 against the teacher's 3 and 2: the mean of 4 and 0, times the weight."""
    teacher = save(new_model(), tmp_path / "teacher")
    model = new_model(f"head.teacher={teacher}", "head.teacher_weight=0.5")
    taught = torch.tensor([3.0, 0.0, 1.0])
    with_teacher = model.head.module.loss(torch.tensor([2.0, 1.0, 0.0]), taught).item()
    assert with_teacher - math.log(1 + math.exp(-1) + math.exp(-2)) == pytest.approx(1.0)
    training = [TRAIN]
    model.head.start(model.backbone, training)
    (choice,) = model.head.encode(training)
    assert set(choice.teacher) == {0, 1, 2} and choice.teacher[2] > choice.teacher[0]
    batch = model.head.collate([choice])
    assert np.isfinite(batch["taught"]).all() and len(batch["taught"]) == len(batch["queries"]) == 3
    with pytest.raises(UserError, match="is no folder"):
        lost = new_model("head.teacher=nowhere")
        lost.head.start(lost.backbone, [TRAIN])


def test_scores_do_not_depend_on_the_other_pairs_of_a_batch(model: Model) -> None:
    together = predict(model, [HOLIDAY, TRAIN], batch_tokens=2048)
    for example, expected in zip((HOLIDAY, TRAIN), together, strict=True):
        (alone,) = predict(model, [example], batch_tokens=32)
        assert alone.ranked == expected.ranked
        assert alone.scores == pytest.approx(expected.scores, abs=1e-4)


def trained(model: Model, folder: Path, *, steps: list[str]) -> list[float]:
    """The losses of a training on eight queries and their pages."""
    pages = tuple(Passage(str(number), f"the page of item {number * 7}") for number in range(8))
    examples = [RankingExample(p.id, f"code {p.id}", pages, (), {p.id: 1}) for p in pages]
    config = compose_run("reranking", [*OVERRIDES, "train.epochs=20", *steps])
    model.head.start(model.backbone, examples)
    return losses_of(model, examples, folder, config=config.train)


def test_twenty_steps_learn(tmp_path: Path) -> None:
    steps = ["train.max_steps=20", "train.batch_tokens=1200", "train.learning_rate=3e-3"]
    losses = trained(new_model(), tmp_path / "whole", steps=steps)
    assert np.mean(losses[-5:]) < 0.3 * np.mean(losses[:5])


@pytest.mark.usefixtures("short_encoder")
def test_five_steps_give_the_same_losses_twice(tmp_path: Path) -> None:
    steps = ["train.max_steps=5"]
    losses = [trained(new_model(*SHORT_ENCODER), tmp_path / name, steps=steps) for name in "ab"]
    assert losses[0] == losses[1]


def test_a_bundle_gives_the_same_scores_in_a_new_process(tmp_path: Path) -> None:
    model = new_model()
    torch.manual_seed(7)
    with torch.no_grad():
        for weight in model.trained_state().values():
            weight.add_(0.02 * torch.randn_like(weight))
    folder = save(model, tmp_path / "adapter")
    adapters.verify_reload(model, folder, [HOLIDAY, TRAIN])


def test_other_types_and_wrong_settings_are_refused(model: Model) -> None:
    with pytest.raises(BundleError, match="orders passages, asked for: PER"):
        model.head.ask({"PER": "person"})
    with pytest.raises(ConfigError, match=r"head\.negatives=0; allowed: a whole number above 0"):
        new_model("head.negatives=0")
