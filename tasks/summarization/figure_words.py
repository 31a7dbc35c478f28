"""How figures are written in reports and calls, as one pattern, and what only looks like one.

Each pattern takes time linear in the text: what repeats without bound is possessive, and none starts inside.
"""

from __future__ import annotations

import re
from decimal import Decimal

_GAP = r"[ \u00a0-]"
_DIGITS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS = ("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen")
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_WORDS = {
    "zero": 0,
    **{word: value for value, word in enumerate([*_DIGITS, *_TEENS, "nineteen"], start=1)},
    **{word: 10 * value for value, word in enumerate(_TENS, start=2)},
}
_SCALES = {
    "hundred": 10**2,
    **dict.fromkeys(("thousand", "k"), 10**3),
    **dict.fromkeys(("million", "mln", "mn", "mm", "m"), 10**6),
    **dict.fromkeys(("billion", "bln", "bn", "b"), 10**9),
    **dict.fromkeys(("trillion", "trln", "tn", "t"), 10**12),
}
_LETTERS = "|".join(scale for scale in _SCALES if len(scale) == 1)  # these stand tight after a digit
_LONG = "|".join(scale for scale in _SCALES if len(scale) > 1)
_UNITS = (  # unit, worth of one, how it is written after the number
    ("%", "1", r"%|percentage[ -]points?\b|per[ ]?cent\b|pct\b"),
    ("%", "0.01", r"basis[ -]points?\b|bps?\b"),
    ("$", "0.01", r"cents?\b|¢"),
    ("x", "1", r"x\b|times\b"),
    ("CAD", "1", r"CAD\b|canadian[ ]dollars?\b"),
    ("$", "1", r"USD\b|(?:U\.?S\.?[ ])?dollars?\b"),
    ("EUR", "1", r"EUR\b|euros?\b|€"),
    ("GBP", "1", r"GBP\b"),
    ("JPY", "1", r"JPY\b|yen\b"),
)
_CURRENCIES = {
    **{"$": "$", "us$": "$", "usd": "$", "c$": "CAD", "ca$": "CAD", "cad": "CAD", "a$": "AUD", "hk$": "HKD"},
    **{"€": "EUR", "eur": "EUR", "£": "GBP", "gbp": "GBP", "¥": "JPY", "jpy": "JPY"},
}
_BEFORE = r"(?:(?<!\w)(?:US|CA?|A|HK)\$|[$€£¥]|(?<!\w)(?:USD|CAD|EUR|GBP|JPY)(?![^\W\d_]))[ ]?"

_NUMERAL = r"(?:[0-9]{1,3}(?:,[0-9]{3})++(?![0-9])|[0-9]++)(?:\.[0-9]++)?|(?<![\w.])\.[0-9]++"
_WORDED = rf"""
    (?:{"|".join(_TENS)})[ -](?:{"|".join(_DIGITS)})\b
  | (?:{"|".join(_WORDS)})\b(?![ -](?:third|quarter|fifth)s?\b)(?![ -]half\b)
  | an?(?={_GAP}(?:{_LONG})\b)
  | (?:(?:an?|one)[ -])?half(?:[ ](?:of[ ])?an?)?\b
"""

FIGURE = re.compile(
    rf"""
    (?P<sign>(?<![\w-])(?:minus|negative)[ ](?:an?[ ])?|(?<![\w%)])[-−–](?=[0-9.$€£¥(]))?
    (?:
        (?P<currency>{_BEFORE})?(?P<open>\()(?P<inner>{_BEFORE})?(?P<bracketed>{_NUMERAL})[ ]?\)
      | (?:(?P<money>{_BEFORE})(?P<minus>[-−](?=[0-9.]))?|(?<!\w)(?<![0-9][.,]))
        (?:(?P<numeral>{_NUMERAL})|(?P<worded>{_WORDED}))
        (?P<half>{_GAP}and{_GAP}(?:a|one){_GAP}half\b)?
    )
    \+?
    (?:{_GAP}?(?P<scale>(?<=[0-9])(?:{_LETTERS})\b|(?:hundred{_GAP})?(?:{_LONG})\b))?
    (?:{_GAP}?(?P<unit>{"|".join(pattern for _, _, pattern in _UNITS)}))?
    """,
    re.IGNORECASE | re.VERBOSE,
)

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b"
)
_LABEL = (
    r"section|rule|item|chapter|page|slide|note|phase|tier|part|form|number|category|class|stage|scope|version"
    r"|exhibit|topic|asc|asu|level|passcode|code|id|pin"
)
_DAY = r"[0-9]{1,2}(?:st|nd|rd|th)?\b"
_NO_UNIT = rf"(?![\w%]|[.,][0-9]|{_GAP}?(?:%|per[ ]?cent|pct|basis|bps|cents|times|{_LONG})(?!\w))"

