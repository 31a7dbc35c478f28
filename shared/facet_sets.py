"""Prediction sets of a facet: the answers that may be right, and what of the given answer is sure.

Two promises, each for itself: of new texts at least the share 1 - risk has its gold answer in the set, and at
least that share has nothing sure that is wrong. They hold on average over validation sets, for a text in
scope, drawn from a document that is like validation's: split conformal prediction with least ambiguous sets
(Sadinle, Lei, Wasserman 2019), in which each document weighs one (Lee, Barber, Willett 2023, arXiv
2306.06342). The temperature, one number, is fitted on the same texts, which the theory leaves out.

mapie's `SplitConformalClassifier` knows one label of a flat list and texts without documents, and wants an
estimator to wrap: on such data both find the same sets, a test says.

E texts, K concepts of the facet, A its answers: of a single facet as `assignment_log_probabilities` has them,
else its concepts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from scipy.special import logit

from shared.errors import UserError
from shared.facet_scores import Array, Bools, assignment_log_probabilities, assignments
from shared.ontology import Cardinality, Facet, Ontology

RISKS = (0.01, 0.05, 0.1)  # those that validation's limits are stored for
NONE = ""  # stands for no concept, where that is an answer
SLACK = 1e-4  # of a limit: no text that made it crosses it by the rounding of another batch
LEAST = 1e-15  # of a probability and of what it lacks of 1, so that its log odds are finite


@dataclass(frozen=True)
class FacetSet:
    """What may be right of one text, and what is sure.

    `candidates` are the most probable first. Of a single facet each is an answer, a concept with all that is
    broader or `NONE`, and one of them is right, so that they may exclude each other. Of a facet with any
    number they are the concepts, broader ones named too, among which all the gold ones are. `sure` are the
    most specific that hold of the concepts of the answer given, broader ones included.
    """

    candidates: tuple[str, ...]
    sure: tuple[str, ...]


@dataclass(frozen=True)
class Grades:
    """How probable the answers are (E, A), as logs, and the concepts (E, K), as log odds.

    A concept is as probable as all answers that are it or narrower, in a facet with any number as the most
    probable of them, and there it is its own answer.
    """

    answers: Array
    concepts: Array


@dataclass(frozen=True)
class Limits:
    """A candidate has at least the first grade; a concept above the second is sure."""

    candidate: float
    sure: float


@runtime_checkable
class GivesSets(Protocol):
    """A head that can give prediction sets beside its answers."""

    def give_sets(self, risk: float) -> None:
        """Give them from now on; raises `UserError` where the bundle has no limits for the risk."""


def give_sets(head: object, risk: float) -> None:
    """Let the head give prediction sets beside its answers, at a risk above 0."""
    if not isinstance(head, GivesSets):
        raise UserError(
            f"predict.sets={risk:g}: prediction sets are sets of concepts, which this bundle does not answer "
            "with; leave predict.sets at 0"
        )
    head.give_sets(risk)


def check_risk(stored: Mapping[str, float], risk: float) -> None:
    """Raise `UserError` unless some facet has limits for the risk."""
    known = sorted({name.split("/")[1] for name in stored if name.startswith("set/")}, key=float)
    if f"{risk:g}" not in known:
        raise UserError(
            f"predict.sets={risk:g}: this bundle has prediction sets for {', '.join(known) or 'no risk'}. "
            f"`train` and `calibrate` make them for {', '.join(f'{each:g}' for each in RISKS)}, each where "
            "validation has 1 / risk - 1 labelled documents"
        )


def grade(ontology: Ontology, facet: Facet, scores: Array, *, temperature: float) -> Grades:
    """Return the grades of scores (E, C) at the facet's temperature."""
    places = ontology.by_facet[facet.id]
    if not facet.single:
        odds = _upward(ontology, facet, scores[:, places] / temperature, join=np.maximum)
        return Grades(odds, odds)
    answers = assignment_log_probabilities(ontology, facet.id, scores, temperature=temperature)
    held = _upward(ontology, facet, np.exp(answers[:, -len(places) :]), join=np.add)
    return Grades(answers, logit(held.clip(LEAST, 1 - LEAST)))


