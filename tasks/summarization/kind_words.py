"""Words that tell of which quarter a figure is, that it is an outlook or adjusted; English, and no grammar.

What a bullet says is taken narrowly, what a document says widely: a house calls `an outlook` what its source
plans. All that tells a kind in a bullet tells it in a document.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

OPENING = 12  # sentences of a document that mostly say what it is about
# Votes for a quarter that is named there, in a later sentence, in one that looks ahead
OPENING_VOTES, VOTES, AHEAD_VOTES = 3.0, 1.0, 0.1

_ORDINALS = ("first", "second", "third", "fourth")
_SHORT = ("1st", "2nd", "3rd", "4th")
QUARTER = re.compile(
    r"(?<![\w$.,])(?:q(?P<last>[1-4])|(?P<first>[1-4])q)(?=(?:['’]?\d\d(?:\d\d)?)?(?!\w))"
    rf"|\b(?P<word>{'|'.join((*_ORDINALS, *_SHORT))})(?=(?:[ -]fiscal)?[ -]quarters?\b)",
    re.IGNORECASE,
)
_AHEAD = (
    r"expect\w*|guid(?:es|ed|ing|ance)|forecast(?:s|ed)?|outlook|anticipat\w+|targets?|(?:re)?affirm\w*|sees?"
    r"|(?:will|to) be|estimated"
)
TELLS_AHEAD = re.compile(rf"\b(?:{_AHEAD})\b", re.IGNORECASE)
LOOKS_AHEAD = re.compile(
    rf"\b(?:{_AHEAD}|will|estimat\w+|project\w*|targeting|assum\w+|plan(?:s|ning|ned)?|ranges?|between"
    r"|full[ -]year|next (?:quarter|year)|for (?:the )?(?:fiscal|20\d\d))\b"
    r"|\$[\d.,]+(?: \w+)? to \$\d|[\d.]+(?:%| percent)? to [\d.]+(?:%| percent)",  # a range
    re.IGNORECASE,
)
TELLS_ADJUSTED = re.compile(r"(?<![\w-])(?:adjusted|adj\.?|non-gaap)[ ](?=\w)", re.IGNORECASE)
ADJUSTS = re.compile(
    r"\b(?:adjust\w*|adj|non-?gaap|core|normalized|exclud\w+|operating|before special|comparable|items"
    r"|underlying|ffo)\b",
    re.IGNORECASE,
)
YEAR = re.compile(r"\b(?:years?|annual(?:ly)?|12 months|fiscal \d\d|fy(?:\d\d)?|20[12]\d)\b", re.IGNORECASE)
OF_YEAR = re.compile(r"\b(?:(?:fy|fiscal) ?(?:20)?\d\d|fy|20[12]\d|full[ -]year)\b", re.IGNORECASE)
OF_QUARTER = re.compile(r"\bquarter", re.IGNORECASE)
OUTLOOK_OF = re.compile(r"sees (?:q[1-4]|(?:fy|fiscal)(?: (?:20)?\d\d)?|20\d\d) (?=\w)", re.IGNORECASE)
KIND = re.compile(r"(?<![\w-])(?:(?:adjusted|adj\.?|(?:non-)?gaap) |(?:loss|profit|income|earnings)(?!\w))")


def quarter_number(quarter: re.Match[str]) -> int:
    """Return which quarter a match of `QUARTER` names, 1 to 4."""
    if word := quarter["word"]:
        return (_SHORT if word[0].isdigit() else _ORDINALS).index(word.lower()) + 1
    return int(quarter["last"] or quarter["first"])


def quarter_named(quarter: re.Match[str], number: int) -> str:
    """Return the name of another quarter in the form of the match."""
    if not quarter["word"]:
        return re.sub(r"[1-4]", str(number), quarter[0])
    return (_SHORT if quarter["word"][0].isdigit() else _ORDINALS)[number - 1]


def reported_quarter(sentences: Sequence[str]) -> int | None:
    """Return the quarter that a document reports, 1 to 4: the one with most votes; None if none has most."""
    votes: dict[int, float] = {}
    for place, sentence in enumerate(sentences):
        for quarter in QUARTER.finditer(sentence):
            number, weight = quarter_number(quarter), OPENING_VOTES if place < OPENING else VOTES
            votes[number] = votes.get(number, 0) + (AHEAD_VOTES if LOOKS_AHEAD.search(sentence) else weight)
    best = [number for number in votes if votes[number] == max(votes.values())]
    return best[0] if len(best) == 1 else None
