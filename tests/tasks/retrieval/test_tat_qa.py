import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from shared.errors import ConfigError, DataError
from shared.passages import Passage
from tasks.retrieval.collection import Collection, Query
from tests.tasks.retrieval import adapter


def context(name: str, *questions: dict[str, Any]) -> dict[str, Any]:
    """Return a context with a small table and two paragraphs; questions are numbered from 1."""
    return {
        "table": {"uid": name, "table": [["", " 2019 "], ["", ""], ["Sales", "7"]]},
        "paragraphs": [{"order": 1, "text": "Sales rose."}, {"order": 2, "text": "Costs fell."}],
        "questions": [{"order": order, **question} for order, question in enumerate(questions, 1)],
    }


def asked(text: str, answer_from: str, *relevant: str) -> dict[str, Any]:
    """Return a question as upstream writes it."""
    return {"question": text, "answer_from": answer_from, "rel_paragraphs": list(relevant)}


def pinned(folder: Path, name: str, contexts: list[dict[str, Any]]) -> dict[str, str]:
    """Write a file of contexts and return what pins it."""
    content = json.dumps(contexts).encode()
    (folder / name).write_bytes(content)
    return {"local": name, "sha256": hashlib.sha256(content).hexdigest(), "url": "http://127.0.0.1:9"}


def test_paragraphs_and_the_table_are_passages_and_what_answers_is_relevant(tmp_path: Path) -> None:
    contexts = [
        context("b", asked("Sales?", "table")),
        context("a", asked("Why?", "table-text", "2"), asked("What fell?", "text", "1", "2")),
    ]
    data = adapter("tat_qa", public=tmp_path, test=pinned(tmp_path, "gold.json", contexts))
    assert data.collection("test") == Collection(
        (
            Passage("0-t", "2019\nSales | 7", "0"),
            Passage("0-1", "Sales rose.", "0"),
            Passage("0-2", "Costs fell.", "0"),
            Passage("1-t", "2019\nSales | 7", "1"),
            Passage("1-1", "Sales rose.", "1"),
            Passage("1-2", "Costs fell.", "1"),
        ),
        (
            Query("0-q1", "Sales?", {"0-t": 1}, "0"),
            Query("1-q1", "Why?", {"1-t": 1, "1-2": 1}, "1"),
            Query("1-q2", "What fell?", {"1-1": 1, "1-2": 1}, "1"),
        ),
    )


def test_a_question_with_nothing_relevant_is_left_out_and_counted(tmp_path: Path) -> None:
    contexts = [context(name, asked("Sales?", "table"), asked("Who?", "text")) for name in "abcde"]
    data = adapter("tat_qa", public=tmp_path, train=pinned(tmp_path, "dev.json", contexts))
    assert len(data.load("train")) == 4
    assert len(data.load("validation")) == 1
    assert data.report().splitlines()[-1] == "questions left out, as nothing is relevant: 5"


def test_it_has_the_published_sizes(public_data_dir: Path) -> None:
    data = adapter("tat_qa", public=public_data_dir)
    found = {split: data.collection(split) for split in ("train", "validation", "test")}
    assert [len(part.passages) for part in found.values()] == [1634, 1634, 1556]
    assert [len(part.queries) for part in found.values()] == [1332, 336, 1663]
    assert found["train"].passages == found["validation"].passages
    for part in found.values():
        assert len({passage.id for passage in part.passages}) == len(part.passages)
        assert {name for query in part.queries for name in query.grades} <= {
            item.id for item in part.passages
        }


def test_a_context_is_in_train_or_in_validation(public_data_dir: Path) -> None:
    data = adapter("tat_qa", public=public_data_dir)
    train, held_out = (
        {query.document for query in data.collection(split).queries} for split in ("train", "validation")
    )
    assert (len(train), len(held_out), len(train & held_out)) == (222, 56, 0)
    assert sorted(held_out, key=int)[:5] == ["8", "14", "17", "19", "21"]


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_share_that_leaves_a_split_empty_is_refused(share: float) -> None:
    with pytest.raises(ConfigError, match=rf"data\.validation_share={share}; allowed: above 0 and below 1"):
        adapter("tat_qa", validation_share=share)


def test_a_changed_file_is_named(tmp_path: Path) -> None:
    data = adapter("tat_qa", public=tmp_path, test=pinned(tmp_path, "gold.json", []))
    (tmp_path / "gold.json").write_text("[ ]", encoding="utf-8")
    with pytest.raises(DataError, match=r"gold\.json: its sha256 is .*changed or cut"):
        data.load("test")
