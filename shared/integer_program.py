"""Small integer programmes: which of a few yes-or-no variables to choose for the greatest sum of weights.

A programme falls into parts that share no bound. A small part is solved by trying all answers, a larger one
by HiGHS (Huangfu and Hall, 2018) through SciPy, which is exact to 1e-6 in the sum.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]

ENUMERATED = 10  # a part of so many variables is solved by trying all 1,024 answers
INFEASIBLE = 2  # `milp`'s status


class Unsolvable(Exception):
    """No answer keeps all bounds."""


class Bound(NamedTuple):
    """`low <= sum(coefficient * variable) <= high`; `terms` are (variable, coefficient)."""

    terms: tuple[tuple[int, float], ...]
    low: float
    high: float


class Part(NamedTuple):
    """A part of a programme, its variables numbered anew."""

    weights: tuple[float, ...]
    bounds: tuple[Bound, ...]


@dataclass
class Program:
    """A programme as it is written down; variables are numbered in the order they are added."""

    weights: list[float] = field(default_factory=list)
    bounds: list[Bound] = field(default_factory=list)

    def add(self, weight: float) -> int:
        """Return a new variable."""
        self.weights.append(weight)
        return len(self.weights) - 1

    def bind(self, terms: Mapping[int, float], *, low: float = -np.inf, high: float) -> None:
        """Demand `low <= sum(coefficient * variable) <= high`; `terms` are variable -> coefficient."""
        self.bounds.append(Bound(tuple(terms.items()), low, high))

    def solve(self, solved: dict[Part, Bools]) -> Bools:
        """Return the best answer (variables,); raises `Unsolvable` if there is none.

        `solved` holds the parts that earlier programmes had, and is added to. Of equal answers, the same one
        is returned each time.
        """
        answer = np.zeros(len(self.weights), dtype=np.bool_)
        for variables, part in self._parts():
            if part not in solved:
                solved[part] = _try_all(part) if len(variables) <= ENUMERATED else _optimize(part)
            answer[variables] = solved[part]
        return answer

    def _parts(self) -> Iterator[tuple[list[int], Part]]:
        """Yield each part with the variables it holds, in the order of its first one."""
        links = [(bound.terms[0][0], variable) for bound in self.bounds for variable, _ in bound.terms]
        num_variables = len(self.weights)
        first, other = np.array(links, dtype=np.int64).reshape(-1, 2).T
        graph = coo_array((np.ones(len(links)), (first, other)), shape=(num_variables, num_variables))
        num_parts, found = connected_components(graph, directed=False)
        part_of = found.tolist()
        variables: list[list[int]] = [[] for _ in range(num_parts)]
        bounds: list[list[Bound]] = [[] for _ in range(num_parts)]
        number = []
        for variable, part in enumerate(part_of):
            number.append(len(variables[part]))
            variables[part].append(variable)
        for bound in self.bounds:
            terms = tuple((number[variable], coefficient) for variable, coefficient in bound.terms)
            bounds[part_of[bound.terms[0][0]]].append(bound._replace(terms=terms))
        for own, kept in zip(variables, bounds, strict=True):
            yield own, Part(tuple(self.weights[variable] for variable in own), tuple(kept))


def _try_all(part: Part) -> Bools:
    """Return the best answer; of equal ones, that with fewer of the later variables."""
    answers = _answers(len(part.weights))
    coefficients, low, high = _matrix(part)
    sums = answers @ coefficients.toarray().T
    kept = ((sums >= low) & (sums <= high)).all(axis=1)
    if not kept.any():
        raise Unsolvable
    best = np.where(kept, answers @ np.array(part.weights), -np.inf).argmax()
    answer: Bools = answers[best] > 0.0
    return answer


@functools.cache
def _answers(num_variables: int) -> Array:
    """Return all answers (2^n, n) of n variables, as 0 and 1; the first variable changes fastest."""
    numbers = np.arange(2**num_variables)[:, None]
    return (numbers >> np.arange(num_variables) & 1).astype(np.float64)


def _optimize(part: Part) -> Bools:
    """Return the best answer by branch and bound."""
    coefficients, low, high = _matrix(part)
    found = milp(
        -np.array(part.weights),
        integrality=1,
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(coefficients.tocsc(), low, high),
        options={"mip_rel_gap": 0.0},
    )
    if found.status == INFEASIBLE:
        raise Unsolvable
    answer: Bools = found.x > 0.5
    return answer


def _matrix(part: Part) -> tuple[coo_array, Array, Array]:
    """Return the bounds as coefficients (bounds, variables), low and high (bounds,)."""
    terms = [(row, *term) for row, bound in enumerate(part.bounds) for term in bound.terms]
    rows, columns, values = zip(*terms, strict=True) if terms else ((), (), ())
    coefficients = coo_array((values, (rows, columns)), shape=(len(part.bounds), len(part.weights)))
    low, high = (np.array([getattr(bound, end) for bound in part.bounds]) for end in ("low", "high"))
    return coefficients, low, high
