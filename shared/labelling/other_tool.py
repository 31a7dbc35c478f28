"""What goes to another labelling tool and comes back from it, whichever tool it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.errors import DataError
from shared.labelling.contracts import Form
from shared.labelling.drafts import Label
from shared.labelling.folder import Decision

SPANS, LINES = "label", "answer"  # the names of the questions that have no facet
Fault = Callable[[str], DataError]


@dataclass(frozen=True)
class Answered:
    """What somebody answered in the other tool; `value` is as the review page's editor gives it."""

    id: str
    by: str
    value: Any
    rejected: bool
    at: str
    seconds: float


def known_id(name: Any, known: Mapping[str, Label], fault: Fault) -> str:
    """Return the id; raises the fault for one that no text has."""
    if str(name) not in known:
        raise fault(f"id {name!r} is no text of this labelling")
    return str(name)


def shown_text(form: Form, label: Label) -> str:
    """Return the text, and what it is paired with behind it."""
    editor = form.editor(label.example, label.example.gold())
    return "\n\n".join(part for part in (editor["text"], editor.get("pair", "")) if part)


def by_text(decisions: Mapping[tuple[str, str], Decision]) -> dict[str, list[Decision]]:
    """Return the standing decisions on each text."""
    found: dict[str, list[Decision]] = {}
    for decision in decisions.values():
        found.setdefault(decision.id, []).append(decision)
    return found
