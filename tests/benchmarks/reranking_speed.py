"""Pairs per second of the cross-encoder against sentence-transformers' CrossEncoder with the same weights.

All order the 100 passages that BM25 finds for each of some TAT-QA questions, on the same threads, in turn,
several times; medians count. A pair is one query with one passage: CrossEncoder reads its first 512 tokens,
ours a long passage in windows, whole. Weights are the base's with a fresh output: no quality is measured, and
8 bits are those of all layers. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from sentence_transformers import CrossEncoder
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

from shared.adapters import merge_lora
from shared.bases import find_base
from shared.boards.measure import busy_share
from shared.boards.speed import SpeedTable, row_of
from shared.compose import compose_run
from shared.config import RunConfig
from shared.contracts import Engine
from shared.engines import TORCH, num_threads
from shared.evaluate import predict
from shared.exported import ExportedModel
from shared.fast_tokenizer import FastTokenizer
from shared.graph_export import write_graph
from shared.model import create_model
from shared.passages import RankingExample
from shared.quantising import quantise_dynamic, weight_layers
from shared.stored_arrays import StoredArrays
from tests.benchmarks.inference_speed import LEADERBOARDS
from tests.benchmarks.published import publish

QUERIES, REPEATS, ALONE = 4, 3, 8
BATCH_TOKENS = 8192
PEER = "CrossEncoder"


def main() -> None:
    """Measure all in turn, print the table, and put it where the leaderboards are."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks.reranking_speed", description=__doc__)
    parser.add_argument("--data-dir", required=True, help="the folder of public data sets")
    parser.add_argument("--output", type=Path, default=LEADERBOARDS)
    given = parser.parse_args()
    busy = busy_share()
    torch.set_num_threads(num_threads(0))
    overrides = ["data=tat_qa", "head.depth=100", f"data_dir='{given.data_dir}'"]
    config = compose_run("reranking", overrides)
    examples = config.data.load("validation")[: QUERIES + ALONE]
    with tempfile.TemporaryDirectory() as folder:
        table = measured(config, examples, Path(folder))
    publish([table], given.output, bench="reranking", command="make bench-reranking", busy=busy)


def measured(config: RunConfig, examples: list[RankingExample], folder: Path) -> SpeedTable:
    """Return pairs per second of each system and the time of one query, beside those of the peer."""
    peer = cross_encoder(find_base(config.model).folder, folder / "peer")
    engines = engines_of(config, examples, folder)
    timed, alone = examples[:QUERIES], examples[QUERIES:]
    num_pairs = sum(len(example.passages) for example in timed)
    systems: dict[str, Callable[[list[RankingExample]], None]] = {PEER: partial(theirs, peer)}
    systems |= {name: partial(ours, engine) for name, engine in engines.items()}
    seconds, queries = in_turn(systems, timed, REPEATS), {}
    for name, run in systems.items():
        queries[name] = statistics.median(elapsed(run, [example]) for example in alone)
    whole = statistics.median(seconds[PEER])
    rows = [
        row_of(
            name,
            num_pairs / statistics.median(found),
            whole / statistics.median(found),
            1000 * queries[name],
            queries[name] / queries[PEER],
        )
        for name, found in seconds.items()
    ]
    return SpeedTable(
        "MiniLM as a cross-encoder, TAT-QA: pairs a second",
        f"{num_pairs:,} pairs of {len(timed)} questions; one query has {len(alone[0].passages)} passages. "
        f"{PEER} is that of sentence-transformers, in its batches of 32.",
        ["system", "pairs/s", f"to {PEER}", "one query, ms", f"of {PEER}'s"],
        rows,
    )


def engines_of(config: RunConfig, examples: list[RankingExample], folder: Path) -> dict[str, Engine]:
    """Return the fresh model by torch, and by ONNX Runtime in float32 and in 8 bits."""
    types = config.data.types()
    model = merge_lora(create_model(config.model, config.head, config.lora, types=types, seed=1))
    exact, small = folder / "exact.onnx", folder / "small.onnx"
    write_graph(model, exact, features=model.head.encode(examples[:1])[:4])
    quantise_dynamic(exact, small, weight_layers(exact))
    tokenizer = FastTokenizer.of(model.tokenizer)
    engines: dict[str, Engine] = {TORCH: model}
    settings: Any = config.head
    for name, path in (("onnx", exact), ("onnx_int8", small)):
        head = settings.head(tokenizer, types=types, module=StoredArrays(model.head.module.arrays()))
        engines[name] = ExportedModel(head, path, format=name, threads=num_threads(0))
    return engines


def cross_encoder(base: Path, folder: Path) -> CrossEncoder:
    """Return the peer with the weights of the base and a fresh output of one score."""
    config = AutoConfig.from_pretrained(base, num_labels=1, local_files_only=True)
    model = AutoModelForSequenceClassification.from_pretrained(base, config=config, dtype=torch.float32)
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(base, local_files_only=True).save_pretrained(folder)
    return CrossEncoder(str(folder), max_length=512, device="cpu")


def ours(model: Engine, examples: list[RankingExample]) -> None:
    """Order the candidates of each query."""
    predict(model, examples, batch_tokens=BATCH_TOKENS)


def theirs(peer: CrossEncoder, examples: list[RankingExample]) -> None:
    """Score the same pairs, in batches of 32 as is its default."""
    peer.predict([(example.text, passage.text) for example in examples for passage in example.passages])


def in_turn(
    systems: dict[str, Callable[[list[RankingExample]], None]], examples: list[RankingExample], repeats: int
) -> dict[str, list[float]]:
    """Return the seconds of each system, measured in turn after a warm-up of all."""
    for run in systems.values():
        run(examples)
    found: dict[str, list[float]] = {name: [] for name in systems}
    for _ in range(repeats):
        for name, run in systems.items():
            found[name].append(elapsed(run, examples))
    return found


def elapsed(run: Callable[[list[RankingExample]], None], examples: list[RankingExample]) -> float:
    """Return the seconds it takes."""
    started = time.perf_counter()
    run(examples)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
