"""The text of a model card: licences, use, training, scores and limits, each from a run's own files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.config import config_digest
from shared.contracts import Score
from shared.errors import few
from shared.help import command
from shared.licence import restriction
from shared.promise import read_promises
from shared.record import Kept, Parameters, Promise, Record, Training

WRITERS = ("TextGeneration", "QueryWriting")  # heads on a decoder
INSIDE = ("SpanExtraction",)  # heads whose encoder is a part of another library's model
LIBRARIES = ("torch", "transformers", "peft")


@dataclass(frozen=True)
class RunFacts:
    """What the run that made a bundle knows beyond it."""

    config: Mapping[str, Any]
    metric: str  # the score that training chose by
    training: Training
    parameters: Parameters
    record: Record | None  # of the test split, once it is evaluated


@dataclass(frozen=True)
class Facts:
    """What a card is written from."""

    manifest: Mapping[str, Any]  # of the bundle; older ones have neither `finds` nor `code`
    lora: Mapping[str, Any] | None  # PEFT's configuration, where there is a LoRA
    run: RunFacts | None

    @property
    def name(self) -> str:
        """The row's name in tables, or the base's, and the data."""
        title = self.run.config["title"] if self.run else ""
        return f"{title or self.manifest['model']['name']} on {self.manifest['data']}"

    @property
    def head(self) -> str:
        """The class of the head's settings."""
        return str(self.manifest["head"]["_target_"]).rpartition(".")[2]

    @property
    def record(self) -> Record | None:
        """The record of the test split, once there is one."""
        return self.run.record if self.run else None


def card_text(facts: Facts) -> str:
    """Return the card below its front matter."""
    sections = [
        _opening(facts),
        "## Licences",
        _licences(facts.manifest),
        "## Use",
        _use(facts),
        "## Training",
        _training(facts),
        "## Scores",
        _scores(facts),
        "## Limits",
        _limits(facts),
    ]
    return "\n\n".join(sections) + "\n"


def main_scores(record: Record) -> dict[str, Score]:
    """Return the scores of the whole split; those of one label, facet or level are named `score/label`."""
    return {name: score for name, score in record.scores.items() if "/" not in name}


def _opening(facts: Facts) -> str:
    summary = f": it {facts.run.config['task']['summary']}" if facts.run else ""
    parts = [f"# {facts.name}", f"A specialist for the task {facts.manifest['task']}{summary}."]
    if finds := facts.manifest.get("finds"):
        parts.append(f"Finds: {finds}.")
    return "\n\n".join(parts)


def _licences(manifest: Mapping[str, Any]) -> str:
    model = manifest["model"]
    full = manifest["lora"]["method"] == "full"
    lines = [
        f"- Base: {model['hub_id']} at {model['revision']}, licence {model['licence']}; its weights are "
        f"{'here, trained further' if full else 'not here'}.",
        f"- Data: {manifest['data']}, licence {manifest['data_licence']}.",
    ]
    if limit := restriction(model["licence"], manifest["data_licence"]):
        lines.append(f"- **{limit[0].upper()}{limit[1:]}.**")
    return "\n".join(lines)


def _use(facts: Facts) -> str:
    predict = command(facts.manifest["task"], "predict")
    parts = [
        "With this folder as `RUN/adapter` (from a hub: `hf download ORG/NAME --local-dir RUN/adapter`):",
        f"    {predict} run=RUN predict.input=texts.txt",
        "`head.safetensors` holds the head; `bundle.json` the labels, thresholds and digests of the files.",
    ]
    if facts.lora:
        parts.append("The LoRA part is in PEFT's own format.")
        if facts.head not in INSIDE and not facts.manifest["model"]["hub_id"].endswith("-GGUF"):
            parts += ["On the base without this project, up to the head:", _peft_code(facts, facts.lora)]
    return "\n\n".join(parts)


def _peft_code(facts: Facts, lora: Mapping[str, Any]) -> str:
    model = facts.manifest["model"]
    kind = "AutoModelForCausalLM" if facts.head in WRITERS else "AutoModel"
    lines = [
        "```python",
        "from peft import PeftModel",
        f"from transformers import {kind}",
        "",
        f'base = {kind}.from_pretrained("{model["hub_id"]}", revision="{model["revision"]}")',
        'model = PeftModel.from_pretrained(base, "RUN/adapter")',
        "```",
    ]
    if added := lora["trainable_token_indices"]:
        lines.insert(-2, f"base.resize_token_embeddings({max(added) + 1})  # for the tokens that it adds")
    return "\n".join(lines)


