"""What a house style can choose, and the words and forms in a text that tell which was chosen.

Person, tense and period are told by lists of words and no grammar. Tense knows only verbs that are nothing
but a past or a present in a summary ("rose", "is"); what may be a participle or a noun ("increased",
"reports") is passed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum
from functools import lru_cache


class Case(Enum):
    """Letters: all small, or a capital at the start of a bullet."""

    lower = "lower"
    sentence = "sentence"
    any = "any"


class Person(Enum):
    """Who speaks; in the third person nobody says I or we."""

    third = "third"
    any = "any"


class Tense(Enum):
    """The tense of the verbs that tell one."""

    past = "past"
    present = "present"
    any = "any"


class Percent(Enum):
    """5 percent or 5%."""

    word = "word"
    sign = "sign"
    any = "any"


class Money(Enum):
    """$4.2 million, or as one likes."""

    sign_scale = "sign_scale"
    any = "any"


class FinalMark(Enum):
    """How a bullet ends."""

    stop = "stop"
    none = "none"
    any = "any"


class Order(Enum):
    """Bullets with figures before those without, or as one likes."""

    figures_first = "figures_first"
    any = "any"


TENSE_WORDS = {
    Tense.past: (
        "was",
        "were",
        "had",
        "did",
        "rose",
        "fell",
        "grew",
        "saw",
        "said",
        "went",
        "came",
        "became",
    ),
    Tense.present: ("is", "are", "has", "does", "rises", "falls", "grows", "sees", "says", "expects"),
}
END_MARKS = ".!?;:,"
PERCENT_WORD = re.compile(r"(?<=\d)[ -]?(?:percent|per cent|pct)\b", re.IGNORECASE)
PERCENT_SIGN = re.compile(r"\s?%")

_NUMBER = r"(?<![\d.,])(?P<number>\d[\d,]*+(?:\.\d++)?+)"
MONEY_FORMS = [  # what is not "$4.2 million"; each is tried once a number, so that long ones take linear time
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"\b(?:usd|us\s?\$)\s?{_NUMBER}",
        rf"{_NUMBER}\s(?P<scale>million|billion|trillion|mln|bln)\s(?:u\.?s\.?\s)?(?:dollars|usd)\b",
        rf"\$\s?{_NUMBER}\s?(?P<scale>mln|bln|mm|mn|bn|m|b)\b",
        r"\$\s?(?P<number>\d{1,3}(?:,\d{3}){2,}+|\d{7,}+)(?![\d,]|\.\d)(?!\s(?:million|billion|trillion)\b)",
    )
]
_FIRST_PERSON = re.compile(
    r"(?:phase|type|series|class|part|title|tier|level)\s+i\b"  # a numeral
    r"|(?<![\w/-])(?P<word>i|we|ours?|us|my|me|ourselves|myself)(?:['’](?:m|re|ve|ll|d))?(?![\w/-]|\.\w)",
    re.IGNORECASE,
)
_PERIOD = re.compile(
    r"(?<![\w$.,])(?:[qh][1-4]|[1-4][qh]|fy|(?:19|20)\d\d|fiscal|years?|yearly|annual|months?|monthly"
    r"|quarters?|quarterly|qtrly)(?:['’]?\d\d(?:\d\d)?)?e?(?!\w|,\d)",
    re.IGNORECASE,
)


def phrases(words: Sequence[str]) -> re.Pattern[str]:
    """Return a pattern of the words and phrases, in any case, none inside a longer word."""
    return _phrases(tuple(words))


def first_person(text: str) -> list[re.Match[str]]:
    """Return the pronouns of the first person, `match["word"]` without its verb.

    Numerals (phase I), the country (US) and the state (ME) are none; in small letters "us" is a pronoun.
    """
    found = (match for match in _FIRST_PERSON.finditer(text) if match["word"])
    return [match for match in found if len(match["word"]) == 1 or not match["word"].isupper()]


def has_period(text: str) -> bool:
    """Return whether the text names a quarter, a half, a year or months."""
    return _PERIOD.search(text) is not None


@lru_cache(maxsize=64)
def _phrases(words: tuple[str, ...]) -> re.Pattern[str]:
    forms = [
        ("(?<!\\w)" if word[0].isalnum() else "")
        + re.escape(word)
        + ("(?!\\w)" if word[-1].isalnum() else "")
        for word in sorted(words, key=len, reverse=True)
    ]
    return re.compile("|".join(forms) or "(?!)", re.IGNORECASE)
