"""What a candidate costs over a horizon, and when one pays for itself against another.

`assets/calculator.js` repeats this arithmetic operation by operation: a page shows a command's numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from shared.boards.amounts import dollars, number

MONTH_HOURS = 730.0  # 365 days x 24 / 12
Curve = Sequence[Sequence[float]]  # [coverage, risk], coverage rising


@dataclass(frozen=True)
class Inputs:
    """Every number that a candidate's costs follow from; what does not apply to it is 0."""

    api: bool  # paid by tokens, not by machine
    volume: float  # documents a month
    horizon_months: float
    error: float | None  # share of answers that are wrong when all are answered; None: not measured
    wrong_answer_cost: float
    abstention_cost: float | None
    labels: float = 0.0
    label_cost: float = 0.0
    setup_hours: float = 0.0
    engineer_dollars_per_hour: float = 0.0
    maintenance_hours: float = 0.0  # a month
    training_hours: float = 0.0  # of the machine
    seconds_per_document: float = 0.0
    machine_dollars_per_hour: float = 0.0
    always_on: bool = False
    utilisation: float = 1.0
    input_tokens: float = 0.0  # of a document
    output_tokens: float = 0.0
    input_price: float = 0.0  # dollars per million tokens, discount taken off
    output_price: float = 0.0


@dataclass(frozen=True)
class Costs:
    """Dollars once, each month and in all, with what a month's come from."""

    labels: float
    engineer: float
    training: float
    one_time: float
    hours: float  # a month that machines must be paid to do the work
    machines: int  # paid all month; 0 when paid by use
    running: float  # a month, for the machines or for the tokens
    maintenance: float
    answered: float  # share of documents that the model answers itself
    wrong_share: float  # of those
    wrong_answers: float
    abstentions: float
    monthly: float
    total: float


@dataclass(frozen=True)
class BreakEven:
    """When a specialist has paid for itself; None is never."""

    against: str
    monthly_saving: float
    month: float | None  # at the question's volume
    volume: float | None  # documents a month at which it has paid just at the end of the horizon
    how: str


def costs_of(inputs: Inputs, curve: Curve) -> Costs:
    """Return the costs; answers are left to a person where that is cheaper than the mistakes it saves."""
    labels = inputs.labels * inputs.label_cost
    engineer = inputs.setup_hours * inputs.engineer_dollars_per_hour
    training = inputs.training_hours * inputs.machine_dollars_per_hour
    one_time = labels + engineer + training
    hours = inputs.volume * inputs.seconds_per_document / 3600 / inputs.utilisation
    machines = max(1, math.ceil(hours / MONTH_HOURS)) if inputs.always_on else 0
    paid_hours = machines * MONTH_HOURS if inputs.always_on else hours
    tokens = inputs.input_tokens * inputs.input_price + inputs.output_tokens * inputs.output_price
    running = inputs.volume * tokens / 1e6 if inputs.api else paid_hours * inputs.machine_dollars_per_hour
    maintenance = inputs.maintenance_hours * inputs.engineer_dollars_per_hour
    answered, wrong_share = _answering(inputs, curve)
    wrong_answers = inputs.volume * answered * wrong_share * inputs.wrong_answer_cost
    abstentions = inputs.volume * (1 - answered) * (inputs.abstention_cost or 0.0)
    monthly = running + maintenance + wrong_answers + abstentions
    return Costs(
        labels=labels,
        engineer=engineer,
        training=training,
        one_time=one_time,
        hours=hours,
        machines=machines,
        running=running,
        maintenance=maintenance,
        answered=answered,
        wrong_share=wrong_share,
        wrong_answers=wrong_answers,
        abstentions=abstentions,
        monthly=monthly,
        total=one_time + inputs.horizon_months * monthly,
    )


def _answering(inputs: Inputs, curve: Curve) -> tuple[float, float]:
    """Return the cheapest share of documents to answer, and the share of those that is wrong.

    The risk along the curve is scaled so that it is `error` where everything is answered.
    """
    error, abstention_cost = inputs.error or 0.0, inputs.abstention_cost
    options = [(1.0, error)]
    if abstention_cost is None or not curve or curve[-1][1] == 0:
        return options[0]
    options += [(coverage, min(1.0, error * risk / curve[-1][1])) for coverage, risk in curve]
    wrong = inputs.wrong_answer_cost
    return min(options, key=lambda one: one[0] * one[1] * wrong + (1 - one[0]) * abstention_cost)


