import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from shared.checkpoint import load_checkpoint
from shared.compose import compose_run
from shared.contracts import Outputs
from shared.errors import UserError
from shared.examples import FacetExample, Span, SpanExample
from shared.model import Model, create_model
from shared.modules.products import FastLinear
from shared.runs import Progress
from shared.train import Fitted, fit, learning_rate_factor, total_steps
from shared.training_config import TrainConfig
from shared.words import join_words
from tests.benchmarks.products import multiplied_by
from tests.shared.heads.texts import DESK
from tests.shared.short_base import SHORT_ENCODER
from tests.shared.test_products import needs_onednn

pytestmark = pytest.mark.usefixtures("short_encoder")
LABELS = {"PER": "person", "ORG": "organization"}
LOSSES = json.loads((Path(__file__).parent / "losses.json").read_text(encoding="utf-8"))
ROUNDING = 1e-5  # another number of threads sums in another order


def example(index: int) -> SpanExample:
    words = ["Ann", "Lee", "joined", f"Orla{index}", "Bank", "in", "May", *["again"] * (index % 5)]
    text, offsets = join_words(words)
    spans = (Span(0, 7, "PER"), Span(offsets[3][0], offsets[4][1], "ORG"))
    return SpanExample(id=str(index), text=text, spans=spans, words=offsets, document=str(index))


EXAMPLES = [example(index) for index in range(40)]


def facet_example(index: int) -> FacetExample:
    """A text for each facet of `DESK`: some are not labelled, every fourth topic is out of scope."""
    words = ["bonds", "shares", "sport", "rain"]
    topic = DESK.concepts[1 + index % 4].id
    labels = {
        "topic": (topic,) if index % 4 < 3 else (),
        "tone": (("bad", "even", "good")[index % 3],),
        "place": ("sea",) if index % 2 else (),
        "actors": (("bank",), ("savings-bank", "fund"), ())[index % 3],
        "product": ("mortgage",) if index % 5 else (),
    }
    return FacetExample(
        id=str(index),
        text=f"The {words[index % 4]} rose again {'and again ' * (index % 5)}in May",
        labels={name: label for number, (name, label) in enumerate(labels.items()) if (index + number) % 6},
        values={"score": index / 40} if index % 2 else {},
    )


FACET_EXAMPLES = [facet_example(index) for index in range(40)]


def small_model(*overrides: str, task: str = "ner") -> tuple[Model, TrainConfig]:
    """A model of a short encoder."""
    return whole_model(*SHORT_ENCODER, *overrides, task=task)


# GLiNER's loss on a few texts leaps from 3 to 75 at its own rates, and what was rounding becomes 5 % of it.
CALM = ("train.learning_rate=5e-4", "train.head_learning_rate=5e-4")


def whole_model(*overrides: str, task: str = "ner") -> tuple[Model, TrainConfig]:
    config = compose_run(task, ["train.epochs=2", "train.batch_tokens=40", "train.ema=0.9", *overrides])
    types = LABELS if task == "ner" else DESK.row
    model = create_model(config.model, config.head, config.lora, types=types, seed=config.seed)
    return model, config.train


def run(
    model: Model,
    config: TrainConfig,
    folder: Path,
    validate: Callable[[], float],
    *,
    examples: Sequence[Any] = EXAMPLES,
    **more: bool,
) -> Fitted:
    folder.mkdir(exist_ok=True)
    with Progress(folder, metric="f1") as progress:
        return fit(
            model,
            model.head.encode(examples),
            config=config,
            seed=1,
            validate=validate,
            folder=folder,
            progress=progress,
            **more,
        )


class Stopped(Exception):
    """The moment a training is killed."""


def run_killed(model: Model, config: TrainConfig, folder: Path, *, stop_after: int) -> None:
    """Train, and stop in the middle of a step: what is in the folder then is all that is left."""

    class Killed(Progress):
        def step(self, step: int, *arguments: object, **more: object) -> None:
            if step > stop_after:
                raise Stopped

    folder.mkdir()
    with Killed(folder, metric="f1") as progress, pytest.raises(Stopped):
        fit(
            model,
            model.head.encode(EXAMPLES),
            config=config,
            seed=1,
            validate=lambda: 0.5,
            folder=folder,
            progress=progress,
        )


