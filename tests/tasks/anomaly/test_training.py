"""The whole path on real weights and the sample corpus: train, save, reload, evaluate, predict, group."""

import json
from pathlib import Path
from typing import Any

import pytest

from shared import commands, promise_verbs, runs, train_verb
from shared.compose import compose_run
from tasks.anomaly.data import Sample
from tasks.anomaly.groups import main as show_groups

QUICK = ["hardware.threads=1", "predict.batch_tokens=512"]


def run_commands(folder: Path, *overrides: str) -> dict[str, Any]:
    """Train and evaluate below the folder, and return the record."""
    words = [*overrides, *QUICK, f"runs_dir='{folder}'"]
    train_verb.train(compose_run("anomaly", words), overrides=words)
    words = [*QUICK, f"runs_dir='{folder}'"]
    commands.evaluate(compose_run("anomaly", words), overrides=words)
    path = runs.find_run("latest", runs_dir=folder, task="anomaly") / runs.RECORD
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return record


def test_normal_texts_alone_teach_what_is_odd_and_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = run_commands(tmp_path / "runs")
    assert record["training"]["steps"] == 0
    assert record["scores"]["average_precision"]["value"] >= 0.9
    assert record["scores"]["recall"]["value"] >= 0.9
    found = record["scores"]["false_alarms/0.01"]
    assert found["low"] <= 0.01 <= found["high"]
    test = Sample("sample", "ours", known=0, known_seed=1).load("test")
    examples = [example for place, example in enumerate(test) if example.anomalous or place % 5 == 0]
    texts, output = tmp_path / "texts.txt", tmp_path / "alarms.jsonl"
    texts.write_text("".join(f"{example.text}\n" for example in examples), encoding="utf-8")
    words = [*QUICK, f"runs_dir='{tmp_path}/runs'"]
    words += [f"predict.input='{texts}'", f"predict.output='{output}'"]
    commands.predict(compose_run("anomaly", words), overrides=words)
    rows = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
    assert len(rows) == len(examples)
    alarms = [row for row in rows if row["alarm"]]
    assert len(alarms) >= 18
    for row in alarms:
        assert row["nearest"] and row["template"] and 1 <= len(row["parts"]) <= 3
        assert row["unseen_words"] or not row["template_seen"]
        assert all(row["text"][part["start"] : part["end"]] == part["text"] for part in row["parts"])
    capsys.readouterr()
    show_groups([str(output)])
    assert capsys.readouterr().out.startswith(f"{len(rows)} lines read, {len(alarms)} alarms in ")


def test_a_few_known_anomalies_train_the_encoder(tmp_path: Path) -> None:
    few = ["data.known=null", "lora=r16", "train=quick", "train.keep=last", "train.max_steps=10"]
    record = run_commands(tmp_path / "runs", *few, "head.weights.logit=1")
    assert record["training"]["steps"] == 10
    assert record["scores"]["average_precision"]["value"] >= 0.9


def test_unrelated_texts_train_the_encoder_without_a_known_anomaly_and_promises_are_resplit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.txt"
    other.write_text("".join(f"book a table for {place} at noon\n" for place in range(60)), encoding="utf-8")
    words = ["data@source=sample", "data@unrelated=lines", f"unrelated.file='{other}'", "data=exposed"]
    few = ["lora=r16", "train=quick", "train.keep=last", "train.max_steps=3", "promise.divisions=20"]
    record = run_commands(tmp_path / "runs", *words, *few)
    assert record["training"]["steps"] == 3
    assert record["data"]["name"] == "sample"
    words = [f"runs_dir='{tmp_path}/runs'", "promise.divisions=20"]
    capsys.readouterr()
    promise_verbs.resplit(compose_run("anomaly", words), overrides=words)
    promised = [line for line in capsys.readouterr().out.splitlines() if line.startswith("at most")]
    assert [line.split()[2] for line in promised] == ["1%", "2%", "5%"]
