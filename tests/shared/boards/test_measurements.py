"""Measurements of an idle machine take the place of what was seen once."""

from dataclasses import replace
from pathlib import Path

import pytest

from shared.boards.measurements import (
    Measurement,
    measured_values,
    measurement_text,
    read_measurements,
    write_measurement,
)
from shared.errors import UserError
from shared.provenance import Hardware

MEASUREMENT = Measurement(
    record="tiny-seed1",
    split="validation",
    num_documents=100,
    documents_per_second=[90.0, 100.0, 80.0],
    tokens_per_second=[900.0, 1000.0, 800.0],
    latency_p50_ms=[10.0, 12.0, 11.0],
    latency_p95_ms=[20.0, 21.0, 22.0],
    watt_hours_per_1000=[0.5, 0.4, 0.6],
    energy_method="codecarbon 3.3.2, estimated",
    peak_memory_gib=0.75,
    bundle_mib=2.5,
    hardware=Hardware("a processor", cores=2, threads=2, memory_gib=24.0, accelerator=""),
    busy_before=0.01,
    code=None,
    versions={"python": "3.11.7"},
    created="2026-01-31",
)
ONCE = {
    "documents_per_second": 50.0,
    "tokens_per_second": 500.0,
    "latency_p50_ms": 30.0,
    "latency_p95_ms": None,
    "peak_memory_gib": 1.0,
}


def test_a_measurement_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = write_measurement(MEASUREMENT, tmp_path, task="ner")
    assert path == tmp_path / "measurements" / "ner" / "tiny-seed1.json"
    assert read_measurements(tmp_path, task="ner") == {"tiny-seed1": MEASUREMENT}
    assert read_measurements(tmp_path, task="anomaly") == {}


def test_the_median_comes_with_the_lowest_and_the_highest_repeat() -> None:
    found = measured_values(["other", "tiny-seed1"], {"tiny-seed1": MEASUREMENT}, ONCE)
    assert found is not None
    assert found["documents_per_second"] == {"median": 90.0, "low": 80.0, "high": 100.0}
    assert (found["how"], found["machine"]) == ("idle, 3 repeats", "a processor, 2 threads")
    assert found["bundle_mib"] == 2.5


def test_what_was_seen_once_says_so_and_has_no_spread() -> None:
    found = measured_values(["tiny-seed1"], {}, ONCE)
    assert found is not None
    assert found["documents_per_second"] == {"median": 50.0, "low": None, "high": None}
    assert found["latency_p95_ms"] is None and found["watt_hours_per_1000"] is None
    assert found["how"] == "once, while it was evaluated"


def test_a_row_that_did_not_run_here_has_no_speed() -> None:
    assert measured_values(["tiny-seed1"], {}, None) is None


def test_a_person_reads_median_and_spread() -> None:
    assert "documents_per_second         90.000  80.000 to 100.000" in measurement_text(MEASUREMENT)


def test_a_damaged_measurement_is_named(tmp_path: Path) -> None:
    path = write_measurement(replace(MEASUREMENT, record="other"), tmp_path, task="ner")
    path.write_text("{")
    with pytest.raises(UserError, match=r"other\.json is not a readable measurement"):
        read_measurements(tmp_path, task="ner")
