"""Windows on the tokens of the real MiniLM tokenizer; its common English words are one token each."""

from typing import Any

import pytest
from transformers import AutoTokenizer

from shared.bases import find_base
from shared.compose import compose_run
from shared.examples import FacetExample
from shared.fast_tokenizer import FastTokenizer
from shared.ontology import Ontology
from shared.text_windows import LABELLED, MARKERS, OUT_OF_SCOPE, UNLABELLED, TextReader
from tests.shared.heads.texts import DESK, RELATIONS, marked_example

COUNT = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    folder = find_base(compose_run("ner", []).model).encoder_folder
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    tokenizer.add_tokens([marker for pair in MARKERS.values() for marker in pair], special_tokens=True)
    return tokenizer


def reader(
    tokenizer: Any, ontology: Ontology = DESK, *, window: int = 5, overlap: int = 2, first: int = 2
) -> TextReader:
    read = FastTokenizer.of(tokenizer)
    return TextReader(ontology, read, window_tokens=window, overlap_tokens=overlap, first_tokens=first)


def read(tokenizer: Any, reader: TextReader, *examples: FacetExample) -> list[str]:
    """The tokens of each window as text."""
    return [" ".join(tokenizer.convert_ids_to_tokens(window.tokens)) for window in reader.encode(examples)]


def test_a_short_text_is_one_window(tokenizer: Any) -> None:
    assert read(tokenizer, reader(tokenizer), FacetExample("0", "One two three")) == [
        "[CLS] one two three [SEP]"
    ]


@pytest.mark.parametrize("text", ["", " \t\n"])
def test_a_text_without_a_token_is_one_window_of_special_tokens(tokenizer: Any, text: str) -> None:
    assert read(tokenizer, reader(tokenizer), FacetExample("0", text)) == ["[CLS] [SEP]"]


def test_windows_of_a_long_text_overlap_and_cover_every_token(tokenizer: Any) -> None:
    long = FacetExample("0", " ".join(COUNT))
    assert read(tokenizer, reader(tokenizer), long, FacetExample("1", "one")) == [
        "[CLS] one two three four five [SEP]",
        "[CLS] four five six seven eight [SEP]",
        "[CLS] seven eight nine ten eleven [SEP]",
        "[CLS] ten eleven twelve [SEP]",
        "[CLS] one [SEP]",
    ]
    windows = reader(tokenizer).encode([long, FacetExample("1", "one")])
    assert [window.example for window in windows] == [0, 0, 0, 0, 1]
    assert {window.truncated_tokens for window in windows} == {0}


def test_a_pair_stands_behind_the_first_tokens_of_the_text(tokenizer: Any) -> None:
    example = FacetExample("0", "one two three four", pair="five six")
    assert read(tokenizer, reader(tokenizer, window=8), example) == ["[CLS] one two [SEP] five six [SEP]"]
    assert [window.truncated_tokens for window in reader(tokenizer, window=8).encode([example])] == [2]


def test_each_window_of_a_long_pair_begins_with_the_text_and_lost_tokens_count_once(tokenizer: Any) -> None:
    example = FacetExample("0", "one two three", pair="four five six seven eight nine")
    made = reader(tokenizer, window=6, overlap=1)
    assert read(tokenizer, made, example) == [
        "[CLS] one two [SEP] four five six [SEP]",
        "[CLS] one two [SEP] six seven eight [SEP]",
        "[CLS] one two [SEP] eight nine [SEP]",
    ]
    assert [window.truncated_tokens for window in made.encode([example])] == [1, 0, 0]


def test_a_pair_behind_an_empty_text_stands_alone(tokenizer: Any) -> None:
    assert read(tokenizer, reader(tokenizer), FacetExample("0", "", pair="four five")) == [
        "[CLS] four five [SEP]"
    ]


def test_no_window_is_longer_than_asked_for(tokenizer: Any) -> None:
    made = reader(tokenizer, window=7, overlap=3, first=4)
    examples = [FacetExample("0", " ".join(COUNT), pair=" ".join(COUNT)), FacetExample("1", " ".join(COUNT))]
    assert max(window.num_tokens for window in made.encode(examples)) == 7 + 2


