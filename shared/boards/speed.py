"""What `make bench` measured: one JSON file for each bench and machine."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tabulate import tabulate

from shared.files import write_json_atomic
from shared.provenance import Code, Hardware
from shared.typed_json import read_as

FOLDER = "speed"


@dataclass(frozen=True)
class SpeedTable:
    """Rows of one question; cells are as they are shown."""

    title: str
    note: str
    columns: list[str]
    rows: list[list[str]]


@dataclass(frozen=True)
class SpeedRecord:
    """What one bench found in one run on one machine."""

    bench: str
    command: str
    tables: list[SpeedTable]
    hardware: Hardware
    busy_before: float  # share of the processors that others took before it began
    code: Code | None
    versions: dict[str, str]
    created: str  # UTC date

    @property
    def machine(self) -> str:
        """Return what computed: the accelerator, or the processor where there is none."""
        return self.hardware.accelerator or self.hardware.cpu

    @property
    def name(self) -> str:
        """Return the name of its files: that of the bench, and of the machine in lower case."""
        words = re.sub(r"\(\w+\)", " ", self.machine.lower())  # (R), (TM)
        return "-".join([self.bench, *re.findall("[a-z0-9]+", words)])


def write_speed(record: SpeedRecord, leaderboards_dir: Path) -> Path:
    """Write the record in place of an older one of its bench on such a machine, and return its path."""
    path = leaderboards_dir / FOLDER / f"{record.name}.json"
    write_json_atomic(path, asdict(record))
    return path


def read_speeds(leaderboards_dir: Path) -> list[SpeedRecord]:
    """Return the records by name; raises `UserError` naming a key that is missing, unknown or mistyped."""
    paths = sorted((leaderboards_dir / FOLDER).glob("*.json"))
    return [read_as(SpeedRecord, json.loads(path.read_text(encoding="utf-8")), file=path) for path in paths]


def table_text(table: SpeedTable) -> str:
    """Return the table as a terminal shows it."""
    rows = tabulate(table.rows, headers=table.columns, disable_numparse=True)
    return f"{table.title}\n{table.note}\n\n{rows}\n"


def shown(value: float, digits: int = 3) -> str:
    """Return the number to so many significant digits, with commas, without an exponent."""
    whole = len(str(int(abs(value))))
    return f"{value:,.{max(0, digits - whole)}f}"


def row_of(name: str, *cells: Any) -> list[str]:
    """Return a table's row of a name and numbers or texts."""
    return [name, *(cell if isinstance(cell, str) else shown(cell) for cell in cells)]
