"""The training loop, on one page, on Accelerate: token-budget batches, best weights, exact resume."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from shared.batches import epoch_batches, length_batches
from shared.checkpoint import load_checkpoint, save_checkpoint
from shared.contracts import Features
from shared.errors import UserError
from shared.model import Model, accelerate, bfloat16_products, set_for_training
from shared.modules.frozen_layers import kept_outputs
from shared.runs import Progress
from shared.training_config import Keep, TrainConfig

MOST_LEFT_OUT = 10  # steps in a row that are left out before training stops

Weights = dict[str, Tensor]


@dataclass
class Fitted:
    """How a training went: what the record tells of it."""

    best_score: float = float("-inf")
    best_epoch: int = 0
    epochs: int = 0
    steps: int = 0
    left_out: int = 0  # of the steps, as their gradients were not finite
    num_tokens: int = 0
    wall_seconds: float = 0.0
    losses: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)

    @property
    def tokens_per_second(self) -> float:
        """Real tokens trained on per second, validation and checkpoints included."""
        return self.num_tokens / max(self.wall_seconds, 1e-9)


@dataclass
class Loop:
    """What changes while training: everything a checkpoint holds."""

    fitted: Fitted
    epoch: int = 0
    position: int = 0  # steps done of this epoch
    left_out: int = 0  # steps in a row
    average: Weights = field(
        default_factory=dict
    )  # the moving average of the trained weights; empty without ema
    best: Weights = field(default_factory=dict)


def fit(
    model: Model,
    features: Sequence[Features],
    *,
    config: TrainConfig,
    seed: int,
    validate: Callable[[], float],
    folder: Path,
    progress: Progress,
    resume: bool = False,
    weights: Sequence[float] = (),
) -> Fitted:
    """Train the model in place and leave it with the weights that scored best on validation, or the last.

    `validate` scores the model as it is. `weights`, one for each of the features, say how often an epoch
    reads them (`epoch_batches`); none reads each once. A checkpoint goes into `folder` every
    `config.checkpoint_steps` steps and after each epoch; with `resume` training goes on from it to the same
    weights as without the interruption. A step whose gradients are not finite changes nothing.
    """
    accelerator = accelerate()
    torch.manual_seed(seed)
    set_for_training(model.backbone, config)
    optimizer = make_optimizer(model, config)
    prepared, optimizer = accelerator.prepare(model, optimizer)
    loop = _restore(model, optimizer, load_checkpoint(folder)) if resume else _begin(model, config)
    sizes = [item.num_tokens for item in features]
    total = total_steps(sizes, config, seed=seed, weights=weights)
    fitted, started = loop.fitted, time.perf_counter() - loop.fitted.wall_seconds
    with kept_outputs(model, features, config=config) as kept:
        if kept:
            progress.note(kept.report())
        while loop.epoch < config.epochs and fitted.steps < total and not _out_of_patience(loop, config):
            steps = epoch_steps(sizes, config, seed=seed, epoch=loop.epoch, weights=weights)
            model.train()
            for batches in steps[loop.position : loop.position + total - fitted.steps]:
                _set_rates(optimizer, config, step=fitted.steps, total=total)
                loss = torch.zeros(())
                for batch in batches:
                    with bfloat16_products(config.bfloat16):
                        outputs = prepared(model.head.collate([features[i] for i in batch]))
                    accelerator.backward(outputs.loss / len(batches))
                    loss += outputs.loss.detach().cpu() / len(batches)
                norm = accelerator.clip_grad_norm_(prepared.parameters(), config.max_grad_norm)
                if _finite(norm, loop):
                    optimizer.step()
                    _update_average(loop.average, model, decay=_decay(config.ema, fitted.steps))
                optimizer.zero_grad(set_to_none=True)
                loop.position += 1
                fitted.steps += 1
                fitted.num_tokens += sum(sizes[i] for batch in batches for i in batch)
                fitted.wall_seconds = time.perf_counter() - started
                fitted.losses.append(float(loss))
                progress.step(
                    fitted.steps, total, loss=float(loss), norm=float(norm), epoch=loop.epoch, fitted=fitted
                )
                if fitted.steps % config.checkpoint_steps == 0:
                    _save(folder, model, optimizer, loop)
            _finish_epoch(model, loop, validate, keep=config.keep)
            fitted.wall_seconds = time.perf_counter() - started
            _save(folder, model, optimizer, loop)
            progress.epoch(loop.epoch, score=fitted.scores[-1], best=fitted.best_score, fitted=fitted)
    _copy_into(model, loop.best)
    return fitted


def make_optimizer(model: Model, config: TrainConfig) -> torch.optim.Optimizer:
    """Return AdamW with one learning rate for the backbone and one for the head."""
    groups: list[dict[str, Any]] = []
    for module, rate in (
        (model.head_module, config.head_learning_rate),
        (model.backbone, config.learning_rate),
    ):
        known = {id(weight) for group in groups for weight in group["params"]}
        weights = [w for w in module.parameters() if w.requires_grad and id(w) not in known]
        groups.append({"params": weights, "peak": rate, "lr": rate, "weight_decay": config.weight_decay})
    trained = [group for group in groups if group["params"]]
    return torch.optim.AdamW(trained or groups)  # nothing trains where a base is used as it is


def learning_rate_factor(step: int, *, total: int, warmup_share: float) -> float:
    """Return the share of the peak rate at a step: linear from 0 up in the warm-up, then linear down to 0."""
    warmup = int(total * warmup_share)
    if step < warmup:
        return (step + 1) / warmup
    return (total - step) / max(total - warmup, 1)


def total_steps(
    sizes: Sequence[int], config: TrainConfig, *, seed: int, weights: Sequence[float] = ()
) -> int:
    """Return how many optimiser steps the training makes if it is not stopped early."""
    epochs = range(config.epochs)
    total = sum(len(epoch_steps(sizes, config, seed=seed, epoch=epoch, weights=weights)) for epoch in epochs)
    return min(total, config.max_steps) if config.max_steps else total


def epoch_steps(
    sizes: Sequence[int], config: TrainConfig, *, seed: int, epoch: int, weights: Sequence[float] = ()
) -> list[list[list[int]]]:
    """Return the epoch's steps, each a list of `accumulate` batches (the last of a pass may have fewer)."""
    steps: list[list[list[int]]] = []
    passes = _passes(sizes, config)
    for number in range(epoch * passes, (epoch + 1) * passes):
        batches = epoch_batches(sizes, budget=config.batch_tokens, seed=seed, epoch=number, weights=weights)
        starts = range(0, len(batches), config.accumulate)
        steps += [batches[start : start + config.accumulate] for start in starts]
    return steps


