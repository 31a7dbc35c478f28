"""The data report shown before training: sizes, compression, copies; test is left alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from tabulate import tabulate

from shared.contracts import SPLITS, DataAdapter
from shared.examples import SummaryExample
from shared.ngrams import ngrams, words

SEEN = SPLITS[:2]  # test is read by `evaluate` alone
LONG = 10_000  # words
COPIED = 4  # words in a row
HEADERS = ("split", "documents", "sentences", "words", "bullets", "compression", "with digits", "copied")

Splits = Mapping[str, Sequence[SummaryExample]]


def data_report(adapter: DataAdapter) -> str:
    """Return sizes per split, what its numbers mean, and how many documents are long or stand twice."""
    splits: Splits = {split: adapter.load(split) for split in SEEN}
    rows = [_row(split, examples) for split, examples in splits.items()]
    lines = [
        f"data: {adapter.name}, licence: {adapter.licence}",
        str(tabulate(rows, headers=HEADERS, floatfmt=".1f")),
        "sentences, words, bullets: means of a document; compression: its words for one of its summary; "
        f"with digits: share of bullets; copied: share of the summary's {COPIED}-grams",
        _long(splits),
        _repeated(splits),
    ]
    return "\n".join(lines)


def _row(split: str, examples: Sequence[SummaryExample]) -> list[str | int | float]:
    num = len(examples)
    bullets = [bullet for example in examples for bullet in example.bullets]
    num_words = sum(map(_num_words, examples))
    num_written = sum(len(words(bullet)) for bullet in bullets)
    digits = sum(any(map(str.isdigit, bullet)) for bullet in bullets)
    return [
        split,
        num,
        sum(len(example.sentences) for example in examples) / num,
        num_words / num,
        len(bullets) / num,
        num_words / num_written if num_written else 0.0,
        f"{digits / len(bullets):.0%}",
        f"{_copied(examples):.0%}",
    ]


def _copied(examples: Sequence[SummaryExample]) -> float:
    """Return which share of the bullets' 4-grams stands in the document; 0 where no bullet has one."""
    copied = total = 0
    for example in examples:
        written = [gram for bullet in example.bullets for gram in ngrams(words(bullet), COPIED)]
        source = set(ngrams(words(example.text), COPIED))
        copied += sum(gram in source for gram in written)
        total += len(written)
    return copied / total if total else 0.0


def _long(splits: Splits) -> str:
    counts = [
        f"{sum(_num_words(example) > LONG for example in examples)} in {split}"
        for split, examples in splits.items()
    ]
    return f"documents over {LONG:,} words: {', '.join(counts)}"


def _repeated(splits: Splits) -> str:
    """Return how many documents stand twice in train, and how many of validation stand in train too."""
    train = Counter(map(_folded, splits["train"]))
    twice = sum(count - 1 for count in train.values())
    shared = sum(_folded(example) in train for example in splits["validation"])
    return f"repeated documents: {twice} within train; {shared} of validation stand in train"


def _num_words(example: SummaryExample) -> int:
    return len(words(example.text))


def _folded(example: SummaryExample) -> str:
    """Return the document without what case and punctuation do to it."""
    return " ".join(words(example.text))
