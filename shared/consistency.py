"""The consistent set of concepts with the greatest sum of scores: exact, for every ontology.

The facets are first decided one by one: a single facet by the greatest sum over a concept and all that is
broader (an *option*), a facet of any number as if each concept had its first broader one only (a *forest*),
from the leaves up. Whatever else binds concepts is a *rule*: implications, exclusions, further broader ones.
Where the facets' answers break no rule they are the best set, because rules only take choices away. Otherwise
the broken rules are imposed by an integer programme over the concepts that they touch, until no further rule
breaks: no programme demands more than the rules do, so that the first answer that keeps them all is the best.
"""

from __future__ import annotations

import numpy as np

from shared.facet_tables import ALWAYS, Array, Bools, Ints, Rules, find_rules, list_options, plant
from shared.integer_program import Part, Program, Unsolvable
from shared.ontology import Ontology, OntologyError

BLOCK = 256  # rows decided at once, which bounds the memory


class Decoder:
    """Finds the best consistent sets of one ontology; owns tables that are made once.

    Raises `OntologyError` naming the facets that cannot have their concepts together.
    """

    def __init__(self, ontology: Ontology) -> None:
        self.ontology = ontology
        self._forest = plant(ontology)
        self._options = list_options(ontology, optional=set())
        self._rules = find_rules(ontology)
        if not self._satisfiable:
            raise OntologyError(
                f"ontology {ontology.name}: no set of concepts is consistent: disjoint and implies "
                f"leave no way to choose a concept in each of these facets: {', '.join(self._conflicting())}"
            )

    def decode(self, scores: Array) -> Bools:
        """Return the best consistent set (N, C) of each row of finite scores (N, C); higher is likelier.

        `shared.ontology.violations` finds nothing in it. Of equal sums, a single facet takes none before a
        concept and an earlier concept before a later one, and a facet of any number leaves out what adds
        nothing; where that breaks a rule, the same set is found each time. Rows do not influence each other.
        """
        chosen = np.zeros(scores.shape, dtype=np.bool_)
        for start in range(0, len(scores), BLOCK):
            chosen[start : start + BLOCK] = self._decode_block(scores[start : start + BLOCK])
        return chosen

    def _decode_block(self, scores: Array) -> Bools:
        columns = np.ascontiguousarray(scores.T, dtype=np.float64)
        totals, values = self._forest.totals(columns), self._options.values(columns)
        chosen = self._assemble(totals > 0.0, self._options.best(values))
        for row in np.flatnonzero(self._rules.broken(chosen).any(axis=1)):
            chosen[row] = self._impose(totals[:, row], values[:, row], chosen[row])
        return chosen

    def _assemble(self, wanted: Bools, options: Ints) -> Bools:
        """Return the sets (N, C) of the forest's wanted nodes (nodes, N) and the options taken (F, N)."""
        chosen = self._options.members_of(options)
        chosen[:, self._forest.places] = self._forest.reached(wanted).T
        return chosen

    def _impose(self, totals: Array, values: Array, chosen: Bools) -> Bools:
        """Return the best set (C,) of one row; raises `Unsolvable`.

        `totals` (nodes,) and `values` (options,) are the row's, `chosen` (C,) is its best set without rules.
        """
        solved: dict[Part, Bools] = {}
        active = np.zeros(len(self._rules.ends), dtype=np.bool_)
        while (broken := self._rules.broken(chosen[None])[0]).any():
            active |= broken
            chosen = self._solve(totals, values, self._rules.only(active), solved=solved)
        return chosen

    def _solve(self, totals: Array, values: Array, rules: Rules, *, solved: dict[Part, Bools]) -> Bools:
        """Return the best set (C,) that keeps these rules."""
        program = Program()
        nodes = self._forest.write(program, totals, rules)
        options = self._options.write(program, values, rules)
        rules.write(program, {**self._forest.holders(nodes), **self._options.holders(options, rules)})
        answer = program.solve(solved)
        wanted, preferred = totals > 0.0, values.copy()
        for node, variable in nodes.items():
            wanted[node] = variable == ALWAYS or answer[variable]
        for option, variable in options.items():
            if answer[variable]:
                preferred[option] = np.inf
        chosen: Bools = self._assemble(wanted[:, None], self._options.best(preferred[:, None]))[0]
        return chosen

    @property
    def _satisfiable(self) -> bool:
        """Whether any set is consistent."""
        if any(span.start == span.stop for span in self._options.spans.values()):
            return False
        try:
            self._decode_block(np.zeros((1, len(self.ontology.concepts))))
        except Unsolvable:
            return False
        return True

    def _conflicting(self) -> list[str]:
        """Return facets none of which could be left without a concept for the rest to be consistent."""
        needed: list[str] = []
        optional: set[str] = set()
        for facet in self._options.spans:
            self._options = list_options(self.ontology, optional={*optional, facet})
            if self._satisfiable:
                needed.append(facet)
            else:
                optional.add(facet)
        return needed
