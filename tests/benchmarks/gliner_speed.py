"""Texts a second of a tuned GLiNER: its own calls beside our engines, with the same weights and threshold.

The texts are FiNER-ORD's validation sentences, cut into words by GLiNER's own rule on both sides. All systems
answer them in turn, several times. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from shared import runs
from shared.adapters import load_bundle
from shared.boards.measure import busy_share
from shared.boards.speed import SpeedTable, row_of
from shared.compose import compose_run
from shared.engines import TORCH, engine_folder, load_engine, num_threads
from shared.evaluate import predict
from shared.examples import SpanExample
from shared.export_verb import export
from shared.exported import EXPORTS, MANIFEST
from shared.run_inputs import of_run
from shared.verb_config import GRAPHS
from tests.benchmarks.inference_speed import LEADERBOARDS, Timing, ours, timed
from tests.benchmarks.products import plain_products
from tests.benchmarks.published import publish

ONE_BY_ONE, BATCH = "gliner, predict_entities", "gliner, batches of {size}"
SIZES = (8, 32)  # its default, and larger ones
Spans = list[tuple[int, int, str]]


def main() -> None:
    """Measure, print the table, and put it where the leaderboards are."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks.gliner_speed", description=__doc__)
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--run", type=Path, required=True, help="an NER run of GLiNER")
    parser.add_argument("--texts", type=int, default=400, help="of validation; %(default)s if not given")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--output", type=Path, default=LEADERBOARDS)
    given = parser.parse_args()
    busy = busy_share()
    torch.set_num_threads(num_threads(0))
    table = measured(given.run, given.data_dir, texts=given.texts, repeats=given.repeats)
    publish([table], given.output, bench="gliner", command="make bench-gliner", busy=busy)


def measured(run: Path, data_dir: str, *, texts: int, repeats: int) -> SpeedTable:
    """Return the table of rates and latencies; an export that the run lacks is made."""
    words = [f"run='{run}'", f"data_dir='{data_dir}'"]
    for engine in GRAPHS:
        if not (run / EXPORTS / engine / MANIFEST).is_file():
            export(compose_run("ner", [*words, f"export.format={engine}", "export.force=true"]), overrides=[])
    engines = {
        engine: load_engine(engine_folder(run, engine, task="ner"), threads=0) for engine in (TORCH, *GRAPHS)
    }
    model = load_bundle(run / runs.BUNDLE)
    gliner: Any = plain_products(model.head.module.gliner).eval()
    names, threshold = list(model.head.types.values()), model.head.decoding["threshold"]
    validation = of_run(compose_run("ner", words), run, []).data.load("validation")[:texts]
    examples = [example_of(gliner, example) for example in validation]

    def own(size: int) -> Callable[[Sequence[Any]], Any]:
        def answer(asked: Sequence[Any]) -> Any:
            read = [example.text for example in asked]
            return gliner.inference(read, names, threshold=threshold, batch_size=size)

        return answer

    def alone(asked: Sequence[Any]) -> Any:
        return [gliner.predict_entities(example.text, names, threshold=threshold) for example in asked]

    systems = {ONE_BY_ONE: alone, **{BATCH.format(size=size): own(size) for size in SIZES}}
    systems |= {name: ours(engine) for name, engine in engines.items()}
    timings = timed(systems, examples, repeats=repeats)
    labels = {name: label for label, name in model.head.types.items()}
    with torch.inference_mode():
        found: list[Spans] = [
            [(span["start"], span["end"], labels[span["label"]]) for span in row] for row in alone(examples)
        ]
    answered = {
        name: spans_of(predict(engine, examples, batch_tokens=1024)) for name, engine in engines.items()
    }
    return table(timings, found, answered, len(examples))


def example_of(gliner: Any, example: SpanExample) -> SpanExample:
    """Return the text with GLiNER's own words, without gold."""
    words = tuple((start, end) for _, start, end in gliner.data_processor.words_splitter(example.text))
    return SpanExample(example.id, example.text, (), words)


def spans_of(predictions: Sequence[Any]) -> list[Spans]:
    """Return the spans that were given, by text."""
    return [[span.key for span in prediction.spans] for prediction in predictions]


def table(
    timings: dict[str, Timing], found: list[Spans], answered: dict[str, list[Spans]], number: int
) -> SpeedTable:
    """Return the rates, each beside GLiNER's own calls, and how many texts get GLiNER's own spans."""
    one, batch = (
        timings[ONE_BY_ONE],
        max(
            (timings[BATCH.format(size=size)] for size in SIZES),
            key=lambda timing: timing.documents_per_second,
        ),
    )
    rows = []
    for name, timing in timings.items():
        same = "n/a"
        if name in answered:
            pairs = zip(found, answered[name], strict=True)
            same = f"{100 * sum(sorted(a) == sorted(b) for a, b in pairs) / number:.1f} %"
        rows.append(
            row_of(
                name,
                timing.documents_per_second,
                timing.documents_per_second / batch.documents_per_second,
                timing.documents_per_second / one.documents_per_second,
                timing.latency_p50_ms,
                same,
            )
        )
    note = f"{number:,} sentences of validation; *same spans* are those of `predict_entities`."
    columns = ["system", "texts/s", "to its best batch", "to one by one", "one text, p50 ms", "same spans"]
    return SpeedTable("GLiNER on MiniLM, FiNER-ORD: answers", note, columns, rows)


if __name__ == "__main__":
    main()
