"""The verbs that take two systems: `compare` tells them apart, `release` judges the new one by a budget."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from shared import runs
from shared.config import RunConfig, read_config
from shared.errors import UserError
from shared.files import write_json_atomic
from shared.record import PREDICTIONS, read_record
from shared.run_inputs import bound, load, named_in, of_run

CHANGES_SHOWN = 20
BLOCKED = 1  # exit code of a release that breaks its budget


def compare(config: RunConfig, *, overrides: Sequence[str]) -> None:
    """Compare two systems by a paired test on the same items, and list the answers that changed."""
    from shared import compare as comparing

    config, *sides = compared(config, overrides)
    examples = load(config, config.split)
    names = {"left": config.left, "right": config.right}
    left, right = ([runs.read_predictions(path) for path in side] for side in sides)
    found = comparing.compare(examples, left, right, metric=config.metric)
    runs.say(comparing.comparison_text(found, **names, max_items=CHANGES_SHOWN))
    path = config.runs_dir / config.task.name / "comparison.json"
    runs.write_rows(path, [{**names, **comparing.comparison_row(found)}])
    runs.say(f"all of it: {path}")


def release(config: RunConfig, *, overrides: Sequence[str]) -> None:
    """Judge a new version against the old one by a budget; one that breaks it ends with exit code BLOCKED."""
    from shared.boards.layout import read_layout
    from shared.release import judge, read_system, release_row
    from shared.release_text import release_text

    config, *sides = compared(config, overrides)
    examples = load(config, config.split)
    ignored = read_layout(config.task.name).unchanged
    old, new = (
        read_system(name, files, ignored=ignored)
        for name, files in zip((config.left, config.right), sides, strict=True)
    )
    found = judge(examples, old, new, metric=config.metric, budget=config.release)
    path = config.runs_dir / config.task.name / "release.json"
    write_json_atomic(path, release_row(found))
    runs.say(release_text(found, max_flips=CHANGES_SHOWN, file=path))
    if found.broken:
        sys.exit(BLOCKED)


def compared(config: RunConfig, overrides: Sequence[str]) -> tuple[RunConfig, list[Path], list[Path]]:
    """Return the configuration that two systems are scored by, and the predictions files of left and right.

    The configuration is that of the first run or published record among them, if any; its metric is bound.
    """
    left, right = (_runs_of(side, config) for side in (config.left, config.right))
    for path in (*left, *right):
        if (path.parent / runs.CONFIG).is_file():
            return bound(of_run(config, path.parent, overrides)), left, right
        if (record := _record_of(path)).is_file():
            return bound(_of_record(config, record, overrides)), left, right
    return bound(config), left, right


def _of_record(config: RunConfig, path: Path, overrides: Sequence[str]) -> RunConfig:
    """Return the configuration with data, metric and split of a record, but for what is told anew."""
    from shared.boards.rescore import data_config

    record, given = read_record(path), named_in(overrides)
    node: dict[str, Any] = {**config.resolved}
    if "split" not in given:
        node["split"] = record.data.split
    if "data" not in given:
        node["data"] = data_config(record, config.data_dir)
        if not given & {"task", "style"}:
            node["task"] = {**node["task"], "metric": record.config["task"]["metric"]}
    return read_config(OmegaConf.create(node))


def _runs_of(side: str, config: RunConfig) -> list[Path]:
    """Return the predictions files of a side: runs, published records or files, several joined by commas."""
    if not side:
        raise UserError(
            "compare and release take two systems: runs, ids of published records, or predictions files"
        )
    return [_predictions_of(name, config) for name in side.split(",")]


def _predictions_of(name: str, config: RunConfig) -> Path:
    published = config.leaderboards_dir / "records" / config.task.name / f"{name}{PREDICTIONS}"
    if published.is_file():
        return published
    if name.endswith(".jsonl") and Path(name).is_file():
        return Path(name)
    folder = runs.find_run(name, runs_dir=config.runs_dir, task=config.task.name)
    path = runs.predictions_path(folder, config.split)
    if not path.is_file():
        raise UserError(f"{folder} has no answers on {config.split}: evaluate it first, with run={folder}")
    return path


def _record_of(answers: Path) -> Path:
    """Return where the record of published answers is; beside other answers there is none."""
    return answers.with_name(answers.name.removesuffix(PREDICTIONS) + ".json")
