"""What a bullet says that its figures are: of which quarter, an outlook, adjusted; and whether that is so.

A figure of the document can be told as what it is not: next quarter's as this one's, a result as an outlook.
What a figure is, the document says in the sentences that have it: of a bullet's figures as many as any has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from tasks.summarization.evidence import Source, words_of
from tasks.summarization.figures import find_figures
from tasks.summarization.kind_words import (
    ADJUSTS,
    KIND,
    LOOKS_AHEAD,
    OF_QUARTER,
    OF_YEAR,
    OUTLOOK_OF,
    QUARTER,
    TELLS_ADJUSTED,
    TELLS_AHEAD,
    YEAR,
    quarter_named,
    quarter_number,
)

DECIMALS = 4  # of a confidence


def wrong_kinds(line: str, source: Source) -> dict[str, str]:
    """Return by rule the words by which the line calls its figures what the document does not."""
    told = source.bearing(line)
    found = {rule: find(line, told, source) for rule, (find, _) in _RULES.items() if told}
    return {rule: match[0].strip() for rule, match in found.items() if match}


def corrected(line: str, source: Source) -> str:
    """Return the line with the kinds that the document gives its figures, as far as it says so."""
    told = source.bearing(line)  # a mended line has the same figures
    for find, mend in _RULES.values():
        if told and (match := find(line, told, source)):
            line = mend(line, match, source)
    return line


def plainness(line: str, source: Source) -> float | None:
    """Return how plainly the document says the line, 0 to 1; None for a line without figures.

    That is the mean of three shares: of the sentences with its figures, those that look ahead if it does and
    those that speak of adjusted if it does, each only then; and of its words, those of the nearest of them.
    """
    if not find_figures(line):
        return None
    sentences = [source.sentences[place] for place in source.bearing(line)]
    if not sentences:
        return 0.0
    ahead, adjusted = bool(TELLS_AHEAD.search(line)), bool(TELLS_ADJUSTED.search(line))
    told = words_of(line)
    shares = (
        sum(bool(LOOKS_AHEAD.search(text)) == ahead for text in sentences) / len(sentences),
        sum(bool(ADJUSTS.search(text)) == adjusted for text in sentences) / len(sentences),
        max(len(told & words_of(text)) for text in sentences) / max(len(told), 1),
    )
    return round(sum(shares) / len(shares), DECIMALS)


def told_alike(line: str, other: str) -> bool:
    """Return whether two lines call their figures the same: an outlook or not, adjusted or not, the quarter.

    A line that names no quarter leaves it open.
    """
    ahead, adjusted = (
        [bool(words.search(text)) for text in (line, other)] for words in (TELLS_AHEAD, TELLS_ADJUSTED)
    )
    quarters = {quarter_number(found) for text in (line, other) if (found := QUARTER.search(text))}
    return ahead[0] == ahead[1] and adjusted[0] == adjusted[1] and len(quarters) < 2


def told_as_another(lines: Sequence[str], source: Source) -> dict[int, int]:
    """Return by index the lines that tell what another one tells as another kind, and that one's index.

    Of lines that are alike but for the kind, the one stands that the document bears out best, or the first.
    """
    alike: dict[str, list[int]] = {}
    for index, line in enumerate(lines):
        alike.setdefault(KIND.sub("", line.lower()), []).append(index)
    found: dict[int, int] = {}
    for indices in alike.values():
        best = max(indices, key=lambda index: _witnessed(lines[index], source))
        found |= {index: best for index in indices if lines[index] != lines[best]}
    return found


def _wrong_outlook(line: str, told: Sequence[int], source: Source) -> re.Match[str] | None:
    match = TELLS_AHEAD.search(line)
    return None if LOOKS_AHEAD.search(_joined(told, source)) else match


def _wrong_quarter(line: str, told: Sequence[int], source: Source) -> re.Match[str] | None:
    """Return a quarter before the first figure that the document neither reports nor names with the figure.

    An outlook's may be any, unless its sentences and those before speak of a year and of no quarter.
    """
    match = QUARTER.search(line, 0, find_figures(line)[0].start)
    if match and TELLS_AHEAD.search(line):
        near = _joined(_with_those_before(told), source)
        return None if QUARTER.search(near) or OF_QUARTER.search(near) or not YEAR.search(near) else match
    if match is None or source.reported_quarter is None:
        return None
    named = {quarter_number(own) for own in QUARTER.finditer(_joined(told, source))}
    return None if quarter_number(match) in named | {source.reported_quarter} else match


def _wrong_year(line: str, told: Sequence[int], source: Source) -> re.Match[str] | None:
    """Return the year of an outlook whose sentences name a quarter and speak of no year."""
    first, with_it = find_figures(line)[0].start, _joined(told, source)
    if not TELLS_AHEAD.search(line) or QUARTER.search(line, 0, first):
        return None
    return OF_YEAR.search(line, 0, first) if QUARTER.search(with_it) and not YEAR.search(with_it) else None


def _wrong_adjusted(line: str, told: Sequence[int], source: Source) -> re.Match[str] | None:
    """Return what calls a result adjusted, where neither its sentences nor those before them do."""
    match = TELLS_ADJUSTED.search(line)
    adjusts = ADJUSTS.search(_joined(_with_those_before(told), source))
    return None if adjusts or TELLS_AHEAD.search(line) else match


def _as_result(line: str, match: re.Match[str], source: Source) -> str:
    """Return an outlook of one figure as the quarter's result, unless a sentence with it speaks of a year."""
    outlook, quarter = OUTLOOK_OF.match(line), source.reported_quarter
    of_year = YEAR.search(_joined(source.bearing(line), source))
    if outlook is None or quarter is None or of_year or len(find_figures(line)) > 1:
        return line
    return f"q{quarter} {line[outlook.end() :]}"


