"""Decisions on a board of three rows, worked out on paper; the page's calculator against the command."""

import json
import random
import shutil
import subprocess
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import pytest

from shared.boards.candidates import Candidate
from shared.boards.decision import Decision, decide
from shared.boards.decision_text import decision_json, decision_text
from shared.boards.question import Question, read_fields, read_question
from shared.errors import ConfigError

CALCULATOR = Path(__file__).resolve().parents[3] / "shared" / "boards" / "assets" / "calculator.js"

QUESTION = Question(
    volume=1_000_000,
    tokens_per_document=None,
    label_cost=0.10,
    labels=None,
    setup_hours=10,
    engineer_dollars_per_hour=100,
    maintenance_hours=1,
    quality=0.75,
    on_premises=False,
    wrong_answer_cost=0,
    abstention_cost=None,
    horizon_months=12,
    latency_ms=None,
    machine_dollars_per_hour=None,
    always_on=False,
    utilisation=0.5,
    token_discount=0,
    stable=False,
    commercial=False,
)
SMALL = {
    "name": "small",
    "kind": "measured",
    "comparable": True,
    "score": {"value": 0.80, "low": 0.76, "high": 0.84},
    "measured": {
        "documents_per_second": {"median": 100.0},
        "tokens_per_second": {"median": 3000.0},  # 30 a document
        "latency_p95_ms": {"median": 20.0},
    },
    "cost": {"dollars_per_hour": 0.36},
    "training": {"examples": 1000, "wall_seconds": 1800},
    "licence": {"base": "Apache-2.0", "data": "CC BY-NC 4.0", "commercial": False},
    "reliability": {"curve": [[0.5, 0.05], [0.8, 0.10], [1.0, 0.20]]},
}
LARGE = {
    "name": "large",
    "kind": "replayed",
    "comparable": True,
    "score": {"value": 0.75, "low": 0.70, "high": 0.81},
    "cost": {"input_tokens": 200, "output_tokens": 50, "input_price": 2.5, "output_price": 10},
    "churn": {"low": 0.02, "high": 0.04},
}
DICTIONARY = {
    "name": "dictionary",
    "kind": "baseline",
    "comparable": True,
    "score": {"value": 0.50, "low": 0.40, "high": 0.60},
    "licence": {"base": None, "data": "CC BY-NC 4.0", "commercial": False},
}
CITED = {"name": "published elsewhere", "kind": "cited", "comparable": True, "score": None}
ROWS = [SMALL, LARGE, DICTIONARY, CITED]
NANO = {"name": "nano", "input": 0.1, "output": 0.5}


def decided(rows: list[dict[str, Any]] = ROWS, **asked: Any) -> Decision:
    return decide(replace(QUESTION, **asked), rows, [NANO])


def candidate(decision: Decision, name: str) -> Candidate:
    return next(one for one in decision.candidates if one.name == name)


def failed(decision: Decision, name: str) -> dict[str, str]:
    return {failure.need: failure.why for failure in candidate(decision, name).failures}


def without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def test_a_specialist_costs_labels_an_engineer_and_training_once_and_its_machine_each_month() -> None:
    small = candidate(decided(), "small").costs
    assert small is not None
    assert (small.labels, small.engineer, small.training) == pytest.approx((100, 1000, 0.18))
    assert small.hours == pytest.approx(5.555556)  # 1,000,000 / 100 / 3,600 / 0.5
    assert (small.running, small.maintenance, small.monthly) == pytest.approx((2, 100, 102))
    assert small.total == pytest.approx(2324.18)  # 1,100.18 + 12 x 102


def test_an_api_model_costs_its_tokens_less_the_discount() -> None:
    large = candidate(decided(token_discount=0.5), "large").costs
    assert large is not None
    assert large.one_time == 0
    assert large.monthly == 500  # 1,000,000 x (200 x 2.50 + 50 x 10) / 1,000,000 / 2
    assert large.total == 6000


def test_a_machine_that_is_always_on_is_paid_all_month_and_one_more_when_it_is_full() -> None:
    assert candidate(decided(always_on=True), "small").costs.running == pytest.approx(262.8)  # 730 x 0.36
    many = candidate(decided(always_on=True, volume=200_000_000), "small").costs  # 1,111.1 hours
    assert (many.machines, many.running) == (2, pytest.approx(525.6))


