"""What stands of each text: the draft that the teachers' answers come to, or what a reviewer decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from shared.errors import UserError, few, suggest
from shared.labelling.contracts import Answer, Form
from shared.labelling.folder import Decision, read_answers, read_decisions, read_texts, settled


class Status(Enum):
    """What became of a text."""

    blank = "blank"  # no teacher's answer could be read
    drafted = "drafted"
    reviewed = "reviewed"
    rejected = "rejected"


@dataclass(frozen=True)
class Label:
    """A text and what stands of it.

    `draft` is what the teachers' answers come to, with the number of `voices`; `decision` is a reviewer's.
    `confidence` and `doubt` are those of the draft (`contracts.Merged`).
    """

    example: Any
    draft: Any | None = None
    confidence: float = 0.0
    doubt: float = 0.0
    voices: int = 0
    decision: Decision | None = None

    @property
    def status(self) -> Status:
        """What became of the text."""
        if self.decision:
            return Status.rejected if self.decision.prediction is None else Status.reviewed
        return Status.blank if self.draft is None else Status.drafted

    @property
    def prediction(self) -> Any | None:
        """The answer that stands."""
        return self.decision.prediction if self.decision else self.draft


def read_labels(folder: Path, form: Form, *, lead: str = "") -> list[Label]:
    """Return what stands of each text of the folder, in order.

    `lead` names the teacher whose answer is the draft; the others then only say how sure it is. Without one
    the draft is what most of the answers say.
    """
    answers = read_answers(folder)
    check_lead(lead, answers, folder)
    decided = settled(read_decisions(folder))
    by_text: dict[str, dict[str, Answer]] = {}
    for answer in answers:
        by_text.setdefault(answer.id, {})[answer.by] = answer  # asked again: the latest
    return [
        draft_label(example, list(by_text.get(example.id, {}).values()), form, lead, decided.get(example.id))
        for example in read_texts(folder)
    ]


def check_lead(lead: str, answers: Sequence[Answer], folder: Path) -> None:
    """Raise `UserError` where no teacher of the folder has the name."""
    names = sorted({answer.by for answer in answers})
    if lead and lead not in names:
        raise UserError(
            f"lead={lead!r} has not answered in {folder}{suggest(lead, names)}; "
            f"there are: {few(names) or 'none'}"
        )


def draft_label(
    example: Any, answers: Sequence[Answer], form: Form, lead: str, decision: Decision | None
) -> Label:
    """Return the text with the draft that the answers come to; blank where the lead's cannot be read."""
    read = [answer for answer in answers if answer.prediction is not None]
    leading = next((answer.prediction for answer in read if answer.by == lead), None)
    if not read or (lead and leading is None):
        return Label(example, decision=decision, doubt=1.0, voices=len(read))
    merged = form.merge([answer.prediction for answer in read], lead=leading)
    return Label(example, merged.prediction, merged.confidence, merged.doubt, len(read), decision)
