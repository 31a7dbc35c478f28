"""The rules of a house style: each says what breaks it in a summary, and quotes the offending words.

Each takes linear time in the text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.errors import few
from tasks.summarization.figures import find_figures
from tasks.summarization.style_forms import (
    END_MARKS,
    MONEY_FORMS,
    PERCENT_SIGN,
    PERCENT_WORD,
    TENSE_WORDS,
    Case,
    FinalMark,
    Money,
    Order,
    Percent,
    Person,
    Tense,
    first_person,
    has_period,
    phrases,
)

if TYPE_CHECKING:
    from tasks.summarization.style import HouseStyle

_QUOTED_LENGTH = 40  # characters of one quotation


@dataclass(frozen=True)
class Fault:
    """A rule that a summary breaks: in the bullet of that index, or, where it is None, as a whole.

    `found` quotes the offending words.
    """

    rule: str
    bullet: int | None
    found: str

    def __str__(self) -> str:
        place = "" if self.bullet is None else f"bullet {self.bullet + 1}, "
        return f"{place}{self.rule}: {self.found}"


def check_style(bullets: Sequence[str], *, style: HouseStyle) -> list[Fault]:
    """Return what the summary breaks, in the order of `RULES`; nothing where it passes."""
    faults = []
    for rule in RULES:
        if rule in _SUMMARY_RULES:
            faults += [Fault(rule, bullet, found) for bullet, found in _SUMMARY_RULES[rule](bullets, style)]
        else:
            found_in = [_BULLET_RULES[rule](text, style) for text in bullets]
            faults += [Fault(rule, number, found) for number, found in enumerate(found_in) if found]
    return faults


def num_needed(share: float, bullets: int) -> int:
    """Return how many bullets a share is: rounded up, so that any share above 0 asks for one."""
    return math.ceil(share * bullets - 1e-9)


def has_value(text: str) -> bool:
    """Return whether the text has a figure."""
    return bool(find_figures(text))


def _quoted(found: Iterable[str]) -> str:
    return few([repr(_clipped(text)) for text in dict.fromkeys(found)])


def _clipped(text: str) -> str:
    return text if len(text) <= _QUOTED_LENGTH else text[: _QUOTED_LENGTH - 3] + "..."


def _words(text: str, style: HouseStyle) -> str:
    words = text.split()
    if len(words) > style.words.max:
        over = _clipped(" ".join(words[style.words.max :]))
        return f"{len(words)} words, at most {style.words.max}; too many: {over!r}"
    if len(words) < style.words.min:
        return f"{len(words)} words, at least {style.words.min}: {_clipped(text)!r}"
    return ""


def _case(text: str, style: HouseStyle) -> str:
    if style.case is Case.lower:
        return _quoted(word for word in text.split() if word != word.lower())
    if style.case is Case.sentence and (text.lstrip(" \"'“‘")[:1].islower() or _shouts(text)):
        return _quoted([text])
    return ""


def _shouts(text: str) -> bool:
    return text.isupper() and len(text.split()) > 2


def _person(text: str, style: HouseStyle) -> str:
    if style.person is Person.any:
        return ""
    return _quoted(match[0] for match in first_person(text))


def _tense(text: str, style: HouseStyle) -> str:
    others = [word for tense, words in TENSE_WORDS.items() for word in words if style.tense is not tense]
    return "" if style.tense is Tense.any else _quoted(phrases(others).findall(text))


def _opening(text: str, style: HouseStyle) -> str:
    match = phrases(style.openings).match(text.lstrip())
    return _quoted([match[0]]) if match else ""


def _forbidden(text: str, style: HouseStyle) -> str:
    return _quoted(phrases(style.forbidden).findall(text))


def _percent(text: str, style: HouseStyle) -> str:
    if style.percent is Percent.any:
        return ""
    other = PERCENT_SIGN if style.percent is Percent.word else PERCENT_WORD
    return _quoted(found.strip(" -") for found in other.findall(text))


def _money(text: str, style: HouseStyle) -> str:
    if style.money is Money.any:
        return ""
    return _quoted(match[0] for form in MONEY_FORMS for match in form.finditer(text))


def _final_mark(text: str, style: HouseStyle) -> str:
    marked = text.endswith(".") if style.final_mark is FinalMark.stop else text.endswith(tuple(END_MARKS))
    if style.final_mark is FinalMark.any or marked == (style.final_mark is FinalMark.stop):
        return ""
    return _quoted(text.split()[-1:] or [""])


def _bullets(bullets: Sequence[str], style: HouseStyle) -> list[tuple[int | None, str]]:
    if len(bullets) > style.bullets.max:
        return [(None, f"{len(bullets)} bullets, at most {style.bullets.max}")]
    if len(bullets) < style.bullets.min:
        return [(None, f"{len(bullets)} bullets, at least {style.bullets.min}")]
    return []


def _required(bullets: Sequence[str], style: HouseStyle) -> list[tuple[int | None, str]]:
    text = "\n".join(bullets)
    return [(None, f"no {word!r}") for word in style.required if not phrases([word]).search(text)]


def _field(
    share: float, bullets: Sequence[str], has: Callable[[str], object]
) -> list[tuple[int | None, str]]:
    needed = num_needed(share, len(bullets))
    without = [text for text in bullets if not has(text)] if needed else []
    have = len(bullets) - len(without)
    return (
        [] if have >= needed else [(None, f"in {have} bullets, at least {needed}; not in {_quoted(without)}")]
    )


def _order(bullets: Sequence[str], style: HouseStyle) -> list[tuple[int | None, str]]:
    if style.order is Order.any:
        return []
    figures = [has_value(text) for text in bullets]
    first = figures.index(False) if False in figures else len(bullets)
    return [
        (number, f"figures after {_clipped(bullets[first])!r}")
        for number in range(first, len(bullets))
        if figures[number]
    ]


def _repeats(bullets: Sequence[str], style: HouseStyle) -> list[tuple[int | None, str]]:
    keys = [" ".join(text.casefold().rstrip(END_MARKS).split()) for text in bullets]
    first: dict[str, int] = {}
    for number, key in enumerate(keys):
        first.setdefault(key, number)
    return [
        (number, f"{_clipped(bullets[number])!r}, as bullet {first[key] + 1}")
        for number, key in enumerate(keys)
        if first[key] < number and not style.repeats
    ]


_BULLET_RULES: dict[str, Callable[[str, HouseStyle], str]] = {
    "words": _words,
    "case": _case,
    "person": _person,
    "tense": _tense,
    "opening": _opening,
    "forbidden": _forbidden,
    "percent": _percent,
    "money": _money,
    "final_mark": _final_mark,
}
_SUMMARY_RULES: dict[str, Callable[[Sequence[str], HouseStyle], list[tuple[int | None, str]]]] = {
    "bullets": _bullets,
    "required": _required,
    "period": lambda bullets, style: _field(style.period, bullets, has_period),
    "metric": lambda bullets, style: _field(style.metric, bullets, phrases(style.metrics).search),
    "value": lambda bullets, style: _field(style.value, bullets, has_value),
    "order": _order,
    "repeats": _repeats,
}
RULES = (*_BULLET_RULES, *_SUMMARY_RULES)
