"""The candidates of a decision: what each row of a board costs, and which needs it does not meet.

Replayed rows are API models; measured rows and baselines run on a machine of one's own, and need labels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.boards.amounts import number, percent, score
from shared.boards.decision_costs import Costs, Curve, Inputs, costs_of, how_of
from shared.boards.question import Question
from shared.boards.rows import Row
from shared.boards.significance import FIRST


@dataclass(frozen=True)
class Failure:
    """A need that a candidate does not meet, or is not shown to meet."""

    need: str  # quality, latency, on_premises, licence, stability, or cost: its costs are not known
    why: str


@dataclass(frozen=True)
class Candidate:
    """A row of the board or an offer of a price list; it is eligible when nothing fails."""

    name: str
    kind: str  # measured, baseline, replayed or offer
    score: dict[str, float | None] | None  # value, low, high; None: an offer
    eligible: bool
    failures: list[Failure]
    inputs: Inputs | None  # None, as its costs: not known
    costs: Costs | None
    how: dict[str, str]  # the arithmetic of each cost


@dataclass(frozen=True)
class Case:
    """A question on a board, one of its inputs multiplied; what the board says is its first row's."""

    question: Question
    input: str
    factor: float
    document_tokens: float | None
    labels: float | None
    machine_dollars_per_hour: float | None
    quality: float | None  # needed
    api: Row | None  # the row whose tokens an offer is taken to need

    def of(self, name: str, value: float) -> float:
        """Return the value of the named input."""
        return value * self.factor if name == self.input else value


def case_of(question: Question, rows: Sequence[Row], *, input: str = "", factor: float = 1.0) -> Case:
    """Return the question on the board of these rows, the input multiplied by the factor."""
    specialists = [row for row in rows if row["kind"] == "measured" and row["comparable"]]
    apis = [row for row in rows if row["kind"] == "replayed" and row["comparable"]]
    quality = question.quality
    if quality is None:
        first = [row for row in rows if row.get("place") in FIRST]
        quality = max(map(_score, apis)) if apis else min(map(_score, first), default=None)
    if quality is not None and input == "allowed_errors":
        quality = 1 - (1 - quality) * factor
    return Case(
        question=question,
        input=input,
        factor=factor,
        document_tokens=_first(_document_tokens(row) for row in specialists),
        labels=_first(_part(row, "training").get("examples") for row in specialists),
        machine_dollars_per_hour=_first(_part(row, "cost").get("dollars_per_hour") for row in specialists),
        quality=quality,
        api=_first(row if row.get("cost") else None for row in apis),
    )


def candidates_of(case: Case, rows: Sequence[Row], offers: Sequence[Mapping[str, Any]]) -> list[Candidate]:
    """Return all that could be chosen: the eligible first, each from the lowest total up, unpriced last."""
    found = [_row_candidate(case, row) for row in rows if row["kind"] != "cited" and row["comparable"]]
    if case.api is not None:
        found += [_offer_candidate(case, offer, case.api) for offer in offers]
    return sorted(
        found, key=lambda one: (not one.eligible, one.costs is None, one.costs.total if one.costs else 0.0)
    )


def _row_candidate(case: Case, row: Row) -> Candidate:
    unpriced = _unpriced(case, row)
    needs = {
        "quality": _quality(case, row["score"]),
        "latency": _latency(case, row),
        "on_premises": _on_premises(case, row),
        "licence": _licence(case, row),
        "stability": _stability(case, row),
        "cost": unpriced,
    }
    failures = [Failure(need, why) for need, why in needs.items() if why]
    inputs = None if unpriced else _row_inputs(case, row)
    curve = _part(row, "reliability").get("curve") or []
    return _candidate(row["name"], row["kind"], row["score"], failures, inputs, curve)


def _offer_candidate(case: Case, offer: Mapping[str, Any], api: Row) -> Candidate:
    prices = {"input_price": offer["input"], "output_price": offer["output"]}
    inputs = _api_inputs(case, {**api["cost"], **prices}, error=None)
    return _candidate(offer["name"], "offer", None, [Failure("quality", "not measured here")], inputs, [])


def _candidate(
    name: str, kind: str, given: Any, failures: list[Failure], inputs: Inputs | None, curve: Curve
) -> Candidate:
    costs = costs_of(inputs, curve) if inputs else None
    return Candidate(
        name=name,
        kind=kind,
        score=given,
        eligible=not failures,
        failures=failures,
        inputs=inputs,
        costs=costs,
        how=how_of(inputs, costs) if inputs and costs else {},
    )


def _score(row: Row) -> float:
    return float(row["score"]["value"])


def _quality(case: Case, given: Mapping[str, Any]) -> str | None:
    needed, value, high = case.quality, given["value"], given["high"]
    if needed is None or value >= needed:
        return None
    if high is not None and high >= needed:
        bound = f"its upper bound {score(high)} alone reaches {score(needed)}"
        return f"not shown: {score(value)}, {bound}"
    return f"{score(value)} is below {score(needed)}"


def _latency(case: Case, row: Row) -> str | None:
    if case.question.latency_ms is None:
        return None
    allowed, p95 = case.of("latency_ms", case.question.latency_ms), _median(row, "latency_p95_ms")
    if p95 is None:
        return f"p95 was not measured, {number(allowed)} ms are allowed"
    taken = p95 * _length(case)
    return f"p95 of {number(taken)} ms, {number(allowed)} ms are allowed" if taken > allowed else None


