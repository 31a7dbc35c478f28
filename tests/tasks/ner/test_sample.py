import itertools
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from shared.contracts import SPLITS
from shared.examples import SpanExample
from shared.words import find_words, span_words
from tasks.ner.formats import read_jsonl

ROOT = Path(__file__).resolve().parents[3]
LABELS = set(OmegaConf.load(ROOT / "conf" / "ner" / "data" / "sample.yaml").labels)
NAMES = ("company", "person", "location", "ticker")


def read(split: str) -> list[SpanExample]:
    return list(read_jsonl(ROOT / "tasks" / "ner" / "sample" / f"{split}.jsonl", labels=LABELS))


def folded(text: str) -> str:
    """Return the words in lower case with a blank on each side, so that `in` finds whole words."""
    return "".join(f" {text[start:end].lower()} " for start, end in find_words(text))


@pytest.mark.parametrize(
    ("split", "low", "high"), [("train", 200, 400), ("validation", 50, 100), ("test", 50, 100)]
)
def test_a_split_is_a_few_hundred_sentences_at_most_and_enough_to_learn_from(
    split: str, low: int, high: int
) -> None:
    assert low <= len(read(split)) <= high


@pytest.mark.parametrize("split", SPLITS)
def test_every_label_occurs_and_some_sentences_have_none(split: str) -> None:
    examples = read(split)
    assert {span.label for example in examples for span in example.spans} == LABELS
    assert any(not example.spans for example in examples)


@pytest.mark.parametrize("split", SPLITS)
def test_every_span_begins_and_ends_at_word_boundaries(split: str) -> None:
    assert [lost for example in read(split) for lost in span_words(example)[1]] == []


@pytest.mark.parametrize("split", SPLITS)
def test_spans_are_sorted_and_never_overlap(split: str) -> None:
    for example in read(split):
        assert all(left.end <= right.start for left, right in itertools.pairwise(example.spans)), example.text


@pytest.mark.parametrize(
    ("seen", "held_out"), [("train", "validation"), ("train", "test"), ("validation", "test")]
)
def test_no_name_of_a_held_out_split_stands_in_the_text_of_an_earlier_one(seen: str, held_out: str) -> None:
    texts = "\n".join(folded(example.text) for example in read(seen))
    names = {
        example.text[span.start : span.end]
        for example in read(held_out)
        for span in example.spans
        if span.label in NAMES
    }
    assert {name for name in names if folded(name) in texts} == set()


def test_no_sentence_occurs_twice() -> None:
    texts = [example.text for split in SPLITS for example in read(split)]
    assert len(texts) == len(set(texts))