def how_of(inputs: Inputs, costs: Costs) -> dict[str, str]:
    """Return the arithmetic of each amount that is not nothing, as sentences."""
    documents = f"{number(inputs.volume)} documents"
    engineer, machine = dollars(inputs.engineer_dollars_per_hour), dollars(inputs.machine_dollars_per_hour)
    how = {
        "one_time": f"{number(inputs.labels)} labels x {dollars(inputs.label_cost)}"
        f" + {number(inputs.setup_hours)} hours x {engineer}"
        f" + training {number(inputs.training_hours)} hours x {machine} = {dollars(costs.one_time)}",
        "running": _how_tokens(inputs, costs) if inputs.api else _how_machine(inputs, costs),
        "maintenance": f"{number(inputs.maintenance_hours)} hours x {engineer}"
        f" = {dollars(costs.maintenance)}",
        "wrong_answers": f"{documents} x {number(costs.answered)} answered"
        f" x {number(costs.wrong_share)} wrong x {dollars(inputs.wrong_answer_cost)}"
        f" = {dollars(costs.wrong_answers)}",
        "abstentions": f"{documents} x {number(1 - costs.answered)} left to a person"
        f" x {dollars(inputs.abstention_cost or 0.0)} = {dollars(costs.abstentions)}",
        "total": f"{dollars(costs.one_time)} + {number(inputs.horizon_months)} months"
        f" x {dollars(costs.monthly)} = {dollars(costs.total)}",
    }
    amounts = asdict(costs)
    return {part: text for part, text in how.items() if amounts[part]}


def _how_tokens(inputs: Inputs, costs: Costs) -> str:
    read = f"{number(inputs.input_tokens)} tokens read x {dollars(inputs.input_price)}"
    written = f"{number(inputs.output_tokens)} written x {dollars(inputs.output_price)}"
    spent = f"({read} + {written}) / 1,000,000"
    return f"{number(inputs.volume)} documents x {spent} = {dollars(costs.running)}"


def _how_machine(inputs: Inputs, costs: Costs) -> str:
    work = f"{number(inputs.volume)} documents x {number(inputs.seconds_per_document)} s / 3,600"
    hours = f"{work} / {number(inputs.utilisation)} used = {number(costs.hours)} hours"
    price = f"x {dollars(inputs.machine_dollars_per_hour)} = {dollars(costs.running)}"
    if not inputs.always_on:
        return f"{hours} {price}"
    machines = "1 machine" if costs.machines == 1 else f"{number(costs.machines)} machines"
    return f"{hours}: {machines} x {number(MONTH_HOURS)} hours {price}"


def break_even(
    own: Inputs, own_costs: Costs, other: Inputs, other_costs: Costs, *, against: str
) -> BreakEven:
    """Return when `own` has paid for itself against the API model `other`.

    Where the quality of the other is not measured, it is taken to answer as well.
    """
    counted = other.error is not None
    own_answers = own_costs.wrong_answers + own_costs.abstentions if counted else 0.0
    other_monthly = other_costs.running + (other_costs.wrong_answers if counted else 0.0)
    own_monthly = own_costs.running + own_costs.maintenance + own_answers
    saving = other_monthly - own_monthly
    month = own_costs.one_time / saving if saving > 0 else None
    gain = (other_monthly - own_answers) / own.volume  # of one document, before the machine is paid
    fixed = own_costs.one_time / own.horizon_months + own_costs.maintenance
    alike = "" if counted else ", if it answers as well"
    saved = f"{dollars(other_monthly)} - {dollars(own_monthly)} a month = {dollars(saving)}{alike}"
    pays = (
        f"{dollars(own_costs.one_time)} / {dollars(saving)} = {number(month)} months"
        if month is not None
        else "never"
    )
    return BreakEven(
        against=against,
        monthly_saving=saving,
        month=month,
        volume=_break_even_volume(own, own_costs, fixed=fixed, gain=gain),
        how=f"{saved}; {pays}",
    )


def _break_even_volume(own: Inputs, costs: Costs, *, fixed: float, gain: float) -> float | None:
    """Return the smallest volume with volume x gain = fixed + machines that it needs, all of one month."""
    if not own.always_on:
        left = gain - costs.running / own.volume
        return fixed / left if left > 0 else None
    machine = MONTH_HOURS * own.machine_dollars_per_hour
    if gain <= 0:
        return None
    if costs.hours == 0:
        return (fixed + machine) / gain
    capacity = own.volume * MONTH_HOURS / costs.hours  # documents a month of one machine
    left = gain * capacity - machine  # of one full machine
    if left <= 0:
        return None
    machines = max(1, math.ceil(fixed / left))
    return (fixed + machines * machine) / gain
