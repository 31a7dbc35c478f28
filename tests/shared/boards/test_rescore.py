"""Records of two sentences whose data, answers or scores are then changed."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shared.boards.rescore import rescore, score_again
from shared.contracts import Score
from shared.errors import UserError
from shared.provenance import FileFacts, digest_files
from shared.record import DataFacts, Kept, MetricFacts, Promise, Record, read_record, write_record
from tests.shared.records import make_record

SENTENCES = "Alva\tB-group\nsank\tO\n\nHull\tB-location\nwaits\tO\n"
ANSWERS: list[dict[str, Any]] = [
    {"id": "test-0", "spans": [{"start": 0, "end": 4, "label": "group", "probability": 0.9}]},
    {"id": "test-1", "spans": [{"start": 0, "end": 4, "label": "group", "probability": 0.6}]},
]
SURE = [[0.6, 0, 1], [0.9, 1, 1]]


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "test.conll").write_text(SENTENCES)
    return tmp_path / "data"


def published(tmp_path: Path, *, f1: float = 0.5, answers: list[dict[str, Any]] = ANSWERS) -> Path:
    """Return the path of a record on the sentences that names these answers, F1 0.5: one of two is right."""
    path = tmp_path / "records" / "ner" / "tiny-seed1.json"
    path.parent.mkdir(parents=True)
    lines = path.with_name("tiny-seed1.predictions.jsonl")
    lines.write_text("".join(json.dumps(row) + "\n" for row in answers))
    write_record(record_of(lines, tmp_path / "data" / "test.conll", f1=f1), path)
    return path


def record_of(lines: Path, sentences: Path, *, f1: float) -> Record:
    digest = hashlib.sha256(sentences.read_bytes()).hexdigest()
    pinned = {"local": "test.conll", "sha256": digest, "url": ""}
    data = {
        "_target_": "tasks.ner.data.Wnut17",
        "name": "two sentences",
        "licence": "CC0",
        "labels": {"group": "group", "location": "location"},
        **dict.fromkeys(("train", "validation", "test"), pinned),
    }
    return make_record(
        id="tiny-seed1",
        data=DataFacts("two sentences", "CC0", "test", digest_files([sentences]), 2, 2),
        metric=MetricFacts("EntityF1", "1", main="f1"),
        scores={"f1": Score(f1)},
        counts=None,
        predictions=FileFacts(lines.name, hashlib.sha256(lines.read_bytes()).hexdigest()),
        config={"data": data, "task": {"metric": {"_target_": "tasks.ner.metric.EntityF1"}}},
    )


def test_stored_answers_get_their_score_and_reliability_again(tmp_path: Path, data_dir: Path) -> None:
    again = score_again(published(tmp_path), data_dir)
    assert again is not None and again.reliability is not None
    assert (again.score, again.digest_matches, again.score_problem) == (0.5, True, "")
    assert again.reliability.bins == SURE


def test_rescore_adds_the_reliability_and_changes_no_other_line(tmp_path: Path, data_dir: Path) -> None:
    path = published(tmp_path)
    value = json.loads(path.read_text())
    del value["reliability"], value["inference"]["windows_per_second"]  # as an older record
    path.write_text(json.dumps(value))
    (line,) = rescore(tmp_path / "records", data_dir)
    assert line.startswith("tiny-seed1: f1 0.5000 again, ECE 0.350 [")  # (0.1 + 0.6) / 2
    assert line.endswith("50.0% covered at 5 % risk, 2 spans")
    now = json.loads(path.read_text())
    assert now.pop("reliability")["bins"] == SURE
    assert now == value
    assert "      [0.6, 0, 1],\n" in path.read_text()
    before = path.read_bytes()
    rescore(tmp_path / "records", data_dir)
    assert path.read_bytes() == before


def test_scores_that_a_record_is_older_than_are_added_where_that_is_asked_for(
    tmp_path: Path, data_dir: Path
) -> None:
    path = published(tmp_path)
    rescore(tmp_path / "records", data_dir)
    assert read_record(path).scores == {"f1": Score(0.5)}
    rescore(tmp_path / "records", data_dir, new_scores=True)
    scores = read_record(path).scores
    assert scores["f1"] == Score(0.5)  # as it was
    assert (scores["precision"].value, scores["precision"].low) == (0.5, 0.0)


def test_answers_without_probabilities_have_no_reliability(tmp_path: Path, data_dir: Path) -> None:
    silent = [
        {"id": row["id"], "spans": [{**span, "probability": None} for span in row["spans"]]}
        for row in ANSWERS
    ]
    path = published(tmp_path, answers=silent)
    assert rescore(tmp_path / "records", data_dir) == ["tiny-seed1: f1 0.5000 again, no confidences"]
    assert read_record(path).reliability is None


def test_another_score_than_the_stored_one_is_refused_with_both(tmp_path: Path, data_dir: Path) -> None:
    path = published(tmp_path, f1=0.75)
    before = path.read_bytes()
    with pytest.raises(
        UserError, match=r"tiny-seed1\.json: its answers have f1 0\.500000000, .* 0\.750000000"
    ):
        rescore(tmp_path / "records", data_dir)
    assert path.read_bytes() == before


def test_other_data_than_was_scored_is_refused(tmp_path: Path, data_dir: Path) -> None:
    path = published(tmp_path)
    record = read_record(path)
    write_record(replace(record, data=replace(record.data, digest="d" * 64)), path)
    with pytest.raises(UserError, match="not what it was scored on: its digest is not dddd"):
        rescore(tmp_path / "records", data_dir)


def test_a_record_whose_data_is_not_here_is_left_alone(tmp_path: Path, data_dir: Path) -> None:
    path = published(tmp_path)
    (data_dir / "test.conll").rename(tmp_path / "elsewhere.conll")
    assert score_again(path, data_dir) is None
    assert rescore(tmp_path / "records", data_dir) == [
        f"tiny-seed1: not scored again, its data is not in {data_dir}"
    ]


def test_a_reliability_that_is_not_of_the_answers_is_a_problem(tmp_path: Path, data_dir: Path) -> None:
    path = published(tmp_path)
    again = score_again(path, data_dir)
    assert again is not None and again.problem.startswith("its reliability is not that of its answers")
    rescore(tmp_path / "records", data_dir)
    again = score_again(path, data_dir)
    assert again is not None and again.problem == ""


def test_a_task_without_records_is_refused_with_the_close_one(tmp_path: Path, data_dir: Path) -> None:
    published(tmp_path)
    with pytest.raises(UserError, match=r"no record of 'nre' \(did you mean 'ner'\?\); it has: ner"):
        rescore(tmp_path / "records", data_dir, task="nre")


def test_promises_are_judged_by_the_answers_again(tmp_path: Path, data_dir: Path) -> None:
    """Above 0.7 one span is given, and it is right; the record says that none was."""
    path = published(tmp_path)
    promise = Promise("spans", 0.05, 0.95, 0.7, coverage=0.6, num=100, correlation=0.0)
    stored = Kept(promise, num=2, coverage=0.0, risk=None, drift=0.5)
    write_record(replace(read_record(path), promises=[stored]), path)
    again = score_again(path, data_dir)
    assert again is not None and again.problem.startswith("its reliability is not that of its answers")
    rescore(tmp_path / "records", data_dir)
    (found,) = read_record(path).promises
    assert (found.promise, found.coverage, found.drift) == (promise, 0.5, 0.5)
    assert found.risk == Score(0.0, 0.0, 1.0)  # one document tells nothing
    mended = score_again(path, data_dir)
    assert mended is not None and mended.problem == ""
