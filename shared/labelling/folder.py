"""The folder of a labelling: texts, answers, decisions, each in a file that only grows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from shared.errors import ConfigError, DataError, UserError
from shared.example_rows import example_row, prediction_row, read_example, read_prediction
from shared.files import write_json_atomic, write_text_atomic
from shared.labelling.contracts import Answer
from shared.labelling.log import Log, read_log
from shared.typed_json import read_as

ABOUT, TEXTS, ANSWERS, DECISIONS = "labelling.json", "texts.jsonl", "answers.jsonl", "decisions.jsonl"
REPLIES = "replies.sqlite"
ACCEPT, CORRECT, REJECT, UNDO = "accept", "correct", "reject", "undo"
ACTIONS = (ACCEPT, CORRECT, REJECT, UNDO)


@dataclass(frozen=True)
class About:
    """What is labelled, and by what; `split` is '' where the texts came from a file of their own."""

    task: str
    data: str
    split: str
    licence: str
    types: dict[str, Any]


@dataclass(frozen=True)
class Decision:
    """What a reviewer decided of a text; `prediction` is None for a text that is not to be trained on.

    `seconds` is how long the text was looked at; an undone decision is followed by one with `UNDO`.
    """

    id: str
    reviewer: str
    action: str
    prediction: Any | None
    at: str  # UTC, as 2026-01-31T12:00:00
    seconds: float = 0.0


def labelling_folder(given: str) -> Path:
    """Return the folder that was given; an empty name is a `ConfigError`."""
    if not given:
        raise ConfigError(["labelling.folder is empty: name the folder, as labelling.folder=labels/news"])
    return Path(given).expanduser()


def claim(folder: Path, about: About, examples: Sequence[Any]) -> None:
    """Make the folder of these texts, or add them to the texts that are there.

    A text is known by its id; raises `UserError` where the folder is of other labels, or an id of another
    text.
    """
    if (folder / ABOUT).is_file():
        found = read_about(folder)
        if found != about:
            raise UserError(f"{folder} is another labelling: {_unlike(found, about)}; choose another folder")
    known = {example.id: example for example in read_texts(folder)} if (folder / TEXTS).is_file() else {}
    for example in examples:
        if example.id in known and known[example.id].text != example.text:
            raise UserError(
                f"{folder / TEXTS}: id {example.id!r} is another text there; choose another folder"
            )
    new = {example.id: example for example in examples if example.id not in known}
    if new:
        rows = [json.dumps(example_row(one), ensure_ascii=False) for one in [*known.values(), *new.values()]]
        write_text_atomic(folder / TEXTS, "\n".join(rows) + "\n")
    write_json_atomic(folder / ABOUT, asdict(about))


def read_about(folder: Path) -> About:
    """Return what the folder is of; raises `UserError` for a folder that is no labelling."""
    if not (folder / ABOUT).is_file():
        raise UserError(f"{folder} is no labelling: it has no {ABOUT}; the verb label makes one")
    try:
        value = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"not JSON: {error}", file=folder / ABOUT) from error
    about: About = read_as(About, value, file=folder / ABOUT)
    return about


def read_texts(folder: Path) -> list[Any]:
    """Return the texts, without gold, in order."""
    path = folder / TEXTS
    if not path.is_file():
        raise UserError(f"{folder} is no labelling: it has no {TEXTS}; the verb label makes one")
    return [_read(read_example, row, path, number) for number, row in read_log(path)]


def read_answers(folder: Path) -> list[Answer]:
    """Return what the teachers said, in the order they said it."""
    path = folder / ANSWERS
    return [_read(_answer, row, path, number) for number, row in read_log(path)]


def add_answers(log: Log, answers: Sequence[Answer]) -> None:
    """Append the answers to the folder's file of them."""
    log.append(
        {**asdict(answer), "prediction": answer.prediction and prediction_row(answer.prediction)}
        for answer in answers
    )


def read_decisions(folder: Path) -> list[Decision]:
    """Return all that reviewers decided, in the order they did, undone decisions among them."""
    path = folder / DECISIONS
    return [_read(_decision, row, path, number) for number, row in read_log(path)]


def add_decisions(log: Log, decisions: Sequence[Decision]) -> None:
    """Append the decisions to the folder's file of them."""
    log.append(
        {**asdict(one), "prediction": one.prediction and prediction_row(one.prediction)} for one in decisions
    )


def standing(decisions: Sequence[Decision]) -> dict[tuple[str, str], Decision]:
    """Return what stands by (id, reviewer), the latest last; an undo takes back the one before."""
    stacks: dict[tuple[str, str], list[Decision]] = {}
    for decision in decisions:
        key = (decision.id, decision.reviewer)
        stack = stacks.pop(key, [])
        stack = stack[:-1] if decision.action == UNDO else [*stack, decision]
        if stack:
            stacks[key] = stack
    return {key: stack[-1] for key, stack in stacks.items()}


def settled(decisions: Sequence[Decision]) -> dict[str, Decision]:
    """Return the decision on each text: of several reviewers, that of whoever decided last."""
    return {decision.id: decision for decision in standing(decisions).values()}


def _unlike(found: About, asked: About) -> str:
    left, right = asdict(found), asdict(asked)
    return "; ".join(f"{key} is {left[key]!r}, not {right[key]!r}" for key in left if left[key] != right[key])


def _answer(row: dict[str, Any]) -> Answer:
    return Answer(**{**row, "prediction": row["prediction"] and read_prediction(row["prediction"])})


def _decision(row: dict[str, Any]) -> Decision:
    if row["action"] not in ACTIONS:
        raise ValueError(f"action is {row['action']!r}; allowed: {', '.join(ACTIONS)}")
    return Decision(**{**row, "prediction": row["prediction"] and read_prediction(row["prediction"])})


def _read(make: Any, row: dict[str, Any], path: Path, number: int) -> Any:
    try:
        return make(row)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"not what a labelling writes: {error!r}", file=path, line=number) from error
