"""FIBO: of a class of the Financial Industry Business Ontology, name the classes right above it."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from shared.examples import FacetExample
from shared.ontology import Cardinality, Concept, Facet, Ontology
from shared.trees import PinnedTree, fetch_tree
from tasks.ontology.reader import CLASS, ReadOntology, read_ontology_facts
from tasks.ontology.report import data_report
from tasks.ontology.splits import named

_LISTINGS = Path(__file__).parent / "trees"  # the lists of checksums
_FACET = Facet("superclass", "superclass", Cardinality.any_number)


@dataclass(frozen=True)
class Fibo:
    """The LOAN and IND domains of FIBO: a class with a named superclass is an example.

    The text is its label and definition, or its label alone; it has its direct named superclasses, of other
    domains too. Only classes that are above no other one are held out (10 % and 20 % of all classes, drawn by
    `random.Random(0)`): so no held-out class stands among the concepts, with its own place in the graph.
    """

    name: str
    licence: str
    ind: PinnedTree
    loan: PinnedTree
    folder: str  # of both trees, below the data folder
    data_dir: Path

    def ontology(self) -> Ontology:
        """Return the facet `superclass`: every class above another one, in its graph."""
        concepts = _classes(self._path())
        above = {parent for concept in concepts for parent in concept.broader}
        return Ontology(
            "fibo",
            (_FACET,),
            tuple(replace(concept, facet=_FACET.id) for concept in concepts if concept.id in above),
        )

    def types(self) -> Mapping[str, Any]:
        """Return the ontology as plain JSON."""
        return self.ontology().row

    def files(self, split: str) -> list[Path]:
        """Return the RDF files of both domains; every split is read from all of them."""
        data_dir = self.data_dir.expanduser()
        return [
            path
            for tree in (self.ind, self.loan)
            for path in fetch_tree(tree, listings=_LISTINGS, data_dir=data_dir)
        ]

    def load(self, split: str) -> list[FacetExample]:
        """Return the split's classes; ids are `<split>-<number>` by their order in the whole ontology."""
        ontology = self.ontology()
        classes = [concept for concept in _classes(self._path()) if concept.broader]
        held = _held_out([concept.id for concept in classes], known=ontology.index)
        return named(
            (
                FacetExample(
                    id=str(number),
                    text=concept.text,
                    labels={_FACET.id: ontology.most_specific(concept.broader)},
                )
                for number, concept in enumerate(classes)
                if held.get(concept.id, "train") == split
            ),
            split,
        )

    def report(self) -> str:
        """Return the data report, and what of the files is not read."""
        return data_report(self, warnings=[_facts(self._path()).report()])

    def _path(self) -> Path:
        self.files("train")
        return self.data_dir.expanduser() / self.folder


@cache
def _facts(path: Path) -> ReadOntology:
    return read_ontology_facts(path)


def _classes(path: Path) -> list[Concept]:
    return [concept for concept in _facts(path).ontology.concepts if concept.facet == CLASS]


def _held_out(classes: list[str], *, known: Mapping[str, int]) -> dict[str, str]:
    """Return the split of each class that is not in train."""
    leaves = sorted(name for name in classes if name not in known)
    random.Random(0).shuffle(leaves)
    num_validation, num_test = round(0.1 * len(classes)), round(0.2 * len(classes))
    validation, test = leaves[:num_validation], leaves[num_validation : num_validation + num_test]
    return {**dict.fromkeys(validation, "validation"), **dict.fromkeys(test, "test")}
