from pathlib import Path

import pytest

from shared.boards.claim_inputs import RowRef, row_cells, shown
from shared.boards.claims import CheckedClaim, Verdict, check_claims, claims_markdown, judge
from shared.boards.layout import CONF, read_layout
from shared.boards.prices import blend, read_prices
from shared.boards.sections import Section
from shared.errors import UserError

PRICES = """\
date: '2025-06'
source: an article
currency: USD
prices:
  - {model: big, provider: Acme, input: 5, output: 20, note: ''}
  - {model: small, provider: Acme, input: 0.2, output: 0.2, note: ''}
"""


def checked(folder: Path, claim: str, cells: dict[str, float | None] | None = None) -> CheckedClaim:
    """The claim, written as the kind, the claimed number and the inputs, checked at two prices."""
    (folder / "prices").mkdir()
    (folder / "prices" / "2025_06.yaml").write_text(PRICES, encoding="utf-8")
    head = "- {says: it is so, unit: times, source: an article, caveat: '', "
    (folder / "claims.yaml").write_text(f"{head}{claim}}}\n", encoding="utf-8")
    return check_claims(folder, cells=lambda ref: (cells or {})[ref.cell])[0]


def price(model: str) -> str:
    return f"{{price: {{model: {model}, date: '2025-06'}}}}"


def row(cell: str) -> str:
    return f"row: {{task: ner, data: Set, name: Ours, cell: {cell}}}"


@pytest.mark.parametrize(
    ("claimed", "value", "verdict"),
    [
        ("80", 80.0, Verdict.confirmed),
        ("80", 75.1, Verdict.confirmed),  # one significant digit
        ("80", 85.1, Verdict.corrected),
        ("81", 80.0, Verdict.corrected),
        ("6.00", 6.0, Verdict.confirmed),
        ("6.00", 6.01, Verdict.corrected),  # three of them
        ("0.50", 0.504, Verdict.confirmed),
        ("11000", 10_700.0, Verdict.confirmed),
        ("2", 1.0, Verdict.refuted),
        ("2", 0.5, Verdict.refuted),
    ],
)
def test_a_ratio_is_judged_by_the_digits_it_is_quoted_with(
    claimed: str, value: float, verdict: Verdict
) -> None:
    assert judge(claimed, value, value, value, same=1) is verdict


def test_a_range_that_includes_no_difference_refutes_even_where_its_middle_is_the_claim() -> None:
    assert judge("2", 0.9, 2.0, 3.1, same=1) is Verdict.refuted
    assert judge("2", 1.1, 2.0, 2.9, same=1) is Verdict.confirmed


def test_a_blend_is_shown_with_its_arithmetic(tmp_path: Path) -> None:
    claim = checked(tmp_path, f"kind: blend, claimed: '11.25', inputs: {{Big: {price('big')}}}")
    assert (claim.verdict, claim.value) == ("corrected", 8.75)
    assert claim.arithmetic == "(3 x 5 + 20) / 4 = 8.75, not 11.25"


def test_a_ratio_of_prices_is_that_of_their_blends(tmp_path: Path) -> None:
    inputs = f"{{Big: {price('big')}, Small: {price('small')}}}"
    claim = checked(tmp_path, f"kind: ratio, claimed: '44', inputs: {inputs}")
    assert (claim.verdict, claim.value, claim.formula) == ("confirmed", 43.75, "Big / Small")
    assert claim.arithmetic.endswith("; (3 x 0.20 + 0.20) / 4 = 0.20; 8.75 / 0.20 = 43.75")


def test_a_saving_is_by_the_billion(tmp_path: Path) -> None:
    inputs = f"{{Big: {price('big')}, Small: {price('small')}}}"
    claim = checked(tmp_path, f"kind: saving, claimed: '11000', inputs: {inputs}")
    assert (claim.verdict, claim.value) == ("corrected", pytest.approx(8550))
    assert claim.arithmetic.endswith("1,000 x (8.75 - 0.20) = 8,550, not 11,000")


def test_percent_are_those_of_the_second_input(tmp_path: Path) -> None:
    inputs = "{tuned: {value: 55}, untuned: {value: 50}}"
    claim = checked(tmp_path, f"kind: percent, claimed: '5', inputs: {inputs}")
    assert (claim.verdict, claim.value) == ("corrected", 10)


def test_ranges_give_the_widest_range(tmp_path: Path) -> None:
    inputs = "{theirs: {range: [0.38, 0.44]}, ours: {range: [0.25, 0.40]}}"
    claim = checked(tmp_path, f"kind: ratio, claimed: '2', inputs: {inputs}")
    assert claim.verdict == "refuted"
    assert (claim.low, claim.high) == (pytest.approx(0.95), pytest.approx(1.76))
    assert claim.arithmetic == (
        "0.38 / 0.40 = 0.95 to 0.44 / 0.25 = 1.76; in the middle 0.41 / 0.325 = 1.26, not 2"
    )


