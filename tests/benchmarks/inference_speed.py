"""Answers a second and the time of one: our engines beside `transformers` pipelines with the same weights.

Takes a run of financial entities (FiNER-ORD) and one of intents (Banking77), or trains each for an epoch,
exports them for every engine, and lets each system answer the same validation texts in turn, several times. A
pipeline has the same encoder and a classifier of the same size; it has no place for word shapes, tag
transitions and the ontology, which are extra work for ours. Encoding and decoding count on both sides. The
machine's own limit is that of its matrix products in the sizes of the encoder. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from shared import runs, train_verb
from shared.adapters import load_bundle
from shared.boards.measure import busy_share
from shared.boards.speed import SpeedTable, row_of
from shared.compose import compose_run
from shared.contracts import Engine
from shared.engines import TORCH, engine_folder, load_engine, num_threads
from shared.evaluate import predict
from shared.export_verb import export
from shared.exported import EXPORTS, MANIFEST
from shared.model import Model
from shared.run_inputs import of_run
from shared.verb_config import GRAPHS
from tests.benchmarks.products import flops, gemm_rates, rates_text
from tests.benchmarks.published import publish

LEADERBOARDS = Path(__file__).resolve().parent.parent.parent / "leaderboards"
COMMAND = "make bench"
PIPELINES = {"pipeline, one by one": 1, "pipeline, batches of 32": 32}
ALONE = 40  # texts timed one by one, in each repeat
COLD = 5  # starts of a new process
ENTITY, INTENT = "ner", "ontology"
DATA = {ENTITY: "finer_ord", INTENT: "banking77"}
NAMES = {ENTITY: "financial entities, FiNER-ORD", INTENT: "77 intents, Banking77"}

Answer = Callable[[Sequence[Any]], Any]


@dataclass(frozen=True)
class Timing:
    """Medians of one system."""

    documents_per_second: float
    latency_p50_ms: float


def main() -> None:
    """Measure, print the tables, and put them where the leaderboards are."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks.inference_speed", description=__doc__)
    parser.add_argument("--data-dir", required=True)
    for task, what in NAMES.items():
        parser.add_argument(f"--{task}", type=Path, help=f"a run of {what}, in place of one of an epoch")
    parser.add_argument("--texts", type=int, default=400, help="of validation; %(default)s if not given")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--output", type=Path, default=LEADERBOARDS)
    given = parser.parse_args()
    busy = busy_share()
    torch.set_num_threads(num_threads(0))
    tables = []
    with tempfile.TemporaryDirectory() as name:
        for task in (ENTITY, INTENT):
            run = getattr(given, task) or trained(task, Path(name), given.data_dir)
            tables += measured(task, run, given.data_dir, texts=given.texts, repeats=given.repeats)
    publish(tables, given.output, bench="inference", command=COMMAND, busy=busy)


def trained(task: str, folder: Path, data_dir: str) -> Path:
    """Return a run of one epoch."""
    words = [f"data={DATA[task]}", f"data_dir='{data_dir}'", f"runs_dir='{folder}'", "train.epochs=1"]
    return train_verb.train(compose_run(task, words), overrides=words)


def measured(task: str, run: Path, data_dir: str, *, texts: int, repeats: int) -> list[SpeedTable]:
    """Return the tables of one task: rates and latencies, and the start of a process."""
    config = compose_run(task, [f"run='{run}'", f"data_dir='{data_dir}'"])
    engines = engines_of(task, run, data_dir)
    examples = of_run(config, run, []).data.load("validation")[:texts]
    model = load_bundle(run / runs.BUNDLE)
    systems: dict[str, Answer] = {name: peer(task, model, batch=batch) for name, batch in PIPELINES.items()}
    systems |= {name: ours(engine) for name, engine in engines.items()}
    timings = timed(systems, examples, repeats=repeats)
    tokens = sum(item.num_tokens for item in model.head.encode(examples))
    rates = gemm_rates(model)
    return [
        rate_table(task, timings, engines, examples, flops=flops(model, tokens) / len(examples), rates=rates),
        cold_table(task, run, examples[0].text),
    ]


def engines_of(task: str, run: Path, data_dir: str) -> dict[str, Engine]:
    """Return a run's specialist by every engine; an export that it lacks is made."""
    for engine in GRAPHS:
        if not (run / EXPORTS / engine / MANIFEST).is_file():
            words = [f"run='{run}'", f"data_dir='{data_dir}'", f"export.format={engine}", "export.force=true"]
            export(compose_run(task, words), overrides=[])
    return {
        engine: load_engine(engine_folder(run, engine, task=task), threads=0) for engine in (TORCH, *GRAPHS)
    }


def ours(engine: Engine) -> Answer:
    """Return what answers by an engine."""
    return lambda examples: predict(engine, examples, batch_tokens=1024)