def _training(facts: Facts) -> str:
    manifest, run = facts.manifest, facts.run
    lora = manifest["lora"]
    what = {
        "lora": f"the head and a LoRA of rank {lora['r']}, alpha {lora['alpha']}",
        "full": "the head and the whole base",
        "head": "the head alone",
    }[lora["method"]]
    weights = f": {run.parameters.trainable:,} of {run.parameters.total:,} weights" if run else ""
    lines = [f"- Trained: {what}{weights}.", *(_course(run) if run else [])]
    if code := manifest.get("code"):
        lines.append(
            f"- Code: commit {code['commit']}{'' if code['clean'] else ', with uncommitted changes'}."
        )
    versions = [f"{name} {manifest['versions'][name]}" for name in LIBRARIES]
    return "\n".join([*lines, f"- Libraries: {', '.join(versions)}."])


def _course(run: RunFacts) -> list[str]:
    training = run.training
    examples = "" if training.examples is None else f"examples {training.examples:,}, "
    lines = [
        f"- Course: {examples}epochs {training.epochs:g}, steps {training.steps:,}, "
        f"seconds {training.wall_seconds:,.0f}.",
        f"- Configuration: digest {config_digest(run.config)}, seed {run.config['seed']}.",
    ]
    if training.validation is not None:
        best = f"{training.validation:.4f} after epoch {training.notes['best_epoch']}"
        lines.append(f"- Validation: {run.metric} was at best {best}.")
    return lines


def _scores(facts: Facts) -> str:
    record = facts.record
    if record is None:
        return f"Not measured on a test split yet: `{command(facts.manifest['task'], 'evaluate')} run=RUN`."
    data = record.data
    lines = [
        f"On the test split of {data.name}, {data.num_examples:,} examples in {data.num_documents:,} "
        f"documents, which the intervals' bootstrap draws from. The main score is {record.metric.main}. "
        f"One run, of seed {record.seed}: record {record.id}, {record.created}.",
        "",
        "| score | value | 95 % interval |",
        "|---|---:|---|",
        *(
            f"| {name} | {score.value:.4f} | {_interval(score)} |"
            for name, score in main_scores(record).items()
        ),
    ]
    return "\n".join(lines)


def _interval(score: Score) -> str:
    return "" if score.low is None or score.high is None else f"{score.low:.4f} to {score.high:.4f}"


def _promises(facts: Facts) -> list[str]:
    """Return what is promised of the answers given, and what became of it on test."""
    promises = [
        promise for own in read_promises(facts.manifest.get("promises", [])) for promise in own.promises
    ]
    tested = {
        (own.promise.unit, own.promise.risk): own for own in (facts.record.promises if facts.record else [])
    }
    return [_promise(promise, tested.get((promise.unit, promise.risk))) for promise in promises]


def _promise(promise: Promise, own: Kept | None) -> str:
    what = f"- `predict.risk={promise.risk:g}` of {promise.unit}"
    if promise.threshold is None:
        return f"{what}: validation allows no such promise, no answer is given."
    text = (
        f"{what}: given with confidence {promise.threshold:.4g} or more, {promise.coverage:.1%} on validation"
    )
    if own is None or own.risk is None or own.promise != promise:
        return f"{text}."
    return f"{text}; on test {own.coverage:.1%}, of which {own.risk.value:.1%} wrong ({own.verdict})."


def _limits(facts: Facts) -> str:
    manifest = facts.manifest
    lines = [f"- Trained on {manifest['data']}: measure it on other texts before you rely on it there."]
    if decoding := manifest["decoding"]:
        values = few([f"{name} {value:.4g}" for name, value in decoding.items()])
        lines.append(f"- Set on the validation split: {values}. Other texts may ask for other values.")
    lines += _promises(facts)
    if facts.record and (coverage := facts.record.coverage):
        counts = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in coverage.items())
        lines.append(f"- On the test split: {counts}.")
    if texts := len(manifest["kept"].get("texts", ())):
        lines.append(f"- Holds {texts:,} texts of the training data, to compare with.")
    return "\n".join(lines)
