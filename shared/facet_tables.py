"""The tables of consistent decoding: forest, options and rules, which `shared.consistency` explains.

Each can write its part of an integer programme. Concepts are counted by their place in the ontology (`C` of
them), rows of scores are `N`; a row's results do not depend on the others.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from shared.integer_program import Program
from shared.ontology import Cardinality, Facet, Ontology

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

ALWAYS = -1  # stands for the variable of a node that is in every best set
NOWHERE = -1  # stands for the parent of a top node


@dataclass(frozen=True)
class Rules:
    """Pairs of concepts `ends` (R, 2): the first `num_needs` are (a, what a needs), the rest disjoint."""

    ends: Ints
    num_needs: int

    def broken(self, chosen: Bools) -> Bools:
        """Return which rules (N, R) the sets (N, C) break."""
        left, right = chosen[:, self.ends[:, 0]], chosen[:, self.ends[:, 1]]
        right[:, : self.num_needs] ^= True
        return left & right

    def only(self, active: Bools) -> Rules:
        """Return the active ones (R,) of the rules."""
        return Rules(self.ends[active], int(active[: self.num_needs].sum()))

    @property
    def touched(self) -> set[int]:
        """The concepts that the rules speak of."""
        return set(self.ends.ravel().tolist())

    @property
    def restricted(self) -> set[int]:
        """The concepts whose choice has a condition."""
        return {*self.ends[:, 0].tolist(), *self.ends[self.num_needs :, 1].tolist()}

    def write(self, program: Program, holders: Mapping[int, Sequence[int]]) -> None:
        """Bind the variables by the rules; a concept is chosen if one of its `holders` is."""
        for number, (left, right) in enumerate(self.ends.tolist()):
            needs = number < self.num_needs
            if needs and ALWAYS in holders[right]:
                continue
            terms = dict.fromkeys(holders[left], 1.0)
            for variable in holders[right]:
                terms[variable] = terms.get(variable, 0.0) + (-1.0 if needs else 1.0)
            program.bind(terms, high=0.0 if needs else 1.0)


@dataclass(frozen=True)
class Forest:
    """The concepts of the facets of any number, each below its first broader one; parents stand first.

    `places` and `parents` (nodes,) give a node's concept and its parent node or `NOWHERE`, `node_of` is the
    way back; `steps` are, from the top, the nodes of one depth, those one deeper, and the matrix
    (upper, lower) that sums the latter by parent.
    """

    places: Ints
    parents: Ints
    node_of: Mapping[int, int]
    steps: Sequence[tuple[slice, slice, csr_array]]

    def totals(self, scores: Array) -> Array:
        """Return what each node and the best below it add (nodes, N), from scores (C, N)."""
        totals = scores[self.places]
        for upper, lower, by_parent in reversed(self.steps):
            totals[upper] += by_parent @ np.maximum(totals[lower], 0.0)
        return totals

    def reached(self, wanted: Bools) -> Bools:
        """Return the wanted nodes (nodes, N) all of whose ancestors are wanted."""
        reached = wanted.copy()
        for _, lower, _ in self.steps:
            reached[lower] &= reached[self.parents[lower]]
        return reached

    def write(self, program: Program, totals: Array, rules: Rules) -> dict[int, int]:
        """Add the nodes that the rules touch and all above; return node -> variable or `ALWAYS`.

        `totals` (nodes,) are one row's. A node that costs nothing and that no rule restricts is chosen
        whenever its parent is: it has the parent's variable.
        """
        parent_of = self._upward(rules.touched)
        weights = self._weights(totals, parent_of)
        restricted = {self.node_of.get(place) for place in rules.restricted}
        joined = set()
        for node, parent in reversed(parent_of.items()):
            if weights[node] >= 0.0 and node not in restricted:
                joined.add(node)
                weights[parent] += weights[node]
        variables = {NOWHERE: ALWAYS}
        for node, parent in parent_of.items():
            above = variables[parent]
            variables[node] = above if node in joined else program.add(weights[node])
            if node not in joined and above != ALWAYS:
                program.bind({variables[node]: 1.0, above: -1.0}, high=0.0)
        del variables[NOWHERE]
        return variables

    def holders(self, variables: Mapping[int, int]) -> dict[int, list[int]]:
        """Return concept -> its variable, from node -> variable."""
        return {int(self.places[node]): [variable] for node, variable in variables.items()}

    def _upward(self, places: Iterable[int]) -> dict[int, int]:
        """Return node -> parent for these concepts' nodes and all above, parents first."""
        found: dict[int, int] = {}
        for node in (self.node_of[place] for place in places if place in self.node_of):
            while node != NOWHERE and node not in found:
                found[node] = int(self.parents[node])
                node = found[node]
        return dict(sorted(found.items()))

    @staticmethod
    def _weights(totals: Array, parent_of: Mapping[int, int]) -> dict[int, float]:
        """Return what each node adds with all below it that is not a node of `parent_of`."""
        own = {node: float(totals[node]) for node in parent_of}
        weights = {NOWHERE: 0.0, **own}
        for node, parent in parent_of.items():
            weights[parent] -= max(own[node], 0.0)
        return weights