def peer(task: str, model: Model, *, batch: int) -> Answer:
    """Return the pipeline of transformers with our merged encoder, and a classifier of our size."""
    from transformers import (
        BertForSequenceClassification,
        BertForTokenClassification,
        TextClassificationPipeline,
        TokenClassificationPipeline,
    )

    head: Any = model.head
    labels = len(head.tags) if task == ENTITY else len(head.ontology.concepts)
    known: Any = model.backbone.config
    settings = type(known).from_dict({**known.to_dict(), "num_labels": labels})
    kind = BertForTokenClassification if task == ENTITY else BertForSequenceClassification
    whole = kind(settings).eval()
    whole.bert.load_state_dict(model.backbone.state_dict(), strict=False)
    common = {"model": whole, "tokenizer": model.tokenizer, "batch_size": batch, "device": "cpu"}
    if task == ENTITY:
        pipe: Any = TokenClassificationPipeline(**common, aggregation_strategy="first")
    else:
        pipe = TextClassificationPipeline(**common, function_to_apply="softmax")
    return lambda examples: pipe([example.text for example in examples])


def timed(systems: dict[str, Answer], examples: Sequence[Any], *, repeats: int) -> dict[str, Timing]:
    """Return the medians of each system, which take turns."""
    rates: dict[str, list[float]] = {name: [] for name in systems}
    alone: dict[str, list[float]] = {name: [] for name in systems}
    with torch.inference_mode():
        for answer in systems.values():
            answer(examples[:8])
        for _ in range(repeats):
            for name, answer in systems.items():
                started = time.perf_counter()
                answer(examples)
                rates[name].append(len(examples) / (time.perf_counter() - started))
            for name, answer in systems.items():  # in a row: idle threads of the system before spin
                for example in examples[:ALONE]:
                    started = time.perf_counter()
                    answer([example])
                    alone[name].append(1000 * (time.perf_counter() - started))
    return {name: Timing(statistics.median(rates[name]), statistics.median(alone[name])) for name in systems}


def rate_table(
    task: str,
    timings: dict[str, Timing],
    engines: dict[str, Engine],
    examples: Sequence[Any],
    *,
    flops: float,
    rates: dict[str, float],
) -> SpeedTable:
    """Return the table of rates, each beside both pipelines, and how many answers are torch's."""
    one, batch = (timings[name] for name in PIPELINES)
    exact = [answer.key for answer in predict(engines["torch"], examples, batch_tokens=1024)]
    rows = []
    for name, timing in timings.items():
        same = "n/a"
        if name in engines:
            keys = [answer.key for answer in predict(engines[name], examples, batch_tokens=1024)]
            same = f"{100 * sum(a == b for a, b in zip(exact, keys, strict=True)) / len(keys):.1f} %"
        share = (
            "n/a"
            if "int8" in name
            else f"{100 * timing.documents_per_second * flops / max(rates.values()):.0f} %"
        )
        rows.append(
            row_of(
                name,
                timing.documents_per_second,
                timing.documents_per_second / batch.documents_per_second,
                timing.documents_per_second / one.documents_per_second,
                timing.latency_p50_ms,
                timing.latency_p50_ms / one.latency_p50_ms,
                share,
                same,
            )
        )
    note = (
        f"{len(examples):,} texts of validation. *Of the limit*: the encoder's products as a share of the "
        f"fastest way to compute them alone; padding does not count as work done. {rates_text(rates)}. *Same "
        "answers* are those of our torch model."
    )
    columns = [
        "system",
        "documents/s",
        "to batches of 32",
        "to one by one",
        "one text, p50 ms",
        "of one by one's",
        "of the limit",
        "same answers",
    ]
    return SpeedTable(f"{NAMES[task]}: answers", note, columns, rows)


def cold_table(task: str, run: Path, text: str) -> SpeedTable:
    """Return the wall time of `predict` on one line, from the start of a process to its end."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        one = Path(name) / "one.txt"
        one.write_text(" ".join(text.split()) + "\n", encoding="utf-8")
        for engine in (TORCH, *GRAPHS):
            words = [f"run={run}", f"engine={engine}", f"predict.input={one}"]
            command = [sys.executable, "-m", f"tasks.{task}", "predict", *words]
            seconds = []
            for _ in range(COLD):
                started = time.perf_counter()
                subprocess.run(command, check=True, capture_output=True)
                seconds.append(time.perf_counter() - started)
            rows.append(row_of(engine, statistics.median(seconds), min(seconds), max(seconds)))
    note = f"`python -m tasks.{task} predict` on one line, {COLD} starts of a new process; wall time."
    return SpeedTable(f"{NAMES[task]}: a cold start", note, ["engine", "median s", "lowest", "highest"], rows)


if __name__ == "__main__":
    main()
