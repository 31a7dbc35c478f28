"""Pairs per second of the cross-encoder against sentence-transformers' CrossEncoder with the same weights.

Both order the 100 passages that BM25 finds for each of some TAT-QA questions, on the same threads, in turn,
several times; medians count. A pair is one query with one passage: CrossEncoder reads its first 512 tokens,
ours a long passage in windows, whole. Also prints the time of one query alone.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from sentence_transformers import CrossEncoder
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

from shared.bases import find_base
from shared.compose import compose_run
from shared.evaluate import predict
from shared.model import Model, create_model
from shared.passages import RankingExample

QUERIES, REPEATS, ALONE = 4, 3, 8
BATCH_TOKENS = 8192


def main() -> None:
    """Measure both in turn and print pairs per second, their ratio, and the latency of one query."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", required=True, help="the folder of public data sets")
    given = parser.parse_args()
    overrides = ["data=tat_qa", "head.depth=100", f"data_dir='{given.data_dir}'"]
    config = compose_run("reranking", overrides)
    examples = config.data.load("validation")[: QUERIES + ALONE]
    model = create_model(config.model, config.head, config.lora, types=config.data.types(), seed=1)
    model.backbone = model.backbone.merge_and_unload()
    with tempfile.TemporaryDirectory() as folder:
        peer = cross_encoder(find_base(config.model).folder, Path(folder))
        timed, num_pairs = examples[:QUERIES], sum(len(example.passages) for example in examples[:QUERIES])
        systems = {"ours": lambda: ours(model, timed), "CrossEncoder": lambda: theirs(peer, timed)}
        seconds = in_turn(systems)
    sys.stdout.write(f"{num_pairs:,} pairs, {torch.get_num_threads()} threads, medians of {REPEATS}\n")
    for name, found in seconds.items():
        rate, spread = num_pairs / statistics.median(found), (min(found), max(found))
        sys.stdout.write(f"{name:<14}{rate:>8.1f} pairs/s  seconds {spread[0]:.2f} to {spread[1]:.2f}\n")
    ratios = [other / own for own, other in zip(seconds["ours"], seconds["CrossEncoder"], strict=True)]
    sys.stdout.write(f"ratio, median of pairs in turn: {statistics.median(ratios):.2f}\n")
    alone = sorted(elapsed(lambda e=example: ours(model, [e])) for example in examples[QUERIES:])
    sys.stdout.write(
        f"one query with 100 passages: p50 {1000 * statistics.median(alone):.0f} ms, "
        f"p95 {1000 * alone[int(0.95 * len(alone))]:.0f} ms\n"
    )


def cross_encoder(base: Path, folder: Path) -> CrossEncoder:
    """Return the peer with the weights of the base and a fresh output of one score."""
    config = AutoConfig.from_pretrained(base, num_labels=1, local_files_only=True)
    model = AutoModelForSequenceClassification.from_pretrained(base, config=config, dtype=torch.float32)
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(base, local_files_only=True).save_pretrained(folder)
    return CrossEncoder(str(folder), max_length=512, device="cpu")


def ours(model: Model, examples: list[RankingExample]) -> None:
    """Order the candidates of each query."""
    predict(model, examples, batch_tokens=BATCH_TOKENS)


def theirs(peer: CrossEncoder, examples: list[RankingExample]) -> None:
    """Score the same pairs, in batches of 32 as is its default."""
    peer.predict([(example.text, passage.text) for example in examples for passage in example.passages])


def in_turn(systems: dict[str, Callable[[], None]]) -> dict[str, list[float]]:
    """Return the seconds of each system, measured in turn after a warm-up of both."""
    for run in systems.values():
        run()
    found: dict[str, list[float]] = {name: [] for name in systems}
    for _ in range(REPEATS):
        for name, run in systems.items():
            found[name].append(elapsed(run))
    return found


def elapsed(run: Callable[[], None]) -> float:
    """Return the seconds it takes."""
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
