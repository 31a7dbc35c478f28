"""What each verb does, as a story: the parts of the configuration go to the parts of the core."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

from shared import runs, scoring
from shared.config import RunConfig, read_config
from shared.contracts import SPLITS, Examples, Score
from shared.errors import ConfigError, DataError, UserError
from shared.files import write_json_atomic
from shared.sampling import draw_examples

CHANGES_SHOWN = 20
BLOCKED = 1  # exit code of a release that breaks its budget

if TYPE_CHECKING:
    from shared.model import Model
    from shared.train import Estimate


def train(config: RunConfig, *, overrides: Sequence[str]) -> Path:
    """Train a specialist, save and verify its bundle, write what it took and reached; return the run."""
    folder = None
    if config.resume:
        folder = runs.find_run(
            config.resume, runs_dir=config.runs_dir, task=config.task.name, holding=runs.CHECKPOINT
        )
        config = _resumed(config, folder, overrides)
    if config.baseline:
        raise UserError(f"baseline={config.baseline.name} has nothing to train; use the verb evaluate")
    config = _bound(config)
    training, validation = _load_training(config), _load(config, "validation")
    runs.say(config.data.report())
    runs.say(f"training examples: {len(training):,}")

    from shared.evaluate import coverage, infer, predict
    from shared.model import create_model
    from shared.model_card import write_card
    from shared.train import estimate, fit

    use_threads(config.hardware.threads)
    model = create_model(config.model, config.head, config.lora, types=config.data.types(), seed=config.seed)
    model.head.start(model.backbone, training)
    features = model.head.encode(training)
    seen = coverage(training, features)
    counts = model.count_parameters()  # now: after merging none would count as trainable
    _say_plan(counts, estimate(model, features, config=config.train, seed=config.seed))
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
        )
    if model.head.measures(validation):
        logits = infer(model, features, batch_tokens=config.predict.batch_tokens)
        model.head.measure(training, features, logits)
    validate()  # the thresholds of the weights that were kept
    _keep(model, folder, config, examples=validation)
    predictions = predict(model, validation, batch_tokens=config.predict.batch_tokens)
    runs.write_predictions(folder, "validation", predictions)
    runs.write_training(folder, fitted=fitted, parameters=counts, num_examples=len(training))
    (folder / runs.CHECKPOINT).unlink(missing_ok=True)  # the bundle has all that is needed now
    write_card(folder, metric=config.metric.main)
    _say_scores(config.metric.score(validation, predictions), title=f"validation, {config.data.name}")
    return folder


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
    if config.split not in SPLITS:
        raise ConfigError([f"split={config.split!r}; allowed: {', '.join(SPLITS)}"])
    if baseline := config.baseline:
        config = _bound(config)
        examples = _load(config, config.split)
        folder = runs.create_run(
            config.runs_dir, task=config.task.name, digest=config.digest, config=config.resolved
        )
        source = _source(config, seed=config.resolved["baseline"].get("run", config.seed))
        result = scoring.score_baseline(baseline, examples, source=source)
    else:
        folder = _run_folder(config)
        config = _bound(of_run(config, folder, overrides))
        use_threads(config.hardware.threads)
        examples, source = _load(config, config.split), _source(config, seed=config.seed)
        result = scoring.score_run(
            folder,
            examples,
            source=source,
            batch_tokens=config.predict.batch_tokens,
            check=config.predict.check,
        )
    scoring.write_result(folder, examples, result, source=source)
    if not baseline:
        from shared.model_card import write_card

        write_card(folder, metric=config.metric.main)
    _say_scores(result.scores, title=f"{config.split}, {config.data.name}")
    runs.say(config.metric.details(examples, result.predictions))
    runs.say(f"record: {folder / runs.RECORD}; wrong texts: {folder / runs.ERRORS}")


def predict(config: RunConfig, *, overrides: Sequence[str], read: Any = None) -> None:
    """Stream texts to JSON lines: the id and the answer with its probabilities.

    `read` turns lines into examples, where it is not the task's own reader that does.
    """
    from shared import adapters, streaming

    folder = _run_folder(config)
    manifest = adapters.read_manifest(folder / runs.BUNDLE)
    adapters.check_fits(manifest, task=config.task.name)
    use_threads(config.hardware.threads)
    model = adapters.load_bundle(folder / runs.BUNDLE, types=config.predict.types)
    if not config.predict.check:
        model.head.reviewer = None
    if config.predict.explain:
        _remind(model, of_run(config, folder, overrides))
    streaming.predict_file(model, config.predict, read=read or config.reader, markdown=config.markdown)


def _remind(model: Model, config: RunConfig) -> None:
    """Let the model read its training examples again, so that it can show those nearest to a text."""
    from shared.evaluate import infer

    if not model.head.remembers:
        raise UserError("predict.explain=true: this head does not compare texts with its training examples")
    training = _load_training(config)
    features = model.head.encode(training)
    logits = infer(model, features, batch_tokens=config.predict.batch_tokens)
    model.head.remember(training, features, logits)


def publish(config: RunConfig, *, overrides: Sequence[str]) -> None:
    """Put an evaluated run into the leaderboard and render its tables."""
    from shared.boards.publication import publish as publish_record

    folder = _run_folder(config, holding=runs.RECORD)
    record = folder / runs.RECORD
    if not record.is_file():
        raise UserError(f"{folder} has no {runs.RECORD}: evaluate it first, with run={folder}")
    published = publish_record(
        record, runs.predictions_path(folder, "test"), leaderboards_dir=config.leaderboards_dir
    )
    runs.say(f"published {published}; see {config.leaderboards_dir / config.task.name}.md")


def push(config: RunConfig, *, overrides: Sequence[str]) -> None:
    """Upload an evaluated run's bundle with its card to a hub repository."""
    from shared.push import push_bundle

    folder = _run_folder(config)
    runs.say(push_bundle(folder / runs.BUNDLE, config.push))


