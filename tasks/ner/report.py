"""The data report shown before training: what to know of train and validation; test is left alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from tabulate import tabulate

from shared.contracts import SPLITS, DataAdapter
from shared.examples import SpanExample

SEEN = SPLITS[:2]  # test is read by `evaluate` alone
FORMS_SHOWN = 5


def data_report(adapter: DataAdapter, *, warnings: Sequence[str] = ()) -> str:
    """Return sizes and labels per split, forms with two labels, texts that stand twice, and the warnings."""
    splits = {split: adapter.load(split) for split in SEEN}
    lines = [f"data: {adapter.name}, licence: {adapter.licence}", _sizes(splits, list(adapter.types()))]
    lines += [_two_labels(splits["train"]), _repeated(splits), *warnings]
    return "\n".join(line for line in lines if line)


def _sizes(splits: Mapping[str, Sequence[SpanExample]], labels: Sequence[str]) -> str:
    rows = []
    for split, examples in splits.items():
        counts = Counter(span.label for example in examples for span in example.spans)
        documents = len({example.document for example in examples})
        words = sum(len(example.words) for example in examples)
        rows.append([split, len(examples), documents, words, *(counts[label] for label in labels)])
    return str(tabulate(rows, headers=["split", "texts", "documents", "words", *labels]))


def _two_labels(examples: Sequence[SpanExample]) -> str:
    """Return the surface forms that train labels in more than one way, the most frequent first."""
    labels: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for example in examples:
        for span in example.spans:
            labels[example.text[span.start : span.end]][span.label] += 1
    mixed = sorted(
        ((form, found) for form, found in labels.items() if len(found) > 1),
        key=lambda entry: (-entry[1].total(), entry[0]),
    )
    if not mixed:
        return ""
    shown = [
        f"{form} ({', '.join(f'{label} {count}' for label, count in found.most_common())})"
        for form, found in mixed[:FORMS_SHOWN]
    ]
    more = f" and {len(mixed) - FORMS_SHOWN} more" if len(mixed) > FORMS_SHOWN else ""
    return f"same words, different labels in train: {'; '.join(shown)}{more}"


def _repeated(splits: Mapping[str, Sequence[SpanExample]]) -> str:
    """Return how many texts stand twice in train, and how many of validation stand in train too."""
    train = Counter(example.text for example in splits["train"])
    twice = sum(count - 1 for count in train.values())
    shared = sum(example.text in train for example in splits["validation"])
    return f"repeated texts: {twice} within train, {shared} of validation stand in train"
