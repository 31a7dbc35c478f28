"""What scores say of one facet alone: concepts decided without the others, and the odds of its answers.

Scores are like log odds, one for each concept in the ontology's order (N, C); higher is likelier, 0 open.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from shared.ontology import Cardinality, Facet, Ontology

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]


def independent(ontology: Ontology, scores: Array) -> Bools:
    """Return the concepts chosen (N, C) when each is decided without the others; rules may be broken.

    A concept is chosen if its score is above 0. In a single facet that is a tree, each depth decides between
    its own concepts and none (0): the first greatest score is chosen if above 0, at depth 0 of a facet that
    needs a concept in any case.
    """
    chosen: Bools = scores > 0.0
    for facet in ontology.facets:
        if facet.single and facet.id in ontology.trees:
            for depth, places in ontology.levels[facet.id].items():
                best = scores[:, places].argmax(axis=1)[:, None] == np.arange(len(places))
                demanded = depth == 0 and facet.cardinality is not Cardinality.at_most_one
                chosen[:, places] = best if demanded else best & chosen[:, places]
    return chosen


def assignment_log_probabilities(
    ontology: Ontology, facet: str, scores: Array, *, temperature: float
) -> Array:
    """Return the log probabilities (N, A) of a single facet's answers, none first where it may have none.

    An answer is one of the facet's concepts, in order, and weighs the sum of its score and those of all that
    are broader, divided by the temperature; none weighs 0. A is their number.
    """
    sums = (ontology.answers[facet] @ scores.T).T
    probabilities: Array = log_softmax(sums / temperature, axis=1)
    return probabilities


def assignments(ontology: Ontology, facet: Facet, chosen: Bools) -> NDArray[np.int64]:
    """Return the column (N,) among a single facet's answers of its chosen concepts (N, K), ancestors too."""
    optional = int(facet.cardinality is Cardinality.at_most_one)
    deepest: NDArray[np.int64] = np.where(chosen, ontology.heights[facet.id], 0).argmax(axis=1) + optional
    return np.where(chosen.any(axis=1), deepest, 0)
