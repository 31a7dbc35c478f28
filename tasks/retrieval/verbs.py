"""The verbs of this package alone: from documents to a ranker, search one's documents, write a TREC run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from shared import commands, runs, train_verb
from shared.compose import compose_run
from shared.config import RunConfig, config_digest, read_config
from shared.errors import DataError
from shared.passages import Passage, RankingExample
from shared.run_inputs import of_run
from shared.table_files import Fault, read_texts, take_id
from shared.typed_config import build, typed
from tasks.retrieval import bootstrap as steps
from tasks.retrieval.collection import Collection, Query
from tasks.retrieval.data import ranked
from tasks.retrieval.judgements import read_query
from tasks.retrieval.trec import write_run


def bootstrap(config: RunConfig, *, overrides: Sequence[str]) -> None:
    """Write queries for the data's passages, keep those that find them again, train on them, evaluate.

    Called again it goes on where it stopped; the files are those of `tasks.retrieval.bootstrap`.
    """
    settings: steps.Bootstrap = typed(config.resolved["bootstrap"], steps.Bootstrap, path="bootstrap")
    facts = steps.described(settings, data=config.resolved["data"])
    folder = Path(settings.folder or config.runs_dir / "bootstrap" / config_digest(facts))
    steps.claim_folder(folder, facts)
    data: Any = config.data
    if settings.evaluate:
        data.files("test")  # what is missing is better known now
    passages = data.passages(settings.split)
    _write_queries(folder, passages, settings, config)
    asked = ("train", "validation") if settings.gold else ()
    gold = {split: data.collection(split).queries for split in asked}
    stage = build(settings.stage, path="bootstrap.stage")
    judged, beir = folder / steps.JUDGED, folder / steps.BEIR
    steps.step(judged, lambda: steps.judge(judged, folder / steps.WRITTEN, passages, stage))
    steps.step(beir, lambda: steps.keep(beir, judged, passages, settings=settings, gold=gold))
    training = _training(config, beir)
    steps.mine(folder / steps.CANDIDATES, training.data.load("train"))
    run = train_verb.trained(training)
    if settings.evaluate:
        commands.evaluate(replace(config, run=str(run)), overrides=[*overrides, "data=", "row=", "title="])


def search(config: RunConfig, *, overrides: Sequence[str]) -> None:
    """Answer each query of predict.input from all passages: JSON lines, as `predict` writes them.

    Queries come as `text`, one a line, or as `jsonl` with {"query", "id"?}. Passages, first stage and depth
    are those that the run was trained with, unless other data is given.
    """
    folder = runs.find_run(config.run, runs_dir=config.runs_dir, task=config.task.name)
    config = replace(of_run(config, folder, overrides), run=str(folder))
    data: Any = config.data
    passages = data.passages(config.split)
    read = partial(_read_queries, passages=passages, first_stage=data.first_stage, depth=data.depth)
    commands.predict(config, overrides=overrides, read=read)


def trec(config: RunConfig, *, overrides: Sequence[str]) -> None:
    """Write the order of passages of an evaluated run as a TREC run file beside its predictions."""
    folder = runs.find_run(config.run, runs_dir=config.runs_dir, task=config.task.name, holding=runs.RECORD)
    predictions: list[Any] = runs.read_predictions(runs.predictions_path(folder, config.split))
    rankings = {
        answer.id: {passage: float(-rank) for rank, passage in enumerate(answer.ranked, start=1)}
        for answer in predictions
    }
    path = folder / f"{config.split}.trec"
    write_run(path, rankings, folder.resolve().name)
    runs.say(f"TREC run: {path}")


def needs(config: RunConfig, *, overrides: Sequence[str]) -> None:
    """Print the queries of a split as JSON lines, {"id", "text"}: needs for a query generator to read."""
    data: Any = config.data
    for query in data.collection(config.split).queries:
        runs.say(json.dumps({"id": query.id, "text": query.text}, ensure_ascii=False))


def _write_queries(
    folder: Path, passages: Sequence[Passage], settings: steps.Bootstrap, config: RunConfig
) -> None:
    """Let the generator write for the pieces; it goes on behind the rows that are there."""
    pieces, written = folder / steps.PIECES, folder / steps.WRITTEN
    words, most = settings.piece_words, settings.pieces
    steps.step(pieces, lambda: steps.write_pieces(pieces, passages, words=words, most=most))
    partial_file = written.with_suffix(".partial.jsonl")
    steps.step(written, lambda: _predicted(pieces, partial_file, written, settings, config))


def _predicted(
    pieces: Path, unfinished: Path, written: Path, settings: steps.Bootstrap, config: RunConfig
) -> None:
    words = {
        "run": settings.generator,
        "runs_dir": config.runs_dir,
        "predict.input": pieces,
        "predict.output": unfinished,
    }
    overrides = [f"{key}='{value}'" for key, value in words.items()]
    threads = f"hardware.threads={config.hardware.threads}"
    generator = compose_run(
        "query_generation", [*overrides, threads, "predict.format=jsonl", "predict.resume=true"]
    )
    commands.predict(generator, overrides=overrides)
    unfinished.replace(written)


def _training(config: RunConfig, folder: Path) -> RunConfig:
    """Return the configuration of a training on the folder, with the first stage of the data at hand."""
    resolved = OmegaConf.create(config.resolved)
    given = config.resolved["data"]
    resolved.data = {
        "_target_": "tasks.retrieval.beir.Beir",
        "name": f"queries written for {given['name']}",
        "licence": given["licence"],
        "folder": str(folder),
        "first_stage": given["first_stage"],
        "depth": given["depth"],
    }
    return read_config(resolved)


def _read_queries(
    lines: Iterable[str],
    format: str,
    *,
    file: str,
    passages: Sequence[Passage],
    first_stage: Any,
    depth: int,
) -> Iterator[RankingExample]:
    taken: dict[str, int] = {}

    def of_row(row: Any, name: str, fault: Fault) -> Query:
        take_id(name, line=fault("").line or 0, taken=taken, fault=fault)
        return Query(name, read_query(row, "query", fault))

    def of_text(text: str, name: str) -> Query:
        return of_row({"query": text}, name, partial(DataError, file=file, line=int(name) + 1))

    queries = tuple(read_texts(lines, format, file=file, of_text=of_text, of_row=of_row))
    yield from ranked(Collection(tuple(passages), queries), first_stage=first_stage, depth=depth)
