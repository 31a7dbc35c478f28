import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from shared.compose import compose_run
from shared.contracts import SPLITS
from shared.errors import ConfigError, DataError
from shared.examples import FacetExample, Span
from shared.ontology import Cardinality, read_ontology_row
from tasks.ontology.data import read_stream
from tasks.ontology.opinions import _levels, _read_list
from tasks.ontology.relations import read_blocks
from tasks.ontology.splits import divide, folded, named, same_text

PUBLIC = {
    "banking77": (8981, 993, 3080),
    "clinc_oos": (15100, 3100, 5500),
    "clinc_oos_imbalanced": (10625, 3100, 5500),
    "fiqa_absa": (813, 141, 219),
    "semeval2010_task8": (7200, 800, 2717),
    "subjective_qa": (1944, 205, 550),
    "fibo": (209, 30, 60),
}
APART = sorted(set(PUBLIC) - {"clinc_oos", "clinc_oos_imbalanced"})  # whose validation split is ours


def public(name: str, folder: Path) -> Any:
    return compose_run("ontology", [f"data={name}", f"data_dir='{folder}'"]).data


def counts(examples: list[FacetExample], facet: str) -> Counter[tuple[str, ...]]:
    return Counter(example.labels[facet] for example in examples if facet in example.labels)


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_set_has_fixed_sizes_and_ids_and_labels_of_its_ontology(
    public_data_dir: Path, name: str
) -> None:
    data = public(name, public_data_dir)
    ontology = read_ontology_row(data.types())
    splits = {split: data.load(split) for split in SPLITS}
    assert tuple(map(len, splits.values())) == PUBLIC[name]
    ids = [example.id for examples in splits.values() for example in examples]
    assert len(set(ids)) == len(ids)
    for split, examples in splits.items():
        assert all(example.id.startswith(f"{split}-") and example.document for example in examples)
        for example in examples:
            assert example.text
            for facet, concepts in example.labels.items():
                assert all(ontology.concepts[ontology.index[concept]].facet == facet for concept in concepts)


@pytest.mark.parametrize("name", APART)
def test_a_validation_split_of_ours_shares_no_text_and_no_document_with_train(
    public_data_dir: Path, name: str
) -> None:
    data = public(name, public_data_dir)
    train, validation = data.load("train"), data.load("validation")
    assert not {same_text(item) for item in train} & {same_text(item) for item in validation}
    documents = [{item.document.partition("-")[2] for item in part} for part in (train, validation)]
    assert not documents[0] & documents[1]
    assert [item.id for item in data.load("validation")] == [item.id for item in validation]


@pytest.mark.parametrize("name", ["banking77", "subjective_qa"])
def test_a_text_of_test_stands_in_no_other_split(public_data_dir: Path, name: str) -> None:
    data = public(name, public_data_dir)
    texts = {same_text(item) for item in data.load("test")}
    assert not [item.id for split in SPLITS[:2] for item in data.load(split) if same_text(item) in texts]


def test_banking77_mends_white_space_and_counts_what_it_leaves_out(public_data_dir: Path) -> None:
    data = public("banking77", public_data_dir)
    queries = [item for split in SPLITS for item in data.load(split)]
    assert not [item.id for item in queries if item.text != item.text.strip() or "\n" in item.text]
    assert len(counts(queries, "intent")) == len(data.ontology().concepts) == 77
    label = data.ontology().concepts[data.ontology().index["Refund_not_showing_up"]].label
    assert label == "Refund not showing up"
    assert counts(data.load("test"), "intent")["card_arrival",] == 40
    report = data.report().splitlines()
    assert "removed from train and validation: 29 texts that stand in test" in report
    assert "repeated texts: 30 within train, 0 of validation stand in train" in report


def test_banking77_holds_out_a_tenth_of_each_intent(public_data_dir: Path) -> None:
    data = public("banking77", public_data_dir)
    train, validation = (counts(data.load(split), "intent") for split in SPLITS[:2])
    for intent, count in validation.items():
        assert 0.05 < count / (count + train[intent]) < 0.15


