import json
from typing import Any

import pytest
from omegaconf import OmegaConf

from shared.contracts import SPLITS
from shared.errors import ConfigError, DataError
from shared.passages import Passage, RankingExample
from tasks.retrieval.data import read_stream
from tests.tasks.retrieval import ROOT, adapter

BM25 = OmegaConf.load(ROOT / "conf" / "reranking" / "first_stage" / "bm25.yaml")


def read(*rows: Any) -> list[RankingExample]:
    """Return what is read from these JSON lines."""
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    return list(read_stream(lines, "jsonl", file="in.jsonl"))


def test_queries_to_predict_have_passages_as_texts_or_with_ids() -> None:
    given = {"query": "bees?", "passages": ["They sleep.", {"text": "They fly.", "id": "b"}, {"text": "No."}]}
    assert read(given, "", {"query": "vans", "passages": [], "id": 7}) == [
        RankingExample(
            "0",
            "bees?",
            (Passage("0", "They sleep."), Passage("b", "They fly."), Passage("2", "No.")),
            document="0",
        ),
        RankingExample("7", "vans", document="7"),
    ]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("{", "not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ({"passages": ["x"]}, 'no "query" with a string in \'{"passages": ["x"]}\''),
        ({"query": " ", "passages": ["x"]}, '"query" is empty; allowed: a query with words'),
        (
            {"query": "x" * 100_001, "passages": ["x"]},
            "the query has 100,001 characters; allowed: 100,000",
        ),
        ({"query": "q"}, 'no "passages" with a list of texts or of {"text", "id"?}'),
        ({"query": "q", "passages": "x"}, 'no "passages" with a list of texts or of {"text", "id"?}'),
        ({"query": "q", "passages": ["x", " "]}, "passage '1' is empty"),
        ({"query": "q", "passages": [7]}, 'no "text" with a string in \'{"text": 7}\''),
        ({"query": "q", "passages": [{"id": "a"}]}, 'no "text" with a string in \'{"id": "a"}\''),
        (
            {"query": "q", "passages": [{"id": "a b", "text": "x"}]},
            "id 'a b' is empty or has white space; allowed: an id without",
        ),
        (
            {"query": "q", "passages": [{"id": "1", "text": "x"}, "y"]},
            "passage id '1' stands twice in the row",
        ),
    ],
)
def test_a_row_that_cannot_be_predicted_is_named(row: Any, problem: str) -> None:
    with pytest.raises(DataError) as caught:
        read({"query": "q", "passages": ["x"]}, row)
    assert str(caught.value) == f"in.jsonl:2: {problem}"


@pytest.mark.parametrize("format", ["text", "conll"])
def test_another_format_than_json_lines_is_refused_before_a_line_is_read(format: str) -> None:
    with pytest.raises(ConfigError, match=rf"^predict\.format={format} is not read .* orders passages for a"):
        read_stream([], format, file="in.txt")


def test_candidates_are_the_best_of_the_first_stage() -> None:
    examples = adapter("sample", stage=BM25, depth=3).load("validation")
    assert all(len(example.passages) == len(example.first) == 3 for example in examples)
    assert all(list(example.first) == sorted(example.first, reverse=True) for example in examples)
    assert examples[0].passages[0].id == "tarnholm-handbook-6"


def test_a_depth_of_zero_is_all_passages_and_less_is_refused() -> None:
    assert [len(example.passages) for example in adapter("sample", depth=0).load("test")] == [54] * 12
    with pytest.raises(ConfigError, match=r"data\.depth=-1; allowed: 0, for all passages, or more"):
        adapter("sample", depth=-1).load("test")


def test_the_sample_has_short_passages_and_queries_of_its_own_for_each_split() -> None:
    splits = {split: adapter("sample").collection(split) for split in SPLITS}
    assert [len(part.queries) for part in splits.values()] == [24, 12, 12]
    passages = splits["train"].passages
    assert all(part.passages == passages for part in splits.values())
    assert len(passages) == len({passage.text for passage in passages}) == 54
    assert len({passage.document for passage in passages}) == 6
    assert all(30 <= len(passage.text.split()) <= 80 for passage in passages)
    queries = [query.text for part in splits.values() for query in part.queries]
    assert len(set(queries)) == len(queries)


def test_no_passage_of_the_sample_is_relevant_in_two_splits() -> None:
    relevant = [
        {name for query in adapter("sample").load(split) for name in query.relevant()} for split in SPLITS
    ]
    assert [len(part) for part in relevant] == [23, 12, 12]
    assert len(set().union(*relevant)) == 47


def test_bm25_finds_each_passage_of_the_samples_validation_by_its_queries() -> None:
    for example in adapter("sample", stage=BM25, depth=1).load("validation"):
        assert [passage.id for passage in example.passages] == list(example.relevant()), example.text
