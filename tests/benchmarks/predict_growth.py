"""How time and memory of `predict` grow with the number of texts: a new process for each file of short texts.

The texts are those of Banking77's train split, over and over, and answers go to a file. Run it on an idle
machine.
"""

from __future__ import annotations

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from shared.boards.measure import busy_share
from shared.boards.speed import SpeedTable, row_of
from shared.compose import compose_run
from tests.benchmarks.inference_speed import LEADERBOARDS
from tests.benchmarks.published import publish


def main() -> None:
    """Measure, print the table, and put it where the leaderboards are."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks.predict_growth", description=__doc__)
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--run", type=Path, required=True, help="an ontology run that has the export")
    parser.add_argument("--engine", default="onnx_int8")
    parser.add_argument("--most", type=int, default=100_000, help="texts; %(default)s if not given")
    parser.add_argument("--output", type=Path, default=LEADERBOARDS)
    given = parser.parse_args()
    busy = busy_share()
    config = compose_run("ontology", ["data=banking77", f"data_dir='{given.data_dir}'"])
    texts = [" ".join(example.text.split()) for example in config.data.load("train")]
    counts = [10**power for power in range(2, 8) if 10**power <= given.most]
    start, rows = answered(given.run, given.engine, texts, 1)[0], []
    for count in counts:
        seconds, gib = answered(given.run, given.engine, texts, count)
        each = 1e6 * (seconds - start) / count
        rows.append(row_of(f"{count:,}", seconds, each, count / seconds, gib))
    table = SpeedTable(
        f"Banking77, {given.engine}: from file to file",
        f"Short texts, each answered anew. A start of {start:.2f} s is taken off *microseconds a text*.",
        ["texts", "seconds", "microseconds a text", "texts/s", "peak GiB"],
        rows,
    )
    publish([table], given.output, bench="growth", command="make bench-growth", busy=busy)


def answered(run: Path, engine: str, texts: list[str], count: int) -> tuple[float, float]:
    """Return the wall seconds and the peak memory in GiB of a process that answers so many texts."""
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "texts.txt"
        with source.open("w", encoding="utf-8") as file:
            file.writelines(f"{text}\n" for text in itertools.islice(itertools.cycle(texts), count))
        words = [f"run={run}", f"engine={engine}", f"predict.input={source}", f"predict.output={name}/out"]
        started = time.perf_counter()
        process = subprocess.Popen([sys.executable, "-m", "tasks.ontology", "predict", *words])
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        if status:
            raise SystemExit(f"predict ended with {os.waitstatus_to_exitcode(status)}")
    return seconds, usage.ru_maxrss / 2**20


if __name__ == "__main__":
    main()
