"""Frozen layers whose outputs are kept: the training is the one that computes them again each time."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from shared.compose import compose_run
from shared.errors import UserError
from shared.model import Model, create_model
from shared.modules.frozen_layers import FrozenLayers, kept_outputs
from shared.training_config import TrainConfig
from shared.training_estimate import estimate
from tests.shared.short_base import SHORT
from tests.shared.test_train import EXAMPLES, FACET_EXAMPLES, run, run_killed, small_model, whole_model

pytestmark = pytest.mark.usefixtures("short_encoder", "short_base")
SHALLOW = ("lora.layers=2", "train.cache_gib=1")
FREE_INPUT = (*SHALLOW, "head.word_shape_in=false")


def without_dropout(*overrides: str, task: str) -> tuple[Model, TrainConfig]:
    """A small model whose training drops nothing, in the frozen layers or elsewhere."""
    return small_model(*overrides, "head.dropout=0", "train.base_dropout=false", task=task)


@pytest.mark.parametrize(
    ("task", "overrides", "examples"), [("ner", FREE_INPUT, EXAMPLES), ("ontology", SHALLOW, FACET_EXAMPLES)]
)
def test_losses_are_those_without_keeping(
    task: str, overrides: tuple[str, ...], examples: Sequence[Any], tmp_path: Path
) -> None:
    losses = []
    for gib in (1.0, 0.0):
        model, config = without_dropout(*overrides, task=task)
        model.head.start(model.backbone, examples)
        config = replace(config, cache_gib=gib)
        losses.append(run(model, config, tmp_path / str(gib), lambda: 0.0, examples=examples).losses)
    assert losses[0] == pytest.approx(losses[1], rel=1e-3, abs=1e-4)


def test_a_decoder_learns_the_same_from_kept_outputs(tmp_path: Path) -> None:
    losses = []
    for gib in (1.0, 0.0):
        words = [
            *SHORT,
            "data=sample",
            "lora.layers=2",
            "train.epochs=2",
            "train.max_steps=3",
            "train.batch_tokens=300",
        ]
        config = compose_run("summarization", [*words, f"train.cache_gib={gib}"])
        model = create_model(config.model, config.head, config.lora, types=config.data.types(), seed=1)
        examples = config.data.load("train")[:2]
        model.head.start(model.backbone, examples)
        losses.append(run(model, config.train, tmp_path / str(gib), lambda: 0.0, examples=examples).losses)
    assert len(losses[0]) == 3
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_known_texts_pass_the_frozen_layers_by() -> None:
    model, config = whole_model(*FREE_INPUT)
    features = model.head.encode(EXAMPLES[:4])
    read: list[int] = []
    layers = FrozenLayers(model.backbone, most_bytes=2**20)
    layers.frozen[0].attention.register_forward_hook(lambda *_: read.append(1))
    with layers.installed():
        layers.fill(model, features, batch_tokens=config.batch_tokens)
        assert read and len(layers.frozen) == 4 and len(layers.trained) == 2
        read.clear()
        model.train()
        model(model.head.collate(features)).loss.backward()
        assert not read
        model(model.head.collate(model.head.encode(EXAMPLES[4:5])))  # another text
        assert len(read) == 1
        model.eval()
        model(model.head.collate(features))
        assert len(read) == 2
    model.train()
    model(model.head.collate(features))
    assert len(read) == 3


def test_what_has_no_room_is_computed_each_time() -> None:
    model, config = small_model(*FREE_INPUT)
    features = model.head.encode(EXAMPLES[:5])
    least = min(item.num_tokens for item in features)
    layers = FrozenLayers(model.backbone, most_bytes=least * 384 * 4)
    with layers.installed():
        layers.fill(model, features, batch_tokens=config.batch_tokens)
        model.train()
        assert torch.isfinite(model(model.head.collate(features)).loss)
    assert [len(rows) for rows in layers.rows.values()] == [least]
    assert layers.report() == "outputs of the frozen layers: kept for 1, 0.00 GiB; without room for theirs: 4"


def test_a_head_alone_trains_on_kept_outputs_of_the_whole_base(tmp_path: Path) -> None:
    model, config = small_model("lora=head", "train.cache_gib=1", task="ontology")
    model.head.start(model.backbone, FACET_EXAMPLES)
    fitted = run(model, config, tmp_path, lambda: 0.0, examples=FACET_EXAMPLES)
    assert fitted.losses[-1] < fitted.losses[0]


def test_training_goes_on_from_a_checkpoint_to_the_same_losses(tmp_path: Path) -> None:
    model, config = small_model(*FREE_INPUT)
    config = replace(config, checkpoint_steps=2)
    whole = run(model, config, tmp_path / "whole", lambda: 0.5)

    model, _ = small_model(*FREE_INPUT)
    run_killed(model, config, tmp_path / "parts", stop_after=3)
    model, _ = small_model(*FREE_INPUT)
    assert run(model, config, tmp_path / "parts", lambda: 0.5, resume=True).losses == whole.losses


def test_the_estimate_is_made_with_kept_outputs_too() -> None:
    passes = {}
    for gib in (0.0, 1.0):
        model, config = small_model(*FREE_INPUT)
        read: list[int] = []
        lowest = next(module for name, module in model.named_modules() if name.endswith("layer.0.attention"))
        lowest.register_forward_hook(lambda *_, read=read: read.append(1))
        plan = estimate(model, model.head.encode(EXAMPLES), config=replace(config, cache_gib=gib), seed=1)
        passes[gib] = len(read)
        assert plan.steps > 0 and plan.seconds > 0
    assert passes == {0.0: 4, 1.0: 3}  # a warm-up and three probes; the probes' texts once, in three batches


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (("lora.layers=0", "head.word_shape_in=false"), r"no layer below stays as it is.*lora\.layers=3"),
        (SHALLOW, r"head\.word_shape_in=false"),
        (("model=gliner_minilm", "lora.layers=2"), "embed.*trains"),
    ],
)
def test_where_nothing_below_is_frozen_it_says_so(overrides: tuple[str, ...], said: str) -> None:
    model, config = small_model(*overrides)
    features = model.head.encode(EXAMPLES[:2])
    with (
        pytest.raises(UserError, match=said),
        kept_outputs(model, features, config=replace(config, cache_gib=1.0)),
    ):
        pass