def test_the_cheapest_row_that_meets_every_need_is_chosen() -> None:
    decision = decided()
    assert (decision.chosen, decision.verdict) == ("small", "fine-tune")
    assert [one.name for one in decision.candidates] == ["small", "large", "nano", "dictionary"]
    assert [one.eligible for one in decision.candidates] == [True, True, False, False]


def test_a_baseline_that_is_good_enough_is_chosen_over_a_specialist() -> None:
    decision = decided(quality=0.5)
    assert (decision.chosen, decision.verdict) == ("dictionary", "do not fine-tune: a baseline does it")
    assert candidate(decision, "dictionary").costs.total == 2300  # 1,000 labels and 10 hours, then 12 hours


def test_the_api_is_chosen_where_the_volume_is_small() -> None:
    decision = decided(volume=10_000)  # 12 x $10 against $2,300.42
    assert (decision.chosen, decision.verdict) == ("large", "use the API")
    assert decision.own == "small"


def test_nothing_is_chosen_where_nothing_reaches_the_quality() -> None:
    decision = decided(quality=0.9)
    assert (decision.chosen, decision.verdict) == (None, "nothing here reaches what you need")
    assert decided(rows=[]).verdict == "nothing here reaches what you need"


def test_without_a_named_quality_the_best_api_model_sets_it() -> None:
    assert decided(quality=None).quality_needed == 0.75
    assert decided(rows=[SMALL, DICTIONARY], quality=None).quality_needed is None
    tied = [{**SMALL, "place": "1="}, {**DICTIONARY, "place": "1="}, {**DICTIONARY, "place": "10"}]
    assert decided(rows=tied, quality=None).quality_needed == DICTIONARY["score"]["value"]
    assert decided(rows=[tied[0], tied[2]], quality=None).chosen == "small"
    assert decided(rows=[SMALL, DICTIONARY], quality=None).chosen == "dictionary"


def test_a_quality_that_only_the_upper_bound_reaches_is_not_shown() -> None:
    decision = decided(quality=0.81)
    assert failed(decision, "small") == {
        "quality": "not shown: 0.800, its upper bound 0.840 alone reaches 0.810"
    }
    assert failed(decision, "dictionary") == {"quality": "0.500 is below 0.810"}
    assert failed(decision, "nano") == {"quality": "not measured here"}


def test_each_need_that_a_row_does_not_meet_is_named() -> None:
    decision = decided(latency_ms=15, on_premises=True, stable=True, commercial=True)
    assert failed(decision, "small") == {
        "latency": "p95 of 20 ms, 15 ms are allowed",
        "licence": "not for commercial use (base Apache-2.0, data CC BY-NC 4.0); "
        "the same recipe on data of your own may be",
    }
    assert failed(decision, "large") == {
        "latency": "p95 was not measured, 15 ms are allowed",
        "on_premises": "the documents go to its provider",
        "stability": "4 % of its answers changed when asked again",
    }


def test_a_row_whose_costs_are_not_known_is_not_chosen() -> None:
    rows = [without(SMALL, "measured"), without(LARGE, "cost"), {**SMALL, "name": "old", "training": {}}]
    decision = decided(rows=rows)
    assert decision.chosen is None
    assert failed(decision, "small") == {"cost": "its speed was not measured"}
    assert failed(decision, "large") == {
        "cost": "its tokens were not counted, or its model has no listed price"
    }
    assert failed(decision, "old") == {"cost": "how many labels it learned from is not recorded: give labels"}
    assert decided(rows=rows, labels=1000).chosen == "old"


def test_a_model_leaves_to_a_person_what_costs_less_than_its_mistakes() -> None:
    # of one document: all answered 0.20; of 80 %, 0.8 x 0.1 + 0.2 x 0.3 = 0.14; of 50 %, 0.025 + 0.15 = 0.175
    costs = candidate(decided(wrong_answer_cost=1, abstention_cost=0.3), "small").costs
    assert costs.answered == 0.8
    assert costs.wrong_answers == pytest.approx(80_000)
    assert costs.abstentions == pytest.approx(60_000)
    everything = candidate(decided(wrong_answer_cost=1), "small").costs
    assert (everything.answered, everything.wrong_answers) == (1, pytest.approx(200_000))