@pytest.mark.parametrize(
    ("name", "least"),
    [("clinc_oos", {100: 150}), ("clinc_oos_imbalanced", {25: 30, 50: 30, 75: 29, 100: 61})],
)
def test_clinc_has_queries_out_of_scope_in_every_split(
    public_data_dir: Path, name: str, least: dict[int, int]
) -> None:
    data = public(name, public_data_dir)
    assert [counts(data.load(split), "intent")[()] for split in SPLITS] == [100, 100, 1000]
    train = counts(data.load("train"), "intent")
    assert Counter(count for concepts, count in train.items() if concepts) == least
    assert all(count == 30 for concepts, count in counts(data.load("test"), "intent").items() if concepts)


def test_clinc_is_a_tree_of_ten_domains(public_data_dir: Path) -> None:
    ontology = public("clinc_oos", public_data_dir).ontology()
    assert Counter(ontology.depth.values()) == {0: 10, 1: 150}
    assert "intent" in ontology.trees
    assert ontology.path("report_lost_card") == "credit cards > report lost card"


def test_fiqa_mends_its_aspects_and_keeps_all_levels(public_data_dir: Path) -> None:
    data = public("fiqa_absa", public_data_dir)
    ontology = data.ontology()
    assert Counter(ontology.depth.values()) == {0: 4, 1: 28, 2: 59, 3: 23, 4: 5}
    assert [facet.cardinality for facet in ontology.facets] == [Cardinality.exactly_one, Cardinality.number]
    report = data.report().splitlines()
    assert "repaired: 2 lists of aspects without a closing quote, read as one aspect" in report
    assert "cut short: 1 annotations with several aspects, of which the first counts" in report
    assert {item.labels["aspect"] for item in data.load("train") if item.id == "train-headline-7-0"} == {
        ("Corporate/Risks",)
    }


def test_fiqa_has_its_documents_targets_and_scores(public_data_dir: Path) -> None:
    data = public("fiqa_absa", public_data_dir)
    splits = {split: data.load(split) for split in SPLITS}
    kinds = {split: Counter(item.document.split("-")[1] for item in items) for split, items in splits.items()}
    assert kinds["train"] + kinds["validation"] == {"headline": 379, "post": 575}
    assert kinds["test"] == {"headline": 119, "post": 100}
    assert len({item.document for item in splits["test"]}) == 200
    values = [item.values["sentiment"] for items in splits.values() for item in items]
    assert (min(values), max(values)) == (-0.938, 0.975)
    assert all(item.pair for items in splits.values() for item in items)


def test_an_aspect_that_training_never_shows_becomes_the_deepest_known_one(public_data_dir: Path) -> None:
    data = public("fiqa_absa", public_data_dir)
    given = [item.aspects[0] for item in data._annotations("test")]
    gold = [item.labels["aspect"][0] for item in data.load("test")]
    moved = [(path, label) for path, label in zip(given, gold, strict=True) if path != label]
    assert len(moved) == 15
    assert all(path.startswith(f"{label}/") for path, label in moved)


@pytest.mark.parametrize(
    ("given", "levels"),
    [
        ("Corporate/M&A/M&A", ["Corporate", "M&A"]),
        ("Corporate/M&A/", ["Corporate", "M&A"]),
        ("Market/Market", ["Market", "Market"]),
        ("Stock/Signal/hold signal", ["Stock", "Signal", "Hold signal"]),
        ("Stock/Mood/Gloomy Behaviour", ["Stock", "Mood", "Gloomy Behavior"]),
    ],
)
def test_an_aspect_has_one_spelling(given: str, levels: list[str]) -> None:
    assert _levels(given) == levels


@pytest.mark.parametrize(
    ("cell", "texts", "repaired"),
    [("['A/B', 'C']", ["A/B", "C"], False), ("['A/B]", ["A/B"], True), ('["A/B\'s"]', ["A/B's"], False)],
)
def test_a_list_without_its_closing_quote_is_one_text(cell: str, texts: list[str], repaired: bool) -> None:
    assert _read_list(cell) == (texts, repaired)


def test_semeval_has_the_published_labels(public_data_dir: Path) -> None:
    data = public("semeval2010_task8", public_data_dir)
    labels = [counts(data.load(split), "relation") for split in SPLITS]
    upstream = labels[0] + labels[1]
    assert len(upstream) == len(labels[2]) == 19
    assert upstream["Other",] == 1410 and labels[2]["Other",] == 454
    assert upstream["Cause-Effect(e1,e2)",] + upstream["Cause-Effect(e2,e1)",] == 1003
    assert upstream["Entity-Destination(e2,e1)",] == labels[0]["Entity-Destination(e2,e1)",] == 1
    assert len(data.ontology().concepts) == 1 + 9 * 3 and len(data.ontology().relations) == 9


