"""What a verb works on: the run, its configuration, its examples."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from shared import runs
from shared.config import COMMAND_WORDS, PLACES, RunConfig, read_config
from shared.contracts import DataAdapter, Examples, Features, Reviewer, Weighing
from shared.errors import ConfigError, DataError
from shared.sampling import draw_examples

CHECK = "head.check"  # the settings of a head that may be told anew: they change no weight
STYLE = "style"  # the house style, which may be told anew with them
FIRST_STAGE = "first_stage"  # what finds the candidates of a query: part of a ranker as it was trained
STYLED = (STYLE, "task.metric.style", f"{CHECK}.{STYLE}")  # where it stands
# What a stored configuration takes from the command line of now: folders, and what verbs but train are told.
NOW = (*PLACES, *(word for word in COMMAND_WORDS if word not in ("run", "resume", "predict")))


def run_folder(config: RunConfig, *, holding: str = runs.BUNDLE) -> Path:
    """Return the folder of the run that a verb works on; `same` is the newest of this very configuration."""
    if config.run == runs.SAME:
        return runs.find_same(config.digest, runs_dir=config.runs_dir, task=config.task.name, holding=holding)
    return runs.find_run(config.run, runs_dir=config.runs_dir, task=config.task.name, holding=holding)


def bound(config: RunConfig) -> RunConfig:
    """Return the configuration with its metric told what the data has to find."""
    return replace(config, metric=config.metric.bind(config.data.types()))


def load(config: RunConfig, split: str) -> list[Any]:
    """Return the examples of a split; raises `DataError` where there is none."""
    examples = config.data.load(split)
    if not examples:
        raise DataError("no examples in it", file=f"{config.data.name} {split}")
    return examples


def load_training(config: RunConfig) -> list[Any]:
    """Return the examples to train on: all of the split, or those that `train.examples` draws."""
    return draw_examples(load(config, "train"), config.train.examples, seed=config.seed)


def feature_weights(data: DataAdapter, examples: Examples, features: Sequence[Features]) -> list[float]:
    """Return the weight of each of the features, that of its example; none where all count alike."""
    if not isinstance(data, Weighing):
        return []
    weights = [data.weight(example) for example in examples]
    return [] if set(weights) <= {1.0} else [weights[item.example] for item in features]


def resumed(config: RunConfig, folder: Path, overrides: Sequence[str]) -> RunConfig:
    """Return the run's own configuration: an exact resume takes no other setting."""
    allowed = ("resume", "runs_dir", "data_dir")
    others = [text for text in overrides if text.partition("=")[0] not in allowed]
    if others:
        raise ConfigError([f"resume goes on with the run's own settings; take away: {' '.join(others)}"])
    stored = OmegaConf.create(runs.read_run_config(folder))
    stored.resume = config.resume
    return read_config(_moved(stored, config))


def of_run(config: RunConfig, folder: Path, overrides: Sequence[str]) -> RunConfig:
    """Return the run's configuration with what is told anew: other data, a split, a house style, a check.

    An experiment tells its data, its row and its title.
    """
    stored = OmegaConf.create(runs.read_run_config(folder))
    given = named_in(overrides)
    if "experiment" in given:
        given |= {"data", "row", "title"}
    if "data" in given:
        given.add("task")  # the metric that the data asks for
    for name in given & {"data", "task", "split", "hardware", "predict", "row", "title"}:
        stored[name] = config.resolved[name]
    _set_first_stage(stored, config, given)
    if STYLE in given:
        for key in STYLED:
            if OmegaConf.select(stored, key):
                OmegaConf.update(stored, key, config.resolved[STYLE], merge=False)
    for key in _check_keys(overrides):
        if not OmegaConf.select(stored, CHECK):
            raise ConfigError([f"{key}: this run writes without a check"])
        OmegaConf.update(stored, key, OmegaConf.select(OmegaConf.create(config.resolved), key))
    return read_config(_moved(stored, config))


def told_reviewer(config: RunConfig, folder: Path, overrides: Sequence[str]) -> Reviewer | None:
    """Return who checks what a run's head answers, if the command line tells the check or its style anew."""
    if STYLE not in named_in(overrides) and not _check_keys(overrides):
        return None
    told = of_run(config, folder, overrides)
    if not OmegaConf.select(OmegaConf.create(told.resolved), CHECK):
        return None
    settings: Any = told.head
    reviewer: Reviewer | None = settings.reviewer()
    return reviewer


def keep_check(folder: Path, config: RunConfig) -> None:
    """Let the run's configuration have the check and the house style of this one."""
    stored = OmegaConf.create(runs.read_run_config(folder))
    for key in (CHECK, *STYLED):
        OmegaConf.update(stored, key, OmegaConf.select(OmegaConf.create(config.resolved), key), merge=False)
    kept: Any = OmegaConf.to_container(stored)
    runs.write_run_config(folder, kept)


def named_in(overrides: Sequence[str]) -> set[str]:
    """Return the groups and fields of the configuration that the command line speaks of."""
    return {text.partition("=")[0].lstrip("+").partition(".")[0] for text in overrides}


def _set_first_stage(stored: Any, config: RunConfig, given: set[str]) -> None:
    """Let data told anew be searched as the run's own was, or as the command line or its experiment says."""
    now = config.resolved.get(FIRST_STAGE)
    data = config.resolved["data"] if "data" in given else stored.data
    if FIRST_STAGE not in stored or data.get(FIRST_STAGE) not in (now, stored[FIRST_STAGE]):
        return  # data that is not searched, or in a way of its own
    if {FIRST_STAGE, "experiment"} & given:
        stored[FIRST_STAGE] = now
    stored.data[FIRST_STAGE] = stored[FIRST_STAGE]


def _check_keys(overrides: Sequence[str]) -> list[str]:
    """Return the settings of the check that the command line tells."""
    keys = [text.partition("=")[0].lstrip("+") for text in overrides]
    return [key for key in keys if key.startswith(f"{CHECK}.")]


def _moved(stored: Any, config: RunConfig) -> Any:
    """Return the stored configuration with the folders of now, and what the verbs but train are told now."""
    for name in NOW:
        stored[name] = config.resolved.get(name)  # a group that nothing is chosen of is absent
    for data in (stored.data, stored.data.get("source"), stored.data.get("unrelated")):
        if data and "data_dir" in data:
            data.data_dir = config.resolved["data_dir"]
    return stored


def use_threads(threads: int) -> None:
    """Let torch use this many threads; 0 means every processor the process may use."""
    import torch

    torch.set_num_threads(threads or len(os.sched_getaffinity(0)))
