import io
import json
from pathlib import Path
from typing import Any

import pytest

from shared.compose import compose_run
from shared.errors import DataError, UserError
from shared.examples import SpanExample
from shared.review_queue import ReviewQueue, open_queue
from shared.verb_config import PredictConfig

TEXT = SpanExample("n1", "Bo Lind left Acme.")


def asked(queue: Path | str, **changes: Any) -> PredictConfig:
    """The settings that the command line composes with these words."""
    words = [f"predict.{key}={value}" for key, value in {"abstained": queue, **changes}.items()]
    return compose_run("ner", words).predict


def add(queue: ReviewQueue | None, *rows: int) -> None:
    assert queue is not None
    for row in rows:
        queue.add(row, TEXT, "not sure", answer={"spans": []})


def test_a_text_waits_with_its_reason_and_what_answer_there_is() -> None:
    file = io.StringIO()
    add(ReviewQueue(file), 7)
    assert json.loads(file.getvalue()) == {
        "row": 7,
        "id": "n1",
        "text": "Bo Lind left Acme.",
        "why": "not sure",
        "answer": {"spans": []},
    }


def test_no_queue_is_opened_where_none_is_asked_for(tmp_path: Path) -> None:
    with open_queue(asked("''"), done=0) as queue:
        assert queue is None


def test_a_queue_that_exists_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "queue.jsonl"
    path.write_text("")
    with pytest.raises(UserError, match="exists already"), open_queue(asked(path), done=0):
        pass


def test_resuming_drops_texts_whose_answers_were_lost_and_a_torn_line(tmp_path: Path) -> None:
    """The queue is written before the answer, so that a killed process may leave one text too many."""
    path = tmp_path / "queue.jsonl"
    with open_queue(asked(path), done=0) as queue:
        add(queue, 2, 5, 6)
    path.write_text(path.read_text() + '{"row": 8, "id')
    with open_queue(asked(path, resume="true"), done=5) as queue:
        add(queue, 6, 9)
    assert [json.loads(line)["row"] for line in path.read_text().splitlines()] == [2, 5, 6, 9]


def test_a_file_that_is_no_queue_is_named_with_its_line_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("call Bo\n")
    with (
        pytest.raises(DataError, match=r"notes\.txt:1"),
        open_queue(asked(path, resume="true"), done=3),
    ):
        pass
    assert path.read_text() == "call Bo\n"
