"""The data report shown before training: what does not fit in train and validation; test is left alone."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from tabulate import tabulate

from shared.contracts import SPLITS
from shared.errors import few
from shared.examples import FacetExample
from shared.ontology import Cardinality, Ontology
from tasks.ontology.splits import same_text

SEEN = SPLITS[:2]  # the labels of test are read by `evaluate` alone
SHOWN = 3  # pairs of ids, or concepts, named in one line
NEAR = 0.8  # shared word 3-grams of all word 3-grams, from which two texts are near-duplicates

Grams = frozenset[tuple[str, ...]]


class Source(Protocol):
    """What the report asks of an adapter."""

    @property
    def name(self) -> str:
        """The data set's name."""

    @property
    def licence(self) -> str:
        """The data's licence."""

    def ontology(self) -> Ontology:
        """Return the ontology of the labels."""

    def load(self, split: str) -> list[FacetExample]:
        """Return the examples of a split."""


def data_report(source: Source, *, warnings: Sequence[str] = ()) -> str:
    """Return sizes, rare concepts, contradicting and repeated texts, and the warnings of the adapter."""
    ontology = source.ontology()
    splits = {split: source.load(split) for split in SEEN}
    lines = [f"data: {source.name}, licence: {source.licence}", _sizes(splits, ontology)]
    lines += _rare(splits["train"], ontology)
    lines += _contradictions([*splits["train"], *splits["validation"]], ontology)
    lines += [_repeated(splits), _near_duplicates(splits["train"], splits["validation"]), *warnings]
    return "\n".join(line for line in lines if line)


def _sizes(splits: Mapping[str, Sequence[FacetExample]], ontology: Ontology) -> str:
    """Return a row per split and facet: texts with a label, and those that have none of its concepts."""
    rows = []
    for split, examples in splits.items():
        documents = len({example.document for example in examples})
        for facet in ontology.facets:
            given = [item.labels[facet.id] for item in examples if facet.id in item.labels]
            values = sum(facet.id in item.values for item in examples)
            none = sum(not concepts for concepts in given)
            rows.append([split, len(examples), documents, facet.id, len(given) + values, none])
    return str(tabulate(rows, headers=["split", "texts", "documents", "facet", "labelled", "none of it"]))


def _rare(train: Sequence[FacetExample], ontology: Ontology) -> list[str]:
    """Return a line per facet with concepts of no or one example; an example of a narrower one counts."""
    counts: Counter[str] = Counter()
    for example in train:
        chosen = [concept for concepts in example.labels.values() for concept in concepts]
        counts.update(frozenset().union(*(ontology.closure[concept] for concept in chosen)))
    lines = []
    for facet in ontology.facets:
        own = [ontology.concepts[place].id for place in ontology.by_facet[facet.id]]
        found = {number: [concept for concept in own if counts[concept] == number] for number in (0, 1)}
        parts = [
            f"{len(found[number])} concepts with {word} ({_some(found[number])})"
            for number, word in ((0, "no example"), (1, "one example"))
            if found[number]
        ]
        if parts:
            lines.append(f"{facet.id} in train: {', '.join(parts)}")
    return lines


def _contradictions(examples: Sequence[FacetExample], ontology: Ontology) -> list[str]:
    """Return a line per facet in which the same text, with the same marks, has different labels."""
    groups: defaultdict[object, list[FacetExample]] = defaultdict(list)
    for example in examples:
        groups[same_text(example), example.marks].append(example)
    repeated = [group for group in groups.values() if len(group) > 1]
    lines = []
    for facet in ontology.facets:
        if facet.cardinality is Cardinality.number:
            continue
        pairs = [pair for group in repeated if (pair := _differing(group, facet.id))]
        if pairs:
            lines.append(f"same text, different labels of {facet.id}: {len(pairs)} ({_some(pairs)})")
    return lines


def _differing(group: Sequence[FacetExample], facet: str) -> str:
    """Return the ids of two examples whose labels differ, '' where all labels agree."""
    labelled = [example for example in group if facet in example.labels]
    for example in labelled[1:]:
        if set(example.labels[facet]) != set(labelled[0].labels[facet]):
            return f"{labelled[0].id} and {example.id}"
    return ""


def _repeated(splits: Mapping[str, Sequence[FacetExample]]) -> str:
    """Return how many texts stand twice in train, and how many of validation stand in train too."""
    train = Counter(map(same_text, splits["train"]))
    twice = sum(count - 1 for count in train.values())
    shared = sum(same_text(example) in train for example in splits["validation"])
    return f"repeated texts: {twice} within train, {shared} of validation stand in train"


def _near_duplicates(train: Sequence[FacetExample], validation: Sequence[FacetExample]) -> str:
    """Return how many texts of validation nearly stand in train, the same ones left out.

    Two sets of 3-grams with a Jaccard index of `NEAR` or more share one of their rarest: with n the size of
    a set, of its n - ceil(NEAR * n) + 1 rarest. So only these are looked up, and what is found is measured.
    """
    grams = [_grams(example) for example in [*train, *validation]]
    frequency = Counter(gram for own in grams for gram in own)
    index: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for place, own in enumerate(grams[: len(train)]):
        for gram in _rarest(own, frequency):
            index[gram].append(place)
    known = set(map(same_text, train))
    pairs = []
    for example, own in zip(validation, grams[len(train) :], strict=True):
        candidates = {place for gram in _rarest(own, frequency) for place in index.get(gram, ())}
        near = [place for place in sorted(candidates) if _jaccard(own, grams[place]) >= NEAR]
        if near and same_text(example) not in known:
            pairs.append(f"{train[near[0]].id} and {example.id}")
    shown = f" ({_some(pairs)})" if pairs else ""
    return f"near-duplicates: {len(pairs)} of validation nearly stand in train{shown}"


def _grams(example: FacetExample) -> Grams:
    words = re.findall(r"\w+", f"{example.text} {example.pair}".casefold())
    return frozenset(tuple(words[start : start + 3]) for start in range(max(1, len(words) - 2)))


def _rarest(own: Grams, frequency: Mapping[tuple[str, ...], int]) -> list[tuple[str, ...]]:
    count = len(own) - math.ceil(NEAR * len(own)) + 1
    return sorted(own, key=lambda gram: (frequency[gram], gram))[:count]


def _jaccard(left: Grams, right: Grams) -> float:
    return len(left & right) / len(left | right)


def _some(names: Iterable[str]) -> str:
    given = list(names)
    separator = "; " if " and " in given[0] else ", "
    return few(given, most=SHOWN, separator=separator)
