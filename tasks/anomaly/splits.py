"""How texts are divided into train, validation and test, and which of them each split holds."""

from __future__ import annotations

import hashlib
import random
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from shared.contracts import SPLITS
from shared.errors import ConfigError
from shared.examples import AnomalyExample

TYPES = {"anomaly": "anomaly"}
Examples = list[AnomalyExample]


class Protocol(Enum):
    """What a test text may share with the training part.

    `random`: anything but its text; log lines then share their templates. `new_kinds`: a normal text as in
    `random`, an anomaly not its kind. `new_templates`: no text its group. `time`: test is what came last.
    """

    random = "random"
    new_kinds = "new_kinds"
    new_templates = "new_templates"
    time = "time"

    @property
    def words(self) -> str:
        """The name as a table prints it."""
        return self.value.replace("_", " ")


@dataclass(frozen=True)
class Division:
    """The texts of each part, in their order, and how many stand in none.

    `parts` holds all anomalies and unlabelled texts of a part: `kept` says which of them a split has.
    """

    parts: Mapping[str, Sequence[AnomalyExample]]
    duplicates: int = 0  # texts that repeat an earlier one
    passed_over: Sequence[AnomalyExample] = ()  # anomalies of validation where they are not wholly new


def folded(example: AnomalyExample) -> tuple[str, ...]:
    """Return the texts, white space and case left aside."""
    return tuple(" ".join(text.split()).casefold() for text in example.texts)


def divide(examples: Sequence[AnomalyExample], *, protocol: Protocol, fold: int) -> Division:
    """Return the parts by the protocol; `fold` seeds its shuffle, and means nothing to `time`.

    `time` cuts what is in order, the others shuffle first, into 60 % train, 20 % validation and 20 % test.
    `random` and `new_kinds` first remove equal texts but the first. Kinds, and groups, are never in two
    parts: the fifth whose names have the lowest sha256 is validation's in every fold, the others are halved.
    A group with an anomaly is divided among the anomalous ones. With `random` and `time` validation has no
    anomaly. A text without the kind or group that the protocol asks for is a `ConfigError`.
    """
    if protocol is Protocol.time:
        return _without_anomalies(_cut(examples), duplicates=0)
    if protocol is Protocol.new_templates:
        return Division(_by_group(examples, fold))
    distinct = _distinct(examples)
    duplicates = len(examples) - len(distinct)
    if protocol is Protocol.random:
        return _without_anomalies(_at_random(distinct, fold), duplicates=duplicates)
    return Division(_by_kind(distinct, fold), duplicates)


def kept(division: Division, split: str, *, known: int | None, known_seed: int) -> Examples:
    """Return the split's texts that have a label; train has its normal ones and the known anomalies.

    Of the anomalies in the training part `known` are drawn, None is all; a larger draw with the same seed
    holds the smaller one, and there may be fewer than were asked for. A negative number is a `ConfigError`.
    """
    if known is not None and known < 0:
        raise ConfigError([f"data.known={known}; allowed: 0 or more, null is all there are"])
    labelled = [example for example in division.parts[split] if example.anomalous is not None]
    if split != "train" or known is None:
        return labelled
    anomalies = [example.id for example in labelled if example.anomalous]
    random.Random(known_seed).shuffle(anomalies)
    drawn = set(anomalies[:known])
    return [example for example in labelled if not example.anomalous or example.id in drawn]


def _distinct(examples: Sequence[AnomalyExample]) -> Examples:
    """Return the examples without those whose text an earlier one has."""
    first: dict[tuple[str, ...], AnomalyExample] = {}
    for example in examples:
        first.setdefault(folded(example), example)
    return list(first.values())


def _cut(items: Sequence[AnomalyExample]) -> dict[str, Examples]:
    """Return the first 60 %, the next 20 % and the rest."""
    first, second = round(0.6 * len(items)), round(0.8 * len(items))
    return dict(zip(SPLITS, map(list, (items[:first], items[first:second], items[second:])), strict=True))


def _at_random(examples: Sequence[AnomalyExample], fold: int) -> dict[str, Examples]:
    order = list(range(len(examples)))
    random.Random(fold).shuffle(order)
    cut = _cut([examples[place] for place in order])
    part_of = {example.id: split for split, part in cut.items() for example in part}
    return _parts(examples, lambda example: part_of[example.id])


def _by_kind(examples: Sequence[AnomalyExample], fold: int) -> dict[str, Examples]:
    anomalies = [example for example in examples if example.anomalous]
    _check_all(anomalies, "kind", "new_kinds")
    rest = _at_random([example for example in examples if not example.anomalous], fold)
    part_of = {example.id: split for split, part in rest.items() for example in part}
    part_of_kind = _halved({example.kind for example in anomalies}, fold)
    return _parts(examples, lambda example: part_of.get(example.id) or part_of_kind[example.kind])


def _by_group(examples: Sequence[AnomalyExample], fold: int) -> dict[str, Examples]:
    _check_all(examples, "group", "new_templates")
    anomalous = {example.group for example in examples if example.anomalous}
    normal = {example.group for example in examples} - anomalous
    part_of = {**_halved(anomalous, fold), **_halved(normal, fold)}
    return _parts(examples, lambda example: part_of[example.group])


def _halved(names: Collection[str], fold: int) -> dict[str, str]:
    """Return the part of each name: a fifth, rounded, is validation's in every fold; an odd one is test's."""
    order = sorted(names, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    held = round(len(order) / 5)
    rest = order[held:]
    random.Random(fold).shuffle(rest)
    train = set(rest[: len(rest) // 2])
    parts = {name: "train" if name in train else "test" for name in rest}
    return {**parts, **dict.fromkeys(order[:held], "validation")}


def _parts(
    examples: Sequence[AnomalyExample], part_of: Callable[[AnomalyExample], str]
) -> dict[str, Examples]:
    parts: defaultdict[str, Examples] = defaultdict(list)
    for example in examples:
        parts[part_of(example)].append(example)
    return {split: parts[split] for split in SPLITS}


def _without_anomalies(parts: Mapping[str, Examples], *, duplicates: int) -> Division:
    held = [example for example in parts["validation"] if not example.anomalous]
    passed_over = [example for example in parts["validation"] if example.anomalous]
    return Division({**parts, "validation": held}, duplicates, passed_over)


def _check_all(examples: Sequence[AnomalyExample], name: str, protocol: str) -> None:
    lacking = [example.id for example in examples if not getattr(example, name)]
    if lacking:
        raise ConfigError(
            [
                f"data.protocol={protocol} needs a {name} for each text it divides by one; {len(lacking)} of "
                f"{len(examples)} have none, the first is {lacking[0]}; allowed with any text: random, time"
            ]
        )