def _passes(sizes: Sequence[int], config: TrainConfig) -> int:
    """Return how often an epoch passes over the examples: once, or as often as `min_steps` asks for."""
    steps = math.ceil(len(length_batches(sizes, budget=config.batch_tokens)) / config.accumulate)
    return max(1, math.ceil(config.min_steps / (config.epochs * steps)))


def _set_rates(optimizer: torch.optim.Optimizer, config: TrainConfig, *, step: int, total: int) -> None:
    factor = learning_rate_factor(step, total=total, warmup_share=config.warmup_share)
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * factor


def _finite(norm: Tensor | float, loop: Loop) -> bool:
    """Return whether a step's gradients can be used; raises `UserError` after `MOST_LEFT_OUT` that cannot."""
    if math.isfinite(norm):
        loop.left_out = 0
        return True
    loop.left_out += 1
    loop.fitted.left_out += 1
    if loop.left_out == MOST_LEFT_OUT:
        raise UserError(
            f"step {loop.fitted.steps + 1}: the gradients of {MOST_LEFT_OUT} steps in a row are not finite; "
            "no weight was changed by them: lower train.learning_rate, or look at what the data has there"
        )
    return False


def _decay(ema: float, step: int) -> float:
    """Return the average's decay at a step: it starts short, so that early weights are soon forgotten."""
    return min(ema, (1 + step) / (10 + step))


def _update_average(average: Weights, model: Model, *, decay: float) -> None:
    if average:
        current = model.trained_state()
        torch._foreach_lerp_(list(average.values()), [current[name] for name in average], 1 - decay)


def _finish_epoch(model: Model, loop: Loop, validate: Callable[[], float], *, keep: Keep) -> None:
    model.eval()
    with _averaged(model, loop.average):
        score = validate()
        if score > loop.fitted.best_score or keep is Keep.last:
            loop.fitted.best_score, loop.fitted.best_epoch = score, loop.epoch + 1
            loop.best = {name: value.clone() for name, value in model.trained_state().items()}
    loop.fitted.scores.append(score)
    loop.epoch, loop.position = loop.epoch + 1, 0
    loop.fitted.epochs = loop.epoch


@contextmanager
def _averaged(model: Model, average: Weights) -> Iterator[None]:
    """Put the moving average into the model for the time of the block."""
    current = {name: value.clone() for name, value in model.trained_state().items()} if average else {}
    _copy_into(model, average)
    yield
    _copy_into(model, current)


def _out_of_patience(loop: Loop, config: TrainConfig) -> bool:
    return config.patience > 0 and loop.fitted.epochs - loop.fitted.best_epoch >= config.patience


def _copy_into(model: Model, weights: Weights) -> None:
    current = model.trained_state()
    for name, value in weights.items():
        current[name].copy_(value)


def _begin(model: Model, config: TrainConfig) -> Loop:
    average = {name: value.clone() for name, value in model.trained_state().items()} if config.ema else {}
    return Loop(fitted=Fitted(), average=average)


def _save(folder: Path, model: Model, optimizer: Any, loop: Loop) -> None:
    state = {
        "weights": model.trained_state(),
        "optimizer": optimizer.state_dict(),
        "random": torch.get_rng_state(),
        "random_gpus": torch.cuda.get_rng_state_all(),  # none without a GPU
        "fitted": dict(vars(loop.fitted)),
        "epoch": loop.epoch,
        "position": loop.position,
        "average": loop.average,
        "best": loop.best,
    }
    save_checkpoint(folder, state)


def _restore(model: Model, optimizer: Any, state: dict[str, Any]) -> Loop:
    _copy_into(model, state["weights"])
    optimizer.load_state_dict(state["optimizer"])
    torch.set_rng_state(state["random"])
    torch.cuda.set_rng_state_all(state["random_gpus"])
    return Loop(
        fitted=Fitted(**state["fitted"]),
        epoch=state["epoch"],
        position=state["position"],
        average={name: value.to(model.device) for name, value in state["average"].items()},
        best=state["best"],
    )