@dataclass(frozen=True)
class Options:
    """The options of all single facets: `members` (options, C) is 1 where an option has a concept.

    `spans` is facet -> the range of its options; `options_with` is concept -> the options that have it.
    """

    members: csr_array
    spans: Mapping[str, slice]
    options_with: Mapping[int, Sequence[int]]

    def values(self, scores: Array) -> Array:
        """Return the sum of scores of each option (options, N), from scores (C, N)."""
        values: Array = self.members @ scores
        return values

    def best(self, values: Array) -> Ints:
        """Return the first best option of each facet (F, N), from values (options, N)."""
        best = [span.start + values[span].argmax(axis=0) for span in self.spans.values()]
        return np.array(best, dtype=np.int64).reshape(len(best), values.shape[1])

    def members_of(self, options: Ints) -> Bools:
        """Return the concepts (N, C) of the options taken (F, N)."""
        num_facets, num_rows = options.shape
        rows = np.tile(np.arange(num_rows), num_facets)
        taken = csr_array(
            (np.ones(options.size), (rows, options.ravel())), shape=(num_rows, self.members.shape[0])
        )
        members: Bools = (taken @ self.members).toarray() > 0.0
        return members

    def write(self, program: Program, values: Array, rules: Rules) -> dict[int, int]:
        """Add the options of the facets that the rules touch; return option -> variable.

        `values` (options,) are one row's. Of the options that have the same touched concepts, only the first
        best one is added.
        """
        marks = self._marks(rules.touched)
        variables = {}
        for span in (span for span in self.spans.values() if any(marks[span])):
            best: dict[int, int] = {}
            for option, mark in enumerate(marks[span], start=span.start):
                if mark not in best or values[option] > values[best[mark]]:
                    best[mark] = option
            own = {option: program.add(float(values[option])) for option in best.values()}
            program.bind(dict.fromkeys(own.values(), 1.0), low=1.0, high=1.0)
            variables.update(own)
        return variables

    def _marks(self, places: Iterable[int]) -> list[int]:
        """Return for each option which of these concepts it has, as the bits of a number."""
        marks = [0] * self.members.shape[0]
        for bit, place in enumerate(places):
            for option in self.options_with.get(place, ()):
                marks[option] |= 1 << bit
        return marks

    def holders(self, variables: Mapping[int, int], rules: Rules) -> dict[int, list[int]]:
        """Return touched concept -> the variables of the options that have it, from option -> variable."""
        touched = rules.touched.intersection(self.options_with)
        return {
            place: [variables[option] for option in self.options_with[place] if option in variables]
            for place in touched
        }


