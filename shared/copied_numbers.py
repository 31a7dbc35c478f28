"""Numbers that are copied, not made up: a constraint on greedy decoding.

While a number is being written, only what keeps it the beginning of a number in the prompt may follow; it may
end only where such a number ends. The digit of a quarter (q1 to q4) is free.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_NUMBER = re.compile(r"[0-9][0-9,]*(?:\.[0-9]+)?")
_BEGUN = re.compile(r"[0-9][0-9,]*(?:\.[0-9]*)?")  # a number as far as it is written
_QUARTER = re.compile(r"\bq$", re.IGNORECASE)
_QUARTER_DIGIT = re.compile(r"\bq[1-4][.,]*$", re.IGNORECASE)
END = ""


def numbers_of(text: str) -> frozenset[str]:
    """Return the numbers in a text as written, and without their thousands separators."""
    found = {number.rstrip(",") for number in _NUMBER.findall(text)}
    return frozenset(found | {number.replace(",", "") for number in found})


def allowed_next(before: str, numbers: frozenset[str]) -> frozenset[str]:
    """Return which characters of a number may follow the text; `END`: anything but a digit may too."""
    if _QUARTER.search(before):
        return frozenset("1234") | {END}
    if _QUARTER_DIGIT.search(before):
        return frozenset(".,") | {END}
    written = _written(before)
    follow = {number[len(written)] for number in numbers if number.startswith(written) and number != written}
    if not written or written.rstrip(".,") in numbers:
        follow |= {END, ".", ","}
    return frozenset(follow)


def _written(before: str) -> str:
    """Return the number that the text breaks off in, '' where it ends behind one or without any."""
    *_, last = ["", *(match[0] for match in _BEGUN.finditer(before) if match.end() == len(before))]
    return last


def numbers_grammar(numbers: Iterable[str]) -> str:
    """Return the texts that have these numbers alone, as a grammar (GBNF) that llama.cpp writes by.

    It does not look back: a digit of 1 to 4 is free behind any q, not only behind one that begins a word.
    """
    figures = ["[qQ] [1-4]", *(f'"{number}"' for number in sorted(numbers))]
    return "\n".join(
        [
            "root ::= text (figure (behind text figure)* (behind text | [.,]*))?",
            "text ::= [^0-9]*",
            "behind ::= [.,]* [^0-9.,]",
            f"figure ::= {' | '.join(figures)}",
        ]
    )