def test_the_risk_of_answers_is_scaled_to_the_score() -> None:
    halved = {**SMALL, "reliability": {"curve": [[0.5, 0.025], [0.8, 0.05], [1.0, 0.10]]}}
    costs = candidate(decided(rows=[halved], wrong_answer_cost=1, abstention_cost=0.3), "small").costs
    assert (costs.answered, costs.wrong_share) == (0.8, pytest.approx(0.1))


def test_a_longer_document_takes_more_time_and_is_read_besides_the_same_prompt() -> None:
    decision = decided(tokens_per_document=60, latency_ms=30)
    small, large = candidate(decision, "small").inputs, candidate(decision, "large").inputs
    assert small.seconds_per_document == pytest.approx(0.02)
    assert failed(decision, "small") == {"latency": "p95 of 40 ms, 30 ms are allowed"}
    assert (large.input_tokens, large.output_tokens) == (230, 100)


def test_a_specialist_breaks_even_after_its_one_time_cost_is_saved() -> None:
    large, nano = decided().break_even
    assert (large.against, large.monthly_saving) == ("large", pytest.approx(898))  # 1,000 - 102
    assert large.month == pytest.approx(1100.18 / 898)
    assert large.volume == pytest.approx(192_065.798)  # (1,100.18 / 12 + 100) / (0.001 - 0.000002)
    assert large.how == "$1,000 - $102.00 a month = $898.00; $1,100 / $898.00 = 1.23 months"
    assert (nano.against, nano.monthly_saving, nano.month) == ("nano", pytest.approx(-57), None)  # 45 - 102
    assert nano.how == "$45.00 - $102.00 a month = -$57.00, if it answers as well; never"


def test_a_break_even_with_machines_that_are_always_on_counts_as_many_as_it_takes() -> None:
    assert decided(always_on=True).break_even[0].volume == pytest.approx(
        454_481.667
    )  # (191.68 + 262.8) / 0.001
    slow = {**SMALL, "measured": {"documents_per_second": {"median": 0.01}}}
    never = decided(rows=[slow, LARGE], always_on=True).break_even[0]
    assert (never.month, never.volume) == (None, None)  # a full machine: 13,140 documents, $13.14 for $262.80
    cheap = decided(rows=[slow, LARGE], always_on=True, machine_dollars_per_hour=0.001).break_even[0]
    assert cheap.volume == pytest.approx(
        203_346.708
    )  # 16 machines: (1,100.0005 / 12 + 100 + 16 x 0.73) / 0.001


def test_mistakes_count_in_a_break_even_where_both_were_measured() -> None:
    large, nano = decided(wrong_answer_cost=0.01).break_even
    assert large.monthly_saving == pytest.approx(1398)  # 1,000 + 2,500 - 102 - 2,000
    assert nano.monthly_saving == pytest.approx(-57)


def test_inputs_are_ordered_by_what_halving_and_doubling_them_changes() -> None:
    found = decided().sensitivity
    assert [one.input for one in found][:7] == [
        "allowed_errors",
        "engineer_dollars_per_hour",
        "horizon_months",
        "maintenance_hours",
        "setup_hours",
        "label_cost",
        "labels",
    ]
    errors, engineer = found[:2]
    assert (errors.halved.chosen, errors.halved.change) == (None, None)  # 0.875 is needed
    assert (errors.doubled.chosen, errors.doubled.change) == ("dictionary", pytest.approx(-24.18))
    assert errors.flips
    assert (engineer.halved.change, engineer.doubled.change) == pytest.approx((-1100, 2200))
    assert not engineer.flips
    assert "token_price" not in {one.input for one in found}  # nothing that is chosen is paid by tokens


def test_the_checklist_says_go_with_evidence_or_that_nobody_knows() -> None:
    items = decided(stable=True, wrong_answer_cost=1, abstention_cost=0.3, quality=0.78).checklist
    assert [item.go for item in items] == [True, True, True, True, True]
    assert [item.evidence for item in items] == [
        "small reaches 0.800 with 1,000 labels for $100.00; 0.780 is needed",
        "$1.00 a wrong answer, $0.30 a person's; small answers 80 % itself",
        "against large: $251,000 - $140,102 a month = $110,898; $1,100 / $110,898 = 0.0099 months",
        "required: stable answers",
        "large reaches 0.750; 0.780 is needed",
    ]
    unknown = decided(rows=[DICTIONARY]).checklist
    assert [item.go for item in unknown] == [None, None, None, False, None]


