"""Argilla's JSON: a record for each text, drafts as suggestions, decisions as responses."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shared.labelling.contracts import Form
from shared.labelling.drafts import Label
from shared.labelling.facet_form import NONE
from shared.labelling.folder import Decision
from shared.labelling.other_tool import LINES, SPANS, Answered, Fault, by_text, known_id, shown_text


def argilla_records(
    labels: Sequence[Label], decisions: Mapping[tuple[str, str], Decision], form: Form
) -> list[dict[str, Any]]:
    """Return a record for each text: the draft as suggestions, the standing decisions as responses.

    Argilla knows people by UUIDs: theirs are made from their names, which stand in `metadata` too. A rejected
    text has no response.
    """
    decided, rows = by_text(decisions), []
    for label in labels:
        given = [own for own in decided.get(label.example.id, []) if own.prediction is not None]
        responses: dict[str, list[dict[str, Any]]] = {}
        for decision in given:
            for question, value in _questions(form, label, decision.prediction):
                row = {"value": value, "user_id": str(uuid.uuid5(uuid.NAMESPACE_URL, decision.reviewer))}
                responses.setdefault(question, []).append(row)
        drafted = [] if label.draft is None else _questions(form, label, label.draft)
        rows.append(
            {
                "id": label.example.id,
                "fields": {"text": shown_text(form, label)},
                "metadata": {"reviewers": ", ".join(own.reviewer for own in given), "doubt": label.doubt},
                "suggestions": {
                    question: {"value": value, "score": None, "agent": "draft"} for question, value in drafted
                },
                "responses": responses,
                "vectors": {},
                "status": "completed" if given else "pending",
            }
        )
    return rows


def argilla_answers(entry: Any, known: Mapping[str, Label], form: Form, fault: Fault) -> Iterator[Answered]:
    """Yield what people answered of a record."""
    name = known_id(entry.get("id") if isinstance(entry, Mapping) else None, known, fault)
    by_user: dict[str, dict[str, Any]] = {}
    for question, given in (entry.get("responses") or {}).items():
        for response in given:
            by_user.setdefault(str(response.get("user_id")), {})[question] = response.get("value")
    for user, values in by_user.items():
        yield Answered(name, user, _value_of_questions(values, known[name], form, fault), False, "", 0.0)


def _value_of_questions(values: Mapping[str, Any], label: Label, form: Form, fault: Fault) -> Any:
    editor = form.editor(label.example, label.example.gold())
    if editor["kind"] == "spans":
        try:
            return [[span["start"], span["end"], span["label"]] for span in values.get(SPANS) or []]
        except (KeyError, TypeError) as error:
            raise fault(f"a span without {error}") from error
    if editor["kind"] == "lines":
        return str(values.get(LINES, "")).split("\n")
    return {
        name: value if isinstance(value, list | float | int) else [value] for name, value in values.items()
    }


def _questions(form: Form, label: Label, prediction: Any) -> list[tuple[str, Any]]:
    editor = form.editor(label.example, prediction)
    if editor["kind"] == "spans":
        spans = [{"start": start, "end": end, "label": name} for start, end, name, _ in editor["spans"]]
        return [(SPANS, spans)]
    if editor["kind"] == "lines":
        return [(LINES, "\n".join(editor["lines"]))]
    return [(facet["name"], _facet_value(facet)) for facet in editor["facets"] if facet["answered"]]


def _facet_value(facet: Mapping[str, Any]) -> Any:
    if facet["value"] is not None:
        return facet["value"]
    if facet["kind"] == "any number":
        return facet["chosen"]
    return facet["chosen"][0] if facet["chosen"] else NONE
