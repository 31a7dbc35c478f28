"""What computes a run's answers: torch on its bundle, or an export of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from shared.bundle_manifest import read_manifest
from shared.contracts import Engine, Types
from shared.errors import UserError, suggest
from shared.exported import EXPORTS, MANIFEST, load_export
from shared.help import command
from shared.runs import BUNDLE

TORCH = "torch"
TITLES = {
    "onnx": "ONNX Runtime",
    "onnx_int8": "8 bits, ONNX Runtime",
    "openvino": "OpenVINO",
    "openvino_int8": "8 bits, OpenVINO",
}


def engine_place(run: Path, engine: str, *, task: str) -> Path:
    """Return where an engine's answers are kept: the run's own folder, or that of its export.

    Raises `UserError` for an engine that does not exist, and naming the command that makes the export where
    it is not there.
    """
    if engine == TORCH or (run / MANIFEST).is_file():  # an export that was copied to a place of its own
        return run
    if engine not in TITLES:
        allowed = [TORCH, *TITLES]
        raise UserError(f"engine={engine!r}{suggest(engine, allowed)}; allowed: {', '.join(allowed)}")
    folder = run / EXPORTS / engine
    if not (folder / MANIFEST).is_file():
        there = ", ".join(sorted(path.parent.name for path in run.glob(f"{EXPORTS}/*/{MANIFEST}"))) or "none"
        how = f"{command(task, 'export')} run={run} export.format={engine}"
        raise UserError(f"engine={engine}: {run} has no such export (there: {there}); make it: {how}")
    return folder


def engine_folder(run: Path, engine: str, *, task: str) -> Path:
    """Return the folder that an engine reads: the run's bundle, or its export; raises as `engine_place`."""
    place = engine_place(run, engine, task=task)
    return place if (place / MANIFEST).is_file() else place / BUNDLE


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
