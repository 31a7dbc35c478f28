"""What a warm, idle, repeated run of a published row measured: one JSON file a row, beside its records."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from shared.errors import UserError
from shared.files import write_text_atomic
from shared.provenance import Code, Hardware
from shared.typed_json import read_as

FOLDER = "measurements"
REPEATED = (
    "documents_per_second",
    "tokens_per_second",
    "latency_p50_ms",
    "latency_p95_ms",
    "watt_hours_per_1000",
)


@dataclass(frozen=True)
class Measurement:
    """Each list has one value a repeat, in the order they were made."""

    record: str  # the id of the published record whose row this is
    split: str  # whose texts were read
    num_documents: int
    documents_per_second: list[float]
    tokens_per_second: list[float]
    latency_p50_ms: list[float]  # one text alone
    latency_p95_ms: list[float]
    watt_hours_per_1000: list[float]  # documents, in batches
    energy_method: str
    peak_memory_gib: float
    bundle_mib: float
    hardware: Hardware
    busy_before: float  # share of the processors that others took when it began: near 0 on an idle machine
    code: Code | None
    versions: dict[str, str]
    created: str  # UTC date


def write_measurement(measurement: Measurement, leaderboards_dir: Path, *, task: str) -> Path:
    """Write the measurement in place of an older one of its row; return its file."""
    path = leaderboards_dir / FOLDER / task / f"{measurement.record}.json"
    write_text_atomic(path, json.dumps(asdict(measurement), indent=2, ensure_ascii=False) + "\n")
    return path


def read_measurements(leaderboards_dir: Path, *, task: str) -> dict[str, Measurement]:
    """Return record id -> its measurement; raises `UserError` for a file that is not one."""
    found = {}
    for path in sorted((leaderboards_dir / FOLDER / task).glob("*.json")):
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UserError(f"{path} is not a readable measurement: {error}") from error
        measurement: Measurement = read_as(Measurement, value, file=path)
        found[measurement.record] = measurement
    return found


def measured_values(
    ids: Sequence[str], measurements: Mapping[str, Measurement], inference: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """Return medians over repeats with lowest and highest; else what `evaluate` saw once; else None."""
    known = [measurements[id] for id in ids if id in measurements]
    if known:
        return _repeated(known[0])
    if inference is None:
        return None
    once = {name: _once(inference.get(name)) for name in REPEATED}
    return {**once, "peak_memory_gib": inference["peak_memory_gib"], "how": "once, while it was evaluated"}


def _repeated(measurement: Measurement) -> dict[str, Any]:
    repeats = len(measurement.documents_per_second)
    hardware = measurement.hardware
    return {
        **{name: _spread(getattr(measurement, name)) for name in REPEATED},
        "peak_memory_gib": measurement.peak_memory_gib,
        "bundle_mib": measurement.bundle_mib,
        "energy_method": measurement.energy_method,
        "machine": f"{hardware.cpu}, {hardware.threads} threads",
        "repeats": repeats,
        "date": measurement.created,
        "how": f"idle, {repeats} repeats",
    }


def _spread(values: Sequence[float]) -> dict[str, float] | None:
    if not values:
        return None
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}


def _once(value: float | None) -> dict[str, float | None] | None:
    return None if value is None else {"median": value, "low": None, "high": None}


def measurement_text(measurement: Measurement) -> str:
    """Return the medians with the spread over repeats, a line each."""
    lines = [f"{measurement.record}: {measurement.num_documents} documents, {measurement.energy_method}"]
    for name in REPEATED:
        values = getattr(measurement, name)
        lines.append(
            f"  {name:<22} {statistics.median(values):>12,.3f}  {min(values):,.3f} to {max(values):,.3f}"
        )
    return "\n".join(lines)
