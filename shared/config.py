"""The typed configuration of a run: YAML values in, frozen dataclasses out, all mistakes at once."""

from __future__ import annotations

import copy
import hashlib
import importlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from shared.contracts import Baseline, DataAdapter, HeadSettings, Metric
from shared.errors import ConfigError
from shared.labelling.contracts import Form, Teacher
from shared.labelling.settings import ExchangeConfig, LabellingConfig, RehearseConfig, ReviewConfig
from shared.slices import KINDS
from shared.typed_config import build, typed


class Method(Enum):
    """Which weights train: LoRA and the head, all of them, or the head alone."""

    lora = "lora"
    full = "full"
    head = "head"


@dataclass(frozen=True)
class TaskConfig:
    """What the task's YAML says besides its defaults."""

    name: str
    package: str  # below `tasks`
    chosen_by: str  # the word of the command line that chooses it among the package's tasks; '' for the first
    summary: str
    metric: Any  # a `_target_` node, built into `RunConfig.metric`
    reader: str  # the function that reads texts to predict, as package.module.function
    markdown: str | None  # the function that writes an answer for predict.output=*.md, where there is one
    verbs: dict[
        str, dict[str, str]
    ]  # its own: `call`, a function like those of `shared.commands`, and `help`


@dataclass(frozen=True)
class ModelConfig:
    """A base at a pinned revision."""

    name: str
    hub_id: str
    revision: str
    sha256: str | None  # of model.safetensors, the GGUF or the index of shards; None: the revision pins it
    package: str | None  # the installable package that carries the weights, and wins over the hub
    package_folder: str | None  # of the weights inside that package
    encoder_hub_id: str | None  # whose config and tokenizer serve, where the weights come without them
    encoder_revision: str | None
    licence: str
    lora_modules: list[str]  # the linear layers LoRA goes on, by the end of their name


@dataclass(frozen=True)
class LoraConfig:
    """What trains, and the low-rank update where there is one (Hu et al., arXiv 2106.09685)."""

    method: Method
    r: int
    alpha: int
    dropout: float
    modules: list[str] | None  # None: the model's `lora_modules`
    layers: int  # of the base, from its end; 0 for all: the fewer, the less a step computes
    dora: bool  # weight-decomposed (arXiv 2402.09353)
    rslora: bool  # scaled by alpha / sqrt(r) (arXiv 2312.03732)

    def __post_init__(self) -> None:
        _check(
            ("lora.r", self.r, self.r > 0, "a whole number above 0"),
            ("lora.layers", self.layers, self.layers >= 0, "0 or more"),
        )


class Keep(Enum):
    """Which weights training leaves: those of the best validation score, or the last."""

    best = "best"
    last = "last"  # where validation has nothing to choose by


