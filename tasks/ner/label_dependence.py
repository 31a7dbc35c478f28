"""The verb `labels`: how far the spans of a type depend on the other types that are asked for with it.

GLiNER reads the names of all types before the text, so that each type's scores depend on the others. The same
texts are read with all types, with each type alone, and with all in reversed order, where nothing may change:
the head puts the names into an order of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tabulate import tabulate

from shared import runs
from shared.asking import ask_each
from shared.config import RunConfig
from shared.examples import SpanExample, SpanPrediction
from shared.proportions import Share, share
from shared.run_inputs import load, of_run, run_folder, use_threads

ALONE, REVERSED = "alone", "reversed"
HEADERS = ["type", "asked for", "spans together", "spans as asked", "texts changed [95 %]", "largest change"]
ALIGNED = ("left", "left", "right", "right", "right", "right")

Answers = Sequence[SpanPrediction]


@dataclass(frozen=True)
class Change:
    """How the spans of a type differ between two askings of the same texts.

    `texts` is the share of the texts in which they differ; `largest` is the largest change of the probability
    of a span that is found both times, 0 where there is none.
    """

    before: int
    after: int
    texts: Share
    largest: float


def labels(config: RunConfig, *, overrides: Sequence[str]) -> None:
    """Print how far the spans of each type depend on the types asked for, on validation or on split=...

    Raises `BundleError` for a head that finds its trained types and nothing else.
    """
    folder, task = run_folder(config), config.task.name
    config = of_run(config, folder, overrides)
    split = config.split if any(word.startswith("split=") for word in overrides) else "validation"
    use_threads(config.hardware.threads)
    examples, types = load(config, split), config.data.types()
    alone = [{label: name} for label, name in types.items()]
    *each, together, backwards = ask_each(
        folder / runs.BUNDLE,
        examples,
        [*alone, types, dict(reversed(list(types.items())))],
        task=task,
        batch_tokens=config.predict.batch_tokens,
    )
    changes = {
        label: {
            ALONE: change(examples, together, answers, label=label),
            REVERSED: change(examples, together, backwards, label=label),
        }
        for label, answers in zip(types, each, strict=True)
    }
    runs.say(f"{len(examples):,} texts of {config.data.name}, {split}")
    runs.say(changes_text(changes))


def change(examples: Sequence[SpanExample], before: Answers, after: Answers, *, label: str) -> Change:
    """Return how the spans of this type differ between two lists of answers to the examples, in order."""
    pairs = [(_spans(left, label), _spans(right, label)) for left, right in zip(before, after, strict=True)]
    return Change(
        before=sum(len(left) for left, _ in pairs),
        after=sum(len(right) for _, right in pairs),
        texts=share(
            [left.keys() != right.keys() for left, right in pairs], [item.document for item in examples]
        ),
        largest=max(
            (abs(left[key] - right[key]) for left, right in pairs for key in left.keys() & right.keys()),
            default=0.0,
        ),
    )


def changes_text(changes: Mapping[str, Mapping[str, Change]]) -> str:
    """Return a table with a line for each type and each other way to ask for it."""
    rows = [
        [label, way, found.before, found.after, _shown_share(found.texts), f"{found.largest:.3f}"]
        for label, ways in changes.items()
        for way, found in ways.items()
    ]
    return str(tabulate(rows, headers=HEADERS, disable_numparse=True, colalign=ALIGNED))


def _spans(prediction: SpanPrediction, label: str) -> dict[tuple[int, int], float]:
    """Return the spans of the type with their probabilities."""
    return {(s.start, s.end): s.probability or 0.0 for s in prediction.spans if s.label == label}


def _shown_share(found: Share) -> str:
    low, high = found.bounds()
    return f"{100 * found.value:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"
