"""Scoring a system on a split, and the record of it: predictions, scores, speed, coverage, cost inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from shared import runs
from shared.abstention import make_gate
from shared.bundle_manifest import check_fits
from shared.config import COMMAND_WORDS, PLACES, HardwareConfig
from shared.contracts import Baseline, DataAdapter, Examples, Metric, Reviewer, Score, Trials
from shared.engines import TITLES, TORCH, engine_folder, engine_manifest, load_engine, num_threads
from shared.evaluate import Speed, predict_timed
from shared.facet_sets import give_sets
from shared.promise import Promises, kept, read_promises
from shared.provenance import (
    Hardware,
    code_state,
    digest_files,
    file_facts,
    library_versions,
    machine,
    today,
    trained_like,
)
from shared.record import (
    BaseFacts,
    Cost,
    DataFacts,
    Energy,
    ExportFacts,
    Inference,
    Kept,
    MetricFacts,
    Parameters,
    Record,
    Training,
    portable_config,
    record_id,
    write_record,
)
from shared.reliability import reliability
from shared.typed_json import read_as
from shared.verb_config import BY_TORCH, PredictConfig


@dataclass(frozen=True)
class Source:
    """What was scored and how the system was made: the parts of a record that no model knows."""

    task: str
    row: str  # the published row, '' for none
    title: str  # its name in tables, '' for the model's
    split: str
    seed: int
    data: DataAdapter
    metric: Metric
    hardware: HardwareConfig
    resolved: Mapping[str, Any]
    digest: str


@dataclass(frozen=True)
class Result:
    """A system's predictions on a split and what is known of the system; None where it does not apply."""

    kind: str
    name: str
    predictions: list[Any]
    scores: dict[str, Score]
    coverage: dict[str, Any] = field(default_factory=dict)
    base: BaseFacts | None = None
    parameters: Parameters | None = None
    training: Training | None = None
    speed: Speed | None = None
    threads: int = 0
    accelerator: str = ""
    promises: Sequence[Promises] = ()
    export: ExportFacts | None = None


def score_baseline(baseline: Baseline, examples: Examples, *, source: Source) -> Result:
    """Return the scores of the baseline; its notes become coverage columns."""
    answers = baseline.answer(source.data, examples)
    return Result(
        kind=baseline.kind,
        name=source.title or baseline.name,
        predictions=answers.predictions,
        scores=source.metric.score(examples, answers.predictions),
        coverage=dict(answers.notes),
    )


def score_run(
    folder: Path,
    examples: Examples,
    *,
    source: Source,
    asked: PredictConfig,
    engine: str,
    reviewer: Reviewer | None = None,
) -> Result:
    """Return the scores of a run's bundle, or of an export of it, with its speed after a warm-up.

    The answers are those that `predict` gives when it is asked so: checked (by `reviewer`, if there is one,
    in place of the bundle's own), under a promise, with sets. Those under a promise, and those of an export,
    are a row of their own.
    """
    place = engine_folder(folder, engine, task=source.task)
    manifest = engine_manifest(place)
    check_fits(manifest, task=source.task)
    base, promises = manifest["model"], read_promises(manifest.get("promises", []))
    name = source.title or base["name"]
    gate = make_gate(promises, risk=asked.risk, unit=asked.unit) if asked.risk else None
    types = dict(source.data.types())
    model = load_engine(
        place, threads=source.hardware.threads, types=None if types == manifest["types"] else types
    )
    model.head.reviewer = (reviewer or model.head.reviewer) if asked.check else None
    if asked.sets:
        give_sets(model.head, asked.sets)
    predictions, speed, coverage = predict_timed(model, examples, batch_tokens=asked.batch_tokens)
    if engine != TORCH:
        name = f"{name}, {TITLES[engine]}"
    if gate:
        predictions = [gate.held_back(prediction) for prediction in predictions]
        name, promises = f"{name}, at most {asked.risk:.0%} of {gate.promise.unit} given wrong", []
    training = runs.read_training(folder)
    return Result(
        kind="measured",
        name=name,
        predictions=predictions,
        scores=source.metric.score(examples, predictions),
        coverage=asdict(coverage),
        base=BaseFacts(base["hub_id"], base["revision"], manifest["base_sha256"], base["licence"]),
        parameters=Parameters(**training["parameters"]),
        training=read_as(Training, training["training"], file=folder / runs.TRAINING),
        speed=speed,
        threads=num_threads(source.hardware.threads),
        accelerator=_accelerator(engine),
        promises=promises,
        export=_export(folder, manifest, predictions, split=source.split) if engine != TORCH else None,
    )


def _accelerator(engine: str) -> str:
    if engine not in (TORCH, *BY_TORCH):
        return ""
    from shared.model import gpu_name

    return gpu_name()


