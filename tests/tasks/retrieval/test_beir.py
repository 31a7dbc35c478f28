import json
from pathlib import Path
from typing import Any

import pytest

from shared.errors import ConfigError, DataError
from shared.passages import Passage
from tasks.retrieval.collection import Collection, Query
from tests.tasks.retrieval import adapter

HEADER = "query-id\tcorpus-id\tscore\n"
CORPUS = [
    {"_id": "p1", "title": "Leave", "text": "Thirty days.", "metadata": {"document": "handbook"}},
    {"_id": "p2", "title": "", "text": "Bees sleep."},
    {"_id": "p3", "title": "Bread", "text": " ", "metadata": {}},
]
QUERIES = [{"_id": "q1", "text": "how much leave"}, {"_id": "q2", "text": "bees"}, {"_id": "q3", "text": "?"}]
GRADES = "q2\tp2\t1\nq1\tp3\t0\n\nq1\tp1\t2\r\n"


def folder(place: Path, *, corpus: Any = CORPUS, queries: Any = QUERIES, **qrels: str) -> Any:
    """Write a folder with these rows and judgements, and return its adapter."""
    for name, rows in (("corpus", corpus), ("queries", queries)):
        lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        (place / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (place / "qrels").mkdir()
    for split, text in (qrels or {"train": HEADER + GRADES}).items():
        (place / "qrels" / f"{split}.tsv").write_bytes(text.encode())
    return adapter("beir", folder=str(place))


def test_a_passage_has_title_and_text_and_queries_without_judgements_are_left_out(tmp_path: Path) -> None:
    data = folder(tmp_path)
    assert data.types() == {"relevant": "relevant"}
    assert data.collection("train") == Collection(
        (
            Passage("p1", "Thirty days.", "handbook", "Leave"),
            Passage("p2", "Bees sleep."),
            Passage("p3", " ", "", "Bread"),
        ),
        (Query("q1", "how much leave", {"p3": 0, "p1": 2}), Query("q2", "bees", {"p2": 1})),
    )
    assert [passage.whole for passage in data.passages("train")] == [
        "Leave\nThirty days.",
        "Bees sleep.",
        "Bread",
    ]
    assert [path.name for path in data.files("train")] == ["corpus.jsonl", "queries.jsonl", "train.tsv"]


def test_without_a_first_stage_all_passages_are_candidates(tmp_path: Path) -> None:
    first, second = folder(tmp_path).load("train")
    assert [passage.id for passage in first.passages] == ["p1", "p2", "p3"]
    assert (first.id, first.relevant(), first.document) == ("q1", {"p1": 2}, "q1")
    assert second.gold().ranked == ("p2",)


def test_judgements_of_validation_may_be_named_dev(tmp_path: Path) -> None:
    data = folder(tmp_path, dev=HEADER + "q2\tp2\t1\n", test=HEADER + "q1\tp1\t1\n")
    assert [query.id for query in data.collection("validation").queries] == ["q2"]
    with pytest.raises(DataError) as caught:
        data.load("train")
    problem = "no train.tsv with the judgements of train; splits there: dev, test"
    assert str(caught.value) == f"{tmp_path}/qrels: {problem}"
    (tmp_path / "qrels" / "validation.tsv").write_text(HEADER + "q1\tp2\t1\n", encoding="utf-8")
    assert [query.id for query in data.collection("validation").queries] == ["q1"]


def test_a_folder_that_is_not_there_or_not_given_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"away/qrels: no validation.tsv or dev.tsv with .*; splits there: none$"
    ):
        adapter("beir", folder=str(tmp_path / "away")).load("validation")
    with pytest.raises(ConfigError, match=r"data\.folder is empty: give the folder with corpus\.jsonl"):
        adapter("beir").load("train")


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"text": "x"}, 'no "_id" with a string in \'{"text": "x"}\''),
        ({"_id": "p1", "text": "x"}, "id 'p1' stands on line 1 too"),
        ({"_id": "p 1", "text": "x"}, "id 'p 1' is empty or has white space; allowed: an id without"),
        ({"_id": "", "text": "x"}, "id '' is empty or has white space; allowed: an id without"),
        ({"_id": "p4", "title": "x"}, 'no "text" with a string in \'{"_id": "p4", "title": "x"}\''),
        (
            {"_id": "p4", "title": 7, "text": "x"},
            'no "title" with a string in \'{"_id": "p4", "title": 7, "text": "x"}\'',
        ),
        ({"_id": "p4", "title": " ", "text": ""}, "the passage is empty: neither title nor text has a word"),
        (
            {"_id": "p4", "text": "x", "metadata": "m"},
            '"metadata" is \'m\'; allowed: an object, with "document" for what it was cut from',
        ),
        ("[]", "no JSON object with \"text\" in '[]'"),
    ],
)
def test_a_passage_that_does_not_fit_is_named(tmp_path: Path, row: Any, problem: str) -> None:
    with pytest.raises(DataError) as caught:
        folder(tmp_path, corpus=[*CORPUS, row]).load("train")
    assert str(caught.value) == f"{tmp_path}/corpus.jsonl:4: {problem}"


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"_id": "q1", "text": "x"}, "id 'q1' stands on line 1 too"),
        ({"_id": "q\t4", "text": "x"}, "id 'q\\t4' is empty or has white space; allowed: an id without"),
        ({"_id": "q4", "text": " \n"}, '"text" is empty; allowed: a query with words'),
        ({"_id": "q4", "text": "x" * 100_001}, "the query has 100,001 characters; allowed: 100,000"),
    ],
)
def test_a_query_that_does_not_fit_is_named(tmp_path: Path, row: Any, problem: str) -> None:
    with pytest.raises(DataError) as caught:
        folder(tmp_path, queries=[*QUERIES, row]).load("train")
    assert str(caught.value) == f"{tmp_path}/queries.jsonl:4: {problem}"


