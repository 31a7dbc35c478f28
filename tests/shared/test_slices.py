import pytest

from shared.examples import (
    AnomalyExample,
    AnomalyPrediction,
    FacetAnswer,
    FacetExample,
    FacetPrediction,
    QueryExample,
    QueryPrediction,
    Span,
    SpanExample,
    SpanPrediction,
)
from shared.slices import KINDS, LABEL, LENGTH, SOURCE, find_slices, tally_labels

ADA, ACME = Span(0, 3, "PER"), Span(9, 13, "ORG")


def note(id: str, *spans: Span, words: int = 3, document: str = "") -> SpanExample:
    return SpanExample(id, " ".join(["word"] * words), spans, document=document)


def test_a_label_slice_holds_the_examples_whose_gold_has_the_label() -> None:
    examples = [note("0", ADA, ACME), note("1", ADA, ADA), note("2")]
    found = find_slices(examples, [LABEL])
    assert [(part.name, part.ids) for part in found] == [("ORG", {"0"}), ("PER", {"0", "1"})]


def test_concepts_are_labels_of_their_facet() -> None:
    example = FacetExample("0", "Gold rose.", labels={"topic": ("gold",), "tone": ()}, values={"mood": 0.5})
    assert [part.title for part in find_slices([example], [LABEL])] == ["label topic/gold"]


def test_the_kind_of_an_anomaly_is_its_label() -> None:
    examples = [
        AnomalyExample("0", ("disk full",), anomalous=True, kind="DISK"),
        AnomalyExample("1", ("odd",), anomalous=True),
        AnomalyExample("2", ("all well",), anomalous=False),
        AnomalyExample("3", ("who knows",)),
    ]
    assert [part.name for part in find_slices(examples, [LABEL])] == ["DISK", "anomalous", "normal"]


def test_a_band_of_lengths_ends_at_twice_the_words_of_the_one_before() -> None:
    examples = [note(str(words), words=words) for words in (10, 11, 20, 21, 40, 41)]
    found = {part.name: part.ids for part in find_slices(examples, [LENGTH])}
    assert found == {
        "1-10 words": {"10"},
        "11-20 words": {"11", "20"},
        "21-40 words": {"21", "40"},
        "41-80 words": {"41"},
    }


def test_a_source_is_the_name_of_the_document_without_its_last_number() -> None:
    names = ["wire-1", "wire-22", "desk_3", "2019_10K"]
    examples = [note(name, document=name) for name in names]
    found = {part.name: part.ids for part in find_slices(examples, [SOURCE])}
    assert found == {"wire": {"wire-1", "wire-22"}, "desk": {"desk_3"}, "2019_10K": {"2019_10K"}}


def test_one_length_or_one_source_for_all_is_no_slice_but_one_label_is() -> None:
    examples = [note("0", ADA, document="test-0"), note("1", ADA, document="test-1")]
    assert [part.title for part in find_slices(examples, KINDS)] == ["label PER"]


def test_a_swapped_span_is_missing_from_one_label_and_too_much_in_the_other() -> None:
    answer = SpanPrediction("0", (ADA, Span(9, 13, "PER", probability=0.5)))
    assert tally_labels(note("0", ADA, ACME), answer) == {"PER": (1, 2, 1), "ORG": (0, 0, 1)}


def test_what_is_answered_to_a_facet_that_nobody_labelled_does_not_count() -> None:
    example = FacetExample("0", "Gold rose.", labels={"topic": ("gold",)})
    answer = FacetPrediction("0", {"topic": FacetAnswer(("oil",)), "tone": FacetAnswer(("glad",))})
    assert tally_labels(example, answer) == {"topic/gold": (0, 0, 1), "topic/oil": (0, 1, 0)}


def test_a_concept_that_is_not_given_for_doubt_is_not_right() -> None:
    example = FacetExample("0", "Gold rose.", labels={"topic": ("gold",)})
    answer = FacetPrediction("0", {"topic": FacetAnswer(("gold",), abstained="odd: 3.1")})
    assert tally_labels(example, answer) == {"topic/gold": (0, 0, 1)}


@pytest.mark.parametrize(("alarm", "right"), [(True, 1), (False, 0)])
def test_an_alarm_is_right_or_wrong_for_the_kind_of_gold(alarm: bool, right: int) -> None:
    example = AnomalyExample("0", ("disk full",), anomalous=True, kind="DISK")
    assert tally_labels(example, AnomalyPrediction("0", alarm=alarm)) == {"DISK": (right, 1, 1)}


def test_answers_without_labels_have_none_to_count() -> None:
    assert tally_labels(QueryExample("0", "Gold rose.", ("gold?",)), QueryPrediction("0", ("oil?",))) == {}
