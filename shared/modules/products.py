"""Products of linear layers by oneDNN, on processors whose AVX-512 torch's own library leaves unused.

torch multiplies float32 matrices with MKL, which on AMD's Zen 5 reaches half of what oneDNN does; both are
in torch. On an Intel Xeon MKL was as fast, and faster for the few rows of a writer. `make bench` tells what
they reach.
"""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor, nn

from shared.provenance import machine

LEAST_WORK = 2**19  # multiply-adds of a product below which calling oneDNN costs more than it saves


class FastLinear(nn.Linear):
    """A linear layer whose larger products oneDNN computes: the values are torch's but for rounding."""

    def forward(self, input: Tensor) -> Tensor:
        """Return input (..., in) times the weight, plus the bias: (..., out)."""
        plain = input.dtype is torch.float32 is self.weight.dtype and input.device.type == "cpu"
        small = input.numel() * self.out_features < LEAST_WORK
        mixed = torch.is_autocast_enabled("cpu")  # then torch calls oneDNN itself, in bfloat16
        traced = torch._C._get_tracing_state()  # a graph has no operation of oneDNN's
        if small or mixed or traced or not plain:
            return super().forward(input)
        if torch.is_grad_enabled():
            found: Tensor = _Product.apply(input, self.weight, self.bias)  # type: ignore[no-untyped-call]
            return found
        return product(input, self.weight, self.bias)


class _Product(torch.autograd.Function):
    """The product and its gradients; those of frozen weights are not computed."""

    @staticmethod
    def forward(ctx: Any, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(input if weight.requires_grad else None, weight)
        return product(input, weight, bias)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        (gradient,), (input, weight) = gradients, ctx.saved_tensors
        needs_input, needs_weight, needs_bias = ctx.needs_input_grad
        of_input = product(gradient, weight.t(), None) if needs_input else None
        rows = gradient.flatten(0, -2)
        of_weight = _between(rows, input.flatten(0, -2)) if needs_weight else None
        return of_input, of_weight, rows.sum(0) if needs_bias else None


def _between(left: Tensor, right: Tensor) -> Tensor:
    """Return the sum of the outer products of the rows: (L, R) of left (N, L) and right (N, R)."""
    if left.shape[1] > right.shape[1]:  # the first of two is copied: the smaller
        return product(right.t(), left.t(), None).t()
    return product(left.t(), right.t(), None)


def product(input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return input (..., in) times weight (out, in), plus bias (out,), by oneDNN; on a CPU, in float32."""
    found: Tensor = torch.ops.mkldnn._linear_pointwise(input, weight, bias, "none", [], "")
    return found


def use_fast_products(module: nn.Module) -> None:
    """Let the plain linear layers of the module compute by oneDNN where that is faster; names stay."""
    if has_fast_products():
        for layer in module.modules():
            if type(layer) is nn.Linear:
                layer.__class__ = FastLinear


def has_onednn() -> bool:
    """Return whether torch has oneDNN here, and the processor AVX-512."""
    return bool(torch._C._has_mkldnn) and torch.backends.cpu.get_cpu_capability() == "AVX512"


@functools.cache
def has_fast_products() -> bool:
    """Return whether oneDNN is here, and faster than MKL."""
    return has_onednn() and "Intel" not in machine(threads=0).cpu