def find_limits(
    ontology: Ontology, facet: Facet, grades: Grades, gold: Bools, *, documents: Sequence[str]
) -> dict[str, float]:
    """Return the facet's limits by validation's grades and gold concepts (E, K), for `read_limits`.

    They are `set/<risk>/<facet>` and `sure/<risk>/<facet>` for each of RISKS that is possible with so many
    documents. A text without gold, in a facet with any number, is one whose gold is in every set.
    """
    right = _answered(ontology, facet, gold)
    least = np.where(right, grades.answers, grades.answers.max()).min(axis=1)
    wrong = np.where(gold, grades.concepts.min(), grades.concepts).max(axis=1)
    found = {}
    for risk in RISKS:
        candidate, sure = (highest(scores, documents, rate=risk) for scores in (-least, wrong))
        if candidate is not None and sure is not None:
            found[f"set/{risk:g}/{facet.id}"] = -candidate - SLACK
            found[f"sure/{risk:g}/{facet.id}"] = sure + SLACK
    return found


def read_limits(stored: Mapping[str, float], facet: Facet, risk: float) -> Limits:
    """Return the limits of `find_limits`; without them each answer is a candidate, and nothing is sure."""
    return Limits(
        candidate=stored.get(f"set/{risk:g}/{facet.id}", -np.inf),
        sure=stored.get(f"sure/{risk:g}/{facet.id}", np.inf),
    )


def find_sets(
    ontology: Ontology, facet: Facet, grades: Grades, chosen: Bools, *, limits: Limits
) -> list[FacetSet]:
    """Return the set of each text, in which its answer always is: the `chosen` concepts (E, K)."""
    concepts = np.array([ontology.concepts[place].id for place in ontology.by_facet[facet.id]])
    answers = np.concatenate([[NONE], concepts]) if _optional(facet) else concepts
    kept = (grades.answers >= limits.candidate) | _answered(ontology, facet, chosen)
    sure = chosen & (grades.concepts > limits.sure)
    order = np.argsort(-grades.answers, axis=1, kind="stable")
    return [
        FacetSet(
            candidates=tuple(answers[places[kept[row, places]]].tolist()),
            sure=ontology.most_specific(concepts[sure[row]].tolist()),
        )
        for row, places in enumerate(order)
    ]


def highest(scores: Array, documents: Sequence[str], *, rate: float) -> float | None:
    """Return the least score that those of new documents are above at no more than the rate.

    Each document weighs one, shared by its scores, and one more lies above all; None where that alone is more
    than the rate.
    """
    _, places, sizes = np.unique(documents, return_inverse=True, return_counts=True)
    order = np.argsort(scores, kind="stable")
    weights = 1 / sizes[places[order]]
    above = weights[::-1].cumsum()[::-1] - weights
    allowed = 1 + above <= rate * (1 + len(sizes)) + 1e-9  # what rounding adds to whole numbers
    return float(scores[order][allowed.argmax()]) if allowed.any() else None


def _upward(ontology: Ontology, facet: Facet, values: Array, *, join: np.ufunc) -> Array:
    """Return the values (E, K) of the concepts, those of all that are narrower joined to each."""
    columns = {
        ontology.concepts[place].id: column for column, place in enumerate(ontology.by_facet[facet.id])
    }
    joined = values.copy()
    for name, column in columns.items():
        for broader in (columns[above] for above in ontology.ancestors[name]):
            joined[:, broader] = join(joined[:, broader], values[:, column])
    return joined


def _answered(ontology: Ontology, facet: Facet, concepts: Bools) -> Bools:
    """Return which answers (E, A) the concepts (E, K) are, broader ones included."""
    if not facet.single:
        return concepts
    columns = np.arange(concepts.shape[1] + _optional(facet))
    answered: Bools = assignments(ontology, facet, concepts)[:, None] == columns
    return answered


def _optional(facet: Facet) -> bool:
    return facet.cardinality is Cardinality.at_most_one
