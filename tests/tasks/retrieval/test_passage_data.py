import json
from pathlib import Path
from typing import Any

import pytest

from shared.contracts import SPLITS
from shared.errors import ConfigError, DataError
from shared.passages import QueryExample
from tasks.retrieval.passage_data import read_passages
from tests.tasks.retrieval import adapter


def test_passages_of_a_collection_come_with_the_queries_they_are_relevant_to(tmp_path: Path) -> None:
    corpus = [
        {"_id": "p1", "text": "Bees.", "metadata": {"document": "d"}},
        {"_id": "p2", "text": "Vans."},
        {"_id": "p3", "text": "Bread."},
    ]
    queries = [{"_id": "q1", "text": "insects?"}, {"_id": "q2", "text": "what flies"}]
    for name, rows in (("corpus", corpus), ("queries", queries)):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    (tmp_path / "qrels").mkdir()
    grades = "query-id\tcorpus-id\tscore\nq1\tp1\t1\nq2\tp1\t2\nq2\tp2\t0\nq2\tp3\t1\n"
    (tmp_path / "qrels" / "train.tsv").write_text(grades, encoding="utf-8")
    data = adapter("beir", task="query_generation", source={"folder": str(tmp_path)})
    assert data.types() == {"query": "query"}
    assert data.load("train") == [
        QueryExample("p1", "Bees.", ("insects?", "what flies"), "d"),
        QueryExample("p3", "Bread.", ("what flies",), "p3"),
    ]
    assert len(data.collection("train").passages) == 3
    assert [path.name for path in data.files("train")] == ["corpus.jsonl", "queries.jsonl", "train.tsv"]


def test_a_folder_that_is_not_given_and_a_wrong_setting_are_named() -> None:
    with pytest.raises(ConfigError, match=r"or data\.source\.folder for the task query_generation"):
        adapter("beir", task="query_generation").load("train")
    with pytest.raises(ConfigError, match=r"data\.source\.foldr is unknown \(did you mean 'folder'\?\)"):
        adapter("beir", task="query_generation", source={"foldr": "x"}).load("train")


def test_no_passage_of_the_sample_has_queries_in_two_splits() -> None:
    parts = [adapter("sample", task="query_generation").load(split) for split in SPLITS]
    assert [len(part) for part in parts] == [23, 12, 12]
    assert len({example.id for part in parts for example in part}) == 47


def test_tables_and_paragraphs_of_tat_qa_have_queries(public_data_dir: Path) -> None:
    data = adapter("tat_qa", task="query_generation", public=public_data_dir)
    train, held_out = data.load("train"), data.load("validation")
    assert (len(train), len(held_out)) == (607, 164)
    assert not {example.id for example in train} & {example.id for example in held_out}


def test_passages_to_predict_are_a_line_of_text_each_or_json() -> None:
    assert list(read_passages(["Bees.\r\n", " Vans"], "text", file="-")) == [
        QueryExample("0", "Bees.", document="0"),
        QueryExample("1", " Vans", document="1"),
    ]
    rows = ['{"text": "Bees."}\n', "\n", '{"text": "Vans", "id": "v", "document": "d"}\n']
    assert list(read_passages(rows, "jsonl", file="-")) == [
        QueryExample("0", "Bees.", document="0"),
        QueryExample("v", "Vans", document="d"),
    ]


@pytest.mark.parametrize(
    ("line", "format", "problem"),
    [
        (" \n", "text", "the passage is empty"),
        ('{"text": ""}', "jsonl", "the passage is empty"),
        ('{"passage": "x"}', "jsonl", 'no "text" with a string in \'{"passage": "x"}\''),
    ],
)
def test_a_passage_that_cannot_be_predicted_is_named(line: str, format: str, problem: str) -> None:
    good: dict[str, Any] = {"text": "Bees.\n", "jsonl": '{"text": "Bees."}\n'}
    with pytest.raises(DataError) as caught:
        list(read_passages([good[format], line], format, file="in"))
    assert str(caught.value) == f"in:2: {problem}"


def test_another_format_is_refused() -> None:
    with pytest.raises(
        ConfigError, match=r"predict\.format=conll is not read by this task; formats: text, jsonl"
    ):
        list(read_passages(["x"], "conll", file="-"))