NO_FIGURE = re.compile(
    rf"""
    \b{_MONTH}\.?[ ]{_DAY}(?:[ ]?[-–][ ]?[0-9]{{1,2}}\b)?{_NO_UNIT}
  | (?<![\w$.,]){_DAY}[ ](?:of[ ])?{_MONTH}
  | (?<![\w.,])[0-9]++(?:[/][0-9]++)++                                        # 6/30/2021, 24/7, 2/3
  | (?<![\w.,])[0-9]++(?:\.[0-9]++){{2,}}+                                    # 1.2.3
  | (?<![\w.,])[0-9]{{1,2}}(?::[0-9]{{2}}\b(?:[ ]?[ap]\.?m\b)?|[ ]?[ap]\.?m\b)  # 8:30 a.m.
  | (?<!\w)\+?(?:1[ .-])?\(?[0-9]{{3}}\)?[ .-][0-9]{{3}}[ .-][0-9]{{4}}\b      # a telephone
  | \b(?:10|8|6|20|13)-[kqfd]\b | (?<![\w$.,])40[13][ ]?\(?[kb]\b\)? | \b10b5-1\b      # forms, plans, rules
  | ['’][0-9]{{2}}\b(?!%)                                                     # '21
  | \b(?:fy|fiscal(?:[ ]year)?)[ -]?[0-9]{{2}}{_NO_UNIT}
  | \bquarter[ ][1-4]{_NO_UNIT} | \bq[1-4][ -][0-9]{{2}}{_NO_UNIT}
  | (?<![\w.,])(?:3|6|9|12)[ -]months?\b | (?<![\w.,])(?:13|14|26|39|52|53)[ -]weeks?\b
  | (?:\b(?:{_LABEL})s?[ ]|\bno\.[ ]?|\#)\#?[0-9]++(?:[ ](?:and|to)[ ][0-9]++)?{_NO_UNIT}
  | (?<!\S)3m\b                                                               # the company
  | ^[ \t]{{0,8}}\(?[0-9]{{1,2}}[.)](?=[ \t])                                  # 1. 2)
    """,
    re.IGNORECASE | re.VERBOSE | re.MULTILINE,
)

FALL = re.compile(
    r"\b(?:loss|losses|lost|lose|deficit|down|declin\w*|decreas\w*|fell|fall\w*|drop\w*|lower\w*|reduc\w*"
    r"|below|under|negative|minus|unfavorable|adverse|detract\w*|headwinds?|shrank|slid|contracted|contraction"
    r"|slipped|less|behind|worse\w*)\b",
    re.IGNORECASE,
)


def worded_value(words: str) -> Decimal:
    """Return what a number in words says, with any half: `twenty-five` is 25, `a` is 1, `half a` is 0.5."""
    words = words.casefold()
    if "half" in words:
        return Decimal("0.5")
    return Decimal(sum(_WORDS.get(word, 1) for word in re.split("[ -]", words)))


def scale_value(words: str) -> Decimal:
    """Return the product of scale words: `hundred million` is 100,000,000."""
    value = Decimal(1)
    for word in re.findall(r"\w+", words.casefold()):
        value *= _SCALES[word]
    return value


def unit_value(words: str) -> tuple[str, Decimal]:
    """Return the unit written after a number, and what one of it is worth: `bps` is 0.01 %."""
    for unit, worth, pattern in _UNITS:
        if re.fullmatch(pattern, words, re.IGNORECASE | re.VERBOSE):
            return unit, Decimal(worth)
    raise ValueError(f"no unit: {words!r}")


def currency_value(sign: str) -> str:
    """Return the unit that a currency's sign or code in front of a number stands for."""
    return _CURRENCIES[sign.strip().casefold()]
