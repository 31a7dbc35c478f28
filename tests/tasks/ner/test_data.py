from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from shared.compose import compose_run
from shared.contracts import SPLITS
from shared.errors import ConfigError, DataError
from shared.examples import Span, SpanExample
from tasks.ner.data import read_stream


def composed(name: str, *overrides: str) -> Any:
    return compose_run("ner", [f"data={name}", *overrides]).data


def own(name: str, folder: Path, *overrides: str, **splits: str) -> Any:
    """Return the adapter `name` on files with these contents."""
    for split, content in splits.items():
        (folder / split).write_text(content, encoding="utf-8")
    return composed(name, *(f"data.{split}='{folder / split}'" for split in splits), *overrides)


def labels(examples: Iterable[SpanExample]) -> Counter[str]:
    return Counter(span.label for example in examples for span in example.spans)


@pytest.mark.parametrize(
    ("split", "sentences", "documents", "entities"),
    [
        ("train", 3262, 135, {"PER": 821, "LOC": 966, "ORG": 2026}),
        ("validation", 402, 24, {"PER": 138, "LOC": 193, "ORG": 274}),
        ("test", 1075, 42, {"PER": 284, "LOC": 300, "ORG": 544}),
    ],
)
def test_finer_ord_has_the_published_sizes(
    public_data_dir: Path, split: str, sentences: int, documents: int, entities: dict[str, int]
) -> None:
    examples = composed("finer_ord", f"data_dir='{public_data_dir}'").load(split)
    assert len(examples) == len({example.id for example in examples}) == sentences
    assert len({example.document for example in examples}) == documents
    assert labels(examples) == entities


def test_finer_ord_keeps_the_word_none(public_data_dir: Path) -> None:
    """A reader of tables takes it for a missing value."""
    examples = composed("finer_ord", f"data_dir='{public_data_dir}'").load("train")
    assert sum(example.text.split(" ").count("None") for example in examples) == 1


def test_finer_ord_warns_of_dangling_tags(public_data_dir: Path) -> None:
    report = composed("finer_ord", f"data_dir='{public_data_dir}'").report().splitlines()
    assert "train: 20 tags continue no entity and count as O" in report
    assert "validation: 4 tags continue no entity and count as O" in report


@pytest.mark.parametrize(
    ("split", "sentences", "entities"),
    [("train", 3394, 1975), ("validation", 1009, 836), ("test", 1287, 1079)],
)
def test_wnut17_has_the_published_sizes(
    public_data_dir: Path, split: str, sentences: int, entities: int
) -> None:
    adapter = composed("wnut17", f"data_dir='{public_data_dir}'")
    examples = adapter.load(split)
    assert len(examples) == len({example.document for example in examples}) == sentences
    assert labels(examples).total() == entities
    assert set(labels(examples)) == set(adapter.types())


def test_conll_files_become_examples_with_documents(tmp_path: Path) -> None:
    content = "-DOCSTART- O\n\nAda B-PER\nLovelace I-PER\n\nleft O\n\n-DOCSTART- O\n\nAcme B-ORG\n"
    adapter = own("conll", tmp_path, train=content)
    assert adapter.load("train") == [
        SpanExample("train-0", "Ada Lovelace", (Span(0, 12, "PER"),), ((0, 3), (4, 12)), "train-document-0"),
        SpanExample("train-1", "left", (), ((0, 4),), "train-document-0"),
        SpanExample("train-2", "Acme", (Span(0, 4, "ORG"),), ((0, 4),), "train-document-1"),
    ]


def test_conll_sentences_are_documents_where_none_are_marked(tmp_path: Path) -> None:
    adapter = own("conll", tmp_path, train="Ada B-PER\n\nleft O\n")
    assert [example.document for example in adapter.load("train")] == ["train-0", "train-1"]


def test_conll_text_before_the_first_docstart_is_in_no_marked_document(tmp_path: Path) -> None:
    adapter = own("conll", tmp_path, train="a O\n\n-DOCSTART- O\n\nb O\n")
    before, marked = adapter.load("train")
    assert before.document != marked.document


def test_conll_reads_the_scheme_it_is_told(tmp_path: Path) -> None:
    adapter = own("conll", tmp_path, "data.scheme=BIOES", train="Ada B-PER\nLovelace E-PER\n\nAcme S-ORG\n")
    assert labels(adapter.load("train")) == {"PER": 1, "ORG": 1}
    with pytest.raises(DataError, match=r"train:2: unknown tag 'E-PER'; IOB2 allows B-LABEL, I-LABEL, O"):
        composed("conll", f"data.train='{tmp_path}/train'").load("train")


def test_conll_warns_of_dangling_tags(tmp_path: Path) -> None:
    adapter = own("conll", tmp_path, train="Ada I-PER\nleft O\nAcme I-ORG\n", validation="Ada B-PER\n")
    report = adapter.report().splitlines()
    assert "train: 2 tags continue no entity and count as O" in report
    assert not any(line.startswith("validation: ") for line in report)


ROW = '{{"text": "Acme rose", "spans": [{{"start": 0, "end": 4, "label": "{}"}}]}}\n'
OWN = {"conll": "Acme B-{}\nrose O\n\n", "jsonl": ROW}


