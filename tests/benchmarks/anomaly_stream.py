"""`predict` on a generated log: 100,000 lines, 2,000 different ones, a hundredth of them odd.

Learns from the sample corpus alone (one class) and prints lines a second, from file to file, beside those of
scoring each line with the encoder; how many alarms there were; and the peak memory after a tenth of the lines
and after all of them. Run it on an idle machine.
"""

import argparse
import json
import random
import re
import resource
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from shared import adapters, train_verb
from shared.compose import compose_run
from shared.config import RunConfig
from shared.evaluate import predict
from shared.examples import AnomalyExample
from shared.model import Model
from shared.runs import BUNDLE, find_run
from shared.streaming import predict_file
from tasks.anomaly.data import read_stream

DISTINCT = 2000
ODD_SHARE = 0.01
ALONE = 2000  # lines that are scored without remembering
DIGIT = re.compile(r"[1-9]")  # noughts stay: "0 rejected" is normal, "7 rejected" may not be


def main() -> None:
    """Train, predict, and print what was measured."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks.anomaly_stream", description=__doc__)
    parser.add_argument("--lines", type=int, default=100_000, help="of the log; %(default)s if not given")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        overrides = [
            f"runs_dir='{folder}'",
            f"predict.input='{folder}/app.log'",
            f"predict.output='{folder}/out'",
        ]
        config = compose_run("anomaly", overrides)
        lines = draw_lines(config, given.lines)
        (folder / "app.log").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        train_verb.train(config, overrides=overrides)
        model = adapters.load_bundle(find_run("latest", runs_dir=folder, task="anomaly") / BUNDLE)
        sys.stdout.write(measure(model, config, lines))


def draw_lines(config: RunConfig, number: int) -> list[str]:
    """Return so many lines, drawn with repetition from texts of the sample with other figures in them."""
    generator = random.Random(0)
    examples = [*config.data.load("validation"), *config.data.load("test")]
    normal, odd = ([e.text for e in examples if e.anomalous is anomalous] for anomalous in (False, True))
    num_odd = round(ODD_SHARE * DISTINCT)
    distinct = [*different(normal, DISTINCT - num_odd, generator), *different(odd, num_odd, generator)]
    return generator.choices(distinct, k=number)


def different(texts: list[str], number: int, generator: random.Random) -> list[str]:
    """Return so many different texts, with other digits in place of theirs."""
    found: dict[str, None] = {}
    while len(found) < number:
        found[DIGIT.sub(lambda _: str(generator.randint(1, 9)), generator.choice(texts))] = None
    return list(found)


def measure(model: Model, config: RunConfig, lines: list[str]) -> str:
    """Return speed with and without remembering, alarms and memory, a line each."""
    peaks: dict[int, float] = {}
    total = len(lines)

    def watched(lines: Iterable[str], format: str, *, file: str) -> Iterator[AnomalyExample]:
        for number, example in enumerate(read_stream(lines, format, file=file)):
            if number == total // 10:
                peaks[number] = peak_mib()
            yield example

    started = time.perf_counter()
    predict_file(model, config.predict, read=watched)
    remembered = len(lines) / (time.perf_counter() - started)
    peaks[len(lines)] = peak_mib()
    with Path(config.predict.output).open(encoding="utf-8") as file:
        alarms = sum(json.loads(row)["alarm"] for row in file)
    examples = [AnomalyExample(str(place), (line,)) for place, line in enumerate(lines[:ALONE])]
    started = time.perf_counter()
    predict(model, examples, batch_tokens=config.predict.batch_tokens)
    alone = len(examples) / (time.perf_counter() - started)
    return (
        f"{remembered:,.0f} lines a second with {len(set(lines)):,} different ones among {len(lines):,}, "
        f"{remembered / alone:.1f} times the {alone:,.0f} a second of scoring each line\n"
        f"{alarms:,} alarms, of which each different one is explained once\n"
        + "".join(f"peak memory after {number:,} lines: {peak:,.0f} MiB\n" for number, peak in peaks.items())
    )


def peak_mib() -> float:
    """Return the most memory this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
