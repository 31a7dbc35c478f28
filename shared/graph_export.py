"""A trained encoder with its head as an ONNX graph, from what `Head.collate` makes to the logits."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from shared.contracts import Features
from shared.model import Model

OPSET = 17


class _Answers(nn.Module):
    """Backbone and head as one module whose inputs are tensors in a row, as the exporter wants them."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.backbone, self.module = model.backbone, model.head_module
        self.names: tuple[str, ...] = model.head.module.inputs

    def forward(self, *tensors: Tensor) -> Tensor:
        found: Tensor = self.module.logits(self.backbone, dict(zip(self.names, tensors, strict=True)))
        return found


def write_graph(model: Model, path: Path, *, features: Sequence[Features]) -> None:
    """Write the merged model as an ONNX graph in float32; `features` are a few windows to trace it by."""
    answers = _Answers(model.to("cpu")).eval()  # the exporter gives it back in the mode it came in
    batch = model.head.collate(features)
    tensors = tuple(torch.from_numpy(batch[name]) for name in answers.names)
    free = {name: {axis: f"{name}_{axis}" for axis in range(batch[name].ndim)} for name in answers.names}
    with torch.no_grad(), quiet():
        torch.onnx.export(
            answers,
            tensors,
            str(path),
            input_names=list(answers.names),
            output_names=["logits"],
            dynamic_axes=free,
            opset_version=OPSET,
            dynamo=False,  # the other exporter needs onnxscript, and fixes sizes that are free here
        )


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the exporter's and the quantiser's warnings, which are about others' code, from the reader."""
    root = logging.getLogger()
    level = root.level
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        root.setLevel(logging.ERROR)
        try:
            yield
        finally:
            root.setLevel(level)
