"""A run on one HTML page: for some documents our bullets with sources and faults, beside the gold ones.

The page loads nothing, and holds text of the data set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from shared.contracts import Score
from shared.examples import Bullet, SummaryExample, SummaryPrediction
from shared.record import Record
from tasks.summarization.check import ADDED, REWRITTEN
from tasks.summarization.evidence import Source
from tasks.summarization.faults import Rules
from tasks.summarization.figures import unsupported
from tasks.summarization.mending import REPLACED, SHORTENED
from tasks.summarization.scores import make_scorer, rouge_shares, summary_lines
from tasks.summarization.style import RULES, Fault, instruction

DOCUMENTS = 20
_TEMPLATE = "page.html"
_ROUGE = {"rouge1": "ROUGE-1", "rouge2": "ROUGE-2", "rougeLsum": "ROUGE-Lsum"}
_CHECKED = (*RULES, "figures", "names")

Pair = tuple[SummaryExample, SummaryPrediction]
T = TypeVar("T")


@dataclass(frozen=True)
class Sentence:
    """A sentence of a document and its number in it, from 1."""

    number: int
    text: str


@dataclass(frozen=True)
class Line:
    """A bullet in pieces, each with whether it is a figure that the document lacks."""

    pieces: list[tuple[str, bool]]
    marks: list[str]
    faults: list[Fault]
    sources: list[Sentence]


@dataclass(frozen=True)
class Sheet:
    """A document as the page shows it; `faults` are those of the summary as a whole."""

    id: str
    abstained: str
    lines: list[Line]
    faults: list[Fault]
    read: list[Sentence]
    num_sentences: int
    gold: Sequence[str]
    rouge: dict[str, float]  # empty where there is no gold

    @property
    def broken(self) -> set[str]:
        """The rules that the summary breaks."""
        return {fault.rule for line in self.lines for fault in line.faults} | {f.rule for f in self.faults}


def page(pairs: Sequence[Pair], *, run: str, record: Record, rules: Rules) -> str:
    """Return the page about `DOCUMENTS` of the split's pairs, spread evenly in order of id."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    shown = spread(sorted(pairs, key=lambda pair: pair[0].id), DOCUMENTS)
    scorer = make_scorer(list(_ROUGE))
    sheets = [_sheet(*pair, rules=rules, scorer=scorer) for pair in shown]
    return environment.get_template(_TEMPLATE).render(
        run=run,
        record=record,
        scores=[_score_row(name, score) for name, score in record.scores.items() if not _of_rule(name)],
        style=rules.style,
        instruction=instruction(rules.style),
        rules=[_rule_row(rule, sheets, record) for rule in _CHECKED],
        counts=_counts([prediction for _, prediction in shown], [prediction for _, prediction in pairs]),
        sheets=sheets,
    )


def spread(items: Sequence[T], count: int) -> list[T]:
    """Return at most so many of the items, evenly spread, the first one among them."""
    num_kept = min(count, len(items))
    return [items[place * len(items) // num_kept] for place in range(num_kept)]


def _sheet(example: SummaryExample, prediction: SummaryPrediction, *, rules: Rules, scorer: Any) -> Sheet:
    source = Source.of(example)
    texts = summary_lines(example, prediction, style=rules.style)
    faults = rules.faults(texts, source) if texts else []  # what was not given breaks nothing
    shares = rouge_shares(texts, example.bullets, scorer=scorer)
    return Sheet(
        id=example.id,
        abstained="" if texts else prediction.abstained or "no bullets",
        lines=[
            _line(text, bullet, source=source, faults=[fault for fault in faults if fault.bullet == number])
            for number, (text, bullet) in enumerate(zip(texts, prediction.bullets, strict=False))
        ],
        faults=[fault for fault in faults if fault.bullet is None],
        read=_sentences(sorted(prediction.read), source),
        num_sentences=len(source.sentences),
        gold=example.bullets,
        rouge={title: shares[name][0] for name, title in _ROUGE.items() if example.bullets},
    )


def _line(text: str, bullet: Bullet, *, source: Source, faults: list[Fault]) -> Line:
    return Line(
        pieces=_pieces(text, source),
        marks=[mark for mark in (bullet.mark, "quoted" if bullet.quoted else "") if mark],
        faults=faults,
        sources=_sentences(bullet.sources or source.evidence(text), source),
    )


def _pieces(text: str, source: Source) -> list[tuple[str, bool]]:
    """Return the text cut at the figures that the document lacks."""
    pieces, end = [], 0
    for figure in unsupported(text, source.all_figures):
        pieces += [(text[end : figure.start], False), (text[figure.start : figure.end], True)]
        end = figure.end
    return [(piece, lacking) for piece, lacking in [*pieces, (text[end:], False)] if piece]


def _sentences(indices: Sequence[int], source: Source) -> list[Sentence]:
    return [Sentence(index + 1, source.sentences[index]) for index in indices]


def _of_rule(name: str) -> bool:
    return name.removeprefix("style_") in RULES


def _score_row(name: str, score: Score) -> tuple[str, str, str]:
    interval = "" if score.low is None or score.high is None else f"{score.low:.4f} to {score.high:.4f}"
    return name, f"{score.value:.4f}", interval


def _rule_row(rule: str, sheets: Sequence[Sheet], record: Record) -> tuple[str, str, str]:
    """Return by how many of the summaries given the rule is kept: on the page, and on the split if known."""
    given = [sheet for sheet in sheets if sheet.lines]
    kept = sum(rule not in sheet.broken for sheet in given)
    score = record.scores.get(f"style_{rule}")
    return rule, f"{kept} of {len(given)}", "not counted" if score is None else f"{100 * score.value:.1f} %"


def _counts(
    shown: Sequence[SummaryPrediction], everything: Sequence[SummaryPrediction]
) -> list[tuple[str, int, int]]:
    """Return what there is on the page and on the split."""
    sides = [_count(shown), _count(everything)]
    return [(name, sides[0][name], sides[1][name]) for name in sides[0]]


def _count(predictions: Sequence[SummaryPrediction]) -> dict[str, int]:
    bullets = [bullet for prediction in predictions for bullet in prediction.bullets]
    return {
        "documents": len(predictions),
        "abstentions": sum(bool(prediction.abstained) for prediction in predictions),
        "bullets": len(bullets),
        ADDED: sum(bullet.mark == ADDED for bullet in bullets),
        REWRITTEN: sum(bullet.mark == REWRITTEN for bullet in bullets),
        SHORTENED: sum(bullet.mark == SHORTENED for bullet in bullets),
        REPLACED: sum(bullet.mark == REPLACED for bullet in bullets),
        "quoted": sum(bullet.quoted for bullet in bullets),
    }
