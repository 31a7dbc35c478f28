"""What the verbs do with a specialist that is there: evaluate, predict, publish, push."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared import runs
from shared.bundle_manifest import check_fits
from shared.config import RunConfig
from shared.contracts import SPLITS, Engine, Score
from shared.engines import chosen_engine, engine_folder, engine_manifest, engine_place, load_engine
from shared.errors import ConfigError, UserError
from shared.promise_text import kept_text
from shared.run_inputs import bound, load, load_training, of_run, run_folder, told_reviewer

if TYPE_CHECKING:
    from shared import scoring


def evaluate(config: RunConfig, *, overrides: Sequence[str]) -> None:
    """Score a run's bundle, or a baseline, on a split (test unless told otherwise) and write the record.

    The bundle's card then tells the scores.
    """
    from shared import scoring

    if config.split not in SPLITS:
        raise ConfigError([f"split={config.split!r}; allowed: {', '.join(SPLITS)}"])
    if baseline := config.baseline:
        config = bound(config)
        examples = load(config, config.split)
        folder = runs.create_run(
            config.runs_dir, task=config.task.name, digest=config.digest, config=config.resolved
        )
        source = _source(config, seed=config.resolved["baseline"].get("run", config.seed))
        result = scoring.score_baseline(baseline, examples, source=source)
    else:
        run = run_folder(config)
        reviewer = told_reviewer(config, run, overrides)
        config = bound(of_run(config, run, overrides))
        engine = _engine(run, config)
        folder = engine_place(run, engine, task=config.task.name)
        examples, source = load(config, config.split), _source(config, seed=config.seed)
        result = scoring.score_run(
            run, examples, source=source, asked=config.predict, engine=engine, reviewer=reviewer
        )
    record = scoring.write_result(folder, examples, result, source=source)
    if not baseline and result.export is None:
        from shared.model_card import write_card

        write_card(folder, metric=config.metric.main)
    say_scores(result.scores, title=f"{config.split}, {config.data.name}")
    runs.say(config.metric.details(examples, result.predictions))
    if record.promises:
        runs.say(kept_text(record.promises))
    runs.say(f"record: {folder / runs.RECORD}; wrong texts: {folder / runs.ERRORS}")


def predict(config: RunConfig, *, overrides: Sequence[str], read: Any = None) -> None:
    """Stream texts to JSON lines: the id and the answer with its probabilities.

    `read` turns lines into examples, where it is not the task's own reader that does.
    """
    from shared import streaming

    folder, asked, gate = run_folder(config), config.predict, None
    place = engine_folder(folder, _engine(folder, config), task=config.task.name)
    manifest = engine_manifest(place)
    check_fits(manifest, task=config.task.name)
    if asked.risk:
        from shared.abstention import make_gate
        from shared.promise import read_promises

        promises = read_promises(manifest.get("promises", []))
        gate = make_gate(promises, risk=asked.risk, unit=asked.unit)
    model = load_engine(place, threads=config.hardware.threads, types=asked.types)
    model.head.reviewer = told_reviewer(config, folder, overrides) or model.head.reviewer
    if not asked.check:
        model.head.reviewer = None
    if asked.sets:
        from shared.facet_sets import give_sets

        give_sets(model.head, asked.sets)
    if asked.stream:
        streaming.show_writing(model.head)
    if asked.explain:
        _remind(model, of_run(config, folder, overrides))
    streaming.predict_file(model, asked, read=read or config.reader, markdown=config.markdown, gate=gate)
    if gate:
        runs.say(gate.report())


def _engine(run: Path, config: RunConfig) -> str:
    return chosen_engine(run, config.engine, task=config.task.name, threads=config.hardware.threads)


def _remind(model: Engine, config: RunConfig) -> None:
    """Let the model read its training examples again, so that it can show those nearest to a text."""
    from shared.evaluate import infer

    if not model.head.remembers:
        raise UserError("predict.explain=true: this head does not compare texts with its training examples")
    training = load_training(config)
    features = model.head.encode(training)
    logits = infer(model, features, batch_tokens=config.predict.batch_tokens)
    model.head.remember(training, features, logits)


def publish(config: RunConfig, *, overrides: Sequence[str]) -> None:
    """Put an evaluated run into the leaderboard and render its tables."""
    from shared.boards.own_board import becomes_own
    from shared.boards.publication import publish as publish_record

    run = run_folder(config, holding=runs.RECORD)
    folder = engine_place(run, _engine(run, config), task=config.task.name)
    record = folder / runs.RECORD
    if not record.is_file():
        raise UserError(
            f"{folder} has no {runs.RECORD}: evaluate it first, with run={run} engine={config.engine}"
        )
    board = config.leaderboards_dir
    published = publish_record(
        record,
        runs.predictions_path(folder, "test"),
        leaderboards_dir=board,
        own=becomes_own(board),
    )
    runs.say(f"published {published}; see {board / config.task.name}.md and {board / 'index.html'}")


def push(config: RunConfig, *, overrides: Sequence[str]) -> None:
    """Upload an evaluated run's bundle with its card to a hub repository."""
    from shared.push import push_bundle

    folder = run_folder(config)
    runs.say(push_bundle(folder / runs.BUNDLE, config.push))


def _source(config: RunConfig, *, seed: int) -> scoring.Source:
    from shared import scoring

    return scoring.Source(
        task=config.task.name,
        row=config.row,
        title=config.title,
        split=config.split,
        seed=seed,
        data=config.data,
        metric=config.metric,
        hardware=config.hardware,
        resolved=config.resolved,
        digest=config.digest,
    )


def say_scores(scores: dict[str, Score], *, title: str) -> None:
    """Print the scores as a table."""
    from rich.console import Console
    from rich.table import Table

    table = Table("score", "value", "95 % interval", title=title)
    for name, score in scores.items():
        interval = "" if score.low is None or score.high is None else f"{score.low:.4f} to {score.high:.4f}"
        table.add_row(name, f"{score.value:.4f}", interval)
    Console(width=None if os.isatty(1) else 80).print(table)
