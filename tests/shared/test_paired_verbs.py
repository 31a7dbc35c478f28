"""What `compare` and `release` take two systems to be: runs, published records, predictions files."""

from pathlib import Path

import pytest

from shared.compose import compose_run
from shared.config import RunConfig
from shared.paired_verbs import compared
from shared.record import read_record

BOARDS = Path(__file__).parents[2] / "leaderboards"


def asked(task: str, *words: str) -> tuple[RunConfig, list[str]]:
    """Return the configuration of a comparison of the task's first record with itself, and the words."""
    first = min((BOARDS / "records" / task).glob("*.json")).stem
    words = (f"left={first}", f"right={first}", f"leaderboards_dir={BOARDS}", *words)
    return compose_run(task, words), list(words)


@pytest.mark.parametrize("task", ["summarization", "reranking"])
def test_published_records_are_scored_as_they_were(task: str) -> None:
    config, left, right = compared(*asked(task))
    record = read_record(left[0].with_name(left[0].name.replace(".predictions.jsonl", ".json")))
    assert left == right and record.data.name != "sample"
    assert (config.data.name, config.split) == (record.data.name, record.data.split)
    assert config.resolved["task"]["metric"] == record.config["task"]["metric"]


def test_what_is_told_anew_goes_before_what_a_record_says() -> None:
    config, _, _ = compared(*asked("reranking", "data=sample", "split=validation"))
    assert (config.data.name, config.split) == ("sample", "validation")


def test_a_style_told_anew_scores_a_records_answers() -> None:
    told = asked("summarization", "style.forbidden=[zebra]")
    config, _, _ = compared(*told)
    assert config.data.name == "ECTSum"
    assert config.resolved["task"]["metric"]["style"]["forbidden"] == ["zebra"]
