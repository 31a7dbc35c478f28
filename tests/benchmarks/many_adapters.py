"""Memory and speed of 1, 10 and 50 specialists on one base, beside one merged model on the same texts.

Each number of specialists has processes of its own, in which mixed batches and the merged model take turns;
medians count, since what the system leaves resident differs from process to process.
The specialists are copies of one bundle under different names: their answers matter to neither. Run it on an
idle machine.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch

from shared.adapters import load_bundle
from shared.boards.measure import busy_share
from shared.boards.speed import SpeedTable, row_of, shown
from shared.compose import compose_run
from shared.engines import num_threads
from shared.evaluate import predict
from shared.run_inputs import of_run
from shared.runs import BUNDLE
from shared.specialists import Specialists
from tests.benchmarks.inference_speed import LEADERBOARDS
from tests.benchmarks.published import publish

COUNTS = (1, 10, 50)
TEXTS, REPEATS, BATCH_TOKENS = 400, 3, 1024
PROCESSES = 3  # of each number of specialists
MIB = 2**20


def main() -> None:
    """Measure, print the table, and put it where the leaderboards are."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks.many_adapters", description=__doc__)
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--run", type=Path, required=True, help="an NER run")
    parser.add_argument("--count", type=int, help="measure so many in this process alone")
    parser.add_argument("--output", type=Path, default=LEADERBOARDS)
    given = parser.parse_args()
    if given.count is not None:
        sys.stdout.write(json.dumps(measured(given.run, given.data_dir, given.count)))
        return
    busy = busy_share()
    base, *found = (asked_apart(given, count) for count in (0, *COUNTS))
    size = sum(path.stat().st_size for path in (given.run / BUNDLE).glob("*.safetensors")) / MIB
    rows = []
    for count, own in zip(COUNTS, found, strict=True):
        share, further = own["mixed"] / own["merged"], "n/a"
        if count > 1:
            further = shown((own["mib"] - found[0]["mib"]) / ((count - 1) * size))
        more = (own["mib"] - base["mib"]) / (count * size)
        rows.append(row_of(str(count), own["mib"], more, further, own["mixed"], share))
    table = SpeedTable(
        "specialists on one base",
        f"MiniLM with LoRA of rank 16 and heads for financial entities, {size:.2f} MiB of weights each. "
        f"*Beyond the base* is what is resident beyond the {base['mib']:,.0f} MiB of a process that loaded "
        "one and removed it, libraries included; *a further one* what is resident beyond the process of one; "
        "both as multiples of the weights. *To merged* is to one merged model on the same "
        f"{TEXTS} texts in the same process. Medians of {PROCESSES} processes.",
        [
            "specialists",
            "MiB resident",
            "beyond the base",
            "a further one",
            "documents/s, mixed",
            "to merged",
        ],
        rows,
    )
    publish([table], given.output, bench="adapters", command="make bench-adapters RUN=<ner run>", busy=busy)


def asked_apart(given: argparse.Namespace, count: int) -> dict[str, float]:
    """Return the medians of what processes of their own measure with so many specialists."""
    words = ["--data-dir", given.data_dir, "--run", str(given.run), "--count", str(count)]
    command = [sys.executable, "-m", "tests.benchmarks.many_adapters", *words]
    found: list[dict[str, float]] = [
        json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        for _ in range(PROCESSES)
    ]
    return {name: statistics.median(own[name] for own in found) for name in found[0]}


def measured(run: Path, data_dir: str, count: int) -> dict[str, float]:
    """Return the resident MiB after a warm-up, and documents a second, mixed and merged; of 0 the base's."""
    torch.set_num_threads(num_threads(0))
    config = of_run(compose_run("ner", [f"data_dir='{data_dir}'"]), run, [])
    examples = config.data.load("validation")[:TEXTS]
    names = [f"specialist {place}" for place in range(max(count, 1))]
    together = Specialists.load(dict.fromkeys(names, run / BUNDLE))
    asked = [(names[place % len(names)], example) for place, example in enumerate(examples)]
    together.predict(asked, batch_tokens=BATCH_TOKENS)
    if not count:
        together.remove(names[0])
        return {"mib": resident_mib()}
    mib = resident_mib()
    model = load_bundle(run / BUNDLE)
    seconds: dict[str, list[float]] = {"mixed": [], "merged": []}
    for _ in range(REPEATS):
        started = time.perf_counter()
        together.predict(asked, batch_tokens=BATCH_TOKENS)
        between = time.perf_counter()
        predict(model, examples, batch_tokens=BATCH_TOKENS)
        seconds["mixed"].append(between - started)
        seconds["merged"].append(time.perf_counter() - between)
    return {"mib": mib, **{name: len(asked) / statistics.median(own) for name, own in seconds.items()}}


def resident_mib() -> float:
    """Return what the process holds in memory now."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    kib = next(line.split()[1] for line in lines if line.startswith("VmRSS:"))
    return int(kib) / 1024


if __name__ == "__main__":
    main()
