"""Figures of a text, and whether a source bears them out: scale words, rounding, ranges, signs understood.

All arithmetic is decimal. What is no figure: dates, years (1900 to 2099 with nothing that makes them an
amount), quarters, fiscal periods (9 months, 52 weeks), times of day, ordinals, fractions and dates with a
slash, list numbers and bare footnotes (`1.`, `2)`, `(3)`), telephone numbers, names with digits (covid-19,
10-k, cet1, section 404, phase 3), a decimal comma, and numbers of more than 18 digits. `top 10` is a plain
figure. A number in words is one where a scale word or a unit follows (`three cents`, `half a billion`): `two`
alone is mostly talk. A number in brackets is negative.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

from tasks.summarization.figure_words import (
    FALL,
    FIGURE,
    NO_FIGURE,
    currency_value,
    scale_value,
    unit_value,
    worded_value,
)

_MAX_DIGITS = 18
_JOIN = re.compile(
    r"(?P<tight>[-–—])|[ ][-–—][ ]?|[-–—][ ]|[ ](?P<word>to|and|or)[ ](?:an?[ ])?", re.IGNORECASE
)
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")
_BREAK = re.compile(r"[.;!?]\s|\n")
_BEFORE, _AFTER = 80, 40  # characters in which a word such as loss is looked for
_NO_MONEY = ("", "%", "x")


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure `text` at `[start:end]` of its text, worth `value` of `unit`, scale words applied.

    `step` is the worth of one of its last digit: 100,000 for $452.2 million. `unit` is `$` or a currency's
    code, `%` (also for basis points), `x` for times, '' for a plain number. `falls` says that a word near it,
    such as loss or down, may carry a minus that is not written.
    """

    start: int
    end: int
    text: str
    value: Decimal
    step: Decimal
    unit: str
    falls: bool = False


def find_figures(text: str) -> list[Figure]:
    """Return the figures of a text, in order; a range gives two, each with the range's unit and scale."""
    masked = NO_FIGURE.sub(lambda match: "\0" * len(match[0]), text)
    found: list[_Found] = []
    for match in FIGURE.finditer(masked):
        item = _read(match, after=found[-1].end if found else None)
        if item is None:
            continue
        if found and (join := _JOIN.fullmatch(masked, found[-1].end, item.start)):
            found[-1], item = _shared(found[-1], item, join)
        found.append(item)
    return [_figure(item, text) for item in found if item.sure]


def supported(claim: Figure, source: Figure) -> bool:
    """Return whether a claim is the source's value, or the source rounded to the claim's last digit.

    A half may be rounded up or to even. Units are alike, or one is plain. Signs are alike, or a word carries
    the minus that one of them does not write.
    """
    if claim.unit != source.unit and claim.unit and source.unit:
        return False
    if claim.value * source.value < 0 and not (claim if claim.value > 0 else source).falls:
        return False
    value, given = abs(claim.value), abs(source.value)
    steps = given / claim.step
    rounded = (
        steps.to_integral_value(rounding) * claim.step for rounding in (ROUND_HALF_UP, ROUND_HALF_EVEN)
    )
    return value == given or value in rounded


def unsupported(text: str, sources: Sequence[Figure]) -> list[Figure]:
    """Return the figures of a text that no source bears out, in order."""
    return [claim for claim in find_figures(text) if not any(supported(claim, source) for source in sources)]


@dataclass(frozen=True, slots=True)
class _Found:
    """A number as written: `scale` is None where no word, sign or suffix gives one."""

    start: int
    end: int
    number: Decimal
    last: Decimal  # worth of the last digit, before scale
    scale: Decimal | None
    unit: str
    sure: bool  # a figure also when no range gives it a unit


