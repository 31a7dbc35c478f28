from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.examples import FacetExample, Span
from shared.ontology import Cardinality, Concept, Facet, Ontology
from tasks.ontology.report import data_report

ONTOLOGY = Ontology(
    "small",
    (
        Facet("topic", "topic", Cardinality.exactly_one),
        Facet("score", "score", Cardinality.number),
    ),
    (
        Concept("markets", "topic", "markets"),
        Concept("bonds", "topic", "bonds", broader=("markets",)),
        Concept("equities", "topic", "equities", broader=("markets",)),
        Concept("economy", "topic", "economy"),
    ),
)
LONG = "the ministry sold ten year bonds worth four billion crowns on a quiet monday"


@dataclass(frozen=True)
class Fixed:
    """An adapter of two given splits; test does not exist, so that reading it fails."""

    splits: Mapping[str, Sequence[FacetExample]]
    name: str = "fixed"
    licence: str = "none"

    def ontology(self) -> Ontology:
        return ONTOLOGY

    def load(self, split: str) -> list[FacetExample]:
        return list(self.splits[split])


def note(id: str, text: str, topic: str | None, *, marks: tuple[Span, ...] = ()) -> FacetExample:
    labels = {} if topic is None else {"topic": (topic,) if topic else ()}
    return FacetExample(id, text, marks=marks, labels=labels, values={"score": 1.0}, document=id)


def report(train: Sequence[FacetExample], validation: Sequence[FacetExample] = ()) -> list[str]:
    return data_report(Fixed({"train": train, "validation": validation}), warnings=["note"]).splitlines()


def test_sizes_are_counted_by_split_and_facet() -> None:
    train = [note("a", "Yields", "bonds"), note("b", "Lunch", ""), note("c", "Rain", None)]
    rows = [line.split() for line in report(train, [note("d", "Oil", "markets")])]
    assert rows[0] == ["data:", "fixed,", "licence:", "none"]
    assert rows[3:7] == [
        ["train", "3", "3", "topic", "2", "1"],
        ["train", "3", "3", "score", "3", "0"],
        ["validation", "1", "1", "topic", "1", "0"],
        ["validation", "1", "1", "score", "1", "0"],
    ]
    assert rows[-1] == ["note"]


def test_concepts_of_no_or_one_example_are_named_and_a_narrower_example_counts() -> None:
    train = [note("a", "Yields", "bonds"), note("b", "Notes", "bonds"), note("c", "Growth", "economy")]
    expected = "topic in train: 1 concepts with no example (equities), 1 concepts with one example (economy)"
    assert expected in report(train)


def test_the_same_text_with_other_labels_is_named_once_by_ids() -> None:
    train = [
        note("a", "Yields fell", "bonds"),
        note("b", "yields fell!", "equities"),
        note("c", "Yields fell.", None),
    ]
    lines = report(train, [note("d", "Yields fell", "bonds")])
    assert "same text, different labels of topic: 1 (a and b)" in lines
    assert "repeated texts: 2 within train, 1 of validation stand in train" in lines


def test_other_marks_make_another_example_of_a_text() -> None:
    train = [
        note("a", "Yields fell", "bonds", marks=(Span(0, 6, "e1"), Span(7, 11, "e2"))),
        note("b", "Yields fell", "equities", marks=(Span(0, 6, "e1"), Span(8, 11, "e2"))),
    ]
    assert not [line for line in report(train) if line.startswith("same text, different")]


def test_a_near_duplicate_shares_four_fifths_of_its_three_grams() -> None:
    """14 words make 12 three-grams. One more word at the end: 12 of 13 are shared. Two others in the middle,
    three words apart: 5 of the 12 stay, so 5 of 19 are shared."""
    words = LONG.split()
    changed = " ".join([*words[:5], "notes", *words[6:8], "million", *words[9:]])
    train = [note("a", LONG, "bonds"), note("b", "growth slows in the north of the country", "economy")]
    near = note("c", f"{LONG} again", "bonds")
    exact = note("d", LONG.upper(), "bonds")
    far = note("e", changed, "bonds")
    assert "near-duplicates: 1 of validation nearly stand in train (a and c)" in report(
        train, [near, exact, far]
    )


def test_texts_of_few_words_are_compared_whole() -> None:
    lines = report([note("a", "Oil up", "markets"), note("b", "", None)], [note("c", "Oil down", "markets")])
    assert "near-duplicates: 0 of validation nearly stand in train" in lines
