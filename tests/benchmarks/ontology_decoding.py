"""Consistent decoding of a generated ontology: 5,000 concepts, 20 facets, 200 disjoint pairs, 100 implied.

Prints, for scores like a model's (around -6, a few above 0) and for even scores (normal, around 0), the mean
milliseconds a document on one thread and the share of documents whose answer breaks a rule, decoded together
and each concept alone.
"""

import sys
import time

import numpy as np

from shared.consistency import Decoder
from shared.facet_scores import independent
from shared.ontology import Ontology, violations
from tests.shared.ontologies import generate_ontology

DOCUMENTS = 200
CHECKED = 50  # documents whose rules are counted: the check itself is slow


def main() -> None:
    """Measure both kinds of scores and print the table."""
    ontology = generate_ontology(5000, 20, seed=0)
    generator = np.random.default_rng(0)
    like_model = generator.normal(-6, 2, size=(DOCUMENTS, len(ontology.concepts)))
    like_model[generator.random(like_model.shape) < 0.002] += 12
    even = generator.normal(size=like_model.shape)
    decoder = Decoder(ontology)
    for name, scores in (("like a model's", like_model), ("even", even)):
        started = time.perf_counter()
        chosen = decoder.decode(scores)
        milliseconds = 1000 * (time.perf_counter() - started) / DOCUMENTS
        together, alone = broken(ontology, chosen), broken(ontology, independent(ontology, scores))
        shares = f"broken together {together:.0%}, alone {alone:.0%}"
        sys.stdout.write(f"{name:<16}{milliseconds:>7.2f} ms a document  {shares}\n")


def broken(ontology: Ontology, chosen: np.ndarray) -> float:
    """Return the share of the first documents whose concepts break a rule."""
    names = np.array([concept.id for concept in ontology.concepts])
    return sum(bool(violations(ontology, names[row].tolist())) for row in chosen[:CHECKED]) / CHECKED


if __name__ == "__main__":
    main()
