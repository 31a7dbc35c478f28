"""What tokens of API models cost: dated price lists, the files of conf/prices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.errors import UserError, suggest
from shared.files import read_yaml
from shared.typed_json import read_as

CURRENCY = "USD"
INPUT_SHARE = 0.75  # of a blend: three tokens read for one written


@dataclass(frozen=True)
class Price:
    """What a model's tokens cost at a provider, in dollars per million."""

    model: str
    provider: str
    input: float  # tokens read
    output: float  # tokens written
    note: str  # its tier, and what the price leaves out; '' for nothing


@dataclass(frozen=True)
class PriceList:
    """The prices of one day, from one source."""

    date: str  # as 2026-11-10, or 2025-06 where no day is stated
    source: str
    currency: str
    prices: list[Price]


def read_prices(conf: Path) -> list[PriceList]:
    """Return the lists of conf/prices, oldest first; raises `UserError` with file and key of a mistake."""
    lists = [_read_list(path) for path in sorted((conf / "prices").glob("*.yaml"))]
    return sorted(lists, key=lambda prices: prices.date)


def find_price(model: str, lists: Sequence[PriceList], *, date: str = "") -> tuple[Price, PriceList]:
    """Return the model's price and its list: the newest that has the model, of `date` or before if given.

    Raises `UserError` when no such list has it.
    """
    known = [prices for prices in lists if not date or prices.date <= date]
    for prices in sorted(known, key=lambda prices: prices.date, reverse=True):
        for price in prices.prices:
            if price.model == model:
                return price, prices
    models = sorted({price.model for prices in known for price in prices.prices})
    when = f" of {date} or before" if date else ""
    raise UserError(
        f"model {model!r} has no price{when}{suggest(model, models)}; allowed: {', '.join(models)}; "
        "or add it to a list in conf/prices"
    )


def blend(price: Price, *, input_share: float = INPUT_SHARE) -> float:
    """Return the dollars per million tokens, `input_share` (0 to 1) of them read and the others written."""
    return input_share * price.input + (1 - input_share) * price.output


def dollars(price: Price, input_tokens: float, output_tokens: float) -> float:
    """Return what it costs to have so many tokens read and so many written."""
    return (input_tokens * price.input + output_tokens * price.output) / 1e6


def _read_list(path: Path) -> PriceList:
    prices: PriceList = read_as(PriceList, read_yaml(path), file=path)
    if prices.currency != CURRENCY:
        raise UserError(f"{path}: currency is {prices.currency!r}; allowed: {CURRENCY}, convert the prices")
    for model, count in Counter(price.model for price in prices.prices).items():
        if count > 1:
            raise UserError(f"{path}: prices has {model!r} {count} times; name each model once")
    for price in prices.prices:
        for key, value in (("input", price.input), ("output", price.output)):
            if value <= 0:
                raise UserError(f"{path}: prices.{key} of {price.model!r} is {value}; allowed: above 0")
    return prices
