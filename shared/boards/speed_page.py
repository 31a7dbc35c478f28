"""The page of all benches: their tables, and plots of what grows."""

from __future__ import annotations

from collections.abc import Sequence

from tabulate import tabulate

from shared.boards.speed import FOLDER, SpeedRecord
from shared.boards.speed_plots import plot_name, speed_plot

PAGE = "speed.md"
_SHOWN = ("torch", "transformers", "onnxruntime", "openvino", "openvino-genai", "xllamacpp", "gliner", "peft")


def speed_markdown(records: Sequence[SpeedRecord]) -> str:
    """Return the page of all benches."""
    parts = [
        "# Speed and size",
        "Rendered from `speed/` by `python -m leaderboards render`, never edited by hand. The figures of a "
        "table were measured in turn in one run on one machine: read the ratios.",
    ]
    for record in records:
        parts += [f"## {record.bench}, {record.machine}", _facts(record)]
        for table in record.tables:
            rows = tabulate(
                table.rows,
                headers=table.columns,
                tablefmt="pipe",
                disable_numparse=True,
                colalign=["left", *["right"] * (len(table.columns) - 1)],
            )
            parts += [f"### {table.title}", table.note, rows]
            if name := plot_name(record, table):
                parts.append(f"![{table.title}]({FOLDER}/{name})")
    return "\n\n".join(parts) + "\n"


def speed_plots(records: Sequence[SpeedRecord]) -> dict[str, str]:
    """Return the plots of the tables that have one, by path beside the page."""
    tables = [(record, table) for record in records for table in record.tables]
    return {
        f"{FOLDER}/{name}": speed_plot(table)
        for record, table in tables
        if (name := plot_name(record, table))
    }


def _facts(record: SpeedRecord) -> str:
    machine = record.hardware
    code = "no checkout"
    if record.code:
        code = f"commit {record.code.commit[:10]}{'' if record.code.clean else ', with changes'}"
    libraries = ", ".join(f"{name} {record.versions[name]}" for name in _SHOWN if name in record.versions)
    accelerator = machine.accelerator or "no accelerator"
    return (
        f"- `{record.command}`\n"
        f"- {machine.cpu}, {machine.threads} threads, {machine.memory_gib:g} GiB, {accelerator}; "
        f"{100 * record.busy_before:.0f} % of it was taken by others before\n"
        f"- {record.created}, {code}; {libraries}"
    )
