"""The question of a team that considers fine-tuning: its volume, prices and needs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.boards.layout import CONF
from shared.errors import ConfigError, suggest
from shared.files import read_yaml
from shared.typed_json import read_as

_YES_NO = {"true": True, "false": False}


@dataclass(frozen=True)
class Question:
    """What is asked of a board; None is not asked, or the board's own value, as the field says."""

    volume: float  # documents a month
    tokens_per_document: float | None  # None: as long as the board's
    label_cost: float  # dollars
    labels: float | None  # None: as many as the row trained on
    setup_hours: float  # of an engineer, once, beyond those that an API model needs
    engineer_dollars_per_hour: float
    maintenance_hours: float  # a month, beyond those that an API model needs
    quality: float | None  # main score; None: that of the best API row, else of the rows in first place
    on_premises: bool
    wrong_answer_cost: float  # dollars
    abstention_cost: float | None  # dollars for a person's answer; None: the model answers everything
    horizon_months: float
    latency_ms: float | None  # p95 of one document; None: any
    machine_dollars_per_hour: float | None  # None: as the board prices the row's machine
    always_on: bool  # the machine is paid 730 hours a month, else for the hours used
    utilisation: float  # share of a paid hour that the machine works
    token_discount: float  # share taken off the listed token prices, as for batches and caches
    stable: bool  # the same answer when asked again
    commercial: bool


@dataclass(frozen=True)
class Field:
    """How a field of the question is asked for; one without a default may be left open."""

    label: str
    unit: str
    default: Any  # a number, true, false or null
    lowest: float = 0.0
    highest: float | None = None


def read_fields(conf: Path = CONF) -> dict[str, Field]:
    """Return name -> how it is asked for, in the order of the file."""
    path = conf / "decision" / "default.yaml"
    fields: dict[str, Field] = read_as(dict[str, Field], read_yaml(path), file=path)
    return fields


def read_question(given: Sequence[str], *, conf: Path = CONF) -> Question:
    """Return the question that `name=value` words ask, defaults for the rest.

    Raises `ConfigError` with all mistakes at once: a name that is unknown, a value that is not allowed.
    """
    fields = read_fields(conf)
    answers = {name: field.default for name, field in fields.items()}
    mistakes = []
    for word in given:
        name, _, text = word.partition("=")
        if name not in fields:
            allowed = ", ".join(fields)
            mistakes.append(
                f"{word!r} is no name=value that is asked{suggest(name, fields)}; names: {allowed}"
            )
            continue
        try:
            answers[name] = _answer(text, fields[name])
        except ValueError:
            mistakes.append(f"{name}={text!r} ({fields[name].unit}); allowed: {_allowed(fields[name])}")
    if mistakes:
        raise ConfigError(mistakes)
    return Question(**answers)


def _answer(text: str, field: Field) -> Any:
    """Return the value of the text; raises `ValueError` when the field does not allow it."""
    if isinstance(field.default, bool):
        if text not in _YES_NO:
            raise ValueError(text)
        return _YES_NO[text]
    if text == "null" and field.default is None:
        return None
    value = float(text)
    highest = math.inf if field.highest is None else field.highest
    if not (math.isfinite(value) and field.lowest <= value <= highest):
        raise ValueError(text)
    return value


def _allowed(field: Field) -> str:
    if isinstance(field.default, bool):
        return "true, false"
    limits = "or more" if field.highest is None else f"to {field.highest:g}"
    return f"a number, {field.lowest:g} {limits}{', or null' if field.default is None else ''}"
