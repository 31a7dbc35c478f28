"""What a training will take, before it begins."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from shared.contracts import Features
from shared.model import Model, best_device, bfloat16_products, set_for_training
from shared.modules.frozen_layers import kept_outputs
from shared.runs import peak_memory_gib
from shared.train import epoch_steps, total_steps
from shared.training_config import TrainConfig


@dataclass(frozen=True)
class Estimate:
    """What a training will take, from timing a few of its own batches."""

    steps: int
    seconds: float
    memory_gib: float


def estimate(
    model: Model,
    features: Sequence[Features],
    *,
    config: TrainConfig,
    seed: int,
    weights: Sequence[float] = (),
) -> Estimate:
    """Return steps, seconds and peak memory by timing three batches; changes no weight."""
    if not config.epochs:
        return Estimate(steps=0, seconds=0.0, memory_gib=peak_memory_gib())
    sizes = [item.num_tokens for item in features]
    steps = epoch_steps(sizes, config, seed=seed, epoch=0, weights=weights)
    batches = sorted(
        (batch for step in steps for batch in step), key=lambda batch: sizes[batch[0]] * len(batch)
    )
    probes = [batches[len(batches) // 4], batches[len(batches) // 2], batches[-1]]
    model.to(best_device()).train()
    set_for_training(model.backbone, config)
    probed = [features[i] for batch in probes for i in batch]
    begun = started = time.perf_counter()
    with torch.random.fork_rng(), kept_outputs(model, probed, config=config):
        reading = time.perf_counter() - begun  # once, by the frozen layers; nothing without `cache_gib`
        for index, batch in enumerate([probes[0], *probes]):
            if index == 1:  # the first batch only warms up
                started = time.perf_counter()
            with bfloat16_products(config.bfloat16):
                outputs = model(model.head.collate([features[i] for i in batch]))
            outputs.loss.backward()
            model.zero_grad(set_to_none=True)
        seconds = time.perf_counter() - started
    probed_tokens = sum(item.num_tokens for item in probed)
    total = total_steps(sizes, config, seed=seed, weights=weights)
    tokens = sum(sizes[i] for batch in batches for i in batch) * total / len(steps)
    seconds = (seconds * tokens + reading * sum(sizes)) / probed_tokens
    return Estimate(steps=total, seconds=seconds, memory_gib=peak_memory_gib())