@dataclass(frozen=True)
class TrainConfig:
    """The loop: batches, optimiser, schedule, checkpoints, stopping."""

    epochs: int  # 0 leaves the weights as they are: what a head measures is all that it learns
    learning_rate: float  # of the backbone's trainable weights, at its peak
    head_learning_rate: float
    weight_decay: float
    warmup_share: float  # of all steps; then linear decay to zero
    batch_tokens: int  # padded tokens of one batch at most
    accumulate: int  # batches per step
    max_grad_norm: float
    ema: float  # decay of the weights' moving average, which is what is evaluated and saved; 0 for none
    keep: Keep
    patience: int  # epochs without a better validation score before stopping; 0 never stops early
    checkpoint_steps: int  # steps between checkpoints
    max_steps: int  # stop after so many steps; 0 for no limit
    # Those below have defaults because the stored configurations of older runs lack them.
    cache_gib: float = 0.0  # of what the frozen layers below the trained ones make of the texts; 0 keeps none
    min_steps: int = 0  # an epoch passes over few examples again until the epochs have so many steps
    examples: int = 0  # train on so many, drawn by the seed (`shared.sampling`); 0 for all
    reference: str = ""  # a run whose right answers are to be kept (`shared.agreement`); '' for none
    reference_weight: float = 0.0  # of what differs from it, beside the loss

    def __post_init__(self) -> None:
        _check(
            ("train.epochs", self.epochs, self.epochs >= 0, "0 or more"),
            ("train.learning_rate", self.learning_rate, self.learning_rate >= 0, "0 or more"),
            ("train.head_learning_rate", self.head_learning_rate, self.head_learning_rate >= 0, "0 or more"),
            ("train.warmup_share", self.warmup_share, 0 <= self.warmup_share <= 1, "0 to 1"),
            ("train.batch_tokens", self.batch_tokens, self.batch_tokens > 0, "a whole number above 0"),
            ("train.accumulate", self.accumulate, self.accumulate > 0, "a whole number above 0"),
            ("train.ema", self.ema, 0 <= self.ema < 1, "0 up to 1 exclusive"),
            (
                "train.checkpoint_steps",
                self.checkpoint_steps,
                self.checkpoint_steps > 0,
                "a whole number above 0",
            ),
            ("train.cache_gib", self.cache_gib, self.cache_gib >= 0, "0 or more"),
            ("train.min_steps", self.min_steps, self.min_steps >= 0, "0 or more"),
            ("train.examples", self.examples, self.examples >= 0, "0 or more"),
            (
                "train.reference_weight",
                self.reference_weight,
                self.reference_weight > 0 if self.reference else self.reference_weight >= 0,
                "above 0 with a reference",
            ),
        )


@dataclass(frozen=True)
class HardwareConfig:
    """The machine as the cost inputs see it; None where nobody has said."""

    name: str
    threads: int  # 0: as many as the process may use
    watts: float | None
    dollars_per_hour: float | None
    source: str
    date: str = ""  # of the price, as 2026-01-31
    cpu: str = ""  # the processor whose records it prices, as they name it; '' prices none
    cores: int = 0  # records of at most so many cores


@dataclass(frozen=True)
class PredictConfig:
    """What `predict` reads and writes; '-' is standard input or output."""

    input: str
    output: str
    format: str  # jsonl, text or conll
    types: dict[str, str] | None  # label -> name of what to look for; None: what the bundle was trained on
    explain: bool  # show beside each answer the training examples nearest to the text
    batch_tokens: int
    check: bool  # let the head's reviewer check what was written, if it has one
    chunk: int  # texts answered together, and lost together where the process is killed
    live: bool  # answer each text as it comes, not `chunk` together: for a log that grows
    resume: bool
    # The stored configurations of older runs lack those below.
    risk: float = 0.0  # share of the answers given that may be wrong, of the bundle's promises; 0 gives all
    unit: str = ""  # of the promise: spans, texts, ...; '' is the bundle's first
    abstained: str = ""  # a file for the texts with an answer that is not given; '' for none
    sets: float = 0.0  # share of the texts whose gold may be outside of the prediction sets; 0 gives no sets

    def __post_init__(self) -> None:
        _check(
            ("predict.risk", self.risk, 0 <= self.risk < 1, "0 up to 1 exclusive"),
            ("predict.sets", self.sets, 0 <= self.sets < 1, "0 up to 1 exclusive"),
            ("predict.format", self.format, self.format in FORMATS, ", ".join(FORMATS)),
            ("predict.chunk", self.chunk, self.chunk > 0, "a whole number above 0"),
        )


FORMATS = ("jsonl", "text", "conll")


GRAPHS = ("onnx", "onnx_int8", "openvino", "openvino_int8")  # engines of encoders
WRITERS = ("gguf", "gguf_q8_0", "gguf_q4_1", "gguf_lora")  # engines of decoders
MERGED = "merged"  # torch on merged weights
ENGINES = ("torch", MERGED, *GRAPHS, *WRITERS)
FORMATS_OF_EXPORT = ENGINES[1:]