def test_marks_are_read_between_markers_wherever_they_stand(tokenizer: Any) -> None:
    made = reader(tokenizer, RELATIONS, window=20)
    (forth,) = made.encode([marked_example("the rain caused a flood", "rain", "flood")])
    assert tokenizer.decode(forth.tokens) == "[CLS] the [E1] rain [/E1] caused a [E2] flood [/E2] [SEP]"
    assert tokenizer.convert_ids_to_tokens([forth.tokens[place] for place in forth.marks]) == ["[E1]", "[E2]"]
    (back,) = made.encode([marked_example("the flood came with rain", "rain", "flood")])
    assert tokenizer.decode(back.tokens) == "[CLS] the [E2] flood [/E2] came with [E1] rain [/E1] [SEP]"
    assert tokenizer.convert_ids_to_tokens([back.tokens[place] for place in back.marks]) == ["[E1]", "[E2]"]


def test_a_long_text_with_marks_is_one_window_around_them(tokenizer: Any) -> None:
    """Of sixteen tokens with the markers, [E1] at 4 and [E2] at 8: eight tokens around their middle."""
    made = reader(tokenizer, RELATIONS, window=8)
    (window,) = made.encode([marked_example(" ".join(COUNT), "five", "seven")])
    assert tokenizer.decode(window.tokens) == "[CLS] three four [E1] five [/E1] six [E2] seven [SEP]"
    assert (window.marks, window.truncated_tokens) == ((3, 7), 8)


@pytest.mark.parametrize(
    ("first", "second", "tokens", "marks"),
    [
        ("one", "two", "[E1] one [/E1] [E2] two [/E2] three four five six", (1, 4)),
        ("eleven", "twelve", "seven eight nine ten [E1] eleven [/E1] [E2] twelve [/E2]", (5, 8)),
        ("one", "twelve", "one [/E1] two three four five six seven eight nine", (0, 0)),
    ],
)
def test_marks_at_the_ends_keep_a_full_window_and_marks_out_of_it_are_0(
    tokenizer: Any, first: str, second: str, tokens: str, marks: tuple[int, int]
) -> None:
    example = marked_example(" ".join(COUNT), first, second)
    (window,) = reader(tokenizer, RELATIONS, window=10).encode([example])
    assert tokenizer.decode(window.tokens) == f"[CLS] {tokens} [SEP]"
    assert window.marks == marks


def test_a_text_without_marks_is_read_whole_where_others_have_them(tokenizer: Any) -> None:
    windows = reader(tokenizer, RELATIONS).encode([FacetExample("0", " ".join(COUNT))])
    assert [window.marks for window in windows] == [(0, 0)] * 4
    assert [window.truncated_tokens for window in windows] == [0] * 4


def test_targets_are_the_gold_concepts_and_all_that_is_broader(tokenizer: Any) -> None:
    labels = {"topic": ("bonds",), "actors": ("savings-bank", "fund"), "product": ("mortgage",)}
    (window,) = reader(tokenizer).encode([FacetExample("0", "one", labels=labels)])
    named = [DESK.concepts[place].id for place in window.targets]
    assert named == ["markets", "bonds", "bank", "savings-bank", "fund", "loan", "house", "mortgage"]


def test_a_facet_is_unlabelled_labelled_or_out_of_scope(tokenizer: Any) -> None:
    """None of its concepts is an answer where none is needed, and out of scope where one is."""
    labels: dict[str, tuple[str, ...]] = {"topic": (), "tone": ("bad",), "place": (), "actors": ()}
    (window,) = reader(tokenizer).encode([FacetExample("0", "one", labels=labels)])
    assert window.labelled == [OUT_OF_SCOPE, LABELLED, LABELLED, LABELLED, UNLABELLED, UNLABELLED]


def test_a_number_that_is_not_labelled_is_nan(tokenizer: Any) -> None:
    windows = reader(tokenizer).encode(
        [FacetExample("0", "one", values={"score": -0.5}), FacetExample("1", "one")]
    )
    assert windows[0].values == [-0.5]
    assert [value != value for value in windows[1].values] == [True]
