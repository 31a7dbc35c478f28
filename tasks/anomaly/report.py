"""The data report shown before training: what train and validation hold, what was left out, how they leak.

Test is not looked at: what its texts share with train shows in validation, made by the same protocol.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Protocol as Contract

from tabulate import tabulate

from shared.contracts import SPLITS
from shared.errors import few
from shared.examples import AnomalyExample
from tasks.anomaly.splits import Division, Protocol, folded

REPORTED = SPLITS[:2]
SHOWN = 3  # pairs of ids named in one line
Splits = Mapping[str, Sequence[AnomalyExample]]


class Source(Contract):
    """What the report asks of an adapter."""

    @property
    def known(self) -> int | None:
        """How many anomalies train was to have; None is all."""

    @property
    def name(self) -> str:
        """The data set's name."""

    @property
    def licence(self) -> str:
        """The data's licence."""

    def load(self, split: str) -> list[AnomalyExample]:
        """Return the examples of a split."""


def data_report(
    source: Source, division: Division, *, protocol: Protocol | None = None, notes: Sequence[str] = ()
) -> str:
    """Return sizes, kinds, repeated and contradicting texts, what train shares with test, and the notes.

    Without a protocol the splits are those of the source.
    """
    parts = {split: division.parts[split] for split in REPORTED}
    splits = {split: source.load(split) for split in parts}
    lines = [f"data: {source.name}, licence: {source.licence}", _sizes(splits, parts)]
    lines += [f"kinds in {split}: {_kinds(splits[split])}" for split in parts if _kinds(splits[split])]
    lines += [
        f"protocol: {protocol.words if protocol else 'the splits of the source'}",
        _left_out(division),
        _fewer(source.known, splits["train"]),
        _repeated(splits),
        _contradictions(parts),
        _shared_groups(division, protocol),
        *notes,
    ]
    return "\n".join(line for line in lines if line)


def _sizes(splits: Splits, parts: Splits) -> str:
    """Return a row per split: its texts by label, their groups, and what its part has besides."""
    rows = []
    for split, examples in splits.items():
        anomalous = sum(bool(example.anomalous) for example in examples)
        unlabelled = sum(example.anomalous is None for example in parts[split])
        unused = len(parts[split]) - len(examples) - unlabelled
        groups = len({example.group for example in examples if example.group})
        rows.append([split, len(examples), len(examples) - anomalous, anomalous, groups, unused, unlabelled])
    headers = ["split", "texts", "normal", "anomalous", "groups", "anomalies unused", "unlabelled, unused"]
    return str(tabulate(rows, headers=headers))


def _kinds(examples: Sequence[AnomalyExample]) -> str:
    counts = Counter(example.kind for example in examples if example.anomalous and example.kind)
    return ", ".join(f"{kind} {count}" for kind, count in sorted(counts.items(), key=lambda i: (-i[1], i[0])))


def _left_out(division: Division) -> str:
    counts = {
        "repeated texts": division.duplicates,
        "anomalies of validation, whose sort may stand in train or test": len(division.passed_over),
    }
    found = [f"{count} {what}" for what, count in counts.items() if count]
    return f"left out: {'; '.join(found)}" if found else ""


def _fewer(known: int | None, train: Sequence[AnomalyExample]) -> str:
    """Return a line where train has fewer anomalies than were asked for."""
    found = sum(bool(example.anomalous) for example in train)
    short = known is not None and found < known
    return f"known anomalies: {found}, all there are; data.known asks for {known}" if short else ""


def _repeated(splits: Splits) -> str:
    """Return how many texts stand twice in train, and how many of validation stand in train too."""
    train = Counter(map(folded, splits["train"]))
    twice = sum(count - 1 for count in train.values())
    shared = sum(folded(item) in train for item in splits["validation"])
    return f"repeated texts: {twice} within train; {shared} of validation stand in train"


def _contradictions(parts: Splits) -> str:
    """Return how many texts are both normal and anomalous, with ids of one example each."""
    labels: defaultdict[tuple[str, ...], dict[bool, str]] = defaultdict(dict)
    for example in (item for part in parts.values() for item in part):
        if example.anomalous is not None:
            labels[folded(example)].setdefault(example.anomalous, example.id)
    pairs = [f"{found[False]} and {found[True]}" for found in labels.values() if len(found) > 1]
    shown = f" ({few(pairs, most=SHOWN, separator='; ')})" if pairs else ""
    return f"same text, both labels: {len(pairs)}{shown}"


def _shared_groups(division: Division, protocol: Protocol | None) -> str:
    """Return the shares of validation that have a group of the training part, and a warning where they may.

    The anomalies that validation passes over count, and known or not those of the training part: all of them
    may come to be known.
    """
    held_out = [*division.parts["validation"], *division.passed_over]
    if not any(example.group for example in held_out):
        found = "no text of validation has one, so what it shares with train is not measured"
    else:
        groups = {example.group for example in division.parts["train"]}
        shares = [
            f"{_share([item.group in groups for item in held_out if item.anomalous is label])} {word}"
            for label, word in ((True, "anomalies"), (False, "normal texts"))
        ]
        found = f"of validation {' and '.join(shares)} have a group of the training part"
    if protocol is Protocol.random:
        return (
            f"warning: a random division leaks where texts have templates, as log lines do; groups: {found}"
        )
    return f"groups: {found}"


def _share(hits: Sequence[bool]) -> str:
    percent = f" ({sum(hits) / len(hits):.0%})" if hits else ""
    return f"{sum(hits)} of {len(hits)}{percent}"
