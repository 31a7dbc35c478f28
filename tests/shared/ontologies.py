"""Ontologies made up by chance, for tests and benchmarks."""

import random

from shared.ontology import Cardinality, Concept, Facet, Ontology

CARDINALITIES = (
    Cardinality.any_number,
    Cardinality.exactly_one,
    Cardinality.any_number,
    Cardinality.at_most_one,
    Cardinality.ordinal,
)
TOP_SHARE = 0.1  # of the concepts, beside the first of a facet


def generate_ontology(
    num_concepts: int,
    num_facets: int,
    seed: int,
    *,
    disjoint_share: float = 0.04,
    implies_share: float = 0.02,
    second_parent_share: float = 0.1,
) -> Ontology:
    """Return an ontology of all cardinalities; the first two shares are pairs for each concept.

    About half of the facets are trees; in the others a share of the concepts has two broader ones. Pairs are
    within facets and across; one that would make a concept impossible is not taken. The whole can still be
    impossible where facets are small.
    """
    generator = random.Random(seed)
    start = generator.randrange(len(CARDINALITIES)) if num_facets < len(CARDINALITIES) else 0
    facets = [
        Facet(f"f{number}", f"facet {number}", CARDINALITIES[(start + number) % len(CARDINALITIES)])
        for number in range(num_facets)
    ]
    concepts: list[Concept] = []
    for number, facet in enumerate(facets):
        size = num_concepts * (number + 1) // num_facets - num_concepts * number // num_facets
        concepts += _concepts(
            facet.id,
            size,
            generator=generator,
            second_parent_share=second_parent_share * (generator.random() < 0.5),
        )
    single = {facet.id for facet in facets if facet.single}
    closure = _closure(concepts)
    implies = _implications(closure, round(implies_share * num_concepts), single=single, generator=generator)
    disjoint = _exclusions(closure, round(disjoint_share * num_concepts), generator=generator)
    return Ontology("generated", tuple(facets), tuple(concepts), disjoint=disjoint, implies=implies)


def _concepts(
    facet: str, size: int, *, generator: random.Random, second_parent_share: float
) -> list[Concept]:
    found: list[Concept] = []
    for number in range(size):
        parents: list[str] = []
        if number and generator.random() >= TOP_SHARE:
            several = generator.random() < second_parent_share
            parents = [item.id for item in generator.sample(found, min(number, 2 if several else 1))]
        found.append(Concept(f"{facet}.{number}", facet, f"{facet} {number}", broader=tuple(parents)))
    return found


def _closure(concepts: list[Concept]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for concept in concepts:  # parents stand first
        found[concept.id] = {concept.id}.union(*(found[parent] for parent in concept.broader))
    return found


def _implications(
    closure: dict[str, set[str]], number: int, *, single: set[str], generator: random.Random
) -> tuple[tuple[str, str], ...]:
    """Return pairs that leave every concept possible, and take them into the closure."""
    pairs: list[tuple[str, str]] = []
    broader = {item: frozenset(found) for item, found in closure.items()}
    for _ in range(20 * number):
        source, target = generator.sample(list(closure), 2)
        users = [item for item, found in closure.items() if source in found]
        wanted = [closure[item] | closure[target] for item in users]
        if len(pairs) < number and all(_possible(found, broader, single=single) for found in wanted):
            pairs.append((source, target))
            closure.update(zip(users, wanted, strict=True))
    return tuple(pairs)


def _possible(chosen: set[str], broader: dict[str, frozenset[str]], *, single: set[str]) -> bool:
    """Whether all that is chosen of a single facet is one concept and what is broader."""
    for facet in single & {_facet(item) for item in chosen}:
        own = {item for item in chosen if _facet(item) == facet}
        if not any(own <= broader[item] for item in own):
            return False
    return True


def _facet(concept: str) -> str:
    return concept.split(".")[0]


def _exclusions(
    closure: dict[str, set[str]], number: int, *, generator: random.Random
) -> tuple[tuple[str, str], ...]:
    """Return pairs that no concept brings together."""
    pairs: list[tuple[str, str]] = []
    for _ in range(20 * number):
        left, right = generator.sample(list(closure), 2)
        if len(pairs) < number and not any({left, right} <= found for found in closure.values()):
            pairs.append((left, right))
    return tuple(pairs)
