"""Sentences of running text, by lines and full stops."""

from __future__ import annotations

import re

# A stop with what closes behind it, white space, and what a sentence may begin with
_BREAK = re.compile(r"""[.?!]["'”’)\]]*\s+(?=["'“‘(\[$€£¥]*[A-Z0-9])""")
_LAST_WORD = re.compile(r"[^\s\"'“‘(\[]*$")
_ABBREVIATION = re.compile(
    "mr|mrs|ms|messrs|dr|prof|st|jr|sr|gen|sen|rep|gov|inc|corp|co|ltd|plc|llc|dept|vs|etc|cf|al|"
    "jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec"
)
_BEFORE_NUMBER = re.compile("nos?|figs?|approx")  # a word of its own elsewhere


def split_sentences(text: str) -> list[str]:
    """Return the sentences, white space within them made one space; a line's end always ends one.

    A full stop ends none after an abbreviation, an initial (the J. of J. Doe, the S. of U.S.) or a number
    that opens the sentence, as in a list. Nothing is returned of a blank text.
    """
    return [sentence for line in text.splitlines() for sentence in _of_line(" ".join(line.split()))]


def _of_line(line: str) -> list[str]:
    sentences, start = [], 0
    for found in _BREAK.finditer(line):
        number = line[found.end()].isdigit()
        if line[found.start()] != "." or _ends(line[start : found.start()], number=number):
            sentences.append(line[start : found.end()].rstrip())
            start = found.end()
    return [*sentences, line[start:]] if line[start:] else sentences


def _ends(sentence: str, *, number: bool) -> bool:
    """Return whether a full stop after these words ends the sentence; `number` follows or does not."""
    last = _LAST_WORD.search(sentence)
    word = last.group().casefold() if last else ""
    initial = len(word.rpartition(".")[2]) == 1 and word[-1].isalpha()
    short = _ABBREVIATION.fullmatch(word) or (number and _BEFORE_NUMBER.fullmatch(word))
    return not (initial or short or sentence.isdigit())
