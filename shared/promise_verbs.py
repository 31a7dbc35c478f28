"""The verbs about promises: `calibrate` makes them by validation, `resplit` tells how often they are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared import runs
from shared.bundle_manifest import check_fits, read_manifest
from shared.config import RunConfig
from shared.contracts import AlarmMetric, Examples, Predictions, WritingHead
from shared.errors import ConfigError, UserError
from shared.promise_text import promises_text
from shared.run_inputs import bound, keep_check, load, of_run, run_folder, told_reviewer, use_threads

if TYPE_CHECKING:
    from shared.model import Model


def calibrate(config: RunConfig, *, overrides: Sequence[str]) -> None:
    """Fit a run's thresholds and promises on validation anew, and put them into its bundle.

    Where a check is told anew, it is the bundle's from now on: promises are of answers that it checked. The
    share of texts out of scope that the bundle's promises were made for stays unless another one is told.
    """
    from shared import adapters
    from shared.evaluate import infer, predict
    from shared.model_card import write_card
    from shared.promise import for_the_same_texts

    folder = run_folder(config)
    reviewer = told_reviewer(config, folder, overrides)
    config = bound(of_run(config, folder, overrides))
    manifest = read_manifest(folder / runs.BUNDLE)
    check_fits(manifest, task=config.task.name)
    config = replace(config, promise=for_the_same_texts(config.promise, manifest.get("promises", [])))
    use_threads(config.hardware.threads)
    model, validation = adapters.load_bundle(folder / runs.BUNDLE), load(config, "validation")
    model.head.reviewer = reviewer or model.head.reviewer
    if not isinstance(model.head, WritingHead):  # which has no thresholds, and takes minutes
        features = model.head.encode(validation)
        logits = infer(model, features, batch_tokens=config.predict.batch_tokens)
        model.head.tune(validation, features, logits)
    predictions = predict(model, validation, batch_tokens=config.predict.batch_tokens)
    runs.write_predictions(folder, "validation", predictions)
    if reviewer:
        keep_check(folder, config)
    check = config.resolved["head"]["check"] if reviewer else None
    promise(model, folder, config, examples=validation, predictions=predictions, check=check)
    write_card(folder, metric=config.metric.main)


def promise(
    model: Model,
    folder: Path,
    config: RunConfig,
    *,
    examples: Examples,
    predictions: Predictions,
    check: Mapping[str, Any] | None = None,
) -> None:
    """Put into the bundle what these answers, validation's, allow to promise of others, and a new check."""
    from shared import adapters
    from shared.promise import make_promises

    trials = config.metric.trials(examples, predictions)
    promises = make_promises(trials, config.promise)
    adapters.write_calibration(folder / runs.BUNDLE, model, promises, check=check)
    runs.say(promises_text(promises))


def resplit(config: RunConfig, *, overrides: Sequence[str]) -> None:
    """Divide validation and test anew, many times, and tell how often promises made by one held on the other.

    The answers are those stored with the run; nothing is chosen by what comes out.
    """
    from shared.resplit import alarm_rates_text, resplit_alarms, resplits_text
    from shared.resplit import resplit as divide

    folder = run_folder(config, holding=runs.RECORD)
    config = bound(of_run(config, folder, overrides))
    asked = config.promise
    if asked.out_of_scope is not None:
        raise ConfigError(
            ["promise.out_of_scope: both parts of a division have the share of all texts; allowed here: null"]
        )
    validation, test = (_answered(config, folder, split) for split in ("validation", "test"))
    if isinstance(metric := config.metric, AlarmMetric):
        held_out, others = (metric.normal_scores(*answered) for answered in (validation, test))
        if not held_out or not others:
            raise UserError(f"{folder}: validation or test has no normal text, and false alarms are theirs")
        rates = resplit_alarms(held_out, others, metric.promised, times=asked.divisions)
        runs.say(alarm_rates_text(rates))
        return
    found = divide(
        config.metric.trials(*validation),
        config.metric.trials(*test),
        asked.risks,
        confidence=asked.confidence,
        times=asked.divisions,
    )
    if not found:
        raise UserError(f"{folder}: its answers have no confidence, so that nothing can be promised of them")
    runs.say(resplits_text(found))


def _answered(config: RunConfig, folder: Path, split: str) -> tuple[Examples, Predictions]:
    path = runs.predictions_path(folder, split)
    if not path.is_file():
        raise UserError(f"{folder} has no answers on {split}: evaluate it first, with run={folder}")
    return load(config, split), runs.read_predictions(path)
