"""The verb `train`: a loop fits a model to examples, and a bundle keeps what was reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from shared import runs
from shared.commands import say_scores
from shared.config import RunConfig
from shared.contracts import Examples, Features, WritingHead
from shared.engines import num_threads
from shared.errors import UserError
from shared.promise_verbs import promise
from shared.provenance import machine
from shared.run_inputs import bound, feature_weights, load, load_training, resumed, use_threads

if TYPE_CHECKING:
    from shared.model import Model
    from shared.train import Fitted


@dataclass(frozen=True)
class Material:
    """What a model is fitted to, and what chooses between its states."""

    training: Examples
    features: Sequence[Features]  # of training
    weights: list[float]  # of the features; none where all count alike
    validation: Examples


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

    from shared.evaluate import predict
    from shared.model import create_model, gpu_name
    from shared.model_card import write_card

    use_threads(config.hardware.threads)
    model = create_model(config.model, config.head, config.lora, types=config.data.types(), seed=config.seed)
    material = _material(model, config, training=training, validation=validation)
    counts = model.count_parameters()  # now: after merging none would count as trainable
    _say_plan(model, material, config, counts=counts)
    folder = folder or runs.create_run(
        config.runs_dir, task=config.task.name, digest=config.digest, config=config.resolved
    )
    runs.say(f"run: {folder}")
    fitted = _fitted(model, material, config, folder=folder)
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


def _material(model: Model, config: RunConfig, *, training: Examples, validation: Examples) -> Material:
    """Return what the model is fitted to, with what a reference bundle says of it where one is followed."""
    model.head.start(model.backbone, training)
    features = model.head.encode(training)
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
    return Material(training, features, weights, validation)


def _say_plan(model: Model, material: Material, config: RunConfig, *, counts: dict[str, int]) -> None:
    """Say how much there is to do, and what of the texts the model will not see."""
    from shared.evaluate import coverage
    from shared.training_estimate import estimate

    plan = estimate(model, material.features, config=config.train, seed=config.seed, weights=material.weights)
    runs.say(
        f"parameters: {counts['trainable']:,} trainable, {counts['frozen']:,} frozen; "
        f"estimate: {plan.steps:,} steps, {plan.seconds / 60:.1f} minutes, {plan.memory_gib:.1f} GiB"
    )
    seen = coverage(material.training, material.features)
    runs.say(
        f"beyond the window: {seen.texts_beyond_window} texts; "
        f"lost to tokenisation: {seen.lost_spans} spans, {seen.truncated_tokens} tokens"
    )


def _fitted(model: Model, material: Material, config: RunConfig, *, folder: Path) -> Fitted:
    """Run the loop, then measure and tune the head by the weights that were kept."""
    from shared.evaluate import infer
    from shared.train import fit

    validation = material.validation
    held_out = model.head.encode(validation)
    validated = 0  # times, in this process

    def validate() -> float:
        nonlocal validated
        validated += 1
        logits = infer(model, held_out, batch_tokens=config.predict.batch_tokens)
        model.head.tune(validation, held_out, logits)
        return config.metric.quick(validation, model.head.decode(validation, held_out, logits))

    with runs.Progress(folder, metric=config.metric.main) as progress:
        fitted = fit(
            model,
            material.features,
            config=config.train,
            seed=config.seed,
            validate=validate,
            folder=folder,
            progress=progress,
            resume=bool(config.resume),
            weights=material.weights,
        )
    measures = model.head.measures(validation)
    if measures:
        logits = infer(model, material.features, batch_tokens=config.predict.batch_tokens)
        model.head.measure(material.training, material.features, logits)
    known = validated and fitted.best_epoch == fitted.epochs and not measures  # the weights kept, as they are
    if not known and not isinstance(model.head, WritingHead):  # which has no thresholds, and takes minutes
        validate()  # the thresholds of the weights that were kept
    return fitted


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