def test_semeval_marks_are_the_tagged_words(public_data_dir: Path) -> None:
    for example in public("semeval2010_task8", public_data_dir).load("validation"):
        assert "<e" not in example.text and not example.text.startswith('"')
        assert [mark.label for mark in example.marks] == ["e1", "e2"]
        for mark in example.marks:
            assert example.text[mark.start : mark.end].strip() == example.text[mark.start : mark.end] != ""


BLOCK = '7\t"The <e1>storm </e1>broke a <e2>mast</e2>."\r\nCause-Effect(e1,e2)\r\nComment: wind\r\n\r\n'


def test_a_block_of_a_relation_becomes_an_example(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(BLOCK.encode())
    marks = (Span(4, 9, "e1"), Span(18, 22, "e2"))
    assert read_blocks(tmp_path / "a.txt") == [
        FacetExample(
            "7", "The storm broke a mast.", marks=marks, labels={"relation": ("Cause-Effect(e1,e2)",)}
        )
    ]


def test_a_block_that_is_none_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(BLOCK.encode() + b'8\t"No tag."\r\nOther\r\nComment:\r\n\r\n')
    with pytest.raises(DataError, match=r"a.txt:5: .*No tag.*; expected number TAB"):
        read_blocks(tmp_path / "a.txt")


def test_subjective_qa_has_six_facets_and_leaves_a_letter_unlabelled(public_data_dir: Path) -> None:
    data = public("subjective_qa", public_data_dir)
    assert [facet.id for facet in data.ontology().facets] == [
        "clear",
        "assertive",
        "cautious",
        "optimistic",
        "specific",
        "relevant",
    ]
    assert data.ontology().concepts[0].text == "not clear: the answer is the opposite of clear"
    report = data.report().splitlines()
    assert "removed from train and validation: 546 pairs that stand in test" in report
    assert "unlabelled: 1 cells of the workbooks that are not 0, 1 or 2" in report
    assert all(len(item.labels) == 6 and item.pair for item in data.load("test"))


def test_subjective_qa_holds_out_whole_calls(public_data_dir: Path) -> None:
    data = public("subjective_qa", public_data_dir)
    train, validation = ({item.document for item in data.load(split)} for split in SPLITS[:2])
    assert (len(train), len(validation)) == (106, 12)
    assert "validation-ANET-Q1-2020" in validation


def test_no_held_out_class_of_fibo_stands_among_its_concepts(public_data_dir: Path) -> None:
    data = public("fibo", public_data_dir)
    ontology = data.ontology()
    texts = {concept.text for concept in ontology.concepts}
    assert len(ontology.concepts) == 176
    assert {split: len({item.text for item in data.load(split)} & texts) for split in SPLITS} == {
        "train": 76,
        "validation": 0,
        "test": 0,
    }
    assert sum(":" not in item.text for split in SPLITS for item in data.load(split)) == 29
    assert "imports not followed: 78" in data.report()


def example(id: str, text: str, *, document: str = "", label: str = "a") -> FacetExample:
    return FacetExample(id, text, labels={"facet": (label,)}, document=document)


def test_case_and_punctuation_do_not_make_another_text() -> None:
    assert folded("It's OK, re-send!") == folded("its ok resend") == "itsokresend"
    assert folded("?!") == "?!"


def test_texts_and_documents_that_are_linked_stay_together() -> None:
    """0 and 1 share a text, 1 and 2 a document, 3 and 4 nothing: three groups, a third of them held out."""
    examples = [
        example("0", "Rates up", document="a"),
        example("1", "rates up!", document="b"),
        example("2", "Oil down", document="b"),
        example("3", "Gold flat", document="c"),
        example("4", "Gold up", document="d"),
    ]
    validation = divide(examples, "validation", share=1 / 3, stratum=lambda _: "")
    train = divide(examples, "train", share=1 / 3, stratum=lambda _: "")
    assert sorted(item.id for item in [*train, *validation]) == ["0", "1", "2", "3", "4"]
    assert [item.id for item in validation] in (["0", "1", "2"], ["3"], ["4"])


def test_each_stratum_gives_its_share() -> None:
    examples = [example(str(n), f"text {n}", label="ab"[n % 2]) for n in range(40)]
    held = divide(examples, "validation", share=0.1, stratum=lambda item: item.labels["facet"][0])
    assert counts(held, "facet") == {("a",): 2, ("b",): 2}


def test_names_carry_the_split_and_a_lone_text_is_its_document() -> None:
    found = named([example("3", "x"), example("4", "y", document="d")], "train")
    assert [(item.id, item.document) for item in found] == [("train-3", "train-3"), ("train-4", "train-d")]


def test_a_stream_of_text_gives_one_example_a_line() -> None:
    found = read_stream(["Rates up\r\n", "\n", "Oil"], "text", file="a")
    assert list(found) == [
        FacetExample("0", "Rates up", document="0"),
        FacetExample("1", "", document="1"),
        FacetExample("2", "Oil", document="2"),
    ]


def test_a_stream_of_json_keeps_ids_pairs_and_marks() -> None:
    marks = [{"start": 0, "end": 4, "label": "e1"}, {"start": 11, "end": 15, "label": "e2"}]
    lines = [
        json.dumps({"text": "Acme bought Bolt", "marks": marks, "id": "x"}),
        "\n",
        '{"text": "Rates?", "pair": "Up."}\n',
        "Oil\n",
    ]
    found = read_stream(lines, "jsonl", file="a")
    assert next(found) == FacetExample(
        "x", "Acme bought Bolt", marks=(Span(0, 4, "e1"), Span(11, 15, "e2")), document="x"
    )
    assert next(found) == FacetExample("2", "Rates?", pair="Up.", document="2")
    with pytest.raises(DataError, match="a:4: not JSON"):
        next(found)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"txt": "a"}, 'no "text" with a string'),
        ({"text": 3}, 'no "text" with a string'),
        ([1], 'no JSON object with "text"'),
        ({"text": "a\ud800"}, "half of a surrogate pair at character 1"),
        ({"text": "a", "marks": "e1"}, "\"marks\" is 'e1'; expected a list such as"),
        ({"text": "a", "marks": [{"start": 0, "end": 1, "label": "e1"}]}, "has e1; expected e1, then e2"),
        ({"text": "a", "marks": [{"start": 0, "end": 2, "label": "e1"}]}, "mark 0 to 2 .* outside its text"),
        ({"text": "a", "marks": [{"start": "0", "end": 1, "label": "e1"}]}, "mark {'start': '0'.*; expected"),
    ],
)
def test_a_stream_of_json_names_a_bad_line(row: Any, problem: str) -> None:
    with pytest.raises(DataError, match=f"a:1: .*{problem}"):
        list(read_stream([json.dumps(row)], "jsonl", file="a"))


