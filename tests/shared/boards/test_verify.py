"""A digit that was changed anywhere is found, and the place is named."""

import json
import re
from pathlib import Path

import pytest

from shared.boards.board import read_board
from shared.boards.verify import record_problems, rendering_problems
from shared.errors import UserError
from tests.shared.publishing import publish_rows, seed_record


@pytest.fixture
def published(tmp_path: Path, conf: Path, boards: Path) -> Path:
    (conf / "experiment" / "ner").mkdir(parents=True)
    (conf / "experiment" / "ner" / "tiny.yaml").write_text("row: ner/tiny\n")
    for seed in (1, 2):
        publish_rows(tmp_path, seed_record(seed, d2=[6, 6, 6], f1=0.8), conf=conf, boards=boards)
    return boards


def flip(path: Path, pattern: str) -> str:
    """Change the last digit of the first match; return the line it is in, counted from 1."""
    text = path.read_text(encoding="utf-8")
    found = re.search(pattern, text)
    assert found is not None
    at = found.end() - 1
    path.write_text(f"{text[:at]}{(int(text[at]) + 1) % 10}{text[at + 1 :]}", encoding="utf-8")
    return str(text.count("\n", 0, at) + 1)


def problems(boards: Path, conf: Path) -> list[str]:
    """Return what `verify` finds, besides the README and what needs the data."""
    paths = sorted(boards.glob("records/*/*.json"))
    found = [problem for path in paths for problem in record_problems(path, conf=conf)]
    return found or list(rendering_problems(read_board(boards, conf=conf), boards, conf=conf))


def test_what_was_published_has_no_problem(published: Path, conf: Path) -> None:
    assert problems(published, conf) == []


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("ner.md", r"0\.800"),
        ("ner.csv", r"0\.8"),
        ("index.html", r"0\.800"),
        ("SHA256SUMS", r"^\D*\d"),
    ],
)
def test_a_changed_digit_is_found_at_its_line(published: Path, conf: Path, name: str, pattern: str) -> None:
    line = flip(published / name, pattern)
    (problem,) = problems(published, conf)
    assert problem.startswith(f"{published / name}:{line}: found ")


def test_any_digit_of_a_record_is_found(published: Path, conf: Path) -> None:
    record = published / "records" / "ner" / "tiny-seed1.json"
    flip(record, r'"python": "3\.11\.1')  # which no table shows
    (problem,) = problems(published, conf)
    assert f"{published / 'SHA256SUMS'}:1: found" in problem and "tiny-seed1.json" in problem


def test_a_score_that_its_counts_do_not_give_names_the_record(published: Path, conf: Path) -> None:
    flip(published / "records" / "ner" / "tiny-seed2.json", r'"value": 0\.8')
    with pytest.raises(UserError, match=r"record tiny-seed2: its counts give 0\.8.*, its score says 0\.9"):
        problems(published, conf)


def test_changed_answers_name_their_file(published: Path, conf: Path) -> None:
    answers = published / "records" / "ner" / "tiny-seed1.predictions.jsonl"
    flip(answers, r'"end":5')
    assert problems(published, conf) == [f"{answers}: its sha256 is not the one that tiny-seed1.json names"]


def test_a_record_under_another_name_and_one_without_answers_are_named(published: Path, conf: Path) -> None:
    folder = published / "records" / "ner"
    (folder / "tiny-seed1.predictions.jsonl").unlink()
    (folder / "tiny-seed2.json").rename(folder / "other.json")
    found = problems(published, conf)
    assert f"{folder / 'other.json'}: it is tiny-seed2 of ner, under another name" in found
    assert f"{folder / 'tiny-seed1.predictions.jsonl'} is missing" in found


def test_a_record_that_is_no_json_is_named(published: Path, conf: Path) -> None:
    record = published / "records" / "ner" / "tiny-seed1.json"
    record.write_text(json.dumps({"id": "tiny-seed1"}))
    assert problems(published, conf) == [f"{record}: kind is missing"]