def _export(
    folder: Path, manifest: Mapping[str, Any], predictions: Sequence[Any], *, split: str
) -> ExportFacts:
    """Return what was proven of the export, and how many answers on the split are unlike torch's."""
    path, changed = runs.predictions_path(folder, split), None
    if path.is_file():
        before = {own.id: own.key for own in runs.read_predictions(path)}
        changed = sum(before.get(own.id) != own.key for own in predictions) / len(predictions)
    proof = manifest["proof"]
    return ExportFacts(
        format=manifest["format"],
        bundle=manifest["bundle"],
        mib=proof["mib"],
        faster=round(proof["documents_per_second"] / proof["torch_documents_per_second"], 2),
        sooner=round(proof["torch_latency_p50_ms"] / proof["latency_p50_ms"], 2),
        changed=changed,
        full_precision=len(proof["full_precision"]),
        forced=proof["forced"],
    )


def write_result(folder: Path, examples: Examples, result: Result, *, source: Source) -> Record:
    """Write predictions, wrong examples and the record into the run's folder, and return the record."""
    path = runs.write_predictions(folder, source.split, result.predictions)
    runs.write_rows(folder / runs.ERRORS, source.metric.wrong(examples, result.predictions))
    runs.write_text(folder / runs.DETAILS, source.metric.details(examples, result.predictions))
    record = make_record(path, examples, result, source=source)
    write_record(record, folder / runs.RECORD)
    return record


def make_record(predictions: Path, examples: Examples, result: Result, *, source: Source) -> Record:
    """Return everything needed to defend the numbers.

    Confidences are judged as they are stored, rounded, so that anybody finds the same numbers.
    """
    data, metric = source.data, source.metric
    trials = metric.trials(examples, runs.read_predictions(predictions))
    hardware = machine(threads=result.threads, accelerator=result.accelerator)
    return Record(
        id=record_id(f"{data.name}-{result.name}", seed=source.seed, digest=source.digest),
        kind=result.kind,
        name=result.name,
        task=source.task,
        experiment=source.row,
        data=DataFacts(
            name=data.name,
            licence=data.licence,
            split=source.split,
            digest=digest_files(data.files(source.split)),
            num_examples=len(examples),
            num_documents=len({example.document for example in examples}),
        ),
        metric=MetricFacts(type(metric).__name__, metric.version, metric.main),
        scores=result.scores,
        counts=metric.counts(examples, result.predictions),
        predictions=file_facts(predictions),
        config=portable_config(
            {key: value for key, value in source.resolved.items() if key not in COMMAND_WORDS},
            places={name: str(source.resolved[name]) for name in PLACES},
        ),
        config_digest=source.digest,
        base=result.base,
        parameters=result.parameters,
        seed=source.seed,
        code=code_state(),
        versions=library_versions(),
        hardware=hardware,
        coverage=result.coverage,
        training=result.training,
        inference=_inference(result.speed),
        energy=_energy(source.hardware, result.training, here=hardware),
        cost=_cost(source.hardware, result.training, here=hardware),
        created=today(),
        reliability=reliability(trials),
        promises=_kept(result.promises, trials),
        export=result.export,
    )


def _kept(promises: Sequence[Promises], trials: Trials) -> list[Kept]:
    return [found for own in promises for found in kept(own, trials.get(own.unit, []))]


def _inference(speed: Speed | None) -> Inference | None:
    if speed is None:
        return None
    return Inference(
        documents_per_second=round(speed.documents_per_second, 1),
        tokens_per_second=round(speed.tokens_per_second, 1),
        latency_p50_ms=round(speed.latency_p50_ms, 3),
        latency_p95_ms=round(speed.latency_p95_ms, 3),
        peak_memory_gib=round(runs.peak_memory_gib(), 3),
        windows_per_second=round(speed.windows_per_second, 1),
    )


def _energy(stated: HardwareConfig, training: Training | None, *, here: Hardware) -> Energy:
    if stated.watts is None or training is None:
        return Energy(
            watt_hours=None, method="not measured: hardware.watts is not stated, or nothing was trained"
        )
    if not trained_like(training.hardware, here):
        return Energy(None, "not estimated: trained on another machine than this one, whose watts are stated")
    watt_hours = round(stated.watts * training.wall_seconds / 3600, 3)
    return Energy(watt_hours, f"estimated: {stated.watts} W times the training's wall time")


def _cost(stated: HardwareConfig, training: Training | None, *, here: Hardware) -> Cost:
    dollars = None
    if stated.dollars_per_hour is not None and training and trained_like(training.hardware, here):
        dollars = round(stated.dollars_per_hour * training.wall_seconds / 3600, 6)
    return Cost(stated.dollars_per_hour, dollars, stated.source)
