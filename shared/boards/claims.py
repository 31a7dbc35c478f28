"""Claims checked: each number that is quoted for small models, computed again from those it rests on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from enum import Enum
from pathlib import Path

from tabulate import tabulate

from shared.boards.claim_inputs import Cells, Input, Term, read_term, shown
from shared.boards.prices import PriceList, read_prices
from shared.errors import UserError, suggest
from shared.files import read_yaml
from shared.typed_json import read_as


class Verdict(Enum):
    """What became of a claim, see `judge`."""

    confirmed = "confirmed"
    corrected = "corrected"
    refuted = "refuted"
    unknown = "not measurable yet"


@dataclass(frozen=True)
class Claim:
    """One claim of conf/claims.yaml."""

    says: str
    claimed: str  # the number, with the digits it is quoted with
    unit: str
    source: str
    kind: str  # one of `KINDS`
    inputs: dict[str, Input]  # what it is -> where its number comes from
    caveat: str  # why the number alone misleads, '' where it does not


@dataclass(frozen=True)
class CheckedClaim:
    """A claim and what its inputs give: None and '' where one of them is not known yet."""

    says: str
    claimed: str
    unit: str
    source: str
    caveat: str
    formula: str  # in words
    verdict: str
    value: float | None = None
    low: float | None = None  # as `value` where no input is a range
    high: float | None = None
    arithmetic: str = ""


@dataclass(frozen=True)
class Kind:
    """How a number follows from a and b, growing with a and falling with b."""

    compute: Callable[[float, float], float]
    formula: str
    same: float  # what it is when a and b do not differ


KINDS = {
    "ratio": Kind(lambda a, b: a / b, "{a} / {b}", same=1),
    "difference": Kind(lambda a, b: a - b, "{a} - {b}", same=0),
    "percent": Kind(lambda a, b: 100 * (a - b) / b, "100 x ({a} - {b}) / {b}", same=0),
    "saving": Kind(lambda a, b: 1000 * (a - b), "1,000 x ({a} - {b})", same=0),
    "blend": Kind(lambda a, _: a, "{a}", same=0),  # of one price
}

_HEAD = """\
# Claims, checked

Rendered from `conf/claims.yaml` by `python -m leaderboards render`, never edited by hand.

Each number is computed again from those it rests on. *Confirmed*: the result rounds to the claimed number.
*Corrected*: it does not, but points the same way. *Refuted*: it points the other way, or its range includes
no difference. *Not measurable yet*: a row that it needs has not been measured. Where the arithmetic is right
and the comparison is not, *but* says why."""


def check_claims(conf: Path, *, cells: Cells) -> list[CheckedClaim]:
    """Return the claims of conf/claims.yaml, checked, in their order.

    Raises `UserError` for a claim that cannot be read, and for a model or a row that there is not.
    """
    path = conf / "claims.yaml"
    claims: list[Claim] = read_as(list[Claim], read_yaml(path), file=path)
    lists = read_prices(conf)
    return [_check(claim, f"{path}: {claim.says!r}", lists=lists, cells=cells) for claim in claims]


def judge(claimed: str, low: float, middle: float, high: float, *, same: float) -> Verdict:
    """Return the verdict on a claimed number, from what was computed: a number, and the range it is in.

    *Refuted*: the range includes `same`, no difference, or the number lies on its other side than the claim.
    *Confirmed*: the number rounds to the claim, at the significant digits that the claim is quoted with; the
    zeros that end a whole number do not count, so 80 is any number from 75 to 85. *Corrected*: all else, so
    another number that points the same way.
    """
    number = float(claimed)
    if low <= same <= high or (middle - same) * (number - same) < 0:
        return Verdict.refuted
    return Verdict.confirmed if float(f"{middle:.{_digits(claimed)}g}") == number else Verdict.corrected


def claims_markdown(checked: Sequence[CheckedClaim]) -> str:
    """Return the text of leaderboards/claims.md."""
    headers = ["claim", "claimed", "verdict", "arithmetic", "of", "but", "source"]
    cells = [
        [
            claim.says,
            f"{Decimal(claim.claimed):,} {claim.unit}",
            claim.verdict,
            claim.arithmetic,
            claim.formula,
            claim.caveat,
            claim.source,
        ]
        for claim in checked
    ]
    table = tabulate(cells, headers=headers, tablefmt="pipe", disable_numparse=True)
    return f"{_HEAD}\n\n{table}\n"


def _check(claim: Claim, where: str, *, lists: Sequence[PriceList], cells: Cells) -> CheckedClaim:
    kind = _kind(claim, where)
    names = list(claim.inputs)
    terms = [
        read_term(item, f"{where}: inputs.{name}", lists=lists, cells=cells)
        for name, item in claim.inputs.items()
    ]
    known = [term for term in terms if term is not None]
    told = CheckedClaim(
        says=claim.says,
        claimed=claim.claimed,
        unit=claim.unit,
        source=claim.source,
        caveat=claim.caveat,
        formula=kind.formula.format(a=names[0], b=names[-1]),
        verdict=Verdict.unknown.value,
    )
    return told if len(known) < len(terms) else _computed(told, kind, known)


def _computed(told: CheckedClaim, kind: Kind, terms: Sequence[Term]) -> CheckedClaim:
    """Return the claim with what its terms give, and the verdict."""
    a, b = terms[0], terms[-1]  # the same where there is one
    low, high = kind.compute(a.low, b.high), kind.compute(a.high, b.low)
    middle = kind.compute(a.middle, b.middle)
    verdict = judge(told.claimed, low, middle, high, same=kind.same)
    arithmetic = "; ".join([*(term.step for term in terms if term.step), *_last_step(kind, terms)])
    if verdict is not Verdict.confirmed:
        arithmetic += f", not {Decimal(told.claimed):,}"
    return replace(told, verdict=verdict.value, value=middle, low=low, high=high, arithmetic=arithmetic)


def _kind(claim: Claim, where: str) -> Kind:
    """Return the claim's kind; raises `UserError` if it has none, another number of inputs, or no number."""
    if claim.kind not in KINDS:
        allowed = ", ".join(KINDS)
        raise UserError(f"{where}: kind is {claim.kind!r}{suggest(claim.kind, KINDS)}; allowed: {allowed}")
    needed = 1 if claim.kind == "blend" else 2
    if len(claim.inputs) != needed:
        raise UserError(f"{where}: inputs are {len(claim.inputs)}; allowed for {claim.kind}: {needed}")
    try:
        Decimal(claim.claimed)
    except InvalidOperation:
        raise UserError(f"{where}: claimed is {claim.claimed!r}; allowed: a number, as '11.25'") from None
    return KINDS[claim.kind]


def _last_step(kind: Kind, terms: Sequence[Term]) -> list[str]:
    """Return how two terms make the number, of a range both ends and the middle; nothing for one term."""
    if len(terms) == 1:
        return []
    a, b = terms
    middle = _step(kind, a.middle, b.middle)
    if (a.low, b.low) == (a.high, b.high):
        return [middle]
    return [f"{_step(kind, a.low, b.high)} to {_step(kind, a.high, b.low)}", f"in the middle {middle}"]


def _step(kind: Kind, a: float, b: float) -> str:
    return f"{kind.formula.format(a=shown(a), b=shown(b))} = {shown(kind.compute(a, b))}"


def _digits(claimed: str) -> int:
    """Return how many significant digits the number is quoted with."""
    digits = "".join(map(str, Decimal(claimed).as_tuple().digits))
    return len(digits if "." in claimed else digits.rstrip("0"))
