"""An ONNX graph with products in 8 bits: as many of them as a budget of quality allows.

For ONNX Runtime activations are quantised as they come; for OpenVINO their ranges come from training texts,
in QDQ form. Layers that harm most are the first to stay in float32.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from shared.contracts import Arrays
from shared.errors import UserError
from shared.exported import Graph, onnx_graph
from shared.graph_export import quiet

QUANTISED = ("MatMul", "Gemm", "Gather")  # products with trained weights, and embeddings

Quantise = Callable[[Path, Path, Sequence[str]], None]  # (float32 graph, target, layers that get 8 bits)


def quantise(
    graph: Path, *, by: Quantise, batches: Sequence[Arrays], loss: Callable[[Path], float], budget: float
) -> list[str]:
    """Put 8 bits into the graph's file and return the layers that stay in float32, to keep the budget.

    `loss` says what a graph's file costs of the quality. Of the layers ordered by how far they move the
    batches' logits the first few stay, as few as a gallop and then a bisection find. Raises `UserError` where
    more than half of them would have to.
    """
    exact, small = graph.with_suffix(".float32.onnx"), graph.with_suffix(".int8.onnx")
    graph.rename(exact)
    layers = weight_layers(exact)

    def suits(kept: Sequence[str]) -> bool:
        by(exact, small, [layer for layer in layers if layer not in kept])
        return loss(small) <= budget

    kept: list[str] = []
    if not suits(kept):
        ranked = most_harmful(exact, layers, by=by, batches=batches)
        few, many = 0, 1
        while not suits(ranked[:many]):
            few, many = many, 2 * many
            if many >= len(layers):
                raise UserError(
                    f"export.budget={budget:g}: more than half of the layers would have to stay in float32"
                )
        while many - few > 1:
            middle = (few + many) // 2
            few, many = (few, middle) if suits(ranked[:middle]) else (middle, many)
        kept = ranked[:many]
        by(exact, small, [layer for layer in layers if layer not in kept])
    small.rename(graph)
    exact.unlink()
    return kept


def weight_layers(graph: Path) -> list[str]:
    """Return the names of the graph's products with trained weights, in order: what 8 bits can speed up."""
    import onnx

    model = onnx.load(graph, load_external_data=False)
    weights = {tensor.name for tensor in model.graph.initializer}
    return [node.name for node in model.graph.node if node.op_type in QUANTISED and weights & set(node.input)]


def quantise_dynamic(graph: Path, target: Path, layers: Sequence[str]) -> None:
    """Write the graph with these layers in 8 bits, their activations quantised as they come."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with quiet():
        quantize_dynamic(
            graph,
            target,
            nodes_to_quantize=list(layers),
            op_types_to_quantize=list(QUANTISED),
            per_channel=True,
            weight_type=QuantType.QInt8,
        )


def quantise_static(graph: Path, target: Path, layers: Sequence[str], *, batches: Sequence[Arrays]) -> None:
    """Write the graph with these layers in 8 bits; the batches give the ranges of their activations."""
    from onnxruntime.quantization import (
        CalibrationDataReader,
        QuantFormat,
        QuantType,
        quantize_static,
    )

    names = _inputs(graph)

    class Batches(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime is untyped
        def __init__(self) -> None:
            self.rest = iter(batches)

        def get_next(self) -> Any:
            batch = next(self.rest, None)
            return batch and {name: batch[name] for name in names}

    with quiet():
        quantize_static(
            graph,
            target,
            Batches(),
            quant_format=QuantFormat.QDQ,
            nodes_to_quantize=list(layers),
            op_types_to_quantize=list(QUANTISED),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            extra_options={"OpTypesToExcludeOutputQuantization": list(QUANTISED)},  # products stay exact
        )


def most_harmful(graph: Path, layers: Sequence[str], *, by: Quantise, batches: Sequence[Arrays]) -> list[str]:
    """Return the layers by how far each, alone in 8 bits, moves the batches' logits, the worst first."""
    exact, work = _logits(onnx_graph(graph, 1), batches), graph.with_suffix(".one.onnx")
    harm: dict[str, float] = {}
    for layer in layers:
        by(graph, work, [layer])
        moved = _logits(onnx_graph(work, 1), batches)
        harm[layer] = float(np.mean([np.square(a - b).mean() for a, b in zip(exact, moved, strict=True)]))
    work.unlink()
    return sorted(layers, key=lambda layer: -harm[layer])


def _logits(graph: Graph, batches: Sequence[Arrays]) -> list[np.ndarray[Any, Any]]:
    return [graph(batch) for batch in batches]


def _inputs(graph: Path) -> list[str]:
    import onnx

    return [node.name for node in onnx.load(graph, load_external_data=False).graph.input]