@dataclass(frozen=True)
class ExportConfig:
    """What `export` makes of a bundle, and how much of its quality that may cost."""

    format: str  # the engine it is made for, one of ENGINES but torch
    budget: float  # of the main score on validation
    force: bool  # keep one whatever it costs; it is marked

    def __post_init__(self) -> None:
        _check(
            (
                "export.format",
                self.format,
                self.format in FORMATS_OF_EXPORT,
                ", ".join(FORMATS_OF_EXPORT),
            ),
            ("export.budget", self.budget, self.budget >= 0, "0 or more"),
        )


@dataclass(frozen=True)
class PushConfig:
    """Where `push` uploads a bundle to; the token and the hub's address are for the hub's client to find."""

    repo: str  # organisation/name, or user/name
    private: bool


@dataclass(frozen=True)
class PromiseConfig:
    """What `train` and `calibrate` try to promise of answers, see `shared.promise`."""

    risks: list[float]  # shares of the answers given that may be wrong
    confidence: float  # that no more are
    divisions: int  # of validation and test, by which `resplit` tells how often they are kept

    def __post_init__(self) -> None:
        _check(
            ("promise.risks", self.risks, all(0 < risk < 1 for risk in self.risks), "shares between 0 and 1"),
            ("promise.confidence", self.confidence, 0 < self.confidence < 1, "between 0 and 1"),
            ("promise.divisions", self.divisions, self.divisions > 0, "a whole number above 0"),
        )


@dataclass(frozen=True)
class Budget:
    """How much of what worked a new version may change, as `shared.release` judges it."""

    churn: float  # share of items whose answer changed
    negative_flips: float  # share of items that were right and are wrong now
    loss: float  # of the main score
    slice_loss: float  # of the score of a slice
    slice_items: int  # slices of fewer items are not judged
    slices: list[str]  # kinds of slices, of `shared.slices.KINDS`

    def __post_init__(self) -> None:
        kinds = set(self.slices) <= set(KINDS)
        _check(
            ("release.churn", self.churn, 0 <= self.churn <= 1, "0 to 1"),
            ("release.negative_flips", self.negative_flips, 0 <= self.negative_flips <= 1, "0 to 1"),
            ("release.loss", self.loss, self.loss >= 0, "0 or more"),
            ("release.slice_loss", self.slice_loss, self.slice_loss >= 0, "0 or more"),
            ("release.slice_items", self.slice_items, self.slice_items > 0, "a whole number above 0"),
            ("release.slices", self.slices, kinds, f"a list of {', '.join(KINDS)}"),
        )


@dataclass(frozen=True)
class RunConfig:
    """Everything a command was told; parts are handed on, never the whole."""

    task: TaskConfig
    metric: Metric
    data: DataAdapter
    model: ModelConfig
    head: HeadSettings
    baseline: Baseline | None
    lora: LoraConfig
    train: TrainConfig
    predict: PredictConfig
    promise: PromiseConfig
    push: PushConfig
    release: Budget
    export: ExportConfig
    labelling: LabellingConfig
    rehearse: RehearseConfig
    review: ReviewConfig
    exchange: ExchangeConfig
    form: Form
    teacher: Teacher | None
    hardware: HardwareConfig
    seed: int
    row: str  # the published row it belongs to, such as ner/minilm_lora; '' for none
    title: str  # the row's name in tables; '' for the model's name
    run: str  # the run a verb works on: a folder, or `latest`
    resume: str  # the run whose training goes on; '' starts anew
    left: str  # what `compare` and `release` compare: a run, a record or a predictions file
    right: str
    split: str
    engine: str  # what computes the answers, see `shared.engines`
    runs_dir: Path
    data_dir: Path
    leaderboards_dir: Path
    resolved: dict[str, Any]

    @property
    def reader(self) -> Any:
        """The task's function that reads texts to predict."""
        return named(self.task.reader)

    @property
    def markdown(self) -> Any:
        """The task's function that writes an answer as Markdown, or None."""
        return named(self.task.markdown) if self.task.markdown else None

    @property
    def digest(self) -> str:
        """Eight hex digits that name this configuration; paths do not count."""
        return config_digest(self.resolved)


