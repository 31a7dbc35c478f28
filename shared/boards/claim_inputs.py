"""The numbers that claims rest on: stated ones, prices of dated lists, and cells of published rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from shared.boards.prices import Price, PriceList, blend, dollars, find_price
from shared.boards.sections import Section
from shared.boards.tables import find, formatter
from shared.errors import UserError, suggest


@dataclass(frozen=True)
class PriceRef:
    """A model's price in the newest list of `date` or before."""

    model: str
    date: str


@dataclass(frozen=True)
class RowRef:
    """A cell of a published row, by its dotted path."""

    task: str
    data: str
    name: str
    cell: str


Cells = Callable[[RowRef], float | None]  # a cell's number, None where it is empty


@dataclass(frozen=True)
class Input:
    """A number that a claim rests on: a `value`, a `range`, a `price`, a `row`, or `price` and `row`.

    A price is blended. Beside a row whose `cell` has `input_tokens` and `output_tokens` below it, it is what
    1,000 documents of so many tokens cost.
    """

    value: float | None = None
    range: list[float] | None = None  # low, high
    price: PriceRef | None = None
    row: RowRef | None = None


@dataclass(frozen=True)
class Term:
    """The number of an input, a range from `low` to `high`, and the step that made it, '' for none."""

    low: float
    high: float
    step: str = ""

    @property
    def middle(self) -> float:
        """The number itself where it is no range."""
        return (self.low + self.high) / 2


def read_term(item: Input, where: str, *, lists: Sequence[PriceList], cells: Cells) -> Term | None:
    """Return the input's number; None where a cell that it needs is empty.

    Raises `UserError`, with `where`, for an input that is none of those there are.
    """
    match item.value, item.range, item.price, item.row:
        case float() | int() as value, None, None, None:
            return Term(value, value)
        case None, [low, high], None, None:
            return Term(low, high)
        case None, None, PriceRef(model, date), None:
            return _blended(find_price(model, lists, date=date)[0])
        case None, None, PriceRef(model, date), RowRef() as row:
            return _token_cost(find_price(model, lists, date=date)[0], row, cells)
        case None, None, None, RowRef() as row:
            found = cells(row)
            return None if found is None else Term(found, found)
    raise UserError(f"{where}: allowed is one of value, range (low, high), price and row, or price with row")


def row_cells(sections: Iterable[Section]) -> Cells:
    """Return the function that finds cells in these sections; it raises `UserError` where there is no row."""
    rows = {(section.task, section.data, row["name"]): row for section in sections for row in section.rows}

    def cell(ref: RowRef) -> float | None:
        key = (ref.task, ref.data, ref.name)
        if key not in rows:
            names = [name for task, data, name in rows if (task, data) == key[:2]]
            close, allowed = suggest(ref.name, names), ", ".join(names) or "none, nothing is published"
            raise UserError(f"{ref.task}, {ref.data} has no row {ref.name!r}{close}; allowed: {allowed}")
        value = find(rows[key], ref.cell)
        if value is not None and not isinstance(value, int | float):
            raise UserError(f"{ref.cell} of {ref.name!r} is {value!r:.80}; name the cell of a number")
        return value

    return cell


def shown(value: float) -> str:
    """Return a number of up to four decimals as it is, another one to three significant digits."""
    if abs(value - round(value, 4)) > 1e-9:
        return formatter("significant")(value)
    whole, _, decimals = f"{value:,.4f}".partition(".")
    decimals = decimals.rstrip("0")
    return f"{whole}.{decimals:0<2}" if decimals else whole


def _blended(price: Price) -> Term:
    value = blend(price)
    return Term(value, value, f"(3 x {shown(price.input)} + {shown(price.output)}) / 4 = {shown(value)}")


def _token_cost(price: Price, row: RowRef, cells: Cells) -> Term | None:
    num_read = cells(replace(row, cell=f"{row.cell}.input_tokens"))
    num_written = cells(replace(row, cell=f"{row.cell}.output_tokens"))
    if num_read is None or num_written is None:
        return None
    value = 1000 * dollars(price, num_read, num_written)
    read, written = f"{num_read:,.1f} x {shown(price.input)}", f"{num_written:,.1f} x {shown(price.output)}"
    return Term(value, value, f"({read} + {written}) / 1,000 = {shown(value)}")
