"""What the verbs do, as a story: the parts of the configuration go to the parts of the core."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared import runs
from shared.bundle_manifest import check_fits
from shared.config import RunConfig
from shared.contracts import SPLITS, Engine, Examples, Score, WritingHead
from shared.engines import (
    chosen_engine,
    engine_folder,
    engine_manifest,
    engine_place,
    load_engine,
    num_threads,
)
from shared.errors import ConfigError, UserError
from shared.promise_text import kept_text
from shared.promise_verbs import promise
from shared.provenance import machine
from shared.run_inputs import (
    bound,
    feature_weights,
    load,
    load_training,
    of_run,
    resumed,
    run_folder,
    told_reviewer,
    use_threads,
)

if TYPE_CHECKING:
    from shared import scoring
    from shared.model import Model
    from shared.training_estimate import Estimate


def train(config: RunConfig, *, overrides: Sequence[str]) -> Path:
    """Train a specialist, save and verify its bundle, write what it took and reached; return the run."""
    folder = None
    if config.resume:
        folder = runs.find_run(
            config.resume, runs_dir=config.runs_dir, task=config.task.name, holding=runs.CHECKPOINT
        )
        config = resumed(config, folder, overrides)
    if config.baseline:
        raise UserError(f"baseline={config.baseline.name} has nothing to train; use the verb evaluate")
    config = bound(config)
    training, validation = load_training(config), load(config, "validation")
    runs.say(config.data.report())
    runs.say(f"training examples: {len(training):,}")

    from shared.evaluate import coverage, infer, predict
    from shared.model import create_model, gpu_name
    from shared.model_card import write_card
    from shared.train import fit
    from shared.training_estimate import estimate

    use_threads(config.hardware.threads)
    model = create_model(config.model, config.head, config.lora, types=config.data.types(), seed=config.seed)
    model.head.start(model.backbone, training)
    features = model.head.encode(training)
    seen = coverage(training, features)
    counts = model.count_parameters()  # now: after merging none would count as trainable
    if config.train.reference:
        from shared.agreement import follow_reference

        features = follow_reference(
            model,
            training,
            features,
            folder=Path(config.train.reference),
            weight=config.train.reference_weight,
            batch_tokens=config.predict.batch_tokens,
        )
    weights = feature_weights(config.data, training, features)
    plan = estimate(model, features, config=config.train, seed=config.seed, weights=weights)
    _say_plan(counts, plan)
    runs.say(
        f"beyond the window: {seen.texts_beyond_window} texts; "
        f"lost to tokenisation: {seen.lost_spans} spans, {seen.truncated_tokens} tokens"
    )
    folder = folder or runs.create_run(
        config.runs_dir, task=config.task.name, digest=config.digest, config=config.resolved
    )
    runs.say(f"run: {folder}")
    held_out = model.head.encode(validation)

    def validate() -> float:
        logits = infer(model, held_out, batch_tokens=config.predict.batch_tokens)
        model.head.tune(validation, held_out, logits)
        return config.metric.quick(validation, model.head.decode(validation, held_out, logits))

    with runs.Progress(folder, metric=config.metric.main) as progress:
        fitted = fit(
            model,
            features,
            config=config.train,
            seed=config.seed,
            validate=validate,
            folder=folder,
            progress=progress,
            resume=bool(config.resume),
            weights=weights,
        )
    if model.head.measures(validation):
        logits = infer(model, features, batch_tokens=config.predict.batch_tokens)
        model.head.measure(training, features, logits)
    if not isinstance(model.head, WritingHead):  # which has none, and takes minutes
        validate()  # the thresholds of the weights that were kept
    _keep(model, folder, config, examples=validation)
    predictions = predict(model, validation, batch_tokens=config.predict.batch_tokens)
    runs.write_predictions(folder, "validation", predictions)
    promise(model, folder, config, examples=validation, predictions=predictions)
    runs.write_training(
        folder,
        fitted=fitted,
        parameters=counts,
        num_examples=len(training),
        hardware=machine(threads=num_threads(config.hardware.threads), accelerator=gpu_name()),
    )
    (folder / runs.CHECKPOINT).unlink(missing_ok=True)  # the bundle has all that is needed now
    write_card(folder, metric=config.metric.main)
    say_scores(config.metric.score(validation, predictions), title=f"validation, {config.data.name}")
    return folder


def trained(config: RunConfig) -> Path:
    """Return the run of this training: a whole one, one that goes on from its checkpoint, or a new one."""
    found = runs.runs_of(config.digest, runs_dir=config.runs_dir, task=config.task.name)
    for folder in found:
        if (folder / runs.BUNDLE).is_dir():
            runs.say(f"{folder}: trained already")
            return folder
    for folder in found:
        if (folder / runs.CHECKPOINT).is_file():
            return train(replace(config, resume=str(folder)), overrides=[])
    return train(config, overrides=[])


def _keep(model: Model, folder: Path, config: RunConfig, *, examples: Examples) -> None:
    """Save the bundle and prove by the examples that a new process gets the same outputs from it."""
    from shared import adapters

    bundle = folder / runs.BUNDLE
    origin = adapters.Origin(
        task=config.task.name,
        head=config.resolved["head"],
        data=config.data.name,
        data_licence=config.data.licence,
    )
    adapters.save_bundle(model, bundle, origin=origin, lora=config.lora)
    adapters.verify_reload(model, bundle, examples)
    runs.say(f"bundle: {bundle}, reloaded in a new process with the same outputs")


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


def _say_plan(counts: dict[str, int], plan: Estimate) -> None:
    runs.say(
        f"parameters: {counts['trainable']:,} trainable, {counts['frozen']:,} frozen; "
        f"estimate: {plan.steps:,} steps, {plan.seconds / 60:.1f} minutes, {plan.memory_gib:.1f} GiB"
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