def _read(match: re.Match[str], *, after: int | None) -> _Found | None:
    """Return the number that was matched, None where it is no figure; `after` ends the figure before it."""
    numeral = match["numeral"] or match["bracketed"]
    scale, unit = _measure(match)
    amount = scale is not None or unit != ""
    if numeral is not None and _is_odd(match, numeral, amount=amount):
        return None
    start, end, text = match.start(), match.end(), match.string
    dash = match["sign"] in ("-", "−", "–")
    if dash and after == start - 1 and text[after] in " \u00a0":  # the dash of a range, as in `20% -22%`
        start, dash = start + 1, False
    closed = text[max(start - 1, 0) : start] == "(" and text[end : end + 1] == ")"
    worded_minus = match["sign"] is not None and match["sign"] not in "-−–"
    negative = dash or worded_minus or closed or match["minus"] is not None or match["open"] is not None
    number, last = _number(match, numeral)
    return _Found(
        start=start - closed,
        end=end + closed,
        number=-number if negative else number,
        last=last,
        scale=scale,
        unit=unit,
        sure=amount or numeral is not None,
    )


def _measure(match: re.Match[str]) -> tuple[Decimal | None, str]:
    """Return the factor that scale words and unit give, None without either of them, and the unit."""
    scale = None if match["scale"] is None else scale_value(match["scale"])
    sign = match["currency"] or match["inner"] or match["money"]
    unit = "" if sign is None else currency_value(sign)
    if match["unit"] is None:
        return scale, unit
    after, worth = unit_value(match["unit"])
    if worth != 1 and not unit:  # in `$0.59 cents` the sign counts
        scale = worth * (scale or 1)
    return scale, unit or after


def _is_odd(match: re.Match[str], numeral: str, *, amount: bool) -> bool:
    """Return whether digits are part of a name, a year, a footnote or too long to be an amount."""
    text, end = match.string, match.end()
    if sum(map(str.isdigit, numeral)) > _MAX_DIGITS:
        return True
    bare = match["scale"] is None and match["unit"] is None
    if bare and match["open"] is None and re.match(r"\w|[.,][0-9]", text[end : end + 2]):
        return True
    if amount:
        return False
    if match["open"] is not None and len(numeral) < 3:
        return True
    lead = text[max(match.start() - 2, 0) : match.start()]
    return _YEAR.fullmatch(numeral) is not None or (len(lead) == 2 and lead[0].isalpha() and lead[1] == "-")


def _number(match: re.Match[str], numeral: str | None) -> tuple[Decimal, Decimal]:
    """Return a number and the worth of its last digit, before scale."""
    value = worded_value(match["worded"]) if numeral is None else Decimal(numeral.replace(",", ""))
    if match["half"] is not None:
        value += Decimal("0.5")
    return value, Decimal(1).scaleb(int(value.as_tuple().exponent))


def _shared(left: _Found, right: _Found, join: re.Match[str]) -> tuple[_Found, _Found]:
    """Return the ends of a range, each with the unit and scale that only the other has written.

    The right end always lends (`14 to 16 percent`); the left one where no other reading is likely: not to
    what follows `and`, nor in `rose 5% to 900`.
    """
    money = left.unit not in _NO_MONEY
    alike = left.unit == right.unit or left.last == right.last < 1
    lists = (join["word"] or "").casefold() in ("and", "or")
    lends = join["tight"] is not None or (money and alike and not lists)
    if lends or (money and left.scale is None and right.scale is not None):  # `$40 to 60 million`
        return _lent(left, right), _lent(right, left)
    return _lent(left, right), right


def _lent(taker: _Found, giver: _Found) -> _Found:
    """Return the end of a range with what the other one has written and it has not."""
    if taker.unit and giver.unit not in ("", taker.unit):
        return taker
    scaled = giver.scale is not None and not (taker.unit and (giver.scale < 1 or taker.unit in _NO_MONEY))
    written_out = abs(taker.number) >= 1000 > abs(giver.number)
    return replace(
        taker,
        unit=taker.unit or giver.unit,
        scale=giver.scale if taker.scale is None and scaled and not written_out else taker.scale,
        sure=taker.sure or giver.unit != "" or giver.scale is not None,
    )


def _figure(item: _Found, text: str) -> Figure:
    scale = Decimal(1) if item.scale is None else item.scale
    before = _BREAK.split(text[max(item.start - _BEFORE, 0) : item.start])[-1]
    after = _BREAK.split(text[item.end : item.end + _AFTER])[0]
    return Figure(
        item.start,
        item.end,
        text[item.start : item.end],
        value=item.number * scale,
        step=item.last * scale,
        unit=item.unit,
        falls=FALL.search(before) is not None or FALL.search(after) is not None,
    )
