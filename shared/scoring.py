"""Scoring a system on a split, and the record of it: predictions, scores, speed, coverage, cost inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared import runs
from shared.config import PLACES, HardwareConfig, RunConfig
from shared.contracts import Baseline, Score
from shared.examples import SpanExample, SpanPrediction
from shared.record import (
    BaseFacts,
    Cost,
    DataFacts,
    Energy,
    Inference,
    MetricFacts,
    Parameters,
    Record,
    Training,
    code_state,
    digest_files,
    file_facts,
    library_versions,
    machine,
    portable_config,
    record_id,
    today,
    write_record,
)

if TYPE_CHECKING:
    from shared.evaluate import Speed


@dataclass(frozen=True)
class Result:
    """A system's predictions on a split and what is known of the system; None where it does not apply."""

    kind: str
    name: str
    predictions: list[SpanPrediction]
    scores: dict[str, Score]
    coverage: dict[str, Any] = field(default_factory=dict)
    base: BaseFacts | None = None
    parameters: Parameters | None = None
    training: Training | None = None
    speed: Speed | None = None
    threads: int = 0
    accelerator: str = ""


def score_baseline(baseline: Baseline, config: RunConfig, examples: Sequence[SpanExample]) -> Result:
    """Return the scores of the baseline; its notes become coverage columns."""
    answers = baseline.answer(config.data, examples)
    return Result(
        kind=baseline.kind,
        name=baseline.name,
        predictions=answers.predictions,
        scores=config.metric.score(examples, answers.predictions),
        coverage=dict(answers.notes),
    )


def score_bundle(config: RunConfig, folder: Path, examples: Sequence[SpanExample]) -> Result:
    """Return the scores of a run's bundle on the examples, with its speed after a warm-up."""
    import torch

    from shared import adapters
    from shared.commands import use_threads
    from shared.evaluate import coverage, predict_timed

    use_threads(config.hardware.threads)
    bundle = folder / runs.BUNDLE
    manifest = adapters.read_manifest(bundle)
    adapters.check_fits(manifest, task=config.task.name)
    trained = set(manifest["types"]) == set(config.data.types())
    model = adapters.load_bundle(bundle, types=None if trained else config.data.types())
    predictions, speed = predict_timed(model, examples, batch_tokens=config.predict.batch_tokens)
    training = runs.read_training(folder)
    base = BaseFacts(model.config.hub_id, model.config.revision, model.base.sha256, model.config.licence)
    return Result(
        kind="measured",
        name=config.row.partition("/")[2] or config.model.name,
        predictions=predictions,
        scores=config.metric.score(examples, predictions),
        coverage=asdict(coverage(examples, model.head.encode(examples))),
        base=base,
        parameters=Parameters(**training["parameters"]),
        training=Training(**training["training"]),
        speed=speed,
        threads=torch.get_num_threads(),
        accelerator=torch.cuda.get_device_name() if torch.cuda.is_available() else "",
    )


def write_result(config: RunConfig, folder: Path, examples: Sequence[SpanExample], result: Result) -> Record:
    """Write predictions, wrong examples and the record into the run's folder, and return the record."""
    path = runs.write_predictions(folder, config.split, result.predictions)
    runs.write_rows(folder / runs.ERRORS, config.metric.wrong(examples, result.predictions))
    record = make_record(config, path, examples, result)
    write_record(record, folder / runs.RECORD)
    return record


def make_record(
    config: RunConfig, predictions: Path, examples: Sequence[SpanExample], result: Result
) -> Record:
    """Return everything needed to defend the numbers."""
    seed = config.resolved["baseline"].get("run", config.seed) if config.baseline else config.seed
    return Record(
        id=record_id(f"{config.data.name}-{result.name}", seed=seed, digest=config.digest),
        kind=result.kind,
        name=result.name,
        task=config.task.name,
        experiment=config.row,
        data=DataFacts(
            name=config.data.name,
            licence=config.data.licence,
            split=config.split,
            digest=digest_files(config.data.files(config.split)),
            num_examples=len(examples),
            num_documents=len({example.document for example in examples}),
        ),
        metric=MetricFacts(type(config.metric).__name__, config.metric.version, config.metric.main),
        scores=result.scores,
        counts=config.metric.counts(examples, result.predictions),
        predictions=file_facts(predictions),
        config=portable_config(config.resolved, places={name: str(config.resolved[name]) for name in PLACES}),
        config_digest=config.digest,
        base=result.base,
        parameters=result.parameters,
        seed=seed,
        code=code_state(),
        versions=library_versions(),
        hardware=machine(threads=result.threads, accelerator=result.accelerator),
        coverage=result.coverage,
        training=result.training,
        inference=_inference(result.speed),
        energy=_energy(config.hardware, result.training),
        cost=_cost(config.hardware, result.training),
        created=today(),
    )


def _inference(speed: Speed | None) -> Inference | None:
    if speed is None:
        return None
    return Inference(
        documents_per_second=round(speed.documents_per_second, 1),
        tokens_per_second=round(speed.tokens_per_second, 1),
        latency_p50_ms=round(speed.latency_p50_ms, 3),
        latency_p95_ms=round(speed.latency_p95_ms, 3),
        peak_memory_gib=round(runs.peak_memory_gib(), 3),
    )


def _energy(hardware: HardwareConfig, training: Training | None) -> Energy:
    if hardware.watts is None or training is None:
        return Energy(
            watt_hours=None, method="not measured: hardware.watts is not stated, or nothing was trained"
        )
    hours = training.wall_seconds / 3600
    return Energy(
        round(hardware.watts * hours, 3), f"estimated: {hardware.watts} W times the training's wall time"
    )


def _cost(hardware: HardwareConfig, training: Training | None) -> Cost:
    dollars = None
    if hardware.dollars_per_hour is not None and training is not None:
        dollars = round(hardware.dollars_per_hour * training.wall_seconds / 3600, 6)
    return Cost(hardware.dollars_per_hour, dollars, hardware.source)
