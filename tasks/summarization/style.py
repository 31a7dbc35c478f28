"""The house style: a typed file of rules, the check of a summary against it, the style told to a model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from shared.errors import ConfigError
from tasks.summarization.style_forms import (
    TENSE_WORDS,
    Case,
    FinalMark,
    Money,
    Order,
    Percent,
    Person,
    Tense,
    first_person,
    phrases,
)
from tasks.summarization.style_rendering import rendered
from tasks.summarization.style_rules import RULES, Fault, check_style

__all__ = ["RULES", "Bounds", "Fault", "HouseStyle", "check_style", "instruction", "rendered"]


_TOLD_RULES = ("case", "person", "tense", "percent", "money", "final_mark", "order")
_TOLD: dict[Enum, str] = {
    Case.lower: "Use small letters only.",
    Case.sentence: "Begin each with a capital.",
    Person.third: "Write in the third person: no I, we, our or us.",
    Tense.past: "Use the past tense.",
    Tense.present: "Use the present tense.",
    Percent.word: "Write 5 percent, not 5%.",
    Percent.sign: "Write 5%, not 5 percent.",
    Money.sign_scale: "Write money as $4.2 million.",
    FinalMark.stop: "End each with a full stop.",
    FinalMark.none: "End each without a mark.",
    Order.figures_first: "Bullets with figures come first.",
}
_WRITTEN = {  # what a choice puts into a summary
    "style.percent=word": ("percent",),
    "style.percent=sign": ("%",),
    "style.money=sign_scale": ("$", "million", "billion"),
    "style.final_mark=stop": (".",),
}
_REFUSED = {  # what it never lets stand
    "style.percent=word": ("%",),
    "style.percent=sign": ("percent", "per cent", "pct"),
    "style.money=sign_scale": ("mln", "bln", "usd"),
    "style.tense=past": TENSE_WORDS[Tense.present],
    "style.tense=present": TENSE_WORDS[Tense.past],
}


@dataclass(frozen=True)
class Bounds:
    """A least and a greatest number, both allowed."""

    min: int
    max: int


@dataclass(frozen=True)
class HouseStyle:
    """What every summary must keep to; rules that contradict one another are a `ConfigError`, all at once."""

    name: str
    bullets: Bounds
    words: Bounds  # of one bullet, split at white space
    case: Case
    person: Person
    tense: Tense
    percent: Percent
    money: Money
    final_mark: FinalMark
    order: Order
    repeats: bool  # whether two bullets may be alike
    openings: list[str]  # no bullet begins so
    required: list[str]  # words and phrases that each summary has
    forbidden: list[str]  # and that none has
    period: float  # the share of the bullets, 0 to 1, that must tell it; any above 0 asks for one
    metric: float
    value: float
    metrics: list[str]  # what counts as a metric
    wording: list[str]  # the house's own words, which need not stand in the source
    places: dict[str, float] = field(default_factory=dict)  # see `places`; the runs of old lack it

    def __post_init__(self) -> None:
        mistakes = [*_bad_values(self), *_contradictions(self)]
        if mistakes:
            raise ConfigError(mistakes)


def instruction(style: HouseStyle) -> str:
    """Return the style told to a language model, in a few short sentences."""
    told = [
        f"Write {_range(style.bullets)} bullets, one a line, of {_range(style.words)} words.",
        *(_TOLD.get(getattr(style, rule), "") for rule in _TOLD_RULES),
        "" if style.repeats else "Say nothing twice.",
        _needs(style),
        f"Use these words: {', '.join(style.required)}." if style.required else "",
        f"Never say: {', '.join(style.forbidden)}." if style.forbidden else "",
    ]
    return " ".join(sentence for sentence in told if sentence)


def _range(bounds: Bounds) -> str:
    return str(bounds.min) if bounds.min == bounds.max else f"{bounds.min} to {bounds.max}"


def _needs(style: HouseStyle) -> str:
    shares = {"period": style.period, "metric": style.metric, "figure": style.value}
    needed = [f"a {name}" for name, share in shares.items() if share]
    return f"Tell {', '.join(needed)}." if needed else ""


def _bad_values(style: HouseStyle) -> Iterator[str]:
    """Yield each value that is not allowed by itself, and each least above its greatest."""
    for name, bounds in (("bullets", style.bullets), ("words", style.words)):
        least, most = f"style.{name}.min={bounds.min}", f"style.{name}.max={bounds.max}"
        if bounds.min < 1:
            yield f"{least}; allowed: a whole number above 0"
        if bounds.min > bounds.max:
            yield f"{least} is above {most}: lower the one or raise the other"
    for name in ("period", "metric", "value"):
        share = getattr(style, name)
        if not 0 <= share <= 1:
            yield f"style.{name}={share}; allowed: a share of the bullets from 0 to 1"
    for name in ("openings", "required", "forbidden", "metrics", "wording"):
        if any(not word.strip() for word in getattr(style, name)):
            yield f"style.{name} holds an empty word: delete it"


def _contradictions(style: HouseStyle) -> Iterator[str]:
    """Yield each pair of rules that no summary can keep."""
    forbidden = phrases([word for word in style.forbidden if word.strip()])
    for word in style.required:
        for rule, found in _refusals(style, word):
            yield f"style.required has {word!r} and {rule} refuses {found!r}: change one of them"
        if match := forbidden.search(word):
            yield f"style.required has {word!r} and style.forbidden has {match[0]!r}: delete one of them"
    for rule, words in _WRITTEN.items():
        for word in words:
            if rule in _rules(style) and forbidden.fullmatch(word):
                yield f"{rule} writes {word!r} and style.forbidden has it: change one of them"
    if style.metric > 0 and all(forbidden.search(word) for word in style.metrics):
        yield f"style.metric={style.metric} and style.metrics has none outside style.forbidden: name one"
    least, most = len(" ".join(style.required).split()), style.bullets.max * style.words.max
    if least > most:
        yield f"style.required has {least} words; style.bullets.max x style.words.max leaves room for {most}"


def _rules(style: HouseStyle) -> list[str]:
    """Return the choices as messages name them: style.case=lower."""
    return [f"style.{rule}={getattr(style, rule).value}" for rule in _TOLD_RULES]


def _refusals(style: HouseStyle, word: str) -> Iterator[tuple[str, str]]:
    """Yield each choice that a required word breaks wherever it stands, with what breaks it."""
    if style.case is Case.lower and word != word.lower():
        yield "style.case=lower", word
    if style.person is Person.third and first_person(word):
        yield "style.person=third", first_person(word)[0][0]
    for rule in _rules(style):
        if found := phrases(_REFUSED.get(rule, ())).search(word):
            yield rule, found[0]
