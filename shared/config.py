"""The typed configuration of a run: YAML values in, frozen dataclasses out, all mistakes at once."""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from shared.contracts import Baseline, DataAdapter, HeadSettings, Metric
from shared.errors import ConfigError
from shared.labelling.contracts import Form, Teacher
from shared.labelling.settings import ExchangeConfig, LabellingConfig, RehearseConfig, ReviewConfig
from shared.training_config import LoraConfig, ModelConfig, TrainConfig
from shared.typed_config import build, typed
from shared.verb_config import Budget, ExportConfig, PredictConfig, PromiseConfig, PushConfig


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
    "source",  # the part of it that counts is in the data, as is that of the next
    "unrelated",
)
_TYPED = {
    "task": TaskConfig,
    "model": ModelConfig,
    "lora": LoraConfig,
    "train": TrainConfig,
    "predict": PredictConfig,
    "promise": PromiseConfig,
    "push": PushConfig,
    "release": Budget,
    "export": ExportConfig,
    "labelling": LabellingConfig,
    "rehearse": RehearseConfig,
    "review": ReviewConfig,
    "exchange": ExchangeConfig,
    "hardware": HardwareConfig,
}
_BUILT = ("data", "head", "form")
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
    try:
        resolved: Any = OmegaConf.to_container(node, resolve=True)
    except OmegaConfBaseException as error:
        raise ConfigError([str(error).splitlines()[0]]) from error

    def collect(name: str, make: Any) -> None:
        try:
            parts[name] = make()
        except ConfigError as error:
            mistakes.extend(error.mistakes)

    if left_out := [name for name in (*_TYPED, *_BUILT, *_PLAIN) if name not in resolved]:
        raise ConfigError([f"{name} is left out, and nothing works without it" for name in left_out])
    for name, schema in _TYPED.items():
        collect(name, lambda name=name, schema=schema: typed(resolved[name], schema, path=name))
    collect("metric", lambda: build(resolved["task"]["metric"], path="task.metric"))
    for name in _BUILT:
        collect(name, lambda name=name: build(resolved[name], path=name))
    for name in ("baseline", "teacher"):
        collect(name, lambda name=name: build(resolved[name], path=name) if resolved.get(name) else None)
    for name, kind in _PLAIN.items():
        collect(name, lambda name=name, kind=kind: _plain(resolved[name], kind, path=name))
    if mistakes:
        raise ConfigError(mistakes)
    return RunConfig(**parts, resolved=resolved)


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
