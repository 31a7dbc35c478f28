"""The export of a bundle: a graph, a GGUF or merged weights, the head around it, and what was proven of both.

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
from typing import Any, cast

import numpy as np

from shared.adapters import load_bundle
from shared.batches import length_batches
from shared.bundle_manifest import MANIFEST as BUNDLE_MANIFEST
from shared.bundle_manifest import file_digests, read_manifest
from shared.contracts import Arrays, Examples, Features, Head, Metric, WritingHead
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
from shared.gguf_export import write_decoder
from shared.graph_export import write_graph
from shared.merged import PHRASES, write_merged_model
from shared.model import Model
from shared.phrases import Phrases
from shared.promise import make_promises, promises_row
from shared.provenance import library_versions
from shared.quantising import quantise, quantise_dynamic, quantise_static
from shared.verb_config import BY_TORCH, MERGED, SPECULATIVE, WRITERS, ExportConfig, PromiseConfig

EXACT, EXACT_WRITERS = (MERGED, "onnx", "openvino"), (MERGED, SPECULATIVE, "gguf")  # in float32
INNER_FORMAT = "onnx"  # of the bundles inside one that needs no torch
SAME_TEXTS = 0.02  # share of the texts that a float32 decoder may write otherwise than the torch model
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
    validation = source.validation
    if source.model.base.four_bits:
        raise UserError("a base in 4 bits (model.four_bits=true) cannot be exported: its LoRA is not merged")
    _check_format(source.model.head, asked.format)
    facts = _facts_of(source.model, source.bundle, asked.format)
    exact = answered_here(source.model, validation, batch_tokens=source.batch_tokens)
    kept = _write_model(source, folder, facts, exact, asked)
    apart = answered_apart(folder, validation, threads=source.threads, batch_tokens=source.batch_tokens)
    exported, answers = load_export(folder, threads=source.threads).head, apart.predictions
    if apart.logits:
        answers = _tuned(exported, validation, exported.encode(validation), apart.logits)
    proof = prove(
        validation, exact, replace(apart, predictions=answers), metric=source.metric, threads=source.threads
    )
    proof = replace(
        proof,
        sampled=isinstance(source.model.head, WritingHead) and source.model.head.sampled,
        full_precision=kept,
        torch_mib=_torch_mib(source.model),
        mib=_mib(folder),
    )
    proof = replace(proof, forced=fault(proof, asked))
    if proof.forced and not asked.force:
        raise UserError(f"{proof.forced}; export.force=true keeps it all the same")
    promises = make_promises(source.metric.trials(validation, answers), source.promise)
    facts |= {
        "decoding": exported.decoding,
        "promises": promises_row(promises),
        "proof": asdict(proof),
    }
    _write(folder, source.bundle, exported.module.arrays(), facts)
    check_reload(folder, validation, threads=source.threads, batch_tokens=source.batch_tokens)
    return proof


def _check_format(head: Head, format: str) -> None:
    """Raise `UserError` where the format is not for such a head."""
    graphs = tuple(GRAPHS) if hasattr(head.module, "inputs") else ()
    allowed = (MERGED, *((*WRITERS, SPECULATIVE) if isinstance(head, WritingHead) else graphs))
    if format not in allowed:
        raise UserError(
            f"export.format={format} is not for a head that finds {head.finds()}; "
            f"allowed: {', '.join(allowed)}"
        )


def _write_model(
    source: Source, folder: Path, facts: dict[str, Any], exact: Answered, asked: ExportConfig
) -> list[str]:
    """Write the graph or the decoder with what stands beside it; return the layers left in float32."""
    _write_files(source.model, source.bundle, folder, format=asked.format, examples=source.validation)
    _write(folder, source.bundle, source.model.head.module.arrays(), facts)
    if asked.format == SPECULATIVE:
        Phrases.of(cast(WritingHead, source.model.head).targets(source.training)).save(folder / PHRASES)
    kept = _shrink(folder, source, exact, asked) if asked.format.endswith("int8") else []
    _seal(folder, facts)
    return kept


def _write_files(model: Model, bundle: Path, folder: Path, *, format: str, examples: Examples) -> None:
    """Write a bundle's model in the format, and with it those of the bundles inside."""
    if format in BY_TORCH:
        write_merged_model(model, folder)
    elif format in WRITERS:
        write_decoder(model, bundle, folder, format=format)
    else:
        write_graph(model, folder / GRAPH, features=model.head.encode(examples)[:TRACED])
    for name, inner in model.head.bundles.items():
        own, inside = load_bundle(inner), folder / name
        inner_format = MERGED if format in BY_TORCH else INNER_FORMAT
        inside.mkdir()
        _write_files(own, inner, inside, format=inner_format, examples=examples)
        _write(inside, inner, own.head.module.arrays(), _facts_of(own, inner, inner_format))


def _facts_of(model: Model, bundle: Path, format: str) -> dict[str, Any]:
    manifest = read_manifest(bundle)
    return {
        "format": format,
        "bundle": file_sha256(bundle / BUNDLE_MANIFEST),
        **{name: manifest[name] for name in COPIED},
        "special": FastTokenizer.of(model.tokenizer).special,
        "decoding": manifest["decoding"],
        "promises": [],
        "versions": library_versions(),
    }


def _write(folder: Path, bundle: Path, arrays: Arrays, facts: dict[str, Any]) -> None:
    """Write what stands beside the model, and the digests of all of it."""
    np.savez(folder / ARRAYS, **arrays)  # type: ignore[arg-type]  # no array is named allow_pickle
    shutil.copyfile(bundle / TOKENIZER, folder / TOKENIZER)
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
    exported = load_export(folder, threads=source.threads).head
    features = exported.encode(source.validation)

    def loss(graph: Path) -> float:
        small = ExportedModel(exported, graph, format=asked.format, threads=source.threads)
        logits = infer(small, features, batch_tokens=source.batch_tokens)
        answers = _tuned(exported, source.validation, features, logits)
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
    if asked.format in EXACT_WRITERS and not proof.sampled and proof.changed > SAME_TEXTS:
        return (
            f"export.format={asked.format} writes {proof.changed:.1%} of the texts otherwise than torch, "
            f"more than {SAME_TEXTS:.0%}"
        )
    if asked.format in EXACT and (proof.largest_gap or 0.0) > SAME_LOGIT:
        return (
            f"export.format={asked.format} gives logits up to {proof.largest_gap:.2g} from those of torch, "
            f"more than {SAME_LOGIT:g}"
        )
    return ""


def _torch_mib(model: Model) -> float:
    return round(sum(weight.numel() * weight.element_size() for weight in model.parameters()) / 2**20, 1)


def _mib(folder: Path) -> float:
    return round(sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 2**20, 1)
