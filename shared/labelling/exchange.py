"""Labels from other tools: what people answered in a file of Label Studio or Argilla becomes decisions here.

A text is known by its id.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from shared.errors import DataError, UserError
from shared.labelling.argilla import argilla_answers
from shared.labelling.contracts import Form
from shared.labelling.drafts import Label
from shared.labelling.folder import ACCEPT, CORRECT, REJECT, Decision
from shared.labelling.label_studio import label_studio_answers
from shared.labelling.other_tool import Answered, Fault

LABEL_STUDIO, ARGILLA = "label_studio", "argilla"


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
    read = label_studio_answers if format == LABEL_STUDIO else argilla_answers
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
