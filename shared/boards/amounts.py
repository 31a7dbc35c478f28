"""Numbers as the sentences of a decision show them; `assets/calculator.js` shows them the same way."""

from __future__ import annotations

import math
import re


def number(value: float) -> str:
    """Return the value with as many decimals as its size is worth, no trailing zeros: 1,240 and 0.0125."""
    text = _fixed(value, _places(value))
    return text.rstrip("0").rstrip(".") if "." in text else text


def dollars(value: float) -> str:
    """Return an amount of money: $1,240, $12.50, and $0.0816 where cents would hide it."""
    text = re.sub(r"(\.\d\d\d*?)0+$", r"\1", _fixed(value, _places(value)))
    return f"-${text[1:]}" if text.startswith("-") else f"${text}"


def score(value: float) -> str:
    """Return a score with three decimals."""
    return _fixed(value, 3)


def percent(share: float) -> str:
    """Return a share of 1 as per cent."""
    return f"{number(100 * share)} %"


def _places(value: float) -> int:
    size = abs(value)
    return 0 if size >= 1000 else 2 if size >= 1 else 4 if size >= 0.001 else 8


def _fixed(value: float, places: int) -> str:
    """Return the value rounded half away from zero, with commas between thousands."""
    scale = 10.0**places
    rounded = math.floor(abs(value) * scale + 0.5) / scale
    return f"{-rounded if value < 0 and rounded else rounded:,.{places}f}"