def test_a_stream_in_another_format_is_refused() -> None:
    with pytest.raises(
        ConfigError, match=r"predict.format=conll is not read by this task; formats: text, jsonl"
    ):
        list(read_stream(["a"], "conll", file="a"))


def test_a_stream_is_read_no_further_than_the_example_asked_for() -> None:
    lines = iter(["a\n", "rest\n"])
    assert next(read_stream(lines, "text", file="a")).text == "a"
    assert list(lines) == ["rest\n"]


@pytest.mark.parametrize(("split", "size"), [("train", 240), ("validation", 60), ("test", 60)])
def test_the_sample_has_every_label_unlabelled_facets_and_notes_out_of_scope(split: str, size: int) -> None:
    data: Any = compose_run("ontology", []).data
    notes, ontology = data.load(split), data.ontology()
    assert len(notes) == size
    assert counts(notes, "topic")[()] >= 5
    for facet in ontology.facets:
        assert any(facet.id not in note.labels for note in notes)
        leaves = {concept.id for concept in ontology.concepts if concept.facet == facet.id} - {
            parent for concept in ontology.concepts for parent in concept.broader
        }
        assert {item for note in notes for item in note.labels.get(facet.id, ())} == leaves


def test_no_note_of_the_sample_stands_twice() -> None:
    data: Any = compose_run("ontology", []).data
    texts = [same_text(note) for split in SPLITS for note in data.load(split)]
    assert len(texts) == len(set(texts)) == 360


def test_the_sample_breaks_no_rule_of_its_ontology() -> None:
    data = compose_run("ontology", []).data
    for note in (note for split in SPLITS for note in data.load(split)):
        if {"topic", "actors"} <= set(note.labels) and note.labels["topic"] == ("policy",):
            assert "central_bank" in note.labels["actors"]