def test_a_price_beside_a_row_is_what_the_tokens_of_that_row_cost(tmp_path: Path) -> None:
    inputs = f"{{Big: {{price: {{model: big, date: '2025-06'}}, {row('cost')}}}, Ours: {{{row('dollars')}}}}}"
    cells = {"cost.input_tokens": 200.0, "cost.output_tokens": 100.0, "dollars": 0.5}
    claim = checked(tmp_path, f"kind: ratio, claimed: '6', inputs: {inputs}", cells)
    assert claim.verdict == "confirmed"
    assert claim.arithmetic == "(200.0 x 5 + 100.0 x 20) / 1,000 = 3; 3 / 0.50 = 6"


def test_an_empty_cell_leaves_the_claim_open(tmp_path: Path) -> None:
    inputs = f"{{Big: {price('big')}, Ours: {{{row('dollars')}}}}}"
    claim = checked(tmp_path, f"kind: ratio, claimed: '6', inputs: {inputs}", {"dollars": None})
    assert (claim.verdict, claim.value, claim.arithmetic) == ("not measurable yet", None, "")


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        ("kind: ration, claimed: '2', inputs: {}", r"kind is 'ration' \(did you mean 'ratio'\?\)"),
        ("kind: ratio, claimed: '2', inputs: {a: {value: 1}}", "inputs are 1; allowed for ratio: 2"),
        ("kind: blend, claimed: cheap, inputs: {a: {value: 1}}", "claimed is 'cheap'; allowed: a number"),
        ("kind: blend, claimed: '2', inputs: {a: {}}", r"inputs.a: allowed is one of value, range"),
        ("kind: blend, claimed: '2', inputs: {a: {range: [1]}}", r"inputs.a: allowed is one of value, range"),
        (
            "kind: blend, claimed: '2', inputs: {a: {price: big}}",
            "inputs.a.price is 'big'; allowed: an object",
        ),
    ],
)
def test_a_claim_that_cannot_be_checked_is_told_with_its_place(
    tmp_path: Path, claim: str, message: str
) -> None:
    with pytest.raises(UserError, match=rf"claims.yaml: .*{message}"):
        checked(tmp_path, claim)


def test_cells_are_found_in_the_rows_of_sections() -> None:
    section = Section(
        task="ner",
        title="Entities",
        data="Set",
        main="f1",
        reference="",
        rows=[{"name": "Ours", "kind": "measured", "cost": {"dollars_per_1000": 0.5, "how": "measured"}}],
        records=[],
        layout=read_layout("ner"),
    )
    cells = row_cells([section])
    assert cells(RowRef("ner", "Set", "Ours", "cost.dollars_per_1000")) == 0.5
    assert cells(RowRef("ner", "Set", "Ours", "cost.input_tokens")) is None
    with pytest.raises(UserError, match=r"ner, Set has no row 'ours'.*allowed: Ours"):
        cells(RowRef("ner", "Set", "ours", "cost"))
    with pytest.raises(UserError, match=r"cost\.how of 'Ours' is 'measured'"):
        cells(RowRef("ner", "Set", "Ours", "cost.how"))


@pytest.mark.parametrize(
    ("value", "text"),
    [(80.0, "80"), (8.5, "8.50"), (0.035, "0.035"), (43.7512345, "43.8"), (8550.0, "8,550")],
)
def test_numbers_are_shown_as_they_are_or_to_three_digits(value: float, text: str) -> None:
    assert shown(value) == text


def test_the_committed_claims_come_out_as_their_inputs_say() -> None:
    cells = {"cost.dollars_per_1000": None, "cost.input_tokens": 200.0, "cost.output_tokens": 100.0}
    claims = check_claims(CONF, cells=lambda ref: cells[ref.cell])
    found = [(claim.claimed, claim.verdict, claim.value and round(claim.value, 2)) for claim in claims]
    assert found == [
        ("80", "confirmed", 80),
        ("6.4", "confirmed", 6.4),
        ("6.4", "corrected", 7.36),
        ("11.25", "corrected", 8.75),
        ("1.20", "corrected", 1.05),
        ("26.25", "corrected", 30),
        ("6.00", "confirmed", 6),
        ("0.50", "confirmed", 0.5),
        ("56", "corrected", 43.75),
        ("11000", "corrected", 8550),
        ("56", "corrected", 24.31),
        ("56", "corrected", 1.11),
        ("56", "refuted", 0.34),
        ("2", "refuted", 1.26),
        ("20", "confirmed", 20.35),
        *[("80", "not measurable yet", None)] * 3,
    ]


def test_the_cheapest_model_of_the_claims_is_the_cheapest_of_its_list() -> None:
    assert min(read_prices(CONF)[-1].prices, key=blend).model == "nova-micro"


def test_claims_become_a_table(tmp_path: Path) -> None:
    claim = checked(tmp_path, f"kind: blend, claimed: '11.25', inputs: {{Big: {price('big')}}}")
    *_, header, _, line = claims_markdown([claim]).splitlines()
    assert [cell.strip() for cell in header.split("|")[1:4]] == ["claim", "claimed", "verdict"]
    assert [cell.strip() for cell in line.split("|")[1:4]] == ["it is so", "11.25 times", "corrected"]