@pytest.mark.parametrize("name", OWN)
def test_labels_are_those_that_train_shows_in_plain_words(tmp_path: Path, name: str) -> None:
    content = OWN[name].format("stock_ticker") + OWN[name].format("Creative-Work")
    types = own(name, tmp_path, train=content).types()
    assert list(types.items()) == [("Creative-Work", "creative work"), ("stock_ticker", "stock ticker")]


@pytest.mark.parametrize("name", OWN)
def test_labels_that_are_given_win_and_may_be_absent_from_train(tmp_path: Path, name: str) -> None:
    splits = {"train": OWN[name].format("ORG"), "test": OWN[name].format("LOC")}
    adapter = own(name, tmp_path, "+data.labels={ORG: firm, LOC: place}", **splits)
    assert adapter.types() == {"ORG": "firm", "LOC": "place"}
    assert labels(adapter.load("test")) == {"LOC": 1}


@pytest.mark.parametrize(
    ("name", "line", "problem"), [("conll", 4, "unknown tag 'B-ORGS'"), ("jsonl", 2, "unknown label 'ORGS'")]
)
def test_a_label_that_train_never_shows_is_named_with_its_line(
    tmp_path: Path, name: str, line: int, problem: str
) -> None:
    splits = {
        "train": OWN[name].format("ORG"),
        "validation": OWN[name].format("ORG") + OWN[name].format("ORGS"),
    }
    with pytest.raises(DataError) as caught:
        own(name, tmp_path, **splits).load("validation")
    assert str(caught.value) == f"{tmp_path}/validation:{line}: {problem} (did you mean 'ORG'?); labels: ORG"


@pytest.mark.parametrize("name", OWN)
def test_a_label_in_train_that_is_not_among_those_given_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=r"train:1: unknown .*; labels: ORG"):
        own(name, tmp_path, "+data.labels={ORG: firm}", train=OWN[name].format("LOC")).load("train")


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("content", ["", "\n\n"])
def test_a_file_without_an_example_is_refused(tmp_path: Path, name: str, content: str) -> None:
    with pytest.raises(DataError, match="train: the file holds no example"):
        own(name, tmp_path, train=content).load("train")


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("split", SPLITS)
def test_a_split_without_a_path_says_which_setting_to_give(tmp_path: Path, name: str, split: str) -> None:
    others = {other: OWN[name].format("ORG") for other in SPLITS if other != split}
    with pytest.raises(ConfigError, match=f"data.{split} is empty: give the file, as data.{split}="):
        own(name, tmp_path, **others).load(split)


@pytest.mark.parametrize("name", OWN)
def test_a_path_without_a_file_is_a_data_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="none: cannot be read: No such file"):
        composed(name, f"data.train='{tmp_path}/none'").load("train")


def test_a_stream_of_text_gives_one_example_a_line() -> None:
    found = read_stream(["Ada left\r\n", "\n", "Acme"], "text", file="a")
    assert list(found) == [
        SpanExample("0", "Ada left", (), ((0, 3), (4, 8)), "0"),
        SpanExample("1", "", (), (), "1"),
        SpanExample("2", "Acme", (), ((0, 4),), "2"),
    ]


def test_a_stream_of_json_keeps_ids_and_names_a_bad_line() -> None:
    found = read_stream(['{"text": "Ada", "id": "x"}\n', '{"text": "Bo"}\n', "Cy\n"], "jsonl", file="a")
    assert next(found) == SpanExample("x", "Ada", (), ((0, 3),), "x")
    assert next(found) == SpanExample("1", "Bo", (), ((0, 2),), "1")
    with pytest.raises(DataError, match="a:3: not JSON"):
        next(found)


@pytest.mark.parametrize(
    "lines",
    [
        ["Ada B-PER\n", "left O\n", "\n", "Acme O\n"],
        ["\n", "Ada\r\n", "left\r\n", "\r\n", "\r\n", "Acme\r\n", "\r\n"],
    ],
    ids=["with tags", "words alone"],
)
def test_a_stream_of_words_gives_one_example_a_block(lines: list[str]) -> None:
    assert list(read_stream(lines, "conll", file="a")) == [
        SpanExample("0", "Ada left", (), ((0, 3), (4, 8)), "0"),
        SpanExample("1", "Acme", (), ((0, 4),), "1"),
    ]


def test_a_stream_of_columns_keeps_its_documents_together() -> None:
    lines = ["Ada O\n", "-DOCSTART- O\n", "Bo O\n", "\n", "Cy O\n", "-DOCSTART- O\n", "\n", "Di O\n"]
    examples = list(read_stream(lines, "conll", file="a"))
    assert [(example.id, example.text) for example in examples] == list(
        zip("0123", ["Ada", "Bo", "Cy", "Di"], strict=True)
    )
    ada, bo, cy, di = (example.document for example in examples)
    assert bo == cy and len({ada, bo, di}) == 3


def test_docstart_is_no_word_of_a_stream() -> None:
    lines = ["-DOCSTART- -X- O\n", "\n", "Ada B-PER\n"]
    assert [example.text for example in read_stream(lines, "conll", file="a")] == ["Ada"]


@pytest.mark.parametrize("format", ["text", "jsonl", "conll"])
def test_a_stream_is_read_no_further_than_the_example_asked_for(format: str) -> None:
    lines = iter({"text": ["a\n"], "jsonl": ['{"text": "a"}\n'], "conll": ["a\n", "\n"]}[format] + ["rest\n"])
    assert next(read_stream(lines, format, file="a")).text == "a"
    assert list(lines) == ["rest\n"]