def compare(config: RunConfig, *, overrides: Sequence[str]) -> None:
    """Compare two systems by a paired test on the same items, and list the answers that changed."""
    from shared import compare as comparing

    config, *sides = _compared(config, overrides)
    examples = _load(config, config.split)
    names = {"left": config.left, "right": config.right}
    left, right = ([runs.read_predictions(path) for path in side] for side in sides)
    found = comparing.compare(examples, left, right, metric=config.metric)
    runs.say(comparing.comparison_text(found, **names, max_items=CHANGES_SHOWN))
    path = config.runs_dir / config.task.name / "comparison.json"
    runs.write_rows(path, [{**names, **comparing.comparison_row(found)}])
    runs.say(f"all of it: {path}")


def release(config: RunConfig, *, overrides: Sequence[str]) -> None:
    """Judge a new version against the old one by a budget; one that breaks it ends with exit code BLOCKED."""
    from shared.boards.layout import read_layout
    from shared.release import judge, read_system, release_row
    from shared.release_text import release_text

    config, *sides = _compared(config, overrides)
    examples = _load(config, config.split)
    ignored = read_layout(config.task.name).unchanged
    old, new = (
        read_system(name, files, ignored=ignored)
        for name, files in zip((config.left, config.right), sides, strict=True)
    )
    found = judge(examples, old, new, metric=config.metric, budget=config.release)
    path = config.runs_dir / config.task.name / "release.json"
    write_json_atomic(path, release_row(found))
    runs.say(release_text(found, max_flips=CHANGES_SHOWN, file=path))
    if found.broken:
        sys.exit(BLOCKED)


def _run_folder(config: RunConfig, *, holding: str = runs.BUNDLE) -> Path:
    """Return the folder of the run that a verb works on; `same` is the newest of this very configuration."""
    if config.run == runs.SAME:
        return runs.find_same(config.digest, runs_dir=config.runs_dir, task=config.task.name, holding=holding)
    return runs.find_run(config.run, runs_dir=config.runs_dir, task=config.task.name, holding=holding)


def _compared(config: RunConfig, overrides: Sequence[str]) -> tuple[RunConfig, list[Path], list[Path]]:
    """Return the configuration that two systems are scored by, and the predictions files of left and right.

    The configuration is that of the first run among them, if any, and its metric is bound.
    """
    left, right = (_runs_of(side, config) for side in (config.left, config.right))
    folders = [path.parent for path in (*left, *right) if (path.parent / runs.CONFIG).is_file()]
    if folders:
        config = of_run(config, folders[0], overrides)
    return _bound(config), left, right


