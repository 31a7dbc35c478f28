"""Products of matrices: what the machine reaches at a model's sizes, what a pass needs, and peers' own."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from shared.model import Model
from shared.modules.products import FastLinear, has_onednn, product

ROWS = 1024

Multiply = Callable[[Tensor, Tensor], Any]  # rows (ROWS, in) and a weight (out, in)


def plain_products(module: nn.Module) -> nn.Module:
    """Return the module with torch's own linear layers, as whoever loads it without this project has them."""
    return multiplied_by(module, nn.Linear)


def multiplied_by(module: nn.Module, layer_type: type[nn.Linear]) -> nn.Module:
    """Return the module with its linear layers of that type, torch's own or ours by oneDNN."""
    for layer in module.modules():
        if type(layer) in (nn.Linear, FastLinear):
            layer.__class__ = layer_type
    return module


def gemm_rates(model: Model) -> dict[str, float]:
    """Return the FLOP/s of products in the encoder's sizes in float32, at best, by what computes them."""
    sizes = [tuple(layer.weight.shape) for layer in _layers(model)]
    rows = {shape: torch.randn(ROWS, shape[1]) for shape in set(sizes)}
    weights = {shape: torch.randn(shape) for shape in set(sizes)}
    ways: dict[str, Multiply] = {
        "torch": nn.functional.linear,
        "numpy": lambda left, right: np.matmul(left.numpy(), right.numpy().T),
    }
    if has_onednn():
        ways["oneDNN"] = lambda left, right: product(left, right, None)
    best = dict.fromkeys(ways, float("inf"))
    for name, multiply in ways.items():
        for _ in range(10):
            started = time.perf_counter()
            for shape in sizes:
                multiply(rows[shape], weights[shape])
            best[name] = min(best[name], time.perf_counter() - started)
    work = sum(2 * ROWS * out * into for out, into in sizes)
    return {name: work / seconds for name, seconds in best.items()}


def rates_text(rates: Mapping[str, float]) -> str:
    """Return what computes products how fast, as a note says it."""
    told = [f"{name} {rate / 1e9:,.0f}" for name, rate in sorted(rates.items(), key=lambda pair: -pair[1])]
    return f"GFLOP/s of products of those sizes in float32: {', '.join(told)}"


def flops(model: Model, tokens: int) -> float:
    """Return the FLOPs of the encoder's products for so many real tokens; attention's own are left out."""
    return sum(2.0 * tokens * layer.weight.numel() for layer in _layers(model))


def _layers(model: Model) -> list[nn.Linear]:
    """Return the base's linear layers, without those of a LoRA."""
    return [
        layer
        for name, layer in model.backbone.named_modules()
        if isinstance(layer, nn.Linear) and ".lora_" not in name
    ]
