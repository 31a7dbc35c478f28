"""Labels to and from other tools: the JSON of Label Studio's tasks, and of Argilla's records.

Both show drafts as what a model predicts, and decisions as what people answered. What comes back becomes
decisions here; a text is known by its id. Label Studio counts characters as browsers do, in UTF-16.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from shared.errors import DataError, UserError
from shared.labelling.contracts import Form
from shared.labelling.drafts import Label
from shared.labelling.facet_form import NONE
from shared.labelling.folder import ACCEPT, CORRECT, REJECT, Decision

LABEL_STUDIO, ARGILLA = "label_studio", "argilla"
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


def label_studio_tasks(
    labels: Sequence[Label], decisions: Mapping[tuple[str, str], Decision], form: Form
) -> list[dict[str, Any]]:
    """Return a task for each text: the draft as a prediction, the standing decisions as annotations."""
    by_text = _by_text(decisions)
    return [
        {
            "data": {"id": label.example.id, "text": _shown(form, label)},
            "predictions": [
                {
                    "model_version": "draft",
                    "score": label.confidence,
                    "result": _results(form, label, label.draft),
                }
            ]
            if label.draft is not None
            else [],
            "annotations": [
                {
                    "completed_by": decision.reviewer,
                    "was_cancelled": decision.prediction is None,
                    "lead_time": decision.seconds,
                    "created_at": decision.at,
                    "result": []
                    if decision.prediction is None
                    else _results(form, label, decision.prediction),
                }
                for decision in by_text.get(label.example.id, [])
            ],
        }
        for label in labels
    ]


def label_studio_config(form: Form, example: Any) -> str:
    """Return the labelling interface that the tasks need, as Label Studio's XML."""
    editor = form.editor(example, example.gold())
    if editor["kind"] == "spans":
        own = "".join(f"<Label value={quoteattr(label['name'])}/>" for label in form.labels())
        control = f'<Labels name="{SPANS}" toName="text">{own}</Labels>'
        return f'<View>{control}<Text name="text" value="$text"/></View>\n'
    if editor["kind"] == "lines":
        area = f'<TextArea name="{LINES}" toName="text" rows="6"/>'
        return f'<View><Text name="text" value="$text"/>{area}</View>\n'
    facets = "".join(_facet_control(facet) for facet in editor["facets"])
    return f'<View><Text name="text" value="$text"/>{facets}</View>\n'


