"""A house style found in summaries that people wrote, as a file for a person to edit."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from enum import Enum
from typing import Any

import yaml

from shared.errors import UserError
from shared.examples import SummaryExample
from tasks.summarization.places import derive_places
from tasks.summarization.style import Bounds, HouseStyle, check_style
from tasks.summarization.style_forms import (
    Case,
    FinalMark,
    Money,
    Order,
    Percent,
    Person,
    Tense,
    phrases,
)

COVERAGE = 0.95  # of the summaries that the style is found in pass all its rules
TAIL = 0.0025  # of the summaries may lie beyond each bound
MIN_SUMMARIES = 3  # that have a word before it is the house's own

_CHOICES: list[tuple[str, Any]] = [  # each asks more than none
    ("case", Case.lower),
    ("case", Case.sentence),
    ("final_mark", FinalMark.stop),
    ("final_mark", FinalMark.none),
    ("person", Person.third),
    ("order", Order.figures_first),
    ("percent", Percent.sign),
    ("percent", Percent.word),
    ("money", Money.sign_scale),
    ("tense", Tense.past),
    ("tense", Tense.present),
    ("repeats", False),
    ("period", 0.01),  # a single bullet
    ("metric", 0.01),
    ("value", 0.01),
]
_OPENINGS = [
    *("and", "but", "so", "well", "okay", "ok", "yes", "yeah", "now", "again", "thanks", "thank you"),
    *("hello", "good morning", "good afternoon", "welcome", "as mentioned", "as i mentioned", "as i said"),
    *("as you can see", "i mean", "i think", "you know", "with that", "in addition", "additionally"),
    *("overall", "finally", "importantly", "moreover", "let me", "i'm pleased to report that"),
    *("we are pleased to report that", "we're pleased to report that"),
]
_METRICS = [
    *("earnings", "eps", "revenue", "revenues", "sales", "income", "profit", "loss", "losses", "ebitda"),
    *("ebit", "ffo", "funds from operations", "affo", "nii", "noi", "margin", "margins", "cash flow"),
    *("dividend", "dividends", "guidance", "backlog", "orders", "bookings", "capex", "repurchase"),
    *("capital expenditures", "expenses", "costs", "debt", "liquidity", "assets", "reserves", "savings"),
    *("production", "deliveries", "shipments", "book value", "tax rate", "growth", "spending"),
    *("investment", "investments"),
]
_SAID = {
    "name": "As records and messages call it.",
    "bullets": "How many bullets a summary has.",
    "words": "How many words a bullet has.",
    "case": "lower, sentence (a capital in front) or any.",
    "person": "third (no I, we, our, us) or any.",
    "tense": "past, present or any; told by a list of verbs that are one alone (rose, is).",
    "percent": "word (5 percent), sign (5%) or any.",
    "money": "sign_scale ($4.2 million; no mln, no dollars, no $4,200,000) or any.",
    "final_mark": "stop, none or any.",
    "order": "figures_first (bullets with figures before those without) or any.",
    "repeats": "Whether two bullets of a summary may be alike.",
    "openings": "No bullet begins so; a quoted sentence loses it.",
    "required": "Words and phrases that each summary has.",
    "forbidden": "Words and phrases that no bullet has.",
    "period": "The share of the bullets, 0 to 1, that must tell a period; above 0 at least one must.",
    "metric": "The same of a metric.",
    "value": "The same of a figure.",
    "metrics": "What counts as a metric.",
    "wording": "The house's own words, which need not stand in the source; names do not belong here.",
    "places": "Words that put a bullet ahead (below 0) or behind (above 0), by their sum; {}: as written.",
}
_WORD = re.compile(r"[^\W\d_]+")
_WORD_INSIDE = re.compile(r"(?<=[\w,] )[^\W\d_]+")  # of a sentence, where a capital makes a name


def derive_style(examples: Sequence[SummaryExample], *, name: str) -> HouseStyle:
    """Return the strictest style of this name that `COVERAGE` of the summaries keep to.

    Numbers are bounded where `TAIL` of the summaries lie beyond; a choice is made where, in order of how few
    summaries break it, enough still pass. Nothing is required or forbidden: that is for a person to say.
    The order of bullets is no rule that one can break: it is how they are put.
    Raises `UserError` where no example has a summary.
    """
    summaries = [example.bullets for example in examples if example.bullets]
    if not summaries:
        raise UserError(f"no style in {len(examples)} examples without a summary: give examples with one")
    texts = ["\n".join(bullets) for bullets in summaries]
    spread = Counter(word for text in texts for word in set(_words(text)))
    metrics = [word for word in _METRICS if _num_with(word, texts) >= MIN_SUMMARIES]
    wording = {word for word, count in spread.items() if count >= MIN_SUMMARIES} - _names(examples)
    lengths = [[len(bullet.split()) for bullet in bullets] for bullets in summaries]
    loose = HouseStyle(
        name=name,
        bullets=_bounds(map(len, summaries), map(len, summaries)),
        words=_bounds(map(min, lengths), map(max, lengths)),
        case=Case.any,
        person=Person.any,
        tense=Tense.any,
        percent=Percent.any,
        money=Money.any,
        final_mark=FinalMark.any,
        order=Order.any,
        repeats=True,
        openings=[word for word in _OPENINGS if _num_opened(word, summaries) < MIN_SUMMARIES],
        required=[],
        forbidden=[],
        period=0,
        metric=0,
        value=0,
        metrics=metrics,
        wording=sorted(wording),
        places=derive_places(summaries, words=wording),
    )
    return _with_choices(loose, summaries)


def style_yaml(style: HouseStyle) -> str:
    """Return the style as a file for a person to edit, each field with what it says."""
    command = f"python -m tasks.summarization style data={style.name}"
    lines = [f"# House style {style.name}, for a person to edit. Derived by: {command}"]
    for name, said in _SAID.items():
        lines += [f"# {said}", _yaml(name, getattr(style, name))]
    return "\n".join(lines) + "\n"


def _with_choices(loose: HouseStyle, summaries: Sequence[Sequence[str]]) -> HouseStyle:
    """Return the style with the choices that most summaries make."""
    broken = _failing(loose, summaries)
    allowed = (1 - COVERAGE) * len(summaries)
    breaking = [
        (rule, value, _failing(replace(loose, **{rule: value}), summaries))
        for rule, value in _CHOICES
        if rule != "metric" or loose.metrics
    ]
    chosen: dict[str, Any] = {}
    for rule, value, failing in sorted(breaking, key=lambda choice: len(choice[2])):
        if rule not in chosen and len(broken | failing) <= allowed:
            chosen[rule] = value
            broken |= failing
    return replace(loose, **chosen)


def _failing(style: HouseStyle, summaries: Sequence[Sequence[str]]) -> set[int]:
    return {number for number, bullets in enumerate(summaries) if check_style(bullets, style=style)}


def _yaml(name: str, value: Any) -> str:
    """Return the field on one line; a list or an object between brackets, on as many as it takes."""
    plain: Any = value.value if isinstance(value, Enum) else value
    if isinstance(value, Bounds):
        plain = asdict(value)
    flow = None if isinstance(plain, list | dict) else False
    text = yaml.safe_dump({name: plain}, default_flow_style=flow, sort_keys=False, width=100)
    return str(text).rstrip()


def _num_with(word: str, texts: Iterable[str]) -> int:
    return sum(phrases([word]).search(text) is not None for text in texts)


def _num_opened(word: str, summaries: Sequence[Sequence[str]]) -> int:
    """Return how many summaries have a bullet that begins so."""
    return sum(any(phrases([word]).match(bullet) for bullet in bullets) for bullets in summaries)


def _bounds(lowest: Iterable[int], highest: Iterable[int]) -> Bounds:
    """Return the bounds beyond which `TAIL` of the summaries lie, on either side."""
    low, high = sorted(lowest), sorted(highest)
    beyond = int(TAIL * len(low))
    return Bounds(min=low[beyond], max=high[-1 - beyond])


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _names(examples: Sequence[SummaryExample]) -> set[str]:
    """Return the words that documents mostly write with a capital inside a sentence: firms, people."""
    inside: Counter[str] = Counter()
    titled: Counter[str] = Counter()
    for example in examples:
        for sentence in example.sentences:
            words = _WORD_INSIDE.findall(sentence)
            inside.update(word.casefold() for word in words)
            titled.update(word.casefold() for word in words if word.istitle() and len(word) > 1)
    return {word for word, count in titled.items() if 2 * count > inside[word]}