def test_a_query_of_the_longest_length_is_read(tmp_path: Path) -> None:
    long = {"_id": "q1", "text": "x" * 100_000}
    assert len(folder(tmp_path, queries=[long, QUERIES[1]]).load("train")[0].text) == 100_000


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("q9\tp1\t1", "query 'q9' is not among the queries"),
        ("q1\tp9\t1", "passage 'p9' is not in the corpus"),
        ("q2\tp2\t0", "query 'q2' and passage 'p2' are judged twice"),
        ("q1\tp2", "2 columns in 'q1\\tp2'; allowed: 3, with tabs between"),
        ("q1 0 p2 1", "1 columns in 'q1 0 p2 1'; allowed: 3, with tabs between"),
        ("q1\tp2\t-1", "grade '-1'; allowed: a whole number from 0, for not relevant"),
        ("q1\tp2\t1.0", "grade '1.0'; allowed: a whole number from 0, for not relevant"),
        ("q1\tp2\t", "grade ''; allowed: a whole number from 0, for not relevant"),
    ],
)
def test_a_judgement_that_does_not_fit_is_named(tmp_path: Path, line: str, problem: str) -> None:
    with pytest.raises(DataError) as caught:
        folder(tmp_path, train=f"{HEADER}{GRADES}{line}\n").load("train")
    assert str(caught.value) == f"{tmp_path}/qrels/train.tsv:6: {problem}"


@pytest.mark.parametrize("header", ["", "q1\tp1\t1\n", "query-id corpus-id score\n"])
def test_judgements_without_their_header_are_named(tmp_path: Path, header: str) -> None:
    with pytest.raises(DataError) as caught:
        folder(tmp_path, train=header).load("train")
    problem = f"header {header.rstrip()!r}; allowed: query-id, corpus-id, score, with tabs between"
    assert str(caught.value) == f"{tmp_path}/qrels/train.tsv:1: {problem}"


@pytest.mark.parametrize("grades", ["", "q1\tp1\t0\n"])
def test_a_split_without_a_relevant_passage_is_named(tmp_path: Path, grades: str) -> None:
    with pytest.raises(DataError, match=r"train\.tsv: no query has a relevant passage"):
        folder(tmp_path, train=HEADER + grades).load("train")


def test_the_sample_of_dbpedia_has_its_judged_queries_alone(public_data_dir: Path) -> None:
    data = adapter("dbpedia_entity_sample", public=public_data_dir)
    collection = data.collection("test")
    assert (len(collection.passages), len(collection.queries)) == (5000, 40)
    grades = [grade for query in collection.queries for grade in query.grades.values()]
    assert [grades.count(grade) for grade in (0, 1, 2)] == [2829, 614, 266]
    assert collection.passages[0].whole.startswith("Oceanic Airlines\nOceanic Airlines and less frequently")


def test_a_set_for_test_has_no_train() -> None:
    with pytest.raises(DataError) as caught:
        adapter("dbpedia_entity_sample").load("train")
    assert str(caught.value) == (
        "dbpedia-entity-sample/datasets/dbpedia/qrels/test.tsv: DBpedia-Entity sample has no train: "
        "the set is for test only; use split=test"
    )
