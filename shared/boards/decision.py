"""Whether to fine-tune: which row of a board meets a team's needs at the lowest cost, and how sure that is.

`assets/calculator.js` decides the same in the page, function by function; a test holds the two together.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.boards.amounts import number
from shared.boards.candidates import Candidate, Case, candidates_of, case_of
from shared.boards.checklist import Item, checklist_of
from shared.boards.decision_costs import BreakEven, break_even
from shared.boards.question import Question
from shared.boards.rows import Row

VERDICTS = {
    "measured": "fine-tune",
    "replayed": "use the API",
    "baseline": "do not fine-tune: a baseline does it",
}
NOTHING = "nothing here reaches what you need"
VARIED = (  # inputs that are halved and doubled
    "volume",
    "tokens_per_document",
    "label_cost",
    "labels",
    "setup_hours",
    "engineer_dollars_per_hour",
    "maintenance_hours",
    "allowed_errors",  # 1 - quality
    "wrong_answer_cost",
    "abstention_cost",
    "horizon_months",
    "latency_ms",
    "machine_dollars_per_hour",
    "utilisation",  # doubled to 1 at most
    "token_price",
)


@dataclass(frozen=True)
class Outcome:
    """What is chosen when one input is other than asked, its total, and that total less today's."""

    chosen: str | None
    total: float | None
    change: float | None


@dataclass(frozen=True)
class Sensitivity:
    """The outcomes with one input halved and doubled; `flips` when either chooses another candidate."""

    input: str
    halved: Outcome
    doubled: Outcome
    flips: bool


@dataclass(frozen=True)
class Decision:
    """The answer to a question, with all that it rests on."""

    question: Question
    quality_needed: float | None
    candidates: list[Candidate]  # the eligible first, each from the lowest total up
    chosen: str | None
    verdict: str
    own: str | None  # what is set against the API models: what is chosen, else the cheapest specialist
    break_even: list[BreakEven]
    sensitivity: list[Sensitivity]  # the largest change of the total first
    checklist: list[Item]
    notes: list[str]


def decide(question: Question, rows: Sequence[Row], offers: Sequence[Mapping[str, Any]]) -> Decision:
    """Return the decision on the rows of one data set: the cheapest that meets every need, first of equals.

    An offer is an API model of a price list that was not measured here: its `name`, and `input` and `output`
    in dollars per million tokens. It is never chosen; the specialist is set against it.
    """
    case = case_of(question, rows)
    candidates = candidates_of(case, rows, offers)
    chosen, own = _chosen(candidates), _own(candidates)
    break_evens = _break_evens(own, candidates)
    return Decision(
        question=question,
        quality_needed=case.quality,
        candidates=candidates,
        chosen=chosen.name if chosen else None,
        verdict=VERDICTS[chosen.kind] if chosen else NOTHING,
        own=own.name if own else None,
        break_even=break_evens,
        sensitivity=_sensitivities(question, rows, chosen),
        checklist=checklist_of(case, candidates, own, break_evens),
        notes=_notes(case),
    )


def _chosen(candidates: Sequence[Candidate]) -> Candidate | None:
    return candidates[0] if candidates and candidates[0].eligible else None


def _own(candidates: Sequence[Candidate]) -> Candidate | None:
    chosen = _chosen(candidates)
    if chosen and chosen.kind != "replayed":
        return chosen
    return next((one for one in candidates if one.kind == "measured" and one.costs), None)


def _break_evens(own: Candidate | None, candidates: Sequence[Candidate]) -> list[BreakEven]:
    if own is None or own.inputs is None or own.costs is None:
        return []
    return [
        break_even(own.inputs, own.costs, other.inputs, other.costs, against=other.name)
        for other in candidates
        if other.inputs and other.costs and other.inputs.api
    ]


def _sensitivities(question: Question, rows: Sequence[Row], chosen: Candidate | None) -> list[Sensitivity]:
    """Return the inputs that matter: another choice, or another total."""
    found = []
    for input in VARIED:
        halved, doubled = (
            _outcome(question, rows, chosen, input=input, factor=factor) for factor in (0.5, 2.0)
        )
        name = chosen.name if chosen else None
        flips = halved.chosen != name or doubled.chosen != name
        if flips or halved.change or doubled.change:
            found.append(Sensitivity(input, halved, doubled, flips))
    return sorted(found, key=_swing, reverse=True)


def _outcome(
    question: Question, rows: Sequence[Row], chosen: Candidate | None, *, input: str, factor: float
) -> Outcome:
    other = _chosen(candidates_of(case_of(question, rows, input=input, factor=factor), rows, []))
    before, after = (one.costs.total if one and one.costs else None for one in (chosen, other))
    change = None if before is None or after is None else after - before
    return Outcome(other.name if other else None, after, change)


def _swing(sensitivity: Sensitivity) -> float:
    changes = (sensitivity.halved.change, sensitivity.doubled.change)
    return max(math.inf if change is None else abs(change) for change in changes)


def _notes(case: Case) -> list[str]:
    """Return what the numbers take for granted."""
    notes = [
        "A document counts as one answer, the main score as the share right: exact for accuracy, not for F1.",
        "Set-up and maintenance are the hours beyond an API model's; training is one run, not its search.",
        "A row keeps its score whatever the number of labels; a baseline is charged those of a specialist.",
    ]
    if case.document_tokens is not None:
        notes.append(
            "Time and tokens grow with the length of a document; "
            f"the board's have {number(case.document_tokens)} tokens."
        )
    elif case.question.tokens_per_document is not None:
        notes.append("The board does not say how long its documents are: tokens_per_document is not used.")
    if case.question.abstention_cost is not None:
        notes.append(
            "The share left to a person is the cheapest on the answers that were scored: new texts do worse."
        )
    if case.api is None:
        notes.append("No API model's tokens were counted on this data: listed models are not priced.")
    return notes
