"""Small leaderboards made by hand: their layout, cited figures, answers, and how records get into them."""

import hashlib
import json
from pathlib import Path
from typing import Any

from shared.boards.publication import publish
from shared.contracts import Score
from shared.provenance import FileFacts
from shared.record import Counts, Record, write_record
from tests.shared.records import make_record

LAYOUT = """
title: Names
statistics: {f1: tests.shared.records.micro_f1}
answer_keys: [id, spans, start, end, label, probability]
written_keys: []
unchanged: [probability]
references: {FiNER-ORD: large}
tables:
  - title: quality
    note: Strict.
    columns:
      - {title: row, value: name, show: text}
      - {title: F1, value: score, show: interval}
      - {title: runs, value: runs, show: spread}
      - {title: minus large, value: versus, show: difference}
      - {title: parameters, value: parameters.total, show: count}
      - {title: minutes, value: training.wall_seconds, show: minutes}
csv_only:
  - {title: licence, value: data.licence, show: text}
"""
CITED = """
- name: published
  data: FiNER-ORD
  split: test
  comparable: true
  parameters: 355000000
  repeats: 2
  unit: seed
  computed: by its authors
  note: ''
  source: https://example.org/paper
  runs:
    - {f1: 0.76, precision: 0.7}
    - {f1: 0.74, precision: 0.6}
- name: elsewhere
  data: FiNER-ORD
  split: validation
  comparable: false
  parameters: null
  repeats: 1
  unit: seed
  computed: by its authors
  note: on another split
  source: https://example.org/other
  runs: [{f1: 0.99}]
"""
ROWS: list[Any] = [
    {"id": "a", "spans": [{"start": 0, "end": 5, "label": "PER", "probability": 0.98765432}]},
    {"id": "b", "spans": []},
    {"id": "c", "spans": [{"start": 2, "end": 3, "label": "ORG", "probability": None}]},
]


def make_run(folder: Path, *, rows: list[Any] = ROWS, **changes: Any) -> tuple[Path, Path]:
    """Write a run's record and predictions."""
    folder.mkdir(exist_ok=True)
    predictions = folder / "predictions-test.jsonl"
    predictions.write_text("".join(json.dumps(row) + "\n" for row in rows))
    digest = hashlib.sha256(predictions.read_bytes()).hexdigest()
    record = make_record(**{"predictions": FileFacts(predictions.name, digest), **changes})
    write_record(record, folder / "record.json")
    return folder / "record.json", predictions


def seed_record(seed: int, *, d2: list[float], f1: float, **changes: Any) -> Record:
    counts = Counts(["PER"], ["tp", "predicted", "gold"], {"d1": [2, 4, 4], "d2": d2})
    values = {"id": f"tiny-seed{seed}", "seed": seed, "counts": counts, "scores": {"f1": Score(f1)}}
    return make_record(**{**values, **changes})


def publish_rows(folder: Path, *records: Record, conf: Path, boards: Path, rows: list[Any] = ROWS) -> None:
    for record in records:
        values = {name: getattr(record, name) for name in vars(record) if name != "predictions"}
        publish(*make_run(folder / "run", rows=rows, **values), leaderboards_dir=boards, conf=conf)
