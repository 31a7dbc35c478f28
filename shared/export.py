"""The export of a bundle: a graph without torch, the head around it, and what was proven of both.

The graph's own logits on validation fit the thresholds and confidences anew, and make the promises: what is
promised of an 8-bit model's answers is measured by them. Whatever costs more of the main score than the
budget allows is refused, unless it is forced; then it is marked.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from shared.batches import length_batches
from shared.bundle_manifest import MANIFEST as BUNDLE_MANIFEST
from shared.bundle_manifest import file_digests, read_manifest
from shared.config import ExportConfig, PromiseConfig
from shared.contracts import Arrays, Examples, Features, Head, Metric
from shared.errors import UserError
from shared.evaluate import infer
from shared.export_proof import (
    Answered,
    Logits,
    Proof,
    answered_apart,
    answered_here,
    check_reload,
    prove,
)
from shared.exported import ARRAYS, GRAPH, GRAPHS, MANIFEST, ExportedModel, load_export
from shared.fast_tokenizer import FILE as TOKENIZER
from shared.fast_tokenizer import FastTokenizer
from shared.files import file_sha256, write_json_atomic
from shared.graph_export import write_graph
from shared.model import Model
from shared.promise import make_promises, promises_row
from shared.provenance import library_versions
from shared.quantising import quantise, quantise_dynamic, quantise_static

SAME_LOGIT = 1e-3  # how far a float32 export's logits may be from the torch model's
TRACED = 4  # windows that the graph is traced by
CALIBRATING, CALIBRATING_TOKENS = 400, 1024  # windows of training texts that give ranges, and their batches
COPIED = ("task", "head", "model", "base_sha256", "data_licence", "types", "kept")


@dataclass(frozen=True)
class Source:
    """What is exported, and what it is measured by."""

    model: Model  # of the bundle, merged
    bundle: Path
    training: Examples
    validation: Examples
    metric: Metric
    promise: PromiseConfig
    batch_tokens: int
    threads: int


def write_export(source: Source, folder: Path, *, asked: ExportConfig) -> Proof:
    """Fill the folder with the export and return what was proven of it.

    Raises `UserError` for a head that has no graph, and for an export that costs more than the budget, or
    whose float32 logits are not the torch model's, unless it is forced.
    """
    head, validation = source.model.head, source.validation
    if not hasattr(head.module, "inputs"):
        raise UserError(
            f"export.format={asked.format}: there is no graph of a head that finds {head.finds()}"
        )
    facts = _facts(source, asked)
    exact = answered_here(source.model, validation, batch_tokens=source.batch_tokens)
    write_graph(source.model, folder / GRAPH, features=head.encode(validation)[:TRACED])
    _write(folder, source, head.module.arrays(), facts)
    kept = _shrink(folder, source, exact, asked) if asked.format.endswith("int8") else []
    _seal(folder, facts)
    apart = answered_apart(folder, validation, threads=source.threads, batch_tokens=source.batch_tokens)
    exported = load_export(folder, threads=source.threads).head
    answers = _tuned(exported, validation, exported.encode(validation), apart.logits)
    proof = prove(
        validation, exact, replace(apart, predictions=answers), metric=source.metric, threads=source.threads
    )
    proof = replace(proof, full_precision=kept, torch_mib=_torch_mib(source.model), mib=_mib(folder))
    proof = replace(proof, forced=fault(proof, asked))
    if proof.forced and not asked.force:
        raise UserError(f"{proof.forced}; export.force=true keeps it all the same")
    promises = make_promises(
        source.metric.trials(validation, answers), source.promise.risks, confidence=source.promise.confidence
    )
    facts |= {
        "decoding": exported.decoding,
        "promises": promises_row(promises),
        "proof": asdict(proof),
    }
    _write(folder, source, exported.module.arrays(), facts)
    check_reload(folder, validation, threads=source.threads, batch_tokens=source.batch_tokens)
    return proof


def _facts(source: Source, asked: ExportConfig) -> dict[str, Any]:
    manifest = read_manifest(source.bundle)
    return {
        "format": asked.format,
        "bundle": file_sha256(source.bundle / BUNDLE_MANIFEST),
        **{name: manifest[name] for name in COPIED},
        "special": FastTokenizer.of(source.model.tokenizer).special,
        "decoding": manifest["decoding"],
        "promises": [],
        "versions": library_versions(),
    }


def _write(folder: Path, source: Source, arrays: Arrays, facts: dict[str, Any]) -> None:
    """Write what stands beside the graph, and the digests of all of it."""
    np.savez(folder / ARRAYS, **arrays)  # type: ignore[arg-type]  # no array is named allow_pickle
    shutil.copyfile(source.bundle / TOKENIZER, folder / TOKENIZER)
    _seal(folder, facts)


def _seal(folder: Path, facts: dict[str, Any]) -> None:
    (folder / MANIFEST).unlink(missing_ok=True)
    write_json_atomic(folder / MANIFEST, {**facts, "files": file_digests(folder)})


def _shrink(folder: Path, source: Source, exact: Answered, asked: ExportConfig) -> list[str]:
    """Put 8 bits into the folder's graph and return the layers that stay in float32."""
    head = source.model.head
    best = source.metric.quick(source.validation, exact.predictions)
    windows = head.encode(source.training)[:CALIBRATING]
    sizes = [item.num_tokens for item in windows]
    batches = [
        head.collate([windows[index] for index in batch])
        for batch in length_batches(sizes, budget=CALIBRATING_TOKENS)
    ]
    exported = load_export(folder, threads=source.threads)
    features = exported.head.encode(source.validation)

    def loss(graph: Path) -> float:
        small = ExportedModel(
            exported.head, GRAPHS[asked.format](graph, source.threads), manifest=exported.manifest
        )
        logits = infer(small, features, batch_tokens=source.batch_tokens)
        answers = _tuned(exported.head, source.validation, features, logits)
        return best - source.metric.quick(source.validation, answers)

    static = asked.format.startswith("openvino")
    by = partial(quantise_static, batches=batches) if static else quantise_dynamic
    budget = math.inf if asked.force else asked.budget
    return quantise(folder / GRAPH, by=by, batches=batches, loss=loss, budget=budget)


def _tuned(head: Head, examples: Examples, features: Sequence[Features], logits: Logits) -> list[Any]:
    """Fit the thresholds and confidences to these logits, and return the answers."""
    head.tune(examples, features, logits)
    return head.decode(examples, features, logits)


def fault(proof: Proof, asked: ExportConfig) -> str:
    """Return why the export should be refused, '' for no reason."""
    loss = proof.torch - proof.export
    if loss > asked.budget:
        scores = f"{proof.torch:.4f} to {proof.export:.4f}"
        return (
            f"export.format={asked.format} takes {proof.score} on validation from {scores}, "
            f"more than export.budget={asked.budget:g}"
        )
    if not asked.format.endswith("int8") and proof.largest_gap > SAME_LOGIT:
        return (
            f"export.format={asked.format} gives logits up to {proof.largest_gap:.2g} from those of torch, "
            f"more than {SAME_LOGIT:g}"
        )
    return ""


def _torch_mib(model: Model) -> float:
    return round(sum(weight.numel() * weight.element_size() for weight in model.parameters()) / 2**20, 1)


def _mib(folder: Path) -> float:
    return round(sum(path.stat().st_size for path in folder.iterdir()) / 2**20, 1)