def _on_premises(case: Case, row: Row) -> str | None:
    hosted = case.question.on_premises and row["kind"] == "replayed"
    return "the documents go to its provider" if hosted else None


def _licence(case: Case, row: Row) -> str | None:
    """An API model learned nothing from the board's data: the terms that bind are its provider's."""
    licence = _part(row, "licence")
    if not case.question.commercial or row["kind"] == "replayed" or licence.get("commercial", True):
        return None
    learned = f"base {licence['base'] or 'none'}, data {licence['data']}"
    return f"not for commercial use ({learned}); the same recipe on data of your own may be"


def _stability(case: Case, row: Row) -> str | None:
    """Weights of one's own give the same answer again; an API model is asked again to see."""
    if not case.question.stable or row["kind"] != "replayed":
        return None
    churn = row.get("churn")
    if churn is None:
        return "whether its answers change when asked again was not measured"
    return f"{percent(churn['high'])} of its answers changed when asked again" if churn["high"] > 0 else None


def _unpriced(case: Case, row: Row) -> str | None:
    if row["kind"] == "replayed":
        return None if row.get("cost") else "its tokens were not counted, or its model has no listed price"
    if row["kind"] == "measured" and _median(row, "documents_per_second") is None:
        return "its speed was not measured"
    if _labels(case, row) is None:
        return "how many labels it learned from is not recorded: give labels"
    if _machine_price(case, row) is None:
        return "its machine has no price: give machine_dollars_per_hour"
    return None


def _row_inputs(case: Case, row: Row) -> Inputs:
    error = 1 - row["score"]["value"]
    return (
        _api_inputs(case, row["cost"], error) if row["kind"] == "replayed" else _own_inputs(case, row, error)
    )


def _own_inputs(case: Case, row: Row, error: float) -> Inputs:
    """Return the inputs of a model on a machine of one's own; a baseline that was not timed takes no time."""
    question, speed = case.question, _median(row, "documents_per_second")
    return Inputs(
        api=False,
        **_asked(case),
        error=error,
        labels=case.of("labels", _labels(case, row) or 0.0),
        label_cost=case.of("label_cost", question.label_cost),
        setup_hours=case.of("setup_hours", question.setup_hours),
        engineer_dollars_per_hour=case.of("engineer_dollars_per_hour", question.engineer_dollars_per_hour),
        maintenance_hours=case.of("maintenance_hours", question.maintenance_hours),
        training_hours=_part(row, "training").get("wall_seconds", 0.0) / 3600,
        seconds_per_document=_length(case) / speed if speed else 0.0,
        machine_dollars_per_hour=case.of("machine_dollars_per_hour", _machine_price(case, row) or 0.0),
        always_on=question.always_on,
        utilisation=min(1.0, case.of("utilisation", question.utilisation)),
    )


def _api_inputs(case: Case, cost: Mapping[str, Any], error: float | None) -> Inputs:
    """Return the inputs of an API model; of a longer document more is read, besides the same prompt."""
    length, paid = _length(case), 1 - case.question.token_discount
    return Inputs(
        api=True,
        **_asked(case),
        error=error,
        input_tokens=cost["input_tokens"] + (length - 1) * (case.document_tokens or 0.0),
        output_tokens=cost["output_tokens"] * length,
        input_price=case.of("token_price", cost["input_price"] * paid),
        output_price=case.of("token_price", cost["output_price"] * paid),
    )


def _asked(case: Case) -> dict[str, Any]:
    """Return the inputs that all candidates share."""
    question, abstention = case.question, case.question.abstention_cost
    return {
        "volume": case.of("volume", question.volume),
        "horizon_months": case.of("horizon_months", question.horizon_months),
        "wrong_answer_cost": case.of("wrong_answer_cost", question.wrong_answer_cost),
        "abstention_cost": None if abstention is None else case.of("abstention_cost", abstention),
    }


def _labels(case: Case, row: Row) -> float | None:
    """Return how many labels the row needs; a baseline is charged those of the board's first specialist."""
    if case.question.labels is not None:
        return case.question.labels
    if row["kind"] == "baseline":
        return case.labels
    training = row.get("training")  # None: it was used as it came
    labels: float | None = 0.0 if training is None else training.get("examples")
    return labels


def _machine_price(case: Case, row: Row) -> float | None:
    if case.question.machine_dollars_per_hour is not None:
        return case.question.machine_dollars_per_hour
    price: float | None = _part(row, "cost").get("dollars_per_hour")
    return case.machine_dollars_per_hour if price is None else price


def _length(case: Case) -> float:
    """Return the length of a document as a multiple of the board's; 1 where the board does not say."""
    if case.document_tokens is None:
        return 1.0
    asked = case.question.tokens_per_document
    return (
        case.of("tokens_per_document", case.document_tokens if asked is None else asked)
        / case.document_tokens
    )


def _document_tokens(row: Row) -> float | None:
    tokens, documents = _median(row, "tokens_per_second"), _median(row, "documents_per_second")
    return tokens / documents if tokens and documents else None


def _median(row: Row, name: str) -> float | None:
    value = _part(row, "measured").get(name)
    return value["median"] if value else None


def _part(row: Row, name: str) -> Mapping[str, Any]:
    return row.get(name) or {}


def _first(values: Iterable[Any]) -> Any:
    return next((value for value in values if value is not None), None)
