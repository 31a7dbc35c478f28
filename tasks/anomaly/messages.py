"""Short messages: SMS with spam as the anomaly, and CLINC150 with the queries out of scope."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.contracts import SPLITS
from shared.examples import AnomalyExample
from shared.fetch import PinnedFile, fetch
from shared.files import read_lines
from tasks.anomaly.report import data_report
from tasks.anomaly.splits import TYPES, Division, Protocol, divide, kept

_UPSTREAM = {"train": "train", "validation": "val", "test": "test"}
_OUT_OF_SCOPE = "out of scope"


@dataclass(frozen=True)
class SmsSpam:
    """The SMS Spam Collection (Almeida et al., DocEng 2011): spam is the anomaly.

    Lines that repeat an earlier one are dropped.
    """

    name: str
    licence: str
    file: PinnedFile
    protocol: Protocol
    fold: int
    known: int | None
    known_seed: int
    data_dir: Path

    def types(self) -> Mapping[str, str]:
        """Return the one thing there is to find."""
        return TYPES

    def files(self, split: str) -> list[Path]:
        """Return the file, which has every split."""
        return [fetch(self.file, data_dir=self.data_dir.expanduser())]

    def load(self, split: str) -> list[AnomalyExample]:
        """Return the split's messages; ids are `message-<line>` by upstream's lines, counted from 1."""
        division, _ = self._divide()
        return kept(division, split, known=self.known, known_seed=self.known_seed)

    def report(self) -> str:
        """Return the data report."""
        division, repeated = self._divide()
        notes = [f"dropped: {repeated} lines that repeat an earlier one"]
        return data_report(self, division, protocol=self.protocol, notes=notes)

    def _divide(self) -> tuple[Division, int]:
        """Return the parts, and how many lines repeat an earlier one."""
        lines = list(read_lines(self.files("train")[0]))
        first: dict[str, int] = {}
        for number, line in lines:
            first.setdefault(line, number)
        examples = [_message(number, line) for line, number in first.items()]
        return divide(examples, protocol=self.protocol, fold=self.fold), len(lines) - len(first)


@dataclass(frozen=True)
class ClincOutOfScope:
    """CLINC150 (Larson et al., EMNLP 2019): queries with one of 150 intents are normal, others are not.

    The splits are upstream's, out-of-scope queries in each of them.
    """

    name: str
    licence: str
    file: PinnedFile
    known: int | None
    known_seed: int
    data_dir: Path

    def types(self) -> Mapping[str, str]:
        """Return the one thing there is to find."""
        return TYPES

    def files(self, split: str) -> list[Path]:
        """Return the file, which has every split."""
        return [fetch(self.file, data_dir=self.data_dir.expanduser())]

    def load(self, split: str) -> list[AnomalyExample]:
        """Return the split's queries, those out of scope last; ids are `<split>-<number>` from 0."""
        return kept(self._division(), split, known=self.known, known_seed=self.known_seed)

    def report(self) -> str:
        """Return the data report."""
        return data_report(self, self._division())

    def _division(self) -> Division:
        content = json.loads(self.files("train")[0].read_text(encoding="utf-8"))
        return Division({split: _queries(content, split) for split in SPLITS})


def _message(number: int, line: str) -> AnomalyExample:
    label, _, text = line.rstrip("\n").partition("\t")
    spam = {"ham": False, "spam": True}[label]
    name = f"message-{number}"
    return AnomalyExample(name, (text,), spam, kind="spam" if spam else "", document=name)


def _queries(content: Mapping[str, list[list[str]]], split: str) -> list[AnomalyExample]:
    inside, outside = content[_UPSTREAM[split]], content[f"oos_{_UPSTREAM[split]}"]
    kinds = [""] * len(inside) + [_OUT_OF_SCOPE] * len(outside)
    return [
        AnomalyExample(f"{split}-{place}", (text,), bool(kind), kind, document=f"{split}-{place}")
        for place, ((text, _), kind) in enumerate(zip([*inside, *outside], kinds, strict=True))
    ]
