"""Outlier exposure: unrelated texts train beside one's own, as what is not of one's own.

After Hendrycks, Mazeika and Dietterich, 'Deep anomaly detection with outlier exposure' (ICLR 2019).
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from shared.contracts import DataAdapter
from shared.errors import ConfigError
from shared.examples import UNRELATED, AnomalyExample
from shared.typed_config import build
from tasks.anomaly.splits import TYPES, folded


@dataclass(frozen=True)
class Exposed:
    """The data `source`, in whose train split texts of `unrelated` stand as well, of a kind of their own.

    They are drawn from the normal texts of its train split that `source` has not in its own. Validation and
    test are those of `source`, and so are name and known anomalies.
    """

    source: Any  # a `_target_` node of another adapter
    unrelated: Any  # likewise
    most: int  # unrelated texts
    seed: int  # of the draw

    def __post_init__(self) -> None:
        """Raise `ConfigError` where either is missing, they are the same, or no text is asked for."""
        mistakes = [
            f"data.{name} is empty; name what has the {what}, as data@{name}=bgl"
            for name, what in (("source", "texts to learn"), ("unrelated", "texts to move away from"))
            if not getattr(self, name)
        ]
        mistakes += [
            f"data.{name} names no data set alone; allowed: what sets nothing else, which thunderbird does"
            for name in ("source", "unrelated")
            if getattr(self, name) and "_target_" not in getattr(self, name)
        ]
        if self.most < 1:
            mistakes.append(f"data.most={self.most}; allowed: 1 or more unrelated texts")
        if not mistakes and self.source["_target_"] == self.unrelated["_target_"]:
            same = [self.source.get(name) == self.unrelated.get(name) for name in ("file", "train")]
            if all(same):
                mistakes.append("data.unrelated is data.source itself; allowed: other texts")
        if mistakes:
            raise ConfigError(mistakes)

    @property
    def name(self) -> str:
        """The name of the source, whose test split it is."""
        return self._source.name

    @property
    def licence(self) -> str:
        """The licences of both: weights learn from both."""
        return "; ".join(dict.fromkeys([self._source.licence, self._unrelated.licence]))

    def types(self) -> Mapping[str, str]:
        """Return the one thing there is to find."""
        return TYPES

    def files(self, split: str) -> list[Path]:
        """Return the files of the source, for train those of the unrelated texts too."""
        return [*self._source.files(split), *(self._unrelated.files(split) if split == "train" else [])]

    def load(self, split: str) -> list[AnomalyExample]:
        """Return the split of the source, for train with the unrelated texts behind."""
        own = self._source.load(split)
        return [*own, *self._drawn(own)] if split == "train" else own

    def report(self) -> str:
        """Return the data report of the source, and what is unrelated."""
        drawn = len(self._drawn(self._source.load("train")))
        return f"{self._source.report()}\nunrelated texts to train on: {drawn:,} of {self._unrelated.name}"

    def _drawn(self, own: list[AnomalyExample]) -> list[AnomalyExample]:
        there = set(map(folded, own))
        texts: dict[tuple[str, ...], AnomalyExample] = {}
        for example in self._unrelated.load("train"):
            if not example.anomalous and (text := folded(example)) not in there:
                texts.setdefault(text, example)
        found = list(texts.values())
        drawn = random.Random(self.seed).sample(found, min(self.most, len(found)))
        return [
            replace(example, id=f"unrelated:{example.id}", anomalous=True, kind=UNRELATED)
            for example in drawn
        ]

    @property
    def _source(self) -> DataAdapter:
        return _adapter(self.source, path="data.source")

    @property
    def _unrelated(self) -> DataAdapter:
        return _adapter(self.unrelated, path="data.unrelated")


def _adapter(node: Any, *, path: str) -> DataAdapter:
    found: DataAdapter = build(node, path=path)
    if dict(found.types()) != TYPES:
        raise ConfigError([f"{path}={found.name} has no normal texts; allowed: data of anomaly spotting"])
    return found
