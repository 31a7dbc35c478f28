"""Cards of bundles made by hand, read back by the hub's own client as the hub reads them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import ModelCard
from huggingface_hub.utils import validate_repo_id

from shared import runs
from shared.help import CONF
from shared.model_card import CARD, LORA, MANIFEST, PIPELINES, model_card, write_card
from shared.record import read_record, write_record
from tests.shared.records import make_record

BASE, REVISION, COMMIT = "org/tiny", "f" * 40, "c" * 40
MANIFEST_VALUES: dict[str, Any] = {
    "task": "ner",
    "head": {"_target_": "shared.heads.settings.TokenClassification"},
    "data": "FiNER-ORD",
    "data_licence": "CC BY-NC 4.0",
    "model": {"name": "tiny", "hub_id": BASE, "revision": REVISION, "licence": "Apache-2.0"},
    "lora": {"method": "lora", "r": 16, "alpha": 32},
    "finds": "PER, ORG",
    "decoding": {},
    "kept": {},
    "code": {"commit": COMMIT, "clean": True},
    "versions": {"torch": "2.13.0", "transformers": "5.16.1", "peft": "0.21.2"},
}


def make_bundle(folder: Path, *, with_lora: bool = True, **changes: Any) -> Path:
    """A folder with what a card is written from."""
    folder.mkdir(parents=True)
    (folder / MANIFEST).write_text(json.dumps({**MANIFEST_VALUES, **changes}))
    if with_lora:
        (folder / LORA).write_text(json.dumps({"trainable_token_indices": None}))
    return folder


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run that was trained, and not evaluated yet."""
    make_bundle(tmp_path / runs.BUNDLE)
    config = {
        "seed": 1,
        "title": "tiny + LoRA",
        "task": {"summary": "finds spans"},
        "runs_dir": str(tmp_path),
    }
    (tmp_path / runs.CONFIG).write_text(yaml.safe_dump(config))
    training = {
        "wall_seconds": 90.4,
        "steps": 1488,
        "epochs": 2.0,
        "tokens_per_second": 500.0,
        "peak_memory_gib": 1.5,
        "validation": 0.82482,
        "notes": {"best_epoch": 1, "validation_by_epoch": [0.82482, 0.8]},
        "examples": 3262,
    }
    parameters = {"total": 1100, "trainable": 100, "frozen": 1000}
    (tmp_path / runs.TRAINING).write_text(json.dumps({"training": training, "parameters": parameters}))
    return tmp_path


def card_of(run: Path) -> ModelCard:
    return ModelCard.load(run / runs.BUNDLE / CARD)


def test_before_evaluation_the_card_says_how_the_bundle_was_made(run: Path) -> None:
    write_card(run, metric="f1")
    card = card_of(run)
    assert card.data.to_dict() == {
        "license": "cc-by-nc-4.0",
        "language": "en",
        "base_model": "org/tiny",
        "base_model_relation": "adapter",
        "datasets": ["finer-ord"],
        "library_name": "peft",
        "pipeline_tag": "token-classification",
        "tags": ["rightsize", "ner", "lora"],
    }
    for line in (
        "# tiny + LoRA on FiNER-ORD",
        "A specialist for the task ner: it finds spans.",
        "Finds: PER, ORG.",
        f"- Base: org/tiny at {REVISION}, licence Apache-2.0; its weights are not here.",
        "- Data: FiNER-ORD, licence CC BY-NC 4.0.",
        "- **Not for commercial use.**",
        "    python -m tasks.ner predict run=RUN predict.input=texts.txt",
        "- Trained: the head and a LoRA of rank 16, alpha 32: 100 of 1,100 weights.",
        "- Course: examples 3,262, epochs 2, steps 1,488, seconds 90.",
        "- Validation: f1 was at best 0.8248 after epoch 1.",
        f"- Code: commit {COMMIT}.",
        "- Libraries: torch 2.13.0, transformers 5.16.1, peft 0.21.2.",
        "Not measured on a test split yet: `python -m tasks.ner evaluate run=RUN`.",
    ):
        assert line in card.text.splitlines()


def test_after_evaluation_the_card_has_the_records_scores_with_their_intervals(run: Path) -> None:
    record = make_record()
    record = replace(record, scores={**record.scores, "f1/PER": record.scores["f1"]})
    write_record(record, run / runs.RECORD)
    write_card(run, metric="f1")
    card = card_of(run)
    assert card.data.metrics == ["f1"]
    assert card.data.model_name == "tiny + LoRA on FiNER-ORD"
    assert [(result.metric_type, result.metric_value) for result in card.data.eval_results] == [
        ("f1", 0.8),
        ("precision", 0.8),
        ("recall", 0.8),
    ]
    first = card.data.eval_results[0]
    assert (first.task_type, first.dataset_type, first.dataset_name, first.dataset_split) == (
        "token-classification",
        "finer-ord",
        "FiNER-ORD",
        "test",
    )
    lines = card.text.splitlines()
    assert "| f1 | 0.8000 | 0.7000 to 0.9000 |" in lines
    assert "| precision | 0.8000 |  |" in lines
    assert "- On the test split: texts beyond window 1, lost spans 0." in lines
    assert "record ner-tiny-seed1-0a1b2c3d, 2026-01-31." in card.text


