"""The checklist of fine-tuning: five reasons for it, each a go or not, with the board's evidence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from shared.boards.amounts import dollars, number, percent, score
from shared.boards.candidates import Candidate, Case
from shared.boards.decision_costs import BreakEven
from shared.boards.question import Question


@dataclass(frozen=True)
class Item:
    """An item of the checklist, with its evidence; `go` is None where nobody has said or measured."""

    item: str
    go: bool | None
    evidence: str


def checklist_of(
    case: Case, candidates: Sequence[Candidate], own: Candidate | None, break_evens: Sequence[BreakEven]
) -> list[Item]:
    """Return the five items; `own` is what is set against the API models."""
    specialist, api = _best(candidates, "measured"), _best(candidates, "replayed")
    return [
        _data_item(case, specialist),
        _mistakes_item(case.question, own),
        _cost_item(case.question, candidates, own, break_evens),
        _control_item(case.question),
        _quality_item(case.question, specialist, api),
    ]


def _best(candidates: Sequence[Candidate], kind: str) -> Candidate | None:
    return max((one for one in candidates if one.kind == kind), key=_value, default=None)


def _value(candidate: Candidate) -> float:
    value = candidate.score["value"] if candidate.score else None
    return -math.inf if value is None else value


def _data_item(case: Case, specialist: Candidate | None) -> Item:
    item = "data: labels of your own are enough to train on"
    if specialist is None:
        return Item(item, None, "no specialist was measured on this data")
    evidence = f"{specialist.name} reaches {score(_value(specialist))}"
    if specialist.inputs and specialist.costs:
        evidence += f" with {number(specialist.inputs.labels)} labels for {dollars(specialist.costs.labels)}"
    if case.quality is None:
        return Item(item, None, f"{evidence}; say what is needed: quality")
    return Item(item, _value(specialist) >= case.quality, f"{evidence}; {score(case.quality)} is needed")


def _mistakes_item(question: Question, own: Candidate | None) -> Item:
    item = "mistakes: a wrong answer costs more than none"
    if question.abstention_cost is None:
        return Item(item, None, "say what a person's answer costs: abstention_cost")
    wrong, person = dollars(question.wrong_answer_cost), dollars(question.abstention_cost)
    evidence = f"{wrong} a wrong answer, {person} a person's"
    if own and own.costs:
        evidence += f"; {own.name} answers {percent(own.costs.answered)} itself"
    return Item(item, question.wrong_answer_cost > question.abstention_cost, evidence)


def _cost_item(
    question: Question,
    candidates: Sequence[Candidate],
    own: Candidate | None,
    break_evens: Sequence[BreakEven],
) -> Item:
    """Cost is a constraint where `own` pays back within the horizon against the cheapest measured API row."""
    item = "cost or latency: tokens or waiting are a constraint"
    measured = {one.name for one in candidates if one.kind == "replayed"}
    against = next((one for one in break_evens if one.against in measured), None)
    pays = against is not None and against.month is not None and against.month <= question.horizon_months
    evidence = "no API model is measured and priced here"
    if against:
        evidence = f"against {against.against}: {against.how}"
    if question.latency_ms is None or own is None:
        return Item(item, pays if against else None, evidence)
    met = all(failure.need != "latency" for failure in own.failures)
    waiting = f"{own.name} {'meets' if met else 'does not meet'} {number(question.latency_ms)} ms"
    return Item(item, pays or met, f"{evidence}; {waiting}")


def _control_item(question: Question) -> Item:
    needs = ((question.on_premises, "on-premises"), (question.stable, "stable answers"))
    asked = [name for needed, name in needs if needed]
    evidence = f"required: {' and '.join(asked)}" if asked else "neither is required"
    return Item("control: on-premises or stable answers are required", bool(asked), evidence)


def _quality_item(question: Question, specialist: Candidate | None, api: Candidate | None) -> Item:
    """Where no quality is asked for, an API model falls short of the best specialist."""
    item = "quality: what can be called today falls short"
    if api is None:
        return Item(item, None, "no API model was measured on this data")
    evidence = f"{api.name} reaches {score(_value(api))}"
    if question.quality is not None:
        return Item(item, _value(api) < question.quality, f"{evidence}; {score(question.quality)} is needed")
    if specialist is None:
        return Item(item, None, f"{evidence}; no specialist was measured")
    found = f"{evidence}, {specialist.name} {score(_value(specialist))}"
    return Item(item, _value(api) < _value(specialist), found)
