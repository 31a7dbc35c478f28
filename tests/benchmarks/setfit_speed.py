"""SetFit beside ours on Banking77: the same base and the same few labelled queries, in one run.

SetFit tunes the whole encoder on pairs of queries of one intent and of two, 20 of each for every query as its
authors do (arXiv 2209.11055), and puts logistic regression on its vectors: the one of a few strengths that
answers validation best, as the library's own suits no vectors of length 1 (without tuning 0.52, and 0.75 at
the best). Ours trains as the row's learning curve does. Both answer the validation queries, whose accuracy is
compared; the test queries are not read. Loading counts on neither side, validation after each epoch on ours.
Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from setfit import SetFitModel, Trainer, TrainingArguments
from sklearn.linear_model import LogisticRegression

from shared import runs, train_verb
from shared.bases import find_base
from shared.boards.measure import busy_share
from shared.boards.speed import SpeedTable, row_of
from shared.compare import compare
from shared.compose import compose_run
from shared.config import RunConfig
from shared.engines import num_threads
from shared.errors import UserError
from shared.evaluate import predict
from shared.examples import FacetAnswer, FacetExample, FacetPrediction
from shared.run_inputs import bound, load, load_training
from tests.benchmarks.inference_speed import LEADERBOARDS, Answer, Timing, engines_of, ours, timed
from tests.benchmarks.published import publish

TASK, ROW, PEER = "ontology", "ontology/banking77_learning_curve", "SetFit"
STRENGTHS = (1.0, 10.0, 100.0)  # C of the peer's logistic regression
PAIRS = 20  # of the same intent, and as many of two, for each labelled query


def main() -> None:
    """Train both, print the tables, and put them where the leaderboards are."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks.setfit_speed", description=__doc__)
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--examples", type=int, default=400, help="labelled queries; %(default)s")
    parser.add_argument("--texts", type=int, default=400, help="of validation, timed; %(default)s")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--output", type=Path, default=LEADERBOARDS)
    given = parser.parse_args()
    busy = busy_share()
    torch.set_num_threads(num_threads(0))
    with tempfile.TemporaryDirectory() as name:
        words = [f"experiment={ROW}", f"train.examples={given.examples}", f"data_dir='{given.data_dir}'"]
        config = bound(compose_run(TASK, [*words, f"runs_dir='{name}'"]))
        examples = load(config, "validation")
        peer, peer_seconds = train_peer(config, Path(name))
        choose_head(peer, load_training(config), examples)
        run = train_verb.train(config, overrides=words)
        engines = engines_of(TASK, run, given.data_dir)
        seconds = json.loads((run / runs.TRAINING).read_text(encoding="utf-8"))["training"]["wall_seconds"]
        answers = {
            PEER: peer_answers(peer, examples),
            "ours": predict(engines["torch"], examples, batch_tokens=1024),
        }
        systems: dict[str, Answer] = {PEER: lambda asked: peer.predict([example.text for example in asked])}
        systems |= {f"ours, {engine}": ours(model) for engine, model in engines.items()}
        timings = timed(systems, examples[: given.texts], repeats=given.repeats)
        tables = [
            training_table(config, examples, answers, {PEER: peer_seconds, "ours": seconds}),
            rate_table(timings, given.texts),
        ]
    publish(tables, given.output, bench="setfit", command="make bench-setfit", busy=busy)


def train_peer(config: RunConfig, folder: Path) -> tuple[SetFitModel, float]:
    """Return SetFit tuned on the training queries that ours has, and the seconds it took."""
    training = load_training(config)
    base = str(find_base(config.model).folder)
    words = Transformer(base)
    body = SentenceTransformer(
        modules=[words, Pooling(words.get_embedding_dimension()), Normalize()], device="cpu"
    )
    model = SetFitModel(model_body=body, model_head=LogisticRegression(max_iter=1000))
    arguments = TrainingArguments(
        output_dir=str(folder / "setfit"),
        num_iterations=PAIRS,
        num_epochs=1,
        save_strategy="no",
        report_to="none",
        show_progress_bar=False,
        seed=config.seed,
    )
    rows = Dataset.from_dict(
        {"text": [example.text for example in training], "label": [intent(example) for example in training]}
    )
    trainer = Trainer(model=model, args=arguments, train_dataset=rows)
    started = time.perf_counter()
    trainer.train()
    return model, time.perf_counter() - started


def choose_head(model: SetFitModel, training: Sequence[Any], validation: Sequence[Any]) -> None:
    """Put on the tuned vectors the logistic regression that answers validation best."""
    known, asked = (model.encode([example.text for example in part]) for part in (training, validation))
    heads = [
        LogisticRegression(C=strength, max_iter=1000).fit(known, [intent(example) for example in training])
        for strength in STRENGTHS
    ]
    gold = [intent(example) for example in validation]
    model.model_head = max(heads, key=lambda head: head.score(asked, gold))


def intent(example: FacetExample) -> str:
    """Return the one concept of the one facet."""
    ((concept,),) = example.labels.values()
    return concept


def peer_answers(model: SetFitModel, examples: Sequence[FacetExample]) -> list[FacetPrediction]:
    """Return what SetFit answers, as ours would."""
    found = model.predict([example.text for example in examples])
    return [
        FacetPrediction(example.id, {name: FacetAnswer(concepts=(str(label),)) for name in example.labels})
        for example, label in zip(examples, found, strict=True)
    ]


def training_table(
    config: RunConfig, examples: Sequence[Any], answers: dict[str, list[Any]], seconds: dict[str, float]
) -> SpeedTable:
    """Return the two trainings with the accuracy they reach."""
    gap = compare(examples, [answers[PEER]], [answers["ours"]], metric=config.metric).difference
    rows = [
        row_of(
            name,
            seconds[name],
            seconds[name] / seconds[PEER],
            f"{config.metric.quick(examples, found):.4f}",
            "-" if name == PEER else f"{gap.value:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}]",
        )
        for name, found in answers.items()
    ]
    note = (
        f"{config.train.examples:,} labelled queries of {config.data.name}, all of one draw; accuracy on "
        f"{len(examples):,} queries of validation, the difference paired, with its 95 % interval; one seed. "
        f"{PEER}: {PAIRS} pairs of the same intent and {PAIRS} of two for each query, one epoch; the "
        "strength of its logistic regression chosen on validation; else its library's defaults."
    )
    columns = ["training", "seconds", f"of {PEER}'s", "validation accuracy", f"minus {PEER}'s"]
    return SpeedTable(f"MiniLM on {config.train.examples:,} queries of Banking77", note, columns, rows)


def rate_table(timings: dict[str, Timing], texts: int) -> SpeedTable:
    """Return the rates of answering, beside the peer's."""
    peer = timings[PEER]
    rows = [
        row_of(
            name,
            timing.documents_per_second,
            timing.documents_per_second / peer.documents_per_second,
            timing.latency_p50_ms,
            timing.latency_p50_ms / peer.latency_p50_ms,
        )
        for name, timing in timings.items()
    ]
    note = f"{texts:,} queries of validation; {PEER} in its batches of 32."
    columns = ["system", "documents/s", f"to {PEER}", "one text, p50 ms", f"of {PEER}'s"]
    return SpeedTable("77 intents, Banking77: answers beside SetFit", note, columns, rows)


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(f"error: {error}")
