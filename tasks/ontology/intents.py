"""Intents of short queries: Banking77, one bank's 77, and CLINC150, ten domains with out-of-scope queries."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from shared.examples import FacetExample
from shared.fetch import PinnedFile, fetch
from shared.ontology import Cardinality, Concept, Facet, Ontology
from tasks.ontology.report import data_report
from tasks.ontology.splits import divide, folded, named

_FACET = Facet("intent", "intent", Cardinality.exactly_one)
_OUT_OF_SCOPE = "oos"


@dataclass(frozen=True)
class Banking77:
    """BANKING77 (Casanueva et al., arXiv 2003.04807): queries of bank customers, 77 intents side by side.

    Upstream has no validation split: 10 % of train, by intent. Training texts that stand in test too are
    left out of both. White space around a text is stripped, a line break in it is a blank.
    """

    name: str
    licence: str
    categories: PinnedFile
    train: PinnedFile
    test: PinnedFile
    data_dir: Path

    def ontology(self) -> Ontology:
        """Return the intents in upstream's order, named by their ids with blanks."""
        path = fetch(self.categories, data_dir=self.data_dir.expanduser())
        names = json.loads(path.read_text(encoding="utf-8"))
        concepts = tuple(Concept(name, _FACET.id, _plain(name)) for name in names)
        return Ontology("banking77", (_FACET,), concepts)

    def types(self) -> Mapping[str, Any]:
        """Return the ontology as plain JSON."""
        return self.ontology().row

    def files(self, split: str) -> list[Path]:
        """Return the split's files; train and validation read the texts of test to leave them out."""
        pinned = [self.test] if split == "test" else [self.train, self.test]
        return [fetch(file, data_dir=self.data_dir.expanduser()) for file in pinned]

    def load(self, split: str) -> list[FacetExample]:
        """Return the split's queries; ids are `<split>-<row>` by upstream's rows, counted from 0."""
        if split == "test":
            return named(_queries(self.files("test")[0]), split)
        kept, _ = self._kept()
        return named(divide(kept, split, share=0.1, stratum=lambda item: item.labels["intent"][0]), split)

    def report(self) -> str:
        """Return the data report."""
        _, removed = self._kept()
        return data_report(
            self, warnings=[f"removed from train and validation: {removed} texts that stand in test"]
        )

    def _kept(self) -> tuple[list[FacetExample], int]:
        """Return upstream's training queries without those of test, and how many those are."""
        train, test = map(_queries, self.files("train"))
        texts = {folded(query.text) for query in test}
        kept = [query for query in train if folded(query.text) not in texts]
        return kept, len(train) - len(kept)


class Variant(Enum):
    """CLINC150 with 100 training queries an intent, or with 25 to 100."""

    full = "full"
    imbalanced = "imbalanced"


@dataclass(frozen=True)
class ClincOos:
    """CLINC150 (Larson et al., EMNLP 2019): 150 intents below ten domains, and queries out of scope.

    An out-of-scope query has no intent: its label is the empty tuple, in all three splits.
    """

    name: str
    licence: str
    variant: Variant
    domains: PinnedFile
    full: PinnedFile
    imbalanced: PinnedFile
    data_dir: Path

    def ontology(self) -> Ontology:
        """Return a tree: each domain, followed by its 15 intents."""
        path = fetch(self.domains, data_dir=self.data_dir.expanduser())
        concepts = []
        for domain, intents in json.loads(path.read_text(encoding="utf-8")).items():
            concepts.append(Concept(domain, _FACET.id, _plain(domain)))
            concepts += [Concept(name, _FACET.id, _plain(name), broader=(domain,)) for name in intents]
        return Ontology("clinc150", (_FACET,), tuple(concepts))

    def types(self) -> Mapping[str, Any]:
        """Return the ontology as plain JSON."""
        return self.ontology().row

    def files(self, split: str) -> list[Path]:
        """Return the variant's file, which has every split."""
        pinned = {Variant.full: self.full, Variant.imbalanced: self.imbalanced}[self.variant]
        return [fetch(pinned, data_dir=self.data_dir.expanduser())]

    def load(self, split: str) -> list[FacetExample]:
        """Return the split's queries, those out of scope last; ids are `<split>-<number>` from 0."""
        content = json.loads(self.files(split)[0].read_text(encoding="utf-8"))
        part = {"train": "train", "validation": "val", "test": "test"}[split]
        rows = [*content[part], *content[f"oos_{part}"]]
        return named((_query(number, *row) for number, row in enumerate(rows)), split)

    def report(self) -> str:
        """Return the data report."""
        return data_report(self)


def _queries(path: Path) -> list[FacetExample]:
    with path.open(encoding="utf-8", newline="") as file:
        return [
            _query(number, " ".join(row["text"].split()), row["category"])
            for number, row in enumerate(csv.DictReader(file))
        ]


def _query(number: int, text: str, intent: str) -> FacetExample:
    concepts = () if intent == _OUT_OF_SCOPE else (intent,)
    return FacetExample(id=str(number), text=text, labels={_FACET.id: concepts})


def _plain(name: str) -> str:
    return name.replace("_", " ")
