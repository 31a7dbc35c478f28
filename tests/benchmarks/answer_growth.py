"""How the time of an answer grows with a document's length and with the number of labels.

Long documents are short texts of Banking77's train split, joined, and answered by a run's export. Labels are
intents made up for a classifier whose weights are fresh. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from pathlib import Path
from typing import Any

import torch

from shared.adapters import merge_lora
from shared.boards.measure import busy_share
from shared.boards.speed import SpeedTable, row_of
from shared.compose import compose_run
from shared.config import RunConfig
from shared.contracts import Engine
from shared.engines import engine_folder, load_engine, num_threads
from shared.evaluate import predict
from shared.examples import FacetExample
from shared.fast_tokenizer import FastTokenizer
from shared.model import create_model
from shared.ontology import Cardinality, Concept, Facet, Ontology
from tests.benchmarks.inference_speed import LEADERBOARDS
from tests.benchmarks.published import publish

LENGTHS = [4**power for power in range(2, 7)]  # tokens: 16 to 4,096
LABELS = (3, 10, 30, 100, 300, 1000)
LABELLED, DOCUMENT_TOKENS = 400, 32_768
BATCH_TOKENS, REPEATS = 1024, 5


def main() -> None:
    """Measure, print the tables, and put them where the leaderboards are."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks.answer_growth", description=__doc__)
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--run", type=Path, required=True, help="an ontology run that has the export")
    parser.add_argument("--engine", default="onnx_int8")
    parser.add_argument("--output", type=Path, default=LEADERBOARDS)
    given = parser.parse_args()
    busy = busy_share()
    torch.set_num_threads(num_threads(0))
    config = compose_run("ontology", ["data=banking77", f"data_dir='{given.data_dir}'"])
    texts = [" ".join(example.text.split()) for example in config.data.load("train")]
    tables = [by_length(given.run, given.engine, texts), by_labels(config, texts)]
    publish(tables, given.output, bench="shapes", command="make bench-shapes", busy=busy)


def by_length(run: Path, engine: str, texts: list[str]) -> SpeedTable:
    """Return the time of documents of 16 to 4,096 tokens; long ones are read in several windows."""
    model = load_engine(engine_folder(run, engine, task="ontology"), threads=0)
    head: Any = model.head
    words = " ".join(texts).split()
    rows = []
    for length in LENGTHS:
        examples = documents(head.tokenizer, words, length=length)
        seconds = median_seconds(model, examples)
        each = seconds / len(examples)
        rows.append(row_of(f"{length:,}", 1000 * each, 1 / each, length / each))
    return SpeedTable(
        f"Banking77, {engine}: by the length of a document",
        f"Documents of {DOCUMENT_TOKENS:,} tokens in all, joined from short texts; one beyond the window "
        f"({head.settings.window_tokens}) is read in several that overlap.",
        ["tokens", "milliseconds a document", "documents/s", "tokens/s"],
        rows,
    )


def documents(tokenizer: FastTokenizer, words: list[str], *, length: int) -> list[FacetExample]:
    """Return documents of about so many tokens, each from where the one before ended."""
    sizes, rest = itertools.cycle(map(len, tokenizer.encode_words([words])[0])), itertools.cycle(words)
    found = []
    for number in range(max(4, DOCUMENT_TOKENS // length)):
        taken, tokens = [], 0
        while tokens < length:
            taken.append(next(rest))
            tokens += next(sizes)
        found.append(FacetExample(str(number), " ".join(taken)))
    return found


def by_labels(config: RunConfig, texts: list[str]) -> SpeedTable:
    """Return the time of short texts by how many intents a classifier chooses from."""
    rows = []
    examples = [FacetExample(str(number), text) for number, text in enumerate(texts[:LABELLED])]
    for count in LABELS:
        facet = Facet("intent", "intent", Cardinality.exactly_one)
        intents = tuple(Concept(f"i{number}", facet.id, f"intent {number}") for number in range(count))
        types = Ontology("made up", (facet,), intents).row
        model = create_model(config.model, config.head, config.lora, types=types, seed=1)
        each = median_seconds(merge_lora(model), examples) / len(examples)
        rows.append(row_of(f"{count:,}", 1000 * each, 1 / each))
    return SpeedTable(
        "Banking77's texts, torch: by the number of labels",
        f"{LABELLED} short texts, fresh weights: what is right does not matter to the time.",
        ["labels", "milliseconds a document", "documents/s"],
        rows,
    )


def median_seconds(model: Engine, examples: list[FacetExample]) -> float:
    """Return the median time of answering all of them, after a warm-up."""
    predict(model, examples[:8], batch_tokens=BATCH_TOKENS)
    seconds = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        predict(model, examples, batch_tokens=BATCH_TOKENS)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


if __name__ == "__main__":
    main()
