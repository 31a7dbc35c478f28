from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from shared.examples import Span, SpanExample
from shared.words import find_words
from tasks.ner.baseline import Dictionary, learn_labels


def example(text: str, **marked: str) -> SpanExample:
    """Return the text with each of `marked` (underscores are spaces) as a span where it first stands."""
    spans = []
    for form, label in marked.items():
        start = text.index(form.replace("_", " "))
        spans.append(Span(start, start + len(form), label))
    return SpanExample(text, text, tuple(sorted(spans, key=lambda span: span.start)), find_words(text))


@dataclass(frozen=True)
class Given:
    """Data made by hand: a train split of these examples."""

    examples: list[SpanExample]
    name: str = "given"
    licence: str = "none"

    def types(self) -> Mapping[str, str]:
        return {}

    def load(self, split: str) -> list[SpanExample]:
        return self.examples

    def files(self, split: str) -> list[Path]:
        return []

    def report(self) -> str:
        return ""


def found(train: list[SpanExample], text: str, *, minimum_share: float = 0.5) -> list[tuple[int, int, str]]:
    baseline = Dictionary("dictionary", minimum_share)
    answers = baseline.answer(Given(train), [example(text)])
    return [span.key for span in answers.predictions[0].spans]


def test_the_longest_known_entity_wins() -> None:
    train = [example("York won", York="LOC"), example("New York City won", New_York_City="LOC")]
    assert found(train, "In New York City and York") == [(3, 16, "LOC"), (21, 25, "LOC")]


def test_words_are_matched_whole_and_as_written() -> None:
    assert found([example("Ada won", Ada="PER")], "Adam met ADA") == []


def test_the_commonest_label_is_given_and_a_tie_goes_by_name() -> None:
    train = [example("Jordan won", Jordan="PER"), example("Jordan lost", Jordan="PER")]
    train += [
        example("in Jordan", Jordan="LOC"),
        example("Paris", Paris="PER"),
        example("to Paris", Paris="LOC"),
    ]
    assert learn_labels(train, minimum_share=0.5) == {("Jordan",): "PER", ("Paris",): "LOC"}


@pytest.mark.parametrize(("minimum_share", "known"), [(0.25, True), (0.5, False)])
def test_an_entity_is_known_if_it_was_marked_often_enough(minimum_share: float, known: bool) -> None:
    """May is marked once in three occurrences."""
    train = [example("May won", May="PER"), example("in May"), example("It May rain")]
    assert bool(found(train, "May", minimum_share=minimum_share)) == known


def test_an_entity_that_is_cut_off_by_the_end_of_the_text_is_no_match() -> None:
    train = [example("Bank of England rose", Bank_of_England="ORG"), example("a Bank rose", Bank="ORG")]
    assert found(train, "the Bank of") == [(4, 8, "ORG")]
