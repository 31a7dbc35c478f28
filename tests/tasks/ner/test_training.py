"""The whole path once on real weights and real financial news: train, save, reload, evaluate, publish."""

import json
import shutil
from pathlib import Path

import pytest

from shared import commands, train_verb
from shared.boards.measure import Effort, measure_run
from shared.boards.publication import publish
from shared.boards.reproduce import compare_run
from shared.compose import CONF, compose_run
from shared.runs import find_run

STEPS = 28


def test_minilm_learns_real_entities_and_its_record_can_be_published(
    tmp_path: Path, public_data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["experiment=ner/minilm_lora", f"train.max_steps={STEPS}"]
    words += [f"data_dir='{public_data_dir}'", f"runs_dir='{tmp_path}/runs'"]
    train_verb.train(compose_run("ner", words), overrides=words)
    words = [f"data_dir='{public_data_dir}'", f"runs_dir='{tmp_path}/runs'"]
    commands.evaluate(compose_run("ner", words), overrides=words)
    assert "FiNER-ORD" in capsys.readouterr().out
    folder = find_run("latest", runs_dir=tmp_path / "runs", task="ner")
    record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
    assert record["training"]["steps"] == STEPS
    assert record["scores"]["f1"]["value"] > 0.4
    assert record["scores"]["f1"]["low"] < record["scores"]["f1"]["value"] < record["scores"]["f1"]["high"]
    boards, conf = tmp_path / "leaderboards", tmp_path / "conf"
    boards.mkdir()
    shutil.copytree(CONF, conf)
    (conf / "claims.yaml").write_text("[]")  # they are about the rows that are published
    published = publish(
        folder / "record.json",
        folder / "predictions-test.jsonl",
        leaderboards_dir=boards,
        allow_dirty=True,
        conf=conf,
    )
    assert "MiniLM + LoRA" in (boards / "ner.md").read_text(encoding="utf-8")
    again = compare_run(published, folder)
    assert (again.same_answers, again.holds) == (1.0, True)
    effort = Effort(repeats=2, seconds=0.2, busiest=1.0)
    measured = measure_run(folder, leaderboards_dir=boards, data_dir=str(public_data_dir), effort=effort)
    assert measured.record == published.stem
    assert len(measured.documents_per_second) == len(measured.watt_hours_per_1000) == 2
    assert all(low < high for low, high in zip(measured.latency_p50_ms, measured.latency_p95_ms, strict=True))
    assert 1 < measured.bundle_mib < 20
