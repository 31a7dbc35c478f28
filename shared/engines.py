"""What computes a run's answers: torch on its bundle, an export of it, or whichever is fastest here."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from shared.bundle_manifest import MANIFEST as BUNDLE_MANIFEST
from shared.bundle_manifest import read_manifest
from shared.contracts import Engine, Types
from shared.errors import UserError, suggest
from shared.exported import EXPORTS, MANIFEST, load_export
from shared.files import file_sha256
from shared.help import command
from shared.provenance import machine
from shared.runs import BUNDLE
from shared.verb_config import MERGED, SPECULATIVE

TORCH, AUTO = "torch", "auto"
TITLES = {
    MERGED: "merged",
    "onnx": "ONNX Runtime",
    "onnx_int8": "8 bits, ONNX Runtime",
    "openvino": "OpenVINO",
    "openvino_int8": "8 bits, OpenVINO",
    "gguf": "llama.cpp",
    "gguf_q8_0": "8 bits, llama.cpp",
    "gguf_q4_1": "4 bits, llama.cpp",
    "gguf_lora": "LoRA on the base's GGUF, llama.cpp",
    "genai_f16": "16 bits, OpenVINO GenAI",
    "genai_q8_0": "8 bits, OpenVINO GenAI",
    SPECULATIVE: "speculative decoding",
}


def chosen_engine(run: Path, engine: str, *, task: str, threads: int) -> str:
    """Return the engine's name; for `auto` the fastest of those that `export` measured on this processor.

    One that was forced is left aside. Raises `UserError` where none was measured here with so many threads.
    """
    if engine != AUTO:
        return engine
    rates: dict[str, float] = {}
    cpu, threads = machine(threads=0).cpu, num_threads(threads)
    for path in sorted(run.glob(f"{EXPORTS}/*/{MANIFEST}")):
        proof = json.loads(path.read_text(encoding="utf-8"))["proof"]
        if (proof["cpu"], proof["threads"], proof["forced"]) == (cpu, threads, ""):
            rates[path.parent.name] = proof["documents_per_second"]
            rates[TORCH] = max(rates.get(TORCH, 0.0), proof["torch_documents_per_second"])
    if not rates:
        how = f"{command(task, 'export')} run={run} export.format=onnx_int8 hardware.threads={threads}"
        raise UserError(
            f"engine=auto: no export of {run} was measured on {cpu} with {threads} threads: {how}"
        )
    return max(rates, key=lambda name: rates[name])


def engine_place(run: Path, engine: str, *, task: str) -> Path:
    """Return where an engine's answers are kept: the run's own folder, or that of its export.

    Raises `UserError` for an engine that does not exist, and naming the command that makes the export where
    it is not there.
    """
    if engine == TORCH or (run / MANIFEST).is_file():  # an export that was copied to a place of its own
        return run
    if engine not in TITLES:
        allowed = [TORCH, *TITLES, AUTO]
        raise UserError(f"engine={engine!r}{suggest(engine, allowed)}; allowed: {', '.join(allowed)}")
    folder = run / EXPORTS / engine
    if not (folder / MANIFEST).is_file():
        there = ", ".join(sorted(path.parent.name for path in run.glob(f"{EXPORTS}/*/{MANIFEST}"))) or "none"
        how = f"{command(task, 'export')} run={run} export.format={engine}"
        raise UserError(f"engine={engine}: {run} has no such export (there: {there}); make it: {how}")
    return folder


def engine_folder(run: Path, engine: str, *, task: str) -> Path:
    """Return the folder that an engine reads: the run's bundle, or its export; raises as `engine_place`.

    Raises `UserError` too for an export of a bundle that was calibrated anew since: it still has the
    thresholds, the promises and the check of then.
    """
    place = engine_place(run, engine, task=task)
    if not (place / MANIFEST).is_file():
        return place / BUNDLE
    bundle = run / BUNDLE / BUNDLE_MANIFEST
    if bundle.is_file():
        exported = json.loads((place / MANIFEST).read_text(encoding="utf-8"))
        if exported["bundle"] != file_sha256(bundle):
            how = f"{command(task, 'export')} run={run} export.format={engine}"
            raise UserError(f"{place} was made before {bundle} was calibrated anew; make it again: {how}")
    return place


def engine_manifest(folder: Path) -> dict[str, Any]:
    """Return what the folder of an engine says of itself, after every file's digest was checked."""
    return read_manifest(folder, name=MANIFEST) if (folder / MANIFEST).is_file() else read_manifest(folder)


def num_threads(asked: int) -> int:
    """Return the threads to use: 0 asks for every processor the process may use."""
    return asked or len(os.sched_getaffinity(0))


def load_engine(folder: Path, *, threads: int, types: Types | None = None) -> Engine:
    """Return what answers by a bundle, with torch, or by an export, without.

    `types` asks for other entity types than those trained; only heads that read type names can answer.
    """
    if (folder / MANIFEST).is_file():
        return load_export(folder, threads=num_threads(threads), types=types)
    import torch

    from shared.adapters import load_bundle

    torch.set_num_threads(num_threads(threads))
    return load_bundle(folder, types=types)
