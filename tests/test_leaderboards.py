"""The committed tables and predictions are what the committed records say, to the byte."""

import hashlib
import json
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from shared.leaderboard import read_cited, read_layout, render
from shared.provenance import digest_files
from shared.record import read_record
from shared.runs import read_predictions
from shared.typed_config import build

BOARDS = Path(__file__).resolve().parent.parent / "leaderboards"
RECORDS = sorted(BOARDS.glob("records/*/*.json"))
TASKS = sorted(path.stem for path in (BOARDS.parent / "conf" / "leaderboard").glob("*.yaml"))
EACH_RECORD = pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)


@pytest.mark.parametrize("task", TASKS)
def test_rendering_the_records_gives_the_committed_tables(task: str, tmp_path: Path) -> None:
    copy = shutil.copytree(BOARDS, tmp_path / "leaderboards")
    render(task, copy)
    for name in (f"{task}.md", f"{task}.csv"):
        assert (copy / name).read_bytes() == (BOARDS / name).read_bytes(), f"{name} is not what records give"


@pytest.mark.parametrize("task", TASKS)
def test_every_cited_figure_says_where_it_stands_and_who_computed_it(task: str) -> None:
    for cited in read_cited(task):
        assert cited.source.startswith("https://") and cited.computed
        assert cited.comparable == (cited.split == "test")


@EACH_RECORD
def test_a_record_stands_under_its_own_name_and_task(path: Path) -> None:
    record = read_record(path)
    assert (record.id, record.task) == (path.stem, path.parent.name)
    if record.experiment:
        assert (BOARDS.parent / "conf" / "experiment" / f"{record.experiment}.yaml").is_file()


@EACH_RECORD
def test_committed_predictions_are_the_records_and_hold_no_text(path: Path) -> None:
    record = read_record(path)
    stored = path.parent / record.predictions.name
    assert hashlib.sha256(stored.read_bytes()).hexdigest() == record.predictions.sha256
    rows = [json.loads(line) for line in stored.read_text(encoding="utf-8").splitlines()]
    assert len({row["id"] for row in rows}) == len(rows) == record.data.num_examples
    layout = read_layout(record.task)
    assert keys_of(rows) <= set(layout.answer_keys)
    assert all(len(text) <= 64 for key, text in strings_of(rows) if key not in layout.written_keys)


@EACH_RECORD
def test_committed_predictions_score_again_as_recorded(path: Path, public_data_dir: Path) -> None:
    record = read_record(path)
    given, place = dict(record.config["data"]), {"data_dir": str(public_data_dir)}
    given |= {"source": given["source"] | place} if "source" in given else place
    if "first_stage" in given:  # the answers say what it found
        given |= {"first_stage": None, "depth": 0}
    node = json.dumps(given, sort_keys=True)
    digest, types, examples = read_data(node, record.data.split)
    assert digest == record.data.digest
    predictions = read_predictions(path.parent / record.predictions.name)
    metric = build(OmegaConf.create(record.config["task"]["metric"]), path="metric").bind(types)
    score = metric.quick(examples, predictions)
    assert score == pytest.approx(record.scores[record.metric.main].value, abs=1e-9)


@cache
def read_data(node: str, split: str) -> tuple[str, Any, list[Any]]:
    """Return digest, types and examples of a split, read once for all rows of a data set."""
    data = build(OmegaConf.create(json.loads(node)), path="data")
    return digest_files(data.files(split)), data.types(), data.load(split)


def keys_of(value: Any) -> set[str]:
    """Return every key at any depth."""
    if isinstance(value, dict):
        return set(value).union(*map(keys_of, value.values()))
    return set().union(*map(keys_of, value)) if isinstance(value, list) else set()


def strings_of(value: Any, key: str = "") -> list[tuple[str, str]]:
    """Return every string at any depth, with its key."""
    if isinstance(value, str):
        return [(key, value)]
    if isinstance(value, dict):
        return [found for name, item in value.items() for found in strings_of(item, name)]
    return [found for item in value for found in strings_of(item, key)] if isinstance(value, list) else []