@pytest.mark.parametrize(
    ("head", "model_name"), [("token_classification", "minilm"), ("span_extraction", "gliner_minilm")]
)
@pytest.mark.parametrize("fast", [False, pytest.param(True, marks=needs_onednn)], ids=["torch", "oneDNN"])
def test_twenty_steps_give_the_losses_they_always_gave(
    head: str, model_name: str, fast: bool, tmp_path: Path
) -> None:
    model, config = whole_model(f"model={model_name}")
    multiplied_by(model, FastLinear if fast else nn.Linear)
    fitted = run(model, replace(config, max_steps=20), tmp_path, lambda: 0.0)
    expected = LOSSES[f"{head}, oneDNN" if fast else head]  # sums in another order, which steps amplify
    assert fitted.losses == pytest.approx(expected, rel=1e-3, abs=ROUNDING)


def test_twenty_steps_of_facets_give_the_losses_they_always_gave(tmp_path: Path) -> None:
    model, config = whole_model("head.balance=0.5", "head.outliers=0.5", task="ontology")
    model.head.start(model.backbone, FACET_EXAMPLES)
    config = replace(config, max_steps=20)
    fitted = run(model, config, tmp_path, lambda: 0.0, examples=FACET_EXAMPLES)
    assert fitted.losses == pytest.approx(LOSSES["sequence_classification"], rel=1e-3, abs=ROUNDING)


@pytest.mark.parametrize(("task", "examples"), [("ner", EXAMPLES), ("ontology", FACET_EXAMPLES)])
def test_the_same_seed_gives_the_same_losses_bit_for_bit(
    tmp_path: Path, task: str, examples: Sequence[Any]
) -> None:
    losses = []
    for name in ("a", "b"):
        model, config = small_model(task=task)
        model.head.start(model.backbone, examples)
        config = replace(config, max_steps=6)
        losses.append(run(model, config, tmp_path / name, lambda: 0.0, examples=examples).losses)
    assert losses[0] == losses[1]


@pytest.mark.parametrize("stop_after", [2, 7])
def test_a_killed_training_resumes_to_the_weights_of_the_uninterrupted_one(
    tmp_path: Path, stop_after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, config = small_model()
    config = replace(config, checkpoint_steps=2)
    whole = run(model, config, tmp_path / "whole", lambda: 0.5)
    expected = {name: value.clone() for name, value in model.trained_state().items()}

    model, _ = small_model()
    run_killed(model, config, tmp_path / "parts", stop_after=stop_after)
    model, _ = small_model("seed=9")  # other fresh weights: all must come from the checkpoint
    torch.manual_seed(99)
    resumed = run(model, config, tmp_path / "parts", lambda: 0.5, resume=True)
    assert resumed.losses == whole.losses
    for name, value in model.trained_state().items():
        assert torch.equal(value, expected[name]), name


def test_the_weights_that_scored_best_are_kept(tmp_path: Path) -> None:
    model, config = small_model()
    seen: list[torch.Tensor] = []
    scores = iter([0.9, 0.1])

    def validate() -> float:
        seen.append(model.head.module.classifier.weight.detach().clone())
        return next(scores)

    fitted = run(model, config, tmp_path, validate)
    assert (fitted.best_epoch, fitted.best_score) == (1, 0.9)
    assert torch.equal(model.head.module.classifier.weight, seen[0])


def test_training_stops_when_validation_no_longer_rises(tmp_path: Path) -> None:
    model, config = small_model("train.epochs=6", "train.patience=2")
    assert run(model, config, tmp_path, lambda: 0.5).epochs == 3


def test_few_examples_are_passed_over_again_until_the_epochs_have_the_least_number_of_steps() -> None:
    _, config = small_model("train.accumulate=2")
    sizes = [20] * 9  # two rows in a batch of 40 tokens: five batches, three steps a pass, six in two epochs
    steps = [total_steps(sizes, replace(config, min_steps=least), seed=1) for least in (0, 6, 7, 13)]
    assert steps == [6, 6, 12, 18]


def test_an_epoch_of_two_passes_sees_each_example_twice(tmp_path: Path) -> None:
    model, config = small_model()
    once = run(model, config, tmp_path / "once", lambda: 0.5)
    model, _ = small_model()
    twice = run(model, replace(config, min_steps=once.steps + 1), tmp_path / "twice", lambda: 0.5)
    assert (twice.epochs, twice.steps, twice.num_tokens) == (2, 2 * once.steps, 2 * once.num_tokens)


@pytest.mark.parametrize("model_name", ["minilm", "gliner_minilm"])
def test_layers_that_compute_again_give_the_same_losses(tmp_path: Path, model_name: str) -> None:
    losses = []
    for again in ("false", "true"):
        model, config = small_model(f"model={model_name}", f"train.gradient_checkpointing={again}")
        config = replace(config, max_steps=3)
        losses.append(run(model, config, tmp_path / again, lambda: 0.0).losses)
        assert any(getattr(part, "gradient_checkpointing", False) for part in model.modules()) == (
            again == "true"
        )
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)


