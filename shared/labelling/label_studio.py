"""Label Studio's JSON: a task for each text, drafts as predictions, decisions as annotations.

It counts characters as browsers do, in UTF-16.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import quoteattr

from shared.labelling.contracts import Form
from shared.labelling.drafts import Label
from shared.labelling.folder import Decision
from shared.labelling.other_tool import LINES, SPANS, Answered, Fault, by_text, known_id, shown_text


def label_studio_tasks(
    labels: Sequence[Label], decisions: Mapping[tuple[str, str], Decision], form: Form
) -> list[dict[str, Any]]:
    """Return a task for each text: the draft as a prediction, the standing decisions as annotations."""
    decided = by_text(decisions)
    return [
        {
            "data": {"id": label.example.id, "text": shown_text(form, label)},
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
                for decision in decided.get(label.example.id, [])
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


def label_studio_answers(
    entry: Any, known: Mapping[str, Label], form: Form, fault: Fault
) -> Iterator[Answered]:
    """Yield what people answered of a task."""
    data = entry.get("data") if isinstance(entry, Mapping) else None
    name = known_id(data.get("id") if isinstance(data, Mapping) else None, known, fault)
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


def _utf16(text: str, place: int) -> int:
    return len(text[:place].encode("utf-16-le")) // 2


def _code_points(text: str, place: int) -> int:
    return len(text.encode("utf-16-le")[: 2 * place].decode("utf-16-le", errors="ignore"))