def plant(ontology: Ontology) -> Forest:
    """Return the forest of the facets of any number."""
    free = {facet.id for facet in ontology.facets if facet.cardinality is Cardinality.any_number}
    parent_of = {
        place: ontology.index[concept.broader[0]] if concept.broader else NOWHERE
        for place, concept in enumerate(ontology.concepts)
        if concept.facet in free
    }
    depth = {NOWHERE: -1}
    for place in sorted(parent_of, key=lambda place: len(ontology.ancestors[ontology.concepts[place].id])):
        depth[place] = depth[parent_of[place]] + 1
    places = sorted(parent_of, key=lambda place: (depth[place], place))
    node_of = {place: node for node, place in enumerate(places)}
    parents = np.array([node_of.get(parent_of[place], NOWHERE) for place in places], dtype=np.int64)
    ends = np.cumsum(np.bincount([depth[place] for place in places])).tolist() if places else []
    levels = [slice(start, end) for start, end in itertools.pairwise([0, *ends])]
    steps = [
        (upper, lower, _by_parent(parents[lower] - upper.start, upper.stop - upper.start))
        for upper, lower in itertools.pairwise(levels)
    ]
    return Forest(np.array(places, dtype=np.int64), parents, node_of, steps)


def _by_parent(parents: Ints, num_upper: int) -> csr_array:
    size = len(parents)
    return csr_array((np.ones(size), (parents, np.arange(size))), shape=(num_upper, size))


def list_options(ontology: Ontology, *, optional: Set[str]) -> Options:
    """Return the options of the single facets; those `optional` or at_most_one have an empty one first."""
    options: list[frozenset[str]] = []
    spans = {}
    for facet in ontology.facets:
        if facet.single:
            none = facet.id in optional or facet.cardinality is Cardinality.at_most_one
            found = [*([frozenset[str]()] if none else []), *_closed_options(ontology, facet)]
            spans[facet.id] = slice(len(options), len(options) + len(found))
            options += found
    rows = [row for row, option in enumerate(options) for _ in option]
    columns = [ontology.index[concept] for option in options for concept in sorted(option)]
    members = csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(options), len(ontology.concepts)))
    options_with: dict[int, list[int]] = {place: [] for facet in spans for place in ontology.by_facet[facet]}
    for row, column in zip(rows, columns, strict=True):
        options_with[column].append(row)
    return Options(members, spans, options_with)


def _closed_options(ontology: Ontology, facet: Facet) -> Iterator[frozenset[str]]:
    """Yield each concept with all that is broader, unless that breaks a rule within the facet."""
    own = {ontology.concepts[place].id for place in ontology.by_facet[facet.id]}
    implies = [pair for pair in ontology.implies if own.issuperset(pair)]
    disjoint = [pair for pair in ontology.disjoint if own.issuperset(pair)]
    for place in ontology.by_facet[facet.id]:
        concept = ontology.concepts[place].id
        option = ontology.ancestors[concept] | {concept}
        lacking = any(source in option and target not in option for source, target in implies)
        if not lacking and not any(option.issuperset(pair) for pair in disjoint):
            yield option


def find_rules(ontology: Ontology) -> Rules:
    """Return what binds concepts beyond the forest and the options: see `Rules`."""
    single = {facet.id for facet in ontology.facets if facet.single}
    further = [
        (concept.id, parent)
        for concept in ontology.concepts
        if concept.facet not in single
        for parent in concept.broader[1:]
    ]
    needs = _across([*ontology.implies, *further], ontology, single=single)
    disjoint = _across(ontology.disjoint, ontology, single=single)
    ends = np.array([*needs, *disjoint], dtype=np.int64).reshape(-1, 2)
    return Rules(ends, len(needs))


def _across(
    pairs: Iterable[tuple[str, str]], ontology: Ontology, *, single: Set[str]
) -> list[tuple[int, int]]:
    """Return the places of the pairs that do not lie within one single facet."""
    places = [(ontology.index[left], ontology.index[right]) for left, right in pairs]
    facets = [concept.facet for concept in ontology.concepts]
    return [
        (left, right) for left, right in places if facets[left] != facets[right] or facets[left] not in single
    ]
