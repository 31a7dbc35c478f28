"""What a bench found, put where the leaderboards are."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from shared.boards.speed import SpeedRecord, SpeedTable, table_text, write_speed
from shared.engines import num_threads
from shared.provenance import code_state, library_versions, machine, today


def publish(tables: Sequence[SpeedTable], output: Path, *, bench: str, command: str, busy: float) -> None:
    """Print the tables and write their record; `busy` is the share that others took before it began."""
    record = SpeedRecord(
        bench=bench,
        command=command,
        tables=list(tables),
        hardware=machine(threads=num_threads(0)),
        busy_before=round(busy, 3),
        code=code_state(),
        versions=library_versions(),
        created=today(),
    )
    sys.stdout.write("\n".join(map(table_text, tables)))
    sys.stdout.write(f"{write_speed(record, output)}\n")