def test_the_text_leads_with_the_verdict_and_shows_the_arithmetic() -> None:
    text = decision_text(decided())
    assert text.startswith("Fine-tune. small: $2,324 over 12 months.\n")
    assert "1,000,000 documents x 0.01 s / 3,600 / 0.5 used = 5.56 hours x $0.36 = $2.00" in text
    assert "$1,100 + 12 months x $102.00 = $2,324" in text
    assert "- dictionary: quality: 0.500 is below 0.750" in text
    assert "allowed errors             choose nothing  -$24.18, choose dictionary" in text
    assert decision_text(decided(volume=10_000)).startswith("Use the API. large: $120.00 over 12 months.\n")
    assert decision_text(decided(quality=0.9)).startswith("Nothing here reaches what you need.\n")


def test_the_json_has_the_whole_decision() -> None:
    decision = decided()
    assert json.loads(decision_json(decision)) == asdict(decision)


def test_every_field_of_the_question_is_asked_for_and_has_a_default() -> None:
    assert list(read_fields()) == [field.name for field in fields(Question)]
    assert read_question([]).horizon_months == 12


def test_a_question_is_read_from_words() -> None:
    question = read_question(["volume=2.5e6", "on_premises=true", "quality=0.75", "latency_ms=null"])
    assert (question.volume, question.on_premises) == (2_500_000, True)
    assert (question.quality, question.latency_ms) == (0.75, None)


def test_all_mistakes_in_a_question_are_reported_at_once() -> None:
    words = ["volume=many", "qualty=0.7", "utilisation=2", "on_premises=1", "label_cost=null", "labels=inf"]
    with pytest.raises(ConfigError) as caught:
        read_question(words)
    unknown = caught.value.mistakes.pop(1)
    assert unknown.startswith(
        "'qualty=0.7' is no name=value that is asked (did you mean 'quality'?); names: "
    )
    assert caught.value.mistakes == [
        "volume='many' (documents a month); allowed: a number, 1 or more",
        "utilisation='2' (share); allowed: a number, 0.01 to 1",
        "on_premises='1' (true or false); allowed: true, false",
        "label_cost='null' (dollars); allowed: a number, 0 or more",
        "labels='inf' (labels); allowed: a number, 0 or more, or null",
    ]


@pytest.mark.skipif(
    shutil.which("node") is None, reason="no node here: the page's own test runs the calculator"
)
def test_the_page_decides_as_the_command_does() -> None:
    dice = random.Random(7)
    cases = [(random_question(dice), random_rows(dice), random_offers(dice)) for _ in range(200)]
    given = [[asdict(question), rows, offers] for question, rows, offers in cases]
    script = f"""{CALCULATOR.read_text(encoding="utf-8")}
        const cases = JSON.parse(require("fs").readFileSync(0, "utf-8"));
        console.log(JSON.stringify(cases.map((given) => decide(...given))));"""
    ran = subprocess.run(
        ["node", "-e", script], input=json.dumps(given), capture_output=True, text=True, check=True
    )
    expected = [asdict(decide(*case)) for case in cases]
    assert {one["verdict"] for one in expected} == {
        "fine-tune",
        "use the API",
        "do not fine-tune: a baseline does it",
        "nothing here reaches what you need",
    }
    assert any(one["flips"] for case in expected for one in case["sensitivity"])
    for page, command in zip(json.loads(ran.stdout), expected, strict=True):
        assert_same(page, command)


def assert_same(page: Any, command: Any) -> None:
    """The same keys, words and nulls; numbers within 1e-9 of one another."""
    if isinstance(command, dict):
        assert page.keys() == command.keys()
        for key, value in command.items():
            assert_same(page[key], value)
    elif isinstance(command, list):
        assert len(page) == len(command)
        for one, other in zip(page, command, strict=True):
            assert_same(one, other)
    elif isinstance(command, float) and not isinstance(page, bool):
        assert page == pytest.approx(command, rel=1e-9, abs=0)
    else:
        assert page == command


