"""Measuring a published row: warm, on an idle machine, several times, with its energy."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shared import runs
from shared.boards.measurements import Measurement
from shared.engines import load_engine
from shared.errors import UserError
from shared.exported import EXPORTS, MANIFEST
from shared.provenance import code_state, library_versions, machine, today
from shared.record import Record, read_record

if TYPE_CHECKING:
    from codecarbon import OfflineEmissionsTracker

    from shared.contracts import Engine

SPLIT = "validation"  # whose texts are read: a speed needs no gold, and test is for `evaluate`
FEWEST, ALONE = 4, 50  # texts timed alone, at least and at most


@dataclass(frozen=True)
class Effort:
    """How long to measure."""

    repeats: int = 5
    seconds: float = 5.0  # of one pass, about
    busiest: float = 0.15  # share of the processors that others may take: more is no idle machine


@dataclass(frozen=True)
class Pass:
    """What one repeat found."""

    documents_per_second: float
    tokens_per_second: float
    latency_p50_ms: float
    latency_p95_ms: float
    watt_hours_per_1000: float


def measure_run(folder: Path, *, leaderboards_dir: Path, data_dir: str, effort: Effort) -> Measurement:
    """Return what the run's bundle takes to answer, for the published row that the run repeats.

    Raises `UserError` when the run was not evaluated, its row is not published, the machine is busy or
    codecarbon is not installed.
    """
    record = read_record(folder / runs.RECORD)
    published = published_twin(record, leaderboards_dir)
    busy = busy_share()
    if busy > effort.busiest:
        raise UserError(
            f"{100 * busy:.0f} % of the processors are taken by others: measure on an idle machine"
        )
    from shared.compose import compose_run
    from shared.run_inputs import of_run

    exported = (folder / MANIFEST).is_file()
    run = folder.parents[1] if exported else folder
    config = of_run(compose_run(record.task, [f"data_dir='{data_dir}'"]), run, [])
    examples, files = config.data.load(SPLIT), folder if exported else folder / runs.BUNDLE
    model = load_engine(files, threads=0)
    passes, num_documents = _passes(model, examples, effort=effort, batch_tokens=config.predict.batch_tokens)
    return Measurement(
        record=published.id,
        split=SPLIT,
        num_documents=num_documents,
        **{name: [round(getattr(one, name), 6) for one in passes] for name in Pass.__dataclass_fields__},
        energy_method=_energy_method(),
        peak_memory_gib=round(runs.peak_memory_gib(), 3),
        bundle_mib=round(_size_mib(files), 3),
        hardware=machine(threads=len(os.sched_getaffinity(0))),
        busy_before=round(busy, 3),
        code=code_state(),
        versions=library_versions(),
        created=today(),
    )


def measurable(runs_dir: Path, *, leaderboards_dir: Path) -> list[Path]:
    """Return the newest evaluated run, or export of one, of each published row that has one there."""
    newest = {}
    exports = runs_dir.glob(f"*/*/{EXPORTS}/*/{runs.RECORD}")
    for path in sorted([*runs_dir.glob(f"*/*/{runs.RECORD}"), *exports]):
        record = read_record(path)
        twin = _twin(record, leaderboards_dir)
        complete = (path.parent / runs.BUNDLE).is_dir() or (path.parent / MANIFEST).is_file()
        if twin is not None and complete:
            newest[twin.data.name, twin.name] = path.parent
    return sorted(newest.values())


def published_twin(record: Record, leaderboards_dir: Path) -> Record:
    """Return the published record of the same row, data and seed; raises `UserError` when there is none."""
    found = _twin(record, leaderboards_dir)
    if found is None:
        what = f"{record.name!r}, seed {record.seed}, on {record.data.name}"
        raise UserError(f"no published record of {what} in {leaderboards_dir / 'records' / record.task}")
    return found


def _twin(record: Record, leaderboards_dir: Path) -> Record | None:
    for path in sorted((leaderboards_dir / "records" / record.task).glob("*.json")):
        other = read_record(path)
        if _row_of(other) == _row_of(record):
            return other
    return None


def _row_of(record: Record) -> tuple[str, str, str, int]:
    return record.experiment, record.name, record.data.name, record.seed


def _passes(
    model: Engine, examples: Sequence[Any], *, effort: Effort, batch_tokens: int
) -> tuple[list[Pass], int]:
    """Return the repeats, and how many documents each read: as many as fit the time."""
    from shared.evaluate import FEWEST_TIMED, enough_to_time, predict

    predict(model, examples[:FEWEST], batch_tokens=batch_tokens)  # warms up
    probed = examples[: 8 * FEWEST]
    started = time.perf_counter()
    predict(model, probed, batch_tokens=batch_tokens)
    rate = len(probed) / (time.perf_counter() - started)
    texts = enough_to_time(examples[: max(FEWEST_TIMED, int(rate * effort.seconds))])
    passes = [
        _one_pass(model, texts, batch_tokens=batch_tokens, limit=effort.seconds)
        for _ in range(effort.repeats)
    ]
    return passes, len(texts)


def _one_pass(model: Engine, texts: Sequence[Any], *, batch_tokens: int, limit: float) -> Pass:
    from shared.evaluate import predict, predict_read

    begun = time.perf_counter()
    _, features = predict_read(model, texts, batch_tokens=batch_tokens)
    seconds = time.perf_counter() - begun
    alone = _times_alone(model, texts, batch_tokens=batch_tokens, seconds=limit)
    tracker = _tracker()  # apart from the timing, which its own work would disturb
    tracker.start()
    predict(model, texts, batch_tokens=batch_tokens)
    tracker.stop()
    p50, p95 = np.percentile(alone, [50, 95])
    return Pass(
        documents_per_second=len(texts) / seconds,
        tokens_per_second=sum(item.num_tokens for item in features) / seconds,
        latency_p50_ms=float(p50),
        latency_p95_ms=float(p95),
        watt_hours_per_1000=1e6 * tracker.final_emissions_data.energy_consumed / len(texts),  # of kWh
    )


def _times_alone(model: Engine, texts: Sequence[Any], *, batch_tokens: int, seconds: float) -> list[float]:
    """Return the milliseconds of each text alone: of `ALONE` texts, fewer where these take too long."""
    from shared.evaluate import predict

    times: list[float] = []
    started = time.perf_counter()
    for text in texts[:ALONE]:
        begun = time.perf_counter()
        if len(times) >= FEWEST and begun - started > seconds:
            break
        predict(model, [text], batch_tokens=batch_tokens)
        times.append(1000 * (time.perf_counter() - begun))
    return times


def _tracker() -> OfflineEmissionsTracker:
    """Return codecarbon's tracker of the whole machine, silent, writing and sending nothing."""
    try:
        from codecarbon import OfflineEmissionsTracker
    except ImportError as error:
        raise UserError(
            "energy is measured by codecarbon: pip install -c constraints.txt -e '.[bench]'"
        ) from error
    return OfflineEmissionsTracker(
        country_iso_code="USA",  # asked for by the library, whose estimate of carbon is not used
        measure_power_secs=1,
        tracking_mode="machine",
        allow_multiple_runs=True,
        output_methods=[],
        log_level="error",
    )


def _energy_method() -> str:
    """Return how codecarbon knows the power here: a counter, or an estimate from the processor's load."""
    from importlib.metadata import version

    counted = Path("/sys/class/powercap/intel-rapl").exists()
    how = (
        "measured by RAPL"
        if counted
        else "estimated from the load: its watts a core, and a constant for memory"
    )
    return f"codecarbon {version('codecarbon')}, {how}"


def busy_share() -> float:
    """Return the share of the processors that was busy during a second in which this process slept."""
    before = _processor_times()
    time.sleep(1)
    after = _processor_times()
    idle, total = (now - then for now, then in zip(after, before, strict=True))
    return 1 - idle / total if total else 0.0


def _processor_times() -> tuple[int, int]:
    """Return idle and all ticks of all processors, by /proc/stat; (0, 0) where there is none."""
    try:
        first = Path("/proc/stat").read_text(encoding="utf-8").splitlines()[0]
    except OSError:
        return 0, 0
    ticks = [int(word) for word in first.split()[1:]]
    return ticks[3] + ticks[4], sum(ticks[:8])


def _size_mib(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 2**20
