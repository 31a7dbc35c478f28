"""Answer a folder's examples by an export in a process of its own, without torch unless torch runs it."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np

from shared.bundle_manifest import read_manifest
from shared.contracts import Engine, Examples, WritingHead
from shared.evaluate import Logits, infer, predict, predict_timed
from shared.example_rows import prediction_row, read_example
from shared.exported import MANIFEST, load_export
from shared.verb_config import BY_TORCH

EXAMPLES, LOGITS, ANSWERS, SPEED = "examples.jsonl", "logits.npz", "answers.jsonl", "speed.json"


def answer(folder: Path, work: Path, threads: int, batch_tokens: int, timed: bool) -> None:
    """Answer `work`'s examples; where `timed`, write the windows' logits too, and how fast answers came.

    Raises `RuntimeError` when torch was imported though it does not run the export.
    """
    lines = (work / EXAMPLES).read_text(encoding="utf-8").splitlines()
    examples = [read_example(json.loads(line)) for line in lines]
    model = load_export(folder, threads=threads)
    if timed:
        np.savez(work / LOGITS, *window_logits(model, examples, batch_tokens=batch_tokens))
        predictions, speed, _ = predict_timed(model, examples, batch_tokens=batch_tokens)
        (work / SPEED).write_text(json.dumps(asdict(speed)), encoding="utf-8")
    else:
        predictions = predict(model, examples, batch_tokens=batch_tokens)
    rows = [json.dumps(prediction_row(prediction)) for prediction in predictions]
    (work / ANSWERS).write_text("\n".join(rows), encoding="utf-8")
    if "torch" in sys.modules and read_manifest(folder, name=MANIFEST)["format"] not in BY_TORCH:
        raise RuntimeError("torch was imported")


def window_logits(model: Engine, examples: Examples, *, batch_tokens: int) -> Logits:
    """Return the logits of the examples' windows; none where texts are written."""
    if isinstance(model.head, WritingHead):
        return []
    return infer(model, model.head.encode(examples), batch_tokens=batch_tokens)
