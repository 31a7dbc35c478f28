"""Texts and ontologies that the tests of several heads read."""

from shared.examples import FacetExample, Span, SpanExample
from shared.ontology import Cardinality, Concept, Facet, Ontology, Relation, relation_concepts
from shared.words import join_words


def long_example(num_names: int) -> SpanExample:
    """A text of many windows: `Ann Lee joined Orla Bank .` over and over, each with its two entities."""
    text, words = join_words(["Ann", "Lee", "joined", "Orla", "Bank", "."] * num_names)
    spans = []
    for start in range(0, 6 * num_names, 6):
        spans.append(Span(words[start][0], words[start + 1][1], "PER"))
        spans.append(Span(words[start + 3][0], words[start + 4][1], "ORG"))
    return SpanExample(id="long", text=text, spans=tuple(spans), words=words)


# A facet of each cardinality, and one (`product`) whose concepts are no tree.
DESK = Ontology(
    "desk",
    facets=(
        Facet("topic", "Topic", Cardinality.exactly_one),
        Facet("tone", "Tone", Cardinality.ordinal),
        Facet("place", "Place", Cardinality.at_most_one),
        Facet("actors", "Actors", Cardinality.any_number),
        Facet("product", "Product", Cardinality.at_most_one),
        Facet("score", "Score", Cardinality.number),
    ),
    concepts=(
        Concept("markets", "topic", "markets"),
        Concept("bonds", "topic", "bonds", "what a state owes", ("markets",)),
        Concept("shares", "topic", "shares", "", ("markets",)),
        Concept("sport", "topic", "sport"),
        Concept("bad", "tone", "bad"),
        Concept("even", "tone", "even"),
        Concept("good", "tone", "good"),
        Concept("town", "place", "town"),
        Concept("sea", "place", "sea"),
        Concept("bank", "actors", "bank"),
        Concept("savings-bank", "actors", "savings bank", "", ("bank",)),
        Concept("fund", "actors", "fund"),
        Concept("loan", "product", "loan"),
        Concept("house", "product", "house"),
        Concept("mortgage", "product", "mortgage", "", ("loan", "house")),
    ),
    disjoint=(("sport", "fund"),),
    implies=(("bonds", "bank"),),
)

CAUSES = Relation("Cause-Effect", "relation", "cause and effect")
RELATIONS = Ontology(
    "relations",
    facets=(Facet("relation", "Relation", Cardinality.exactly_one),),
    concepts=(Concept("Other", "relation", "other"), *relation_concepts(CAUSES)),
    relations=(CAUSES,),
)


def marked_example(
    text: str, first: str, second: str, *, id: str = "0", label: str | None = None
) -> FacetExample:
    """A text whose words `first` and `second`, each there once, are marked e1 and e2."""
    marks = tuple(
        Span(text.index(word), text.index(word) + len(word), name)
        for name, word in (("e1", first), ("e2", second))
    )
    return FacetExample(id, text, marks=marks, labels={"relation": (label,)} if label else {})