def _of_quarter(line: str, match: re.Match[str], source: Source) -> str:
    """Return the line of the quarter reported; an outlook of the year, if its quarter is not spelled out."""
    if not TELLS_AHEAD.search(line):
        named = quarter_named(match, source.reported_quarter or quarter_number(match))
    else:
        named = match[0] if match["word"] else "fy"
    return line[: match.start()] + named + line[match.end() :]


def _of_the_quarter_named(line: str, match: re.Match[str], source: Source) -> str:
    """Return an outlook of the only quarter that the sentences with its figures name."""
    named = {quarter_number(own) for own in QUARTER.finditer(_joined(source.bearing(line), source))}
    return f"{line[: match.start()]}q{named.pop()}{line[match.end() :]}" if len(named) == 1 else line


def _not_adjusted(line: str, match: re.Match[str], source: Source) -> str:
    return line[: match.start()] + line[match.end() :]


def _witnessed(line: str, source: Source) -> int:
    """Return of how many of adjusted and loss line and sentences with its figures both speak, or neither."""
    told = _joined(source.bearing(line), source)
    adjusted = bool(TELLS_ADJUSTED.search(line)) == bool(ADJUSTS.search(told))
    return adjusted + (("loss" in line.lower()) == ("loss" in told.lower()))


def _with_those_before(places: Sequence[int]) -> list[int]:
    return sorted({near for place in places for near in (max(place - 1, 0), place)})


def _joined(places: Sequence[int], source: Source) -> str:
    return "\n".join(source.sentences[place] for place in places)


_Find = Callable[[str, Sequence[int], Source], "re.Match[str] | None"]
_Mend = Callable[[str, "re.Match[str]", Source], str]
_RULES: dict[str, tuple[_Find, _Mend]] = {
    "outlook": (_wrong_outlook, _as_result),
    "quarter": (_wrong_quarter, _of_quarter),
    "year": (_wrong_year, _of_the_quarter_named),
    "adjusted": (_wrong_adjusted, _not_adjusted),
}
