"""What every task must do, run for each conf/task/*.yaml: a new task is tested the day it appears."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from shared.compose import CONF, compose_run
from shared.config import RunConfig
from shared.contracts import SPLITS
from shared.evaluate import infer
from shared.example_rows import prediction_row, read_prediction
from shared.model import create_model
from tests.shared.short_base import SHORT

TASKS = sorted(path.stem for path in (CONF / "task").glob("*.yaml"))
EXPERIMENTS = sorted((CONF / "experiment").glob("*/*.yaml"))
CONFIGS = sorted(path for path in CONF.rglob("*.yaml"))
QUICK = {
    "summarization": ["head.prompt_tokens=48", "head.max_new_tokens=4", "head.batch_rows=2", *SHORT],
    "query_generation": ["head.passage_tokens=48", "head.max_new_tokens=4", "head.batch_rows=2", *SHORT],
}
EACH_TASK = pytest.mark.parametrize("task", TASKS)


@EACH_TASK
def test_the_default_configuration_is_whole(task: str) -> None:
    config = compose_run(task, [])
    assert config.task.name == task
    assert config.task.summary
    assert callable(config.reader)
    assert (CONF / "leaderboard" / f"{task}.yaml").is_file()


@EACH_TASK
def test_examples_of_every_split_are_whole_and_named_once(task: str) -> None:
    data = compose_run(task, []).data
    names = all_names(data.types())
    seen: set[str] = set()
    for split in SPLITS:
        examples = data.load(split)
        ids = {example.id for example in examples}
        assert examples and len(ids) == len(examples) and not ids & seen
        seen |= ids
        assert all(path.is_file() for path in data.files(split))
        assert all(
            labels_of(example) <= names and labels_of(example.gold()) == labels_of(example)
            for example in examples
        )
    assert data.report().startswith(f"data: {data.name}")


@EACH_TASK
def test_the_metric_gives_gold_a_full_score_and_silence_none(task: str) -> None:
    config = compose_run(task, [])
    metric, examples = config.metric.bind(config.data.types()), config.data.load("validation")
    gold = [read_prediction(prediction_row(example.gold())) for example in examples]
    silent = [type(example.gold())(example.id) for example in examples]
    for predictions, expected in ((gold, 1.0), (silent, 0.0)):
        scores = metric.score(examples, predictions)
        assert scores[metric.main].value == metric.quick(examples, predictions) == expected
        low, high = scores[metric.main].low, scores[metric.main].high
        assert low is not None and high is not None and low <= expected <= high
    assert not list(metric.wrong(examples, gold))
    assert len(list(metric.wrong(examples, silent))) == sum(bool(labels_of(e)) for e in examples)
    assert metric.details(examples, silent)


@pytest.mark.usefixtures("short_base")
@EACH_TASK
def test_a_model_answers_each_example_in_order(task: str) -> None:
    config: RunConfig = compose_run(task, QUICK.get(task, []))
    model = create_model(config.model, config.head, config.lora, types=config.data.types(), seed=1)
    examples = config.data.load("validation")[:10]
    features = model.head.encode(examples)
    predictions = model.head.decode(examples, features, infer(model, features, batch_tokens=256))
    assert [prediction.id for prediction in predictions] == [example.id for example in examples]
    assert not any(type(value).__module__ == "torch" for row in predictions for value in flat(row))


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_published_row_has_an_experiment_that_names_it(path: Path) -> None:
    task = path.parent.name
    assert compose_run(task, [f"experiment={task}/{path.stem}"]).row == f"{task}/{path.stem}"


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.relative_to(CONF).as_posix())
def test_every_config_opens_with_a_sentence_and_the_command_that_uses_it(path: Path) -> None:
    opening = "".join(
        line for line in path.read_text(encoding="utf-8").splitlines()[:4] if line.startswith("#")
    )
    assert "python -m tasks." in opening or "python -m leaderboards" in opening


def labels_of(answered: Any) -> set[str]:
    """The labels or concepts of an example or a prediction."""
    row = asdict(answered)
    spans = {span["label"] for span in row.get("spans", [])}
    answers = [answer["concepts"] for answer in row.get("facets", {}).values()]
    alarms = {"anomaly"} if row.get("anomalous") or row.get("alarm") else set()
    summaries = {"summary"} if row.get("bullets") else set()
    relevant = {"relevant"} if row.get("ranked") or any(row.get("grades", {}).values()) else set()
    queries = {"query"} if row.get("queries") else set()
    return (
        alarms
        | summaries
        | relevant
        | queries
        | spans
        | {concept for concepts in [*row.get("labels", {}).values(), *answers] for concept in concepts}
    )


def all_names(types: Any) -> set[str]:
    """The labels of a task's types: their keys, or the ids of an ontology's concepts."""
    return {concept["id"] for concept in types["concepts"]} if "concepts" in types else set(types)


def flat(value: Any) -> list[Any]:
    """Every value inside a prediction."""
    parts = [getattr(value, name) for name in getattr(type(value), "__slots__", ())]
    parts += list(value) if isinstance(value, tuple) else []
    return [value, *(item for part in parts for item in flat(part))]
