"""A decision as text for a terminal, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from tabulate import tabulate

from shared.boards.amounts import dollars, number, score
from shared.boards.candidates import Candidate
from shared.boards.decision import Decision, Outcome

_GO = {True: "go", False: "no go", None: "not known"}


def decision_json(decision: Decision) -> str:
    """Return the decision as indented JSON, its numbers unrounded."""
    return json.dumps(asdict(decision), indent=2, ensure_ascii=False) + "\n"


def decision_text(decision: Decision) -> str:
    """Return the verdict, then what it rests on."""
    parts = [
        _verdict(decision),
        _candidates(decision),
        _failures(decision),
        _arithmetic(decision),
        _break_even(decision),
        _sensitivity(decision),
        _checklist(decision),
        "\n".join(["What this takes for granted", *(f"- {note}" for note in decision.notes)]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _verdict(decision: Decision) -> str:
    chosen = _find(decision, decision.chosen)
    lines = [f"{decision.verdict[0].upper()}{decision.verdict[1:]}."]
    if chosen and chosen.costs:
        months = number(decision.question.horizon_months)
        lines[0] += f" {chosen.name}: {dollars(chosen.costs.total)} over {months} months."
    if decision.quality_needed is not None:
        lines.append(f"The main score has to reach {score(decision.quality_needed)}.")
    return "\n".join(lines)


def _find(decision: Decision, name: str | None) -> Candidate | None:
    return next((one for one in decision.candidates if one.name == name), None)


def _candidates(decision: Decision) -> str:
    rows = [_candidate(one) for one in decision.candidates]
    return _table(["candidate", "kind", "score", "once", "a month", "in all", "eligible"], rows)


def _candidate(one: Candidate) -> list[str]:
    value = one.score["value"] if one.score else None
    costs = one.costs
    money = [dollars(costs.one_time), dollars(costs.monthly), dollars(costs.total)] if costs else ["-"] * 3
    eligible = "yes" if one.eligible else "not measured" if one.kind == "offer" else "no"
    return [one.name, one.kind, "-" if value is None else score(value), *money, eligible]


def _failures(decision: Decision) -> str:
    failed = [one for one in decision.candidates if one.failures and one.kind != "offer"]
    lines = [f"- {one.name}: {failure.need}: {failure.why}" for one in failed for failure in one.failures]
    return "\n".join(["Why not", *lines]) if lines else ""


def _arithmetic(decision: Decision) -> str:
    shown = _find(decision, decision.chosen or decision.own)
    if shown is None or shown.costs is None:
        return ""
    lines = [f"  {part.replace('_', ' ')}: {how}" for part, how in shown.how.items()]
    return "\n".join([f"How {shown.name} comes to that", *lines])


def _break_even(decision: Decision) -> str:
    rows = [[one.against, _month(one.month), _volume(one.volume), one.how] for one in decision.break_even]
    if not rows:
        return ""
    title = f"When {decision.own} pays for itself"
    return f"{title}\n{_table(['against', 'after', 'or from a volume of', 'why'], rows)}"


def _month(month: float | None) -> str:
    return "never" if month is None else f"{number(month)} months"


def _volume(volume: float | None) -> str:
    return "none" if volume is None else f"{number(volume)} a month"


def _sensitivity(decision: Decision) -> str:
    rows = [
        [one.input.replace("_", " "), _outcome(one.halved, decision), _outcome(one.doubled, decision)]
        for one in decision.sensitivity
    ]
    return f"What changes it most\n{_table(['input', 'halved', 'doubled'], rows)}" if rows else ""


def _outcome(outcome: Outcome, decision: Decision) -> str:
    other = outcome.chosen != decision.chosen
    if not other and not outcome.change:
        return "the same"
    change = (
        [] if outcome.change is None else [f"{'+' if outcome.change > 0 else ''}{dollars(outcome.change)}"]
    )
    choice = [f"choose {outcome.chosen or 'nothing'}"] if other else []
    return ", ".join([*change, *choice])


def _checklist(decision: Decision) -> str:
    items = [f"- {_GO[one.go]}: {one.item}\n  {one.evidence}" for one in decision.checklist]
    return "\n".join(["Checklist: a go when several hold", *items])


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return str(tabulate(rows, headers=headers, tablefmt="simple", disable_numparse=True))
