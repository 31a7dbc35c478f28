"""Which layers get 8 bits, on a graph of two products whose second one no 8 bits can hold."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from shared.errors import UserError
from shared.exported import onnx_graph
from shared.quantising import most_harmful, quantise, quantise_dynamic, quantise_static, weight_layers

SIZE = 16
BATCHES = [{"tokens": np.random.default_rng(3).normal(size=(8, SIZE)).astype(np.float32)}]


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    """`easy` makes one value of sixteen huge, which `hard` then ignores; a sum behind them has no weights.

    With 8 bits for a range that wide, `hard` sees of the other values nothing.
    """
    easy, hard = np.eye(SIZE, dtype=np.float32), np.eye(SIZE, dtype=np.float32)
    easy[0, 0], hard[0, 0] = 1e4, 0.0
    weights = {"easy": easy, "hard": hard}
    nodes = [
        helper.make_node("MatMul", ["tokens", "easy_w"], ["between"], name="easy"),
        helper.make_node("MatMul", ["between", "hard_w"], ["logits"], name="hard"),
        helper.make_node("ReduceSum", ["logits"], ["sum"], name="no weights", keepdims=0),
    ]
    whole = helper.make_graph(
        nodes,
        "two",
        [helper.make_tensor_value_info("tokens", TensorProto.FLOAT, ["B", SIZE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["B", SIZE])],
        [numpy_helper.from_array(value, f"{name}_w") for name, value in weights.items()],
    )
    path = tmp_path / "model.onnx"
    onnx.save(helper.make_model(whole, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def loss_of(exact: np.ndarray) -> Callable[[Path], float]:
    """What a graph costs: its largest error, as a share of the largest logit."""

    def loss(path: Path) -> float:
        return float(np.abs(onnx_graph(path, 1)(BATCHES[0]) - exact).max() / np.abs(exact).max())

    return loss


def test_layers_with_trained_weights_are_those_that_get_8_bits(graph: Path) -> None:
    assert weight_layers(graph) == ["easy", "hard"]


def test_the_layer_that_moves_the_logits_farthest_is_the_first_to_stay(graph: Path) -> None:
    assert most_harmful(graph, ["easy", "hard"], by=quantise_dynamic, batches=BATCHES) == [
        "hard",
        "easy",
    ]


@pytest.mark.parametrize(("budget", "kept"), [(2.0, []), (0.05, ["hard"])])
def test_as_many_layers_stay_exact_as_the_budget_asks_for(
    graph: Path, budget: float, kept: list[str]
) -> None:
    exact = onnx_graph(graph, 1)(BATCHES[0])
    found = quantise(graph, by=quantise_dynamic, batches=BATCHES, loss=loss_of(exact), budget=budget)
    assert found == kept
    assert loss_of(exact)(graph) <= budget
    assert [path.name for path in graph.parent.iterdir()] == ["model.onnx"]


def test_where_every_layer_must_stay_there_is_no_8_bit_form(graph: Path) -> None:
    exact = onnx_graph(graph, 1)(BATCHES[0])
    with pytest.raises(UserError, match=r"export\.budget=0: more than half of the layers"):
        quantise(graph, by=quantise_dynamic, batches=BATCHES, loss=loss_of(exact), budget=0.0)


def test_the_static_form_knows_the_ranges_of_its_activations(graph: Path, tmp_path: Path) -> None:
    exact = onnx_graph(graph, 1)(BATCHES[0])
    quantise_static(graph, tmp_path / "small.onnx", ["easy"], batches=BATCHES)
    names = {node.op_type for node in onnx.load(tmp_path / "small.onnx").graph.node}
    assert "QuantizeLinear" in names and "DynamicQuantizeLinear" not in names
    assert loss_of(exact)(tmp_path / "small.onnx") < 0.05