def test_validation_scores_are_not_put_for_those_of_the_test_split(run: Path) -> None:
    record = make_record()
    write_record(replace(record, data=replace(record.data, split="validation")), run / runs.RECORD)
    assert read_record(run / runs.RECORD).data.split == "validation"
    write_card(run, metric="f1")
    assert card_of(run).data.eval_results is None


@pytest.mark.parametrize(
    ("method", "relation", "lines"),
    [
        (
            "full",
            "finetune",
            [
                "- Trained: the head and the whole base.",
                f"- Base: org/tiny at {REVISION}, licence Apache-2.0; its weights are here, trained further.",
            ],
        ),
        ("head", "adapter", ["- Trained: the head alone."]),
    ],
)
def test_a_bundle_without_a_lora_is_none_of_pefts(
    tmp_path: Path, method: str, relation: str, lines: list[str]
) -> None:
    lora = {"method": method, "r": 16, "alpha": 32}
    card = model_card(make_bundle(tmp_path / "bundle", with_lora=False, lora=lora))
    assert (card.data.base_model_relation, card.data.library_name) == (relation, None)
    assert card.data.tags == ["rightsize", "ner"]
    assert "PEFT" not in card.text
    assert set(lines) <= set(card.text.splitlines())


def test_limits_name_thresholds_and_the_texts_that_the_bundle_holds(tmp_path: Path) -> None:
    bundle = make_bundle(
        tmp_path / "bundle", decoding={"threshold": 0.35}, kept={"texts": ["a", "b"], "words": ["a"]}
    )
    lines = model_card(bundle).text.splitlines()
    assert "- Set on the validation split: threshold 0.35. Other texts may ask for other values." in lines
    assert "- Holds 2 texts of the training data, to compare with." in lines


def test_nothing_is_said_of_the_language_or_the_name_of_a_users_own_data(tmp_path: Path) -> None:
    data = model_card(make_bundle(tmp_path / "bundle", data="jsonl", data_licence="yours")).data
    assert (data.language, data.datasets, data.license) == (None, None, "other")


def test_bundles_of_older_runs_have_a_card_too(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle")
    older = {name: value for name, value in MANIFEST_VALUES.items() if name not in ("finds", "code")}
    (bundle / MANIFEST).write_text(json.dumps(older))
    text = model_card(bundle).text
    assert "Finds" not in text
    assert "commit" not in text


@pytest.mark.parametrize(
    ("head", "base", "said"),
    [
        ("TextGeneration", "org/decoder", "base = AutoModelForCausalLM.from_pretrained("),
        ("PairScoring", "org/encoder", "base = AutoModel.from_pretrained("),
        ("TextGeneration", "org/decoder-GGUF", None),
        ("SpanExtraction", "org/gliner", None),
    ],
)
def test_code_for_plain_peft_stands_where_the_base_is_one_that_transformers_loads(
    tmp_path: Path, head: str, base: str, said: str | None
) -> None:
    model = {**MANIFEST_VALUES["model"], "hub_id": base}
    target = {"_target_": f"shared.heads.settings.{head}"}
    text = model_card(make_bundle(tmp_path / "bundle", model=model, head=target)).text
    assert said in text if said else "```" not in text


def test_every_head_but_that_of_oddness_has_a_task_of_the_hub() -> None:
    files = [*CONF.glob("head/*.yaml"), *CONF.glob("*/head/*.yaml")]
    heads = {yaml.safe_load(path.read_text(encoding="utf-8")).get("_target_") for path in files} - {None}
    assert {head.rpartition(".")[2] for head in heads} - {*PIPELINES} == {"EmbeddingDensity"}


def test_the_names_of_all_published_data_are_ones_that_the_hub_takes(tmp_path: Path) -> None:
    records = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in (CONF.parent / "leaderboards" / "records").glob("*/*.json")
    ]
    names = {(record["data"]["name"], record["data"]["licence"]) for record in records}
    assert len(names) > 10
    for number, (name, licence) in enumerate(sorted(names)):
        bundle = make_bundle(tmp_path / str(number), data=name, data_licence=licence)
        (found,) = model_card(bundle).data.datasets
        validate_repo_id(found)
