"""Exported specialists: another engine's model in place of that of torch, and the head around it.

A folder holds a graph, or a decoder's weights for llama.cpp or OpenVINO GenAI, what decoding reads of the
head's weights, the tokenizer, and `export.json`, which says how it was made and what was proven of it.
Neither torch nor transformers is imported, so that a process answers within a second of its start; merged
weights alone are run by torch, token by token or speculatively.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from pathlib import Path
from typing import Any, cast

import numpy as np

from shared.bundle_manifest import read_manifest
from shared.contracts import Arrays, Engine, Features, Head, Types, WritingHead
from shared.fast_tokenizer import FastTokenizer
from shared.files import file_sha256
from shared.runtimes import runtime
from shared.stored_arrays import StoredArrays
from shared.typed_config import build
from shared.verb_config import BY_TORCH, GENAI, MERGED

EXPORTS, MANIFEST = "exports", "export.json"
GRAPH, ARRAYS = "model.onnx", "arrays.npz"
MANY = 2  # batches for each thread: as many are computed side by side, fewer are not

Graph = Callable[[Arrays], np.ndarray[Any, Any]]  # a batch's arrays, by name -> logits


class ExportedModel:
    """An engine: the head of a bundle around a graph; see `shared.contracts.Engine`.

    ONNX Runtime computes many batches side by side, each on a thread of its own, which then never waits for
    others; a few, as OpenVINO all, are computed on all threads, one after another.
    """

    def __init__(self, head: Head, path: Path, *, format: str, threads: int) -> None:
        self.head, self.streams = head, threads if GRAPHS[format] is onnx_graph else 1
        self._open = partial(GRAPHS[format], path)
        self._graph = self._open(threads)

    def logits(self, features: Sequence[Features]) -> np.ndarray[Any, Any]:
        """Return the logits of a batch of windows, a row each, padded to the batch's size."""
        return self._graph(self.head.collate(features))

    def logits_of(self, batches: Sequence[Sequence[Features]]) -> Iterator[np.ndarray[Any, Any]]:
        """Yield the logits of several batches, in order."""
        if self.streams == 1 or len(batches) < MANY * self.streams:
            yield from map(self.logits, batches)
            return
        graph, pool = self._narrow, ThreadPoolExecutor(self.streams)
        try:
            yield from pool.map(lambda batch: graph(self.head.collate(batch)), batches)
        finally:
            pool.shutdown(cancel_futures=True)

    @cached_property
    def _narrow(self) -> Graph:
        """The graph once more, on the thread of who calls it: a few batches need no such copy."""
        return self._open(1)


def load_export(folder: Path, *, threads: int, types: Types | None = None) -> Engine:
    """Return the exported specialist; `threads` of 0 are all processors that the process may use.

    Raises `BundleError` when a file is missing or damaged, or when other `types` are asked for than trained.
    """
    manifest = read_manifest(folder, name=MANIFEST)
    engine = _engine(folder, manifest, threads=threads or len(os.sched_getaffinity(0)))
    head = engine.head
    head.decoding.update(manifest["decoding"])
    head.kept.update(manifest["kept"])
    head.source.update(bundle=manifest["bundle"], export=file_sha256(folder / MANIFEST))
    if isinstance(head, WritingHead):
        head.engines.update({name: load_export(folder / name, threads=threads) for name in head.bundles})
    if types is not None:
        head.ask(types)
    return engine


def _engine(folder: Path, manifest: Mapping[str, Any], *, threads: int) -> Engine:
    """Return the engine of the export's format, around a head that knows nothing of validation yet."""
    if manifest["format"] in BY_TORCH:
        from shared.merged import load_merged_model, load_speculative_model

        load = load_merged_model if manifest["format"] == MERGED else load_speculative_model
        merged: Engine = load(folder, manifest, threads=threads)
        return merged
    with np.load(folder / ARRAYS) as stored:
        module = StoredArrays({name: stored[name] for name in stored.files})
    tokenizer = FastTokenizer.load(folder, special=manifest["special"])
    settings = build(manifest["head"], path="head")
    head: Head = settings.head(tokenizer, types=manifest["types"], module=module)
    if manifest["format"] in GRAPHS:
        return ExportedModel(head, folder / GRAPH, format=manifest["format"], threads=threads)
    writing = cast(WritingHead, head)
    if manifest["format"] in GENAI:
        from shared.genai import load_genai

        return load_genai(folder, writing, tokenizer, threads=threads)
    from shared.llama import load_llama

    return load_llama(folder, writing, tokenizer, manifest=manifest, threads=threads)


def onnx_graph(path: Path, threads: int) -> Graph:
    """Return the graph run by ONNX Runtime; raises `UserError` where that is not installed."""
    onnxruntime = runtime("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [node.name for node in session.get_inputs()]

    def run(batch: Arrays) -> np.ndarray[Any, Any]:
        (logits,) = session.run(None, {name: batch[name] for name in names})
        found: np.ndarray[Any, Any] = logits
        return found

    return run


def openvino_graph(path: Path, threads: int) -> Graph:
    """Return the graph run by OpenVINO; raises `UserError` where that is not installed."""
    core = runtime("openvino").Core()
    settings = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32"}
    compiled = core.compile_model(core.read_model(path), "CPU", settings)
    names = [node.any_name for node in compiled.inputs]

    def run(batch: Arrays) -> np.ndarray[Any, Any]:
        found: np.ndarray[Any, Any] = compiled({name: batch[name] for name in names})[0]
        return found

    return run


GRAPHS = {
    "onnx": onnx_graph,
    "onnx_int8": onnx_graph,
    "openvino": openvino_graph,
    "openvino_int8": openvino_graph,
}
