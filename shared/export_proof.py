"""What an export is proven to be: answered by in a new process, beside the torch model, on validation."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from shared.bundle_manifest import read_manifest
from shared.compare import compare
from shared.contracts import Engine, Examples, Metric
from shared.errors import BundleError
from shared.evaluate import Speed, predict, predict_timed
from shared.example_rows import example_row, prediction_row, read_prediction
from shared.exported import MANIFEST, load_export
from shared.exported_answers import ANSWERS, EXAMPLES, LOGITS, SPEED, answer, window_logits
from shared.fresh_process import FreshProcessError, in_fresh_process
from shared.provenance import machine
from shared.verb_config import BY_TORCH

RELOADED = 32  # examples whose answers are compared once more when all is written

Logits = Sequence[np.ndarray[Any, Any]]


@dataclass(frozen=True)
class Proof:
    """What an export was measured to be, beside the torch model, in one run on one machine."""

    num_examples: int
    score: str  # the main score's name
    torch: float  # its value by the torch model
    export: float
    low: float | None  # 95 % interval of export minus torch, paired by document; None where there is none
    high: float | None
    p: float | None
    changed: float  # share of the examples that are answered otherwise
    largest_gap: float | None  # between two logits of one place; None of a text that is written
    torch_documents_per_second: float
    documents_per_second: float
    torch_latency_p50_ms: float
    latency_p50_ms: float
    threads: int
    cpu: str
    torch_mib: float = 0.0  # of the merged weights
    mib: float = 0.0  # of the export's files
    sampled: bool = False  # answers are drawn at random: those of another engine are others
    full_precision: list[str] = field(default_factory=list)  # layers that have no 8 bits where others do
    forced: str = ""  # why it would have been refused, '' for no reason


@dataclass(frozen=True)
class Answered:
    """What an engine made of the examples."""

    logits: Logits  # of each window, in order; none of texts that are written
    predictions: list[Any]
    speed: Speed


def answered_here(model: Engine, examples: Examples, *, batch_tokens: int) -> Answered:
    """Return what the engine makes of the examples in this process."""
    logits = window_logits(model, examples, batch_tokens=batch_tokens)
    predictions, speed, _ = predict_timed(model, examples, batch_tokens=batch_tokens)
    return Answered(logits, predictions, speed)


def answered_apart(folder: Path, examples: Examples, *, threads: int, batch_tokens: int) -> Answered:
    """Return what an export makes of the examples in a new process, without torch unless torch runs it.

    Raises `BundleError` with what the process said where it cannot answer.
    """
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        predictions = _answers_apart(
            folder, work, examples, threads=threads, batch_tokens=batch_tokens, timed=True
        )
        with np.load(work / LOGITS) as stored:
            logits = [stored[place] for place in stored.files]
        speed = Speed(**json.loads((work / SPEED).read_text(encoding="utf-8")))
    return Answered(logits, predictions, speed)


def _answers_apart(
    folder: Path, work: Path, examples: Examples, *, threads: int, batch_tokens: int, timed: bool
) -> list[Any]:
    """Return the answers of a new process; `work` is a folder for both."""
    rows = [json.dumps(example_row(example)) for example in examples]
    (work / EXAMPLES).write_text("\n".join(rows), encoding="utf-8")
    by_torch = read_manifest(folder, name=MANIFEST)["format"] in BY_TORCH
    try:
        in_fresh_process(answer, folder, work, threads, batch_tokens, timed, torch=by_torch)
    except FreshProcessError as error:
        raise BundleError(f"{folder} does not answer in a new process:\n{error}") from error
    lines = (work / ANSWERS).read_text(encoding="utf-8").splitlines()
    return [read_prediction(json.loads(line)) for line in lines]


def check_reload(folder: Path, examples: Examples, *, threads: int, batch_tokens: int) -> None:
    """Raise `BundleError` unless a new process answers the first examples as this one does."""
    first = list(examples)[:RELOADED]
    expected = predict(load_export(folder, threads=threads), first, batch_tokens=batch_tokens)
    with tempfile.TemporaryDirectory() as name:
        found = _answers_apart(
            folder, Path(name), first, threads=threads, batch_tokens=batch_tokens, timed=False
        )
    if found != [read_prediction(prediction_row(own)) for own in expected]:
        raise BundleError(f"{folder} does not answer in a new process as it does here: do not use it")


def prove(examples: Examples, exact: Answered, found: Answered, *, metric: Metric, threads: int) -> Proof:
    """Return how far the export's answers are from the torch model's, and how fast they came."""
    low = high = p = None
    if metric.counts(examples, found.predictions) is not None:
        difference = compare(examples, [exact.predictions], [found.predictions], metric=metric).difference
        low, high, p = difference.low, difference.high, difference.p
    pairs = list(zip(exact.predictions, found.predictions, strict=True))
    return Proof(
        num_examples=len(examples),
        score=metric.main,
        torch=metric.quick(examples, exact.predictions),
        export=metric.quick(examples, found.predictions),
        low=low,
        high=high,
        p=p,
        changed=sum(a.key != b.key for a, b in pairs) / len(pairs),
        largest_gap=_largest_gap(exact.logits, found.logits),
        torch_documents_per_second=round(exact.speed.documents_per_second, 3),
        documents_per_second=round(found.speed.documents_per_second, 3),
        torch_latency_p50_ms=round(exact.speed.latency_p50_ms, 2),
        latency_p50_ms=round(found.speed.latency_p50_ms, 2),
        threads=threads,
        cpu=machine(threads=threads).cpu,
    )


def proof_text(proof: Proof) -> str:
    """Return the proof as a table: the torch model beside the export."""
    from tabulate import tabulate

    found = proof
    rows: list[list[Any]] = [
        [f"{found.score} on {found.num_examples} of validation", f"{found.torch:.4f}", f"{found.export:.4f}"],
        ["documents a second", found.torch_documents_per_second, found.documents_per_second],
        ["one text, median ms", found.torch_latency_p50_ms, found.latency_p50_ms],
        ["MiB", found.torch_mib, found.mib],
    ]
    table = tabulate(rows, headers=["", "torch", "export"], disable_numparse=True)
    notes = [
        f"answered otherwise: {100 * found.changed:.2f} %"
        + ("" if found.largest_gap is None else f"; logits up to {found.largest_gap:.1e} apart"),
        f"{found.threads} threads, {found.cpu}",
    ]
    if found.low is not None:
        notes.insert(0, f"difference [95 %]: [{found.low:+.4f}, {found.high:+.4f}], p {found.p:.3f}")
    if found.full_precision:
        notes.append(f"in float32: {', '.join(found.full_precision)}")
    if found.forced:
        notes.append(f"FORCED: {found.forced}")
    return "\n".join([table, *notes])


def _largest_gap(left: Logits, right: Logits) -> float | None:
    """Return the largest difference of two logits of one place; a row is padded to its batch's width."""
    if not left:
        return None
    return max(
        float(np.abs(a[tuple(map(slice, b.shape))] - b[tuple(map(slice, a.shape))]).max(initial=0.0))
        for a, b in zip(left, right, strict=True)
    )