def argilla_records(
    labels: Sequence[Label], decisions: Mapping[tuple[str, str], Decision], form: Form
) -> list[dict[str, Any]]:
    """Return a record for each text: the draft as suggestions, the standing decisions as responses.

    Argilla knows people by UUIDs: theirs are made from their names, which stand in `metadata` too. A rejected
    text has no response.
    """
    by_text, rows = _by_text(decisions), []
    for label in labels:
        given = [own for own in by_text.get(label.example.id, []) if own.prediction is not None]
        responses: dict[str, list[dict[str, Any]]] = {}
        for decision in given:
            for question, value in _questions(form, label, decision.prediction):
                row = {"value": value, "user_id": str(uuid.uuid5(uuid.NAMESPACE_URL, decision.reviewer))}
                responses.setdefault(question, []).append(row)
        drafted = [] if label.draft is None else _questions(form, label, label.draft)
        rows.append(
            {
                "id": label.example.id,
                "fields": {"text": _shown(form, label)},
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


def read_answers(path: Path, format: str, *, labels: Sequence[Label], form: Form) -> list[Decision]:
    """Return the decisions of the other tool's file; raises `DataError` with the entry that does not fit."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", file=path) from error
    except ValueError as error:
        raise DataError(f"not JSON: {error}", file=path) from error
    if not isinstance(entries, list):
        raise DataError("no list of entries", file=path)
    known = {label.example.id: label for label in labels}
    read = _label_studio_answers if format == LABEL_STUDIO else _argilla_answers
    found = []
    for number, entry in enumerate(entries, start=1):

        def fault(problem: str, number: int = number) -> DataError:
            return DataError(f"entry {number}: {problem}", file=path)

        for answered in read(entry, known, form, fault):
            found.append(_decision(answered, known[answered.id], form, fault))
    return found


def _decision(answered: Answered, label: Label, form: Form, fault: Fault) -> Decision:
    if answered.rejected:
        return Decision(answered.id, answered.by, REJECT, None, answered.at, answered.seconds)
    try:
        prediction = form.edited(label.example, answered.value)
    except UserError as error:
        raise fault(str(error)) from error
    same = label.draft is not None and label.draft.key == prediction.key
    action = ACCEPT if same else CORRECT
    return Decision(answered.id, answered.by, action, prediction, answered.at, answered.seconds)


def _label_studio_answers(
    entry: Any, known: Mapping[str, Label], form: Form, fault: Fault
) -> Iterator[Answered]:
    data = entry.get("data") if isinstance(entry, Mapping) else None
    name = _known_id(data.get("id") if isinstance(data, Mapping) else None, known, fault)
    for annotation in entry.get("annotations") or []:
        results = annotation.get("result", [])
        by = annotation.get("completed_by")
        yield Answered(
            id=name,
            by=str(by.get("email", by.get("id")) if isinstance(by, Mapping) else by),
            value=_value_of_results(results, known[name], form, fault),
            rejected=bool(annotation.get("was_cancelled")),
            at=str(annotation.get("created_at", ""))[:19],
            seconds=float(annotation.get("lead_time") or 0),
        )


def _value_of_results(results: Sequence[Any], label: Label, form: Form, fault: Fault) -> Any:
    editor = form.editor(label.example, label.example.gold())
    text = label.example.text
    values: dict[str, Any] = {}
    spans: list[list[Any]] = []
    lines: list[str] = []
    for result in results:
        try:
            kind, value = result["type"], result["value"]
            if kind == "labels":
                start, end = (_code_points(text, value[side]) for side in ("start", "end"))
                spans.append([start, end, value["labels"][0]])
            elif kind == "choices":
                values[result["from_name"]] = value["choices"]
            elif kind == "number":
                values[result["from_name"]] = value["number"]
            elif kind == "textarea":
                lines += value["text"] if isinstance(value["text"], list) else value["text"].split("\n")
        except (KeyError, TypeError, IndexError) as error:
            raise fault(f"a result without {error}: {json.dumps(result)[:120]}") from error
    return {"spans": spans, "lines": lines, "facets": values}[editor["kind"]]


def _argilla_answers(entry: Any, known: Mapping[str, Label], form: Form, fault: Fault) -> Iterator[Answered]:
    name = _known_id(entry.get("id") if isinstance(entry, Mapping) else None, known, fault)
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


def _known_id(name: Any, known: Mapping[str, Label], fault: Fault) -> str:
    if str(name) not in known:
        raise fault(f"id {name!r} is no text of this labelling")
    return str(name)


def _results(form: Form, label: Label, prediction: Any) -> list[dict[str, Any]]:
    editor, text = form.editor(label.example, prediction), label.example.text
    if editor["kind"] == "spans":
        return [
            _result(
                SPANS,
                "labels",
                start=_utf16(text, start),
                end=_utf16(text, end),
                text=text[start:end],
                labels=[name],
            )
            for start, end, name, _ in editor["spans"]
        ]
    if editor["kind"] == "lines":
        return [_result(LINES, "textarea", text=editor["lines"])]
    return [
        _result(facet["name"], "choices", choices=facet["chosen"])
        if facet["value"] is None
        else _result(facet["name"], "number", number=facet["value"])
        for facet in editor["facets"]
        if facet["answered"]
    ]


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


def _facet_control(facet: Mapping[str, Any]) -> str:
    name, header = quoteattr(facet["name"]), f"<Header value={quoteattr(facet['label'])}/>"
    if facet["kind"] == "a number":
        return f'{header}<Number name={name} toName="text"/>'
    choice = "multiple" if facet["kind"] == "any number" else "single"
    options = "".join(
        f"<Choice value={quoteattr(option['name'])} html={quoteattr(option['label'])}/>"
        for option in facet["options"]
    )
    return f'{header}<Choices name={name} toName="text" choice="{choice}">{options}</Choices>'


def _result(name: str, kind: str, **value: Any) -> dict[str, Any]:
    return {"from_name": name, "to_name": "text", "type": kind, "value": value}


def _shown(form: Form, label: Label) -> str:
    editor = form.editor(label.example, label.example.gold())
    return "\n\n".join(part for part in (editor["text"], editor.get("pair", "")) if part)


def _by_text(decisions: Mapping[tuple[str, str], Decision]) -> dict[str, list[Decision]]:
    found: dict[str, list[Decision]] = {}
    for decision in decisions.values():
        found.setdefault(decision.id, []).append(decision)
    return found


def _utf16(text: str, place: int) -> int:
    return len(text[:place].encode("utf-16-le")) // 2


def _code_points(text: str, place: int) -> int:
    return len(text.encode("utf-16-le")[: 2 * place].decode("utf-16-le", errors="ignore"))