PLACES = ("runs_dir", "data_dir", "leaderboards_dir")  # folders of one machine, at any depth
# What one command works on, at the top alone.
COMMAND_WORDS = (
    "run",
    "resume",
    "left",
    "right",
    "predict",
    "promise",
    "push",
    "release",
    "export",
    "engine",
    "labelling",
    "rehearse",
    "review",
    "exchange",
    "form",
    "teacher",
    "source",  # the part of it that counts is in the data
)
_PLAIN = {
    "seed": int,
    "row": str,
    "title": str,
    "run": str,
    "resume": str,
    "left": str,
    "right": str,
    "split": str,
    "engine": str,
    "runs_dir": Path,
    "data_dir": Path,
    "leaderboards_dir": Path,
}


def read_config(node: DictConfig) -> RunConfig:
    """Return the typed configuration of a composed node; raises `ConfigError` with every mistake in it."""
    mistakes: list[str] = []
    parts: dict[str, Any] = {}
    node = copy.deepcopy(node)
    OmegaConf.resolve(node)  # a part that is built alone cannot look outside itself

    def collect(name: str, make: Any) -> None:
        try:
            parts[name] = make()
        except ConfigError as error:
            mistakes.extend(error.mistakes)

    for name, schema in (
        ("task", TaskConfig),
        ("model", ModelConfig),
        ("lora", LoraConfig),
        ("train", TrainConfig),
        ("predict", PredictConfig),
        ("promise", PromiseConfig),
        ("push", PushConfig),
        ("release", Budget),
        ("export", ExportConfig),
        ("labelling", LabellingConfig),
        ("rehearse", RehearseConfig),
        ("review", ReviewConfig),
        ("exchange", ExchangeConfig),
        ("hardware", HardwareConfig),
    ):
        collect(name, lambda name=name, schema=schema: typed(node[name], schema, path=name))
    collect("metric", lambda: build(node.task.metric, path="task.metric"))
    for name in ("data", "head", "form"):
        collect(name, lambda name=name: build(node[name], path=name))
    for name in ("baseline", "teacher"):
        collect(name, lambda name=name: build(node[name], path=name) if node.get(name) else None)
    for name, kind in _PLAIN.items():
        collect(name, lambda name=name, kind=kind: _plain(node[name], kind, path=name))
    if mistakes:
        raise ConfigError(mistakes)
    resolved = OmegaConf.to_container(node, resolve=True)
    return RunConfig(**parts, resolved=resolved)  # type: ignore[arg-type]  # a DictConfig gives a dict


def named(path: str) -> Any:
    """Return the function that a dotted path names."""
    module_name, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module_name), name)


def config_digest(resolved: Mapping[str, Any]) -> str:
    """Return eight hex digits over the resolved configuration without its folders and `COMMAND_WORDS`."""

    def kept(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: kept(item) for key, item in value.items() if key not in PLACES}
        return value

    named = kept({key: item for key, item in resolved.items() if key not in COMMAND_WORDS})
    return hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()[:8]


def _plain(value: Any, kind: type, *, path: str) -> Any:
    if kind is Path:
        return Path(str(value)).expanduser()
    if kind is int and not isinstance(value, int):
        raise ConfigError([f"{path}={value!r}; allowed: a whole number"])
    return kind("" if value is None else value)


def _check(*rules: tuple[str, Any, bool, str]) -> None:
    """Raise `ConfigError` for each (name, value, holds, what is allowed) that does not hold."""
    mistakes = [f"{name}={value!r}; allowed: {allowed}" for name, value, holds, allowed in rules if not holds]
    if mistakes:
        raise ConfigError(mistakes)