def random_question(dice: random.Random) -> Question:
    def maybe(value: float) -> float | None:
        return dice.choice([None, value])

    return Question(
        volume=round(10 ** dice.uniform(2, 8)),
        tokens_per_document=maybe(dice.uniform(5, 500)),
        label_cost=dice.choice([0, dice.uniform(0, 2)]),
        labels=maybe(dice.randrange(5000)),
        setup_hours=dice.uniform(0, 100),
        engineer_dollars_per_hour=dice.uniform(20, 200),
        maintenance_hours=dice.choice([0, dice.uniform(0, 20)]),
        quality=maybe(dice.uniform(0.2, 0.9)),
        on_premises=dice.random() < 0.3,
        wrong_answer_cost=dice.choice([0, dice.uniform(0, 0.1)]),
        abstention_cost=maybe(dice.uniform(0, 0.05)),
        horizon_months=dice.randrange(1, 37),
        latency_ms=maybe(dice.uniform(10, 200)),
        machine_dollars_per_hour=maybe(dice.uniform(0.05, 5)),
        always_on=dice.random() < 0.5,
        utilisation=dice.uniform(0.01, 1),
        token_discount=dice.choice([0, 0.5]),
        stable=dice.random() < 0.3,
        commercial=dice.random() < 0.3,
    )


def random_rows(dice: random.Random) -> list[dict[str, Any]]:
    rows = [random_own(dice, f"specialist {place}") for place in range(dice.randrange(4))]
    rows += [random_api(dice, f"model {place}") for place in range(dice.randrange(3))]
    rows += [{**DICTIONARY, "score": random_score(dice)} for _ in range(dice.randrange(2))]
    rows = [{**row, "place": dice.choice(["1", "1=", "3", "10"])} for row in rows]
    return [*rows, CITED, {**SMALL, "name": "elsewhere", "comparable": False}]


def random_score(dice: random.Random) -> dict[str, float | None]:
    value = dice.uniform(0.2, 0.95)
    return {"value": value, "low": value - 0.05, "high": dice.choice([None, value + 0.05])}


def random_own(dice: random.Random, name: str) -> dict[str, Any]:
    curve = sorted([coverage, dice.uniform(0, 0.5)] for coverage in (*(dice.random() for _ in range(5)), 1.0))
    speed = 10 ** dice.uniform(-1, 4)
    row = {
        **SMALL,
        "name": name,
        "score": random_score(dice),
        "measured": {
            "documents_per_second": {"median": speed},
            "tokens_per_second": dice.choice([None, {"median": speed * dice.uniform(10, 300)}]),
            "latency_p95_ms": dice.choice([None, {"median": dice.uniform(1, 200)}]),
        },
        "cost": dice.choice([None, {"dollars_per_hour": dice.uniform(0.05, 5)}]),
        "training": dice.choice(
            [None, {"wall_seconds": dice.uniform(10, 1e4), "examples": dice.choice([None, 800])}]
        ),
        "licence": {
            "base": dice.choice([None, "MIT"]),
            "data": "CC BY 4.0",
            "commercial": dice.random() < 0.5,
        },
        "reliability": dice.choice([None, {"curve": []}, {"curve": curve}]),
    }
    return without(
        row, *dice.sample(["measured", "cost", "training", "licence", "reliability"], dice.randrange(2))
    )


def random_api(dice: random.Random, name: str) -> dict[str, Any]:
    cost = {
        "input_tokens": dice.uniform(50, 500),
        "output_tokens": dice.uniform(1, 100),
        "input_price": dice.uniform(0.05, 10),
        "output_price": dice.uniform(0.2, 50),
    }
    churn = dice.choice([None, {"low": 0.0, "high": 0.0}, {"low": 0.01, "high": 0.05}])
    return {
        **LARGE,
        "name": name,
        "score": random_score(dice),
        "cost": dice.choice([cost, cost, None]),
        "churn": churn,
    }


def random_offers(dice: random.Random) -> list[dict[str, Any]]:
    return [
        {"name": f"offer {place}", "input": dice.uniform(0.05, 10), "output": dice.uniform(0.2, 50)}
        for place in range(dice.randrange(3))
    ]
