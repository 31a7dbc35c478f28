"""Model cards: what a stranger must know of a bundle, in the form that the Hugging Face hub reads.

A card is rendered from the files of a run, as tables are from records: `train` writes it, and `evaluate` puts
the scores of the test split in. `bundle.json` holds no digest of it: the digests guard what gives the
answers, and a bundle that has been measured is still the same bundle.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from shared import runs
from shared.bundle_manifest import CARD, MANIFEST
from shared.card_text import Facts, RunFacts, card_text, main_scores
from shared.files import write_text_atomic
from shared.licence import OWN, hub_licence
from shared.record import Parameters, Record, Training, read_record
from shared.typed_json import read_as

LORA = "adapter_config.json"  # PEFT's

# The hub's name for what a head does; it has none for how odd a text is among others.
PIPELINES = {
    "TokenClassification": "token-classification",
    "SpanExtraction": "token-classification",
    "SequenceClassification": "text-classification",
    "SentenceSelection": "summarization",
    "TextGeneration": "summarization",
    "QueryWriting": "text-generation",
    "PairScoring": "text-ranking",
    "DualEncoding": "sentence-similarity",
}


def write_card(folder: Path, *, metric: str) -> None:
    """Write the card of the run's bundle anew; `metric` names the score that training chose by."""
    found = runs.read_training(folder)
    run = RunFacts(
        config=runs.read_run_config(folder),
        metric=metric,
        training=read_as(Training, found["training"], file=folder / runs.TRAINING),
        parameters=Parameters(**found["parameters"]),
        record=_test_record(folder / runs.RECORD),
    )
    write_text_atomic(folder / runs.BUNDLE / CARD, str(model_card(folder / runs.BUNDLE, run)))


def model_card(bundle: Path, run: RunFacts | None = None) -> ModelCard:
    """Return the card of the bundle; a bundle that is only just saved has no finished run yet."""
    manifest = json.loads((bundle / MANIFEST).read_text(encoding="utf-8"))
    lora = bundle / LORA
    facts = Facts(
        manifest=manifest,
        lora=json.loads(lora.read_text(encoding="utf-8")) if lora.is_file() else None,
        run=run,
    )
    return ModelCard(f"---\n{_metadata(facts).to_yaml()}\n---\n\n{card_text(facts)}")


def _test_record(path: Path) -> Record | None:
    record = read_record(path) if path.is_file() else None
    return record if record and record.data.split == "test" else None


def _metadata(facts: Facts) -> ModelCardData:
    manifest, record = facts.manifest, facts.record
    model, licence = manifest["model"], manifest["data_licence"]
    return ModelCardData(
        license=hub_licence(model["licence"], licence),
        language=None if licence == "yours" else "en",
        base_model=model["hub_id"],
        base_model_relation="finetune" if manifest["lora"]["method"] == "full" else "adapter",
        datasets=None if licence in OWN else [_data_id(manifest["data"])],
        library_name="peft" if facts.lora else None,
        pipeline_tag=PIPELINES.get(facts.head),
        metrics=[record.metric.main] if record else None,
        tags=["rightsize", manifest["task"], *(["lora"] if facts.lora else [])],
        model_name=facts.name if record else None,
        eval_results=_results(facts, record) if record else None,
    )


def _results(facts: Facts, record: Record) -> list[EvalResult]:
    return [
        EvalResult(
            task_type=PIPELINES.get(facts.head, record.task),
            dataset_type=_data_id(record.data.name),
            dataset_name=record.data.name,
            dataset_split=record.data.split,
            metric_type=name,
            metric_value=round(score.value, 6),
        )
        for name, score in main_scores(record).items()
    ]


def _data_id(name: str) -> str:
    """Return the data's name with only letters, digits, dots and hyphens, as the hub writes one."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", name).strip("-").lower()
