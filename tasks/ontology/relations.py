"""SemEval-2010 task 8: the relation between two marked nominals of a sentence, with its direction."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.errors import DataError
from shared.examples import FacetExample, Span
from shared.fetch import PinnedFile, fetch
from shared.ontology import Cardinality, Concept, Facet, Ontology, Relation, relation_concepts
from tasks.ontology.report import data_report
from tasks.ontology.splits import divide, named

_FACET = Facet("relation", "relation", Cardinality.exactly_one)
_RELATIONS = {
    "Cause-Effect": "one brings the other about",
    "Instrument-Agency": "one is the tool with which the other acts",
    "Product-Producer": "one makes the other",
    "Content-Container": "one is held inside the other, which could hold something else",
    "Entity-Origin": "one comes from the other, or is derived from it",
    "Entity-Destination": "one moves towards the other",
    "Component-Whole": "one is a working part of the other",
    "Member-Collection": "one is an unordered member of the other",
    "Message-Topic": "one is an act of communication about the other",
}
_OTHER = Concept("Other", _FACET.id, "other", "the two are related in another way, or not at all")
_BLOCK = re.compile(r'(\d+)\t"(.*)"\n(\S+)\nComment:.*')
_TAGGED = re.compile(r"(.*)<e1>(.*)</e1>(.*)<e2>(.*)</e2>(.*)")


@dataclass(frozen=True)
class SemEval2010Task8:
    """SemEval-2010 task 8 (Hendrickx et al. 2010): nine relations in two directions, and Other.

    `Cause-Effect(e2,e1)` says that the second marked nominal is the cause. Upstream has no validation split:
    10 % of train, by label.
    """

    name: str
    licence: str
    train: PinnedFile
    test: PinnedFile
    data_dir: Path

    def ontology(self) -> Ontology:
        """Return Other, and each relation with its directions below it; their ids are upstream's labels."""
        relations = tuple(
            Relation(name, _FACET.id, name.lower().replace("-", " and "), definition)
            for name, definition in _RELATIONS.items()
        )
        concepts = [concept for relation in relations for concept in relation_concepts(relation)]
        return Ontology("semeval2010_task8", (_FACET,), (_OTHER, *concepts), relations)

    def types(self) -> Mapping[str, Any]:
        """Return the ontology as plain JSON."""
        return self.ontology().row

    def files(self, split: str) -> list[Path]:
        """Return the file that a split is read from."""
        pinned = self.test if split == "test" else self.train
        return [fetch(pinned, data_dir=self.data_dir.expanduser())]

    def load(self, split: str) -> list[FacetExample]:
        """Return the split's sentences without tags, the nominals as marks; ids are upstream's numbers."""
        examples = read_blocks(self.files(split)[0])
        if split != "test":
            examples = divide(examples, split, share=0.1, stratum=lambda item: item.labels[_FACET.id][0])
        return named(examples, split)

    def report(self) -> str:
        """Return the data report."""
        return data_report(self)


def read_blocks(path: Path) -> list[FacetExample]:
    """Return the sentences of a file in upstream's format; raises `DataError` for a block that is none.

    A block is a number with a quoted sentence, a label, a comment and a blank line; lines may end in CRLF.
    """
    examples, line = [], 1
    for block in path.read_text(encoding="utf-8").rstrip().split("\n\n"):
        found = _BLOCK.fullmatch(block)
        tagged = _TAGGED.fullmatch(found[2]) if found else None
        if found is None or tagged is None:
            expected = 'number TAB "sentence with <e1>..</e1> and <e2>..</e2>", label, Comment:'
            raise DataError(f"{block[:80]!r}; expected {expected}", file=path, line=line)
        text, marks = _untagged(tagged.groups())
        examples.append(FacetExample(id=found[1], text=text, marks=marks, labels={_FACET.id: (found[3],)}))
        line += block.count("\n") + 2
    return examples


def _untagged(parts: tuple[str, ...]) -> tuple[str, tuple[Span, Span]]:
    """Return the joined parts, and the second and fourth as marks without white space around them."""
    before, first, between, second, after = parts
    start = len(before)
    other = start + len(first) + len(between)
    marks = (_mark(start, first, "e1"), _mark(other, second, "e2"))
    return before + first + between + second + after, marks


def _mark(start: int, text: str, label: str) -> Span:
    left = start + len(text) - len(text.lstrip())
    return Span(left, left + len(text.strip()), label)
