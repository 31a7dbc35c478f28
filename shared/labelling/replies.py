"""JSON out of what a model wrote, whatever it wrote around it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from shared.labelling.contracts import Answer, Form, Reading, Unreadable

_THOUGHT = re.compile(r"<think>.*?</think>", re.DOTALL)
CUT = "length"  # the finish reason of a reply that reached its most tokens


def read_reply(text: str, finish: str, example: Any, form: Form) -> Reading:
    """Return the answer that the reply gives; raises `Unreadable` saying why there is none."""
    try:
        value = json_of(text)
    except Unreadable as error:
        raise Unreadable("cut at teacher.max_tokens" if finish == CUT else str(error)) from error
    return form.read(value, example)


def read_answer(text: str, finish: str, example: Any, form: Form, paid: Answer) -> Answer:
    """Return what was paid for with the answer that was read, or with why there is none."""
    try:
        reading = read_reply(text, finish, example, form)
    except Unreadable as error:
        return replace(paid, why=str(error))
    return replace(paid, prediction=reading.prediction, faults=reading.faults)


def json_of(text: str) -> Any:
    """Return the first JSON object or list in the text that is whole."""
    text = _THOUGHT.sub("", text)
    decoder = json.JSONDecoder()
    for match in re.finditer(r"[\[{]", text):
        try:
            value, _ = decoder.raw_decode(text, match.start())
        except (ValueError, RecursionError):
            continue
        return value
    raise Unreadable("half a JSON" if re.search(r"[\[{]", text) else "no JSON")