def _runs_of(side: str, config: RunConfig) -> list[Path]:
    """Return the predictions files of a side: runs, published records or files, several joined by commas."""
    if not side:
        raise UserError(
            "compare and release take two systems: runs, ids of published records, or predictions files"
        )
    return [_predictions_of(name, config) for name in side.split(",")]


def _predictions_of(name: str, config: RunConfig) -> Path:
    published = config.leaderboards_dir / "records" / config.task.name / f"{name}.predictions.jsonl"
    if published.is_file():
        return published
    if name.endswith(".jsonl") and Path(name).is_file():
        return Path(name)
    folder = runs.find_run(name, runs_dir=config.runs_dir, task=config.task.name)
    path = runs.predictions_path(folder, config.split)
    if not path.is_file():
        raise UserError(f"{folder} has no answers on {config.split}: evaluate it first, with run={folder}")
    return path


def _source(config: RunConfig, *, seed: int) -> scoring.Source:
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


def use_threads(threads: int) -> None:
    """Let torch use this many threads; 0 means every processor the process may use."""
    import torch

    torch.set_num_threads(threads or len(os.sched_getaffinity(0)))


def _bound(config: RunConfig) -> RunConfig:
    """Return the configuration with its metric told what the data has to find."""
    return replace(config, metric=config.metric.bind(config.data.types()))


def _load(config: RunConfig, split: str) -> list[Any]:
    examples = config.data.load(split)
    if not examples:
        raise DataError("no examples in it", file=f"{config.data.name} {split}")
    return examples


def _load_training(config: RunConfig) -> list[Any]:
    """Return the examples to train on: all of the split, or those that `train.examples` draws."""
    return draw_examples(_load(config, "train"), config.train.examples, seed=config.seed)


def _resumed(config: RunConfig, folder: Path, overrides: Sequence[str]) -> RunConfig:
    """Return the run's own configuration: an exact resume takes no other setting."""
    allowed = ("resume", "runs_dir", "data_dir")
    others = [text for text in overrides if text.partition("=")[0] not in allowed]
    if others:
        raise ConfigError([f"resume goes on with the run's own settings; take away: {' '.join(others)}"])
    stored = OmegaConf.create(runs.read_run_config(folder))
    stored.resume = config.resume
    return read_config(_moved(stored, config))


def of_run(config: RunConfig, folder: Path, overrides: Sequence[str]) -> RunConfig:
    """Return the run's configuration with what the command line says anew: other data, another split."""
    stored = OmegaConf.create(runs.read_run_config(folder))
    given = {text.partition("=")[0].lstrip("+").partition(".")[0] for text in overrides}
    if "data" in given:
        given.add("task")  # the metric that the data asks for
    for name in given & {"data", "task", "split", "hardware", "predict", "row", "title"}:
        stored[name] = config.resolved[name]
    return read_config(_moved(stored, config))


def _moved(stored: Any, config: RunConfig) -> Any:
    """Return the stored configuration with the folders of now, and what the verbs but train are told now."""
    for name in ("runs_dir", "data_dir", "leaderboards_dir", "left", "right", "push", "release"):
        stored[name] = config.resolved[name]
    for data in (stored.data, stored.data.get("source")):
        if data and "data_dir" in data:
            data.data_dir = config.resolved["data_dir"]
    return stored


def _say_plan(counts: dict[str, int], plan: Estimate) -> None:
    runs.say(
        f"parameters: {counts['trainable']:,} trainable, {counts['frozen']:,} frozen; "
        f"estimate: {plan.steps:,} steps, {plan.seconds / 60:.1f} minutes, {plan.memory_gib:.1f} GiB"
    )


def _say_scores(scores: dict[str, Score], *, title: str) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("score", "value", "95 % interval", title=title)
    for name, score in scores.items():
        interval = "" if score.low is None or score.high is None else f"{score.low:.4f} to {score.high:.4f}"
        table.add_row(name, f"{score.value:.4f}", interval)
    Console(width=None if os.isatty(1) else 80).print(table)
