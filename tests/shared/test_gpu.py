"""Training and answering on a GPU, by each head on the sample data; skipped where there is none."""

import gc
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from shared import commands, runs, train_verb
from shared.adapters import load_bundle
from shared.bundle_manifest import MANIFEST
from shared.compose import compose_run
from shared.config import RunConfig
from shared.evaluate import infer
from shared.model import Model, best_device, create_model
from shared.run_inputs import bound, use_threads
from shared.runs import Progress
from shared.train import Fitted, fit

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")

FEW = ["train.epochs=1", "train.max_steps=6", "train.patience=0"]
SHORT = [*FEW, "head.max_new_tokens=16", "head.batch_rows=4"]
READERS = {
    "words": ["ner"],
    "spans": ["ner", "model=gliner_minilm"],
    "facets": ["ontology"],
    "density": ["anomaly"],
    "known anomalies": ["anomaly", "data.known=6", "lora=r16", "train=quick", *FEW],
    "pairs": ["reranking"],
    "embeddings": ["reranking", "head=dual_encoding"],
    "sentences": ["summarization", "model=minilm", "head=sentence_selection"],
}
WRITERS = {
    "summaries": ["summarization", "head.prompt_tokens=160", *SHORT],
    "queries": ["query_generation", *SHORT],
}


def composed(folder: Path, task: str, *overrides: str) -> RunConfig:
    few = [] if task == "anomaly" else FEW
    return compose_run(task, [*few, *overrides, f"runs_dir={folder / 'runs'}"])


def record_of(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / runs.RECORD).read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("words", READERS.values(), ids=READERS)
def test_a_reader_trains_reloads_and_answers_as_on_a_cpu(tmp_path: Path, words: list[str]) -> None:
    config = composed(tmp_path, *words)
    run = train_verb.train(config, overrides=[])  # which reloads the bundle in a new process, bit for bit
    task, again = words[0], [f"run={run}", f"runs_dir={config.runs_dir}"]
    commands.evaluate(compose_run(task, again), overrides=again)
    record = record_of(run)
    assert record["hardware"]["accelerator"] == torch.cuda.get_device_name()
    assert 0 < record["inference"]["peak_memory_gib"] < 8
    answers = [own.key for own in runs.read_predictions(runs.predictions_path(run, "test"))]

    code = f"from shared import commands; from shared.compose import compose_run; words = {again!r}\n"
    code += f"commands.evaluate(compose_run({task!r}, words), overrides=words)"
    without = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    subprocess.run([sys.executable, "-c", code], env=without, check=True, capture_output=True)
    assert not record_of(run)["hardware"]["accelerator"]
    others = [own.key for own in runs.read_predictions(runs.predictions_path(run, "test"))]
    same = sum(a == b for a, b in zip(answers, others, strict=True))
    assert same >= 0.95 * len(answers)  # one whose score is a threshold's but for rounding may differ


@pytest.mark.parametrize("words", WRITERS.values(), ids=WRITERS)
def test_a_writer_trains_reloads_and_writes(tmp_path: Path, words: list[str]) -> None:
    run = train_verb.train(composed(tmp_path, *words), overrides=[])
    again = [f"run={run}", f"runs_dir={tmp_path / 'runs'}"]
    commands.evaluate(compose_run(words[0], again), overrides=again)
    assert record_of(run)["scores"]


def fitted(
    config: RunConfig, folder: Path, *, resume: bool = False, progress: Callable[[], None] | None = None
) -> tuple[Fitted, Model]:
    use_threads(0)
    training = config.data.load("train")[:24]
    model = create_model(config.model, config.head, config.lora, types=config.data.types(), seed=config.seed)
    model.to(best_device())
    model.head.start(model.backbone, training)
    features = model.head.encode(training)
    folder.mkdir(exist_ok=True)
    with Progress(folder, metric=config.metric.main) as shown:
        if progress:
            shown.step = lambda *_, **__: progress()  # type: ignore[method-assign]
        found = fit(
            model,
            features,
            config=config.train,
            seed=config.seed,
            validate=lambda: 0.5,
            folder=folder,
            progress=shown,
            resume=resume,
        )
    return found, model


MOVING = ["train.epochs=2", "train.max_steps=0", "train.batch_tokens=200", "train.ema=0.9"]
TRAINED = {
    "words": ["ner", *MOVING, "lora.dropout=0.1"],
    "spans": ["ner", "model=gliner_minilm", *MOVING],
    "summaries": ["summarization", *MOVING, "train.max_steps=4", "lora.layers=2"],
}


@pytest.mark.parametrize("words", TRAINED.values(), ids=TRAINED)
def test_a_killed_training_resumes_to_the_same_weights(tmp_path: Path, words: list[str]) -> None:
    config = composed(tmp_path, *words)
    config = replace(config, train=replace(config.train, checkpoint_steps=1))
    whole, expected = fitted(config, tmp_path / "whole")
    steps = iter(range(3))

    def killed() -> None:
        if next(steps) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fitted(config, tmp_path / "parts", progress=killed)
    resumed, model = fitted(config, tmp_path / "parts", resume=True)
    assert resumed.losses == whole.losses
    for name, value in model.trained_state().items():
        assert torch.equal(value, expected.trained_state()[name]), name


def test_layers_that_compute_again_take_less_memory_for_the_same_losses(tmp_path: Path) -> None:
    found = {}
    for again in ("false", "true"):
        gc.collect()  # the model before holds itself
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        words = ["train.max_steps=3", "train.batch_tokens=1500", f"train.gradient_checkpointing={again}"]
        losses = fitted(composed(tmp_path, "summarization", *words), tmp_path / again)[0].losses
        found[again] = losses, torch.cuda.max_memory_allocated()
    assert found["true"][0] == pytest.approx(found["false"][0], rel=1e-3)
    assert found["true"][1] < 0.8 * found["false"][1]


def test_a_base_in_four_bits_trains_reloads_and_answers(tmp_path: Path) -> None:
    pytest.importorskip("bitsandbytes")
    words = ["head.prompt_tokens=160", *SHORT]
    config = bound(composed(tmp_path, "summarization", *words, "model.four_bits=true"))
    run = train_verb.train(config, overrides=[])
    manifest = json.loads((run / runs.BUNDLE / MANIFEST).read_text(encoding="utf-8"))
    assert manifest["model"]["four_bits"]
    model = load_bundle(run / runs.BUNDLE)
    kinds = {type(value).__name__ for value in model.backbone.parameters()}
    assert "Params4bit" in kinds
    plain = create_model(
        compose_run("summarization", words).model, config.head, config.lora, types=model.head.types, seed=1
    )
    assert model.count_parameters()["total"] == plain.count_parameters()["total"]
    features = model.head.encode(config.data.load("validation")[:2])
    assert len(infer(model, features, batch_tokens=4096)) == 2
