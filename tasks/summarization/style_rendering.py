"""A source sentence put into house style, as far as rules allow."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tasks.summarization.style_forms import (
    END_MARKS,
    MONEY_FORMS,
    PERCENT_SIGN,
    PERCENT_WORD,
    Case,
    FinalMark,
    Money,
    Percent,
    Person,
    first_person,
    phrases,
)

if TYPE_CHECKING:
    from tasks.summarization.style import HouseStyle

_SCALES = {"m": "million", "mm": "million", "mn": "million", "mln": "million"}
_SCALES |= {"b": "billion", "bn": "billion", "bln": "billion"}
_SPEAKERS = {"i": "the company", "we": "the company", "us": "it", "me": "it", "our": "its", "my": "its"}
_SPEAKERS |= {"ours": "its", "ourselves": "itself", "myself": "itself"}
_VERBS = {"m": " is", "re": " is", "ve": " has", "ll": " will", "d": " would"}
_GAP = re.compile(r"[ ,]*")
_FIGURE = re.compile(r"\W*(?!(?:19|20)\d\d\b)\d")  # a word with one: no year, no q3
_LOOSE_ENDS = frozenset(  # a summary does not break off after one
    [
        *("a", "an", "and", "as", "at", "be", "between", "but", "by", "for", "from", "in", "its", "of"),
        *("on", "or", "our", "over", "than", "that", "the", "to", "up", "versus", "was", "we", "were"),
        *("which", "while", "with", "-"),
    ]
)


def rendered(sentence: str, *, style: HouseStyle) -> str:
    """Return the sentence in house style; '' for a blank one.

    Unwanted openings are cut, person, percent, money and case rewritten, and what is too long is shortened at
    a comma or a word, never within a figure. Tense, forbidden and required words are left as they are.
    """
    text = _without_openings(" ".join(sentence.split()), style.openings)
    if style.person is Person.third:
        text = _third_person(text)
    if style.percent is not Percent.any:
        text = _with_percent(text, style.percent)
    if style.money is Money.sign_scale:
        for form in MONEY_FORMS:
            text = form.sub(_sign_and_scale, text)
    words = _shortened(text.split(), least=style.words.min, most=style.words.max)
    text = _without_openings(" ".join(words), style.openings)  # of a clause that now comes first
    return _marked(_cased(text, style.case), style.final_mark)


def _without_openings(text: str, openings: Sequence[str]) -> str:
    """Cut the openings, one after another, where something is left."""
    opening, start = phrases(openings), 0
    while match := opening.match(text, start):
        gap = _GAP.match(text, match.end())
        start = gap.end() if gap else match.end()
    return text[start:] if text[start:].strip(END_MARKS) else text


def _third_person(text: str) -> str:
    parts, end = [], 0
    for match in first_person(text):
        verb = match[0][len(match["word"]) + 1 :].lower()
        parts += [text[end : match.start()], _SPEAKERS[match["word"].lower()], _VERBS.get(verb, "")]
        end = match.end()
    return "".join([*parts, text[end:]])


def _with_percent(text: str, percent: Percent) -> str:
    if percent is Percent.sign:
        return PERCENT_WORD.sub("%", text)
    return PERCENT_SIGN.sub(" percent", text)


def _sign_and_scale(match: re.Match[str]) -> str:
    """Return the amount as $4.2 million; digits without a scale are told in millions or billions."""
    from decimal import Decimal

    number, scale = match["number"], match.groupdict().get("scale")
    if scale:
        return f"${number} {_SCALES.get(scale.lower(), scale.lower())}"
    amount = Decimal(number.replace(",", ""))
    for worth, name in ((10**9, "billion"), (10**6, "million")):
        if amount >= worth:
            return f"${(amount / worth).normalize():f} {name}"
    return f"${number}"


def _shortened(words: list[str], *, least: int, most: int) -> list[str]:
    """Return at most `most` words: clauses in front without figures go first, then the end."""
    starts = [0, *(number + 1 for number, word in enumerate(words[:-1]) if word[-1] in ",;:")]
    figures = [number for number, word in enumerate(words) if _FIGURE.match(word)]
    front = [start for start in starts if figures and start <= figures[0] and len(words) - start >= least]
    enough = [start for start in front if len(words) - start <= most]
    words = words[min(enough, default=max(front, default=0)) :]
    if len(words) <= most:
        return words
    clause_ends = [number + 1 for number, word in enumerate(words[:most]) if word[-1] in ",;:"]
    if clause_ends and 2 * clause_ends[-1] > most:
        return [*words[: clause_ends[-1] - 1], words[clause_ends[-1] - 1][:-1]]
    kept = words[:most]
    while len(kept) > least and (kept[-1].lower() in _LOOSE_ENDS or _has_digit(kept[-1])):
        kept.pop()
    return kept


def _has_digit(word: str) -> bool:
    return any(letter.isdigit() for letter in word)


def _cased(text: str, case: Case) -> str:
    if case is Case.lower:
        return text.lower()
    return text[:1].upper() + text[1:] if case is Case.sentence else text


def _marked(text: str, final_mark: FinalMark) -> str:
    bare = text.rstrip(END_MARKS + " ")
    if final_mark is FinalMark.any:
        return text
    return f"{bare}." if bare and final_mark is FinalMark.stop else bare