def test_a_step_without_finite_gradients_changes_no_weight(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, config = small_model("head.dropout=0", "train.base_dropout=false")
    config = replace(config, max_steps=3)
    without_gradients(model, monkeypatch, calls={2})
    fitted = run(model, config, tmp_path, lambda: 0.5)
    assert (fitted.steps, fitted.left_out) == (3, 1)
    assert all(value.isfinite().all() for value in model.trained_state().values())
    assert not math.isfinite(fitted.losses[1]) and math.isfinite(fitted.losses[2])


def test_training_stops_where_no_step_has_finite_gradients(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, config = small_model("train.checkpoint_steps=2")
    before = {name: value.clone() for name, value in model.trained_state().items()}
    without_gradients(model, monkeypatch, calls=set(range(1, 100)))
    with pytest.raises(UserError, match=r"step 10: the gradients of 10 steps in a row are not finite"):
        run(model, config, tmp_path, lambda: 0.5)
    for name, value in load_checkpoint(tmp_path)["weights"].items():
        assert torch.equal(value, before[name]), name


def without_gradients(model: Model, monkeypatch: pytest.MonkeyPatch, *, calls: set[int]) -> None:
    """Let the loss of these batches, counted from 1, be infinitely large."""
    forward, count = model.head.forward, iter(range(1, 1000))

    def broken(backbone: Any, batch: Any) -> Outputs:
        outputs = forward(backbone, batch)
        return Outputs(logits=outputs.logits, loss=outputs.loss * (torch.inf if next(count) in calls else 1))

    monkeypatch.setattr(model.head, "forward", broken)


def test_the_learning_rate_rises_in_the_warm_up_and_falls_to_zero() -> None:
    factors = [learning_rate_factor(step, total=10, warmup_share=0.2) for step in range(10)]
    assert factors == pytest.approx([0.5, 1.0, 1.0, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125])


def test_the_base_drops_units_unless_told_otherwise(tmp_path: Path) -> None:
    ways = []
    for wanted in ("true", "false"):
        model, config = small_model(f"train.base_dropout={wanted}", "head.dropout=0", "lora.dropout=0.5")
        run(model, replace(config, max_steps=1), tmp_path / wanted, lambda: 0.0)
        drops = [(name, module.p) for name, module in model.backbone.named_modules() if hasattr(module, "p")]
        ways.append({p for name, p in drops if "lora_dropout" not in name})
        assert {p for name, p in drops if "lora_dropout" in name} == {0.5}
    assert ways == [{0.1}, {0.0}]


@pytest.mark.parametrize(
    ("task", "examples", "overrides"),
    [
        ("ner", EXAMPLES, ()),
        ("ner", EXAMPLES, ("model=gliner_minilm", *CALM)),
        ("ner", EXAMPLES, ("head.word_shape_in=false", "lora.layers=2", "train.cache_gib=1")),
        ("ontology", FACET_EXAMPLES, ()),
    ],
)
def test_products_in_bfloat16_change_the_losses_by_their_rounding_alone(
    tmp_path: Path, task: str, examples: Sequence[Any], overrides: Sequence[str]
) -> None:
    losses = []
    for wanted in ("false", "true"):
        model, config = whole_model(f"train.bfloat16={wanted}", *overrides, task=task)
        model.head.start(model.backbone, examples)
        config = replace(config, max_steps=6)
        losses.append(run(model, config, tmp_path / wanted, lambda: 0.0, examples=examples).losses)
        assert {value.dtype for value in model.trained_state().values()} == {torch.float32}
    assert losses[0] != losses[1] == pytest.approx(losses[0], rel=0.02)


def test_resuming_without_a_checkpoint_says_so(tmp_path: Path) -> None:
    model, config = small_model()
    with pytest.raises(UserError, match="nothing to resume"):
        run(model, config, tmp_path, lambda: 0.0, resume=True)


def test_every_step_stands_in_the_log(tmp_path: Path) -> None:
    model, config = small_model()
    run(model, replace(config, max_steps=3), tmp_path, lambda: 0.25)
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["step"] for row in rows if "step" in row] == [1, 2, 3]
    assert rows[-1]["validation_f1"] == 0.25
