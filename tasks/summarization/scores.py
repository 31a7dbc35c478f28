"""The scores of one summary, each as a share (part, whole), so that a split's score is a ratio of two sums.

A mean over documents has the whole 1; a pooled share has what it counts. What does not apply, such as the
style of a summary that was not given, is (0, 0).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from shared.examples import SummaryExample, SummaryPrediction
from shared.ngrams import ngrams, words
from shared.sums import divided
from tasks.summarization.evidence import Source
from tasks.summarization.figures import Figure, find_figures, supported, unsupported
from tasks.summarization.kinds import told_alike
from tasks.summarization.names import find_names, unsupported_names
from tasks.summarization.style import RULES, Fault, HouseStyle, check_style, rendered

if TYPE_CHECKING:
    from shared.intervals import Array

Share = tuple[float, float]

ROUGE_COLUMNS = ["rougeLsum", "documents"]
UPSTREAM_WEIGHT = 1.2  # see `weighted`
_COPIED_LENGTH = 4
_NONE: Share = (0.0, 0.0)


@dataclass(frozen=True)
class Summary:
    """What a prediction says, line by line, and what the style and the document have against it."""

    example: SummaryExample
    lines: list[str]
    style: HouseStyle

    @cached_property
    def source_figures(self) -> list[Figure]:
        """The figures of the document."""
        return Source.of(self.example).all_figures

    @cached_property
    def faults(self) -> list[Fault]:
        """What breaks the style; a summary without lines was not given and breaks nothing."""
        return check_style(self.lines, style=self.style) if self.lines else []

    def made_up(self) -> list[Figure]:
        """Return the figures that the document lacks."""
        return _unsupported(self.lines, self.source_figures)


def summary_lines(example: SummaryExample, prediction: SummaryPrediction, *, style: HouseStyle) -> list[str]:
    """Return the text of each bullet, none of an abstention; a quoted one is rendered from its sentence."""
    if prediction.abstained:
        return []
    return [
        rendered(example.sentences[bullet.sources[0]], style=style) if bullet.quoted else bullet.text
        for bullet in prediction.bullets
    ]


def make_scorer(names: Sequence[str]) -> Any:
    """Return the `RougeScorer` of these scores, with Porter's stemmer."""
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(list(names), use_stemmer=True)


def rouge_shares(lines: Sequence[str], gold: Sequence[str], *, scorer: Any) -> dict[str, Share]:
    """Return the F measures that the scorer knows, lines joined by line ends; (0, 0) where there is no gold.

    From rougeLsum, its weighted form too.
    """
    found = scorer.score("\n".join(gold), "\n".join(lines))
    values = {name: score.fmeasure for name, score in found.items()}
    if (longest := found.get("rougeLsum")) is not None:
        values["rougeLsum_weighted"] = weighted(longest.precision, longest.recall)
    return {name: (float(value), 1.0) if gold else _NONE for name, value in values.items()}


def weighted(precision: float, recall: float) -> float:
    """Return the F measure of precision and recall each to the power 1 / 1.2.

    py-rouge 1.1 raises them so for ROUGE-L too where it is given ROUGE-W's weight 1.2 (its issue 10). So
    are the figures published for ECT-BPS, which lie above what ROUGE-L is.
    """
    p, r = precision ** (1 / UPSTREAM_WEIGHT), recall ** (1 / UPSTREAM_WEIGHT)
    return 2 * p * r / (p + r) if p + r else 0.0


def shares(summary: Summary, *, scorer: Any) -> dict[str, Share]:
    """Return every score of a summary by name."""
    return {
        **rouge_shares(summary.lines, summary.example.bullets, scorer=scorer),
        **figure_shares(summary),
        "kind_precision": kind_share(summary),
        "name_precision": name_share(summary),
        **style_shares(summary),
        "compression": compression(summary.lines, summary.example.sentences),
        "copied_4grams": copied_share(summary.lines, summary.example.sentences),
        "abstained": (float(not summary.lines), 1.0),
    }


def figure_shares(summary: Summary) -> dict[str, Share]:
    """Return which of the summary's figures are borne out, and which of gold's it has, pooled."""
    gold = summary.example.bullets
    own, wanted = _figures(summary.lines), _figures(gold)
    made_up = summary.made_up()
    in_neither = _unsupported(summary.lines, [*summary.source_figures, *wanted])
    return {
        "figure_precision": (float(len(own) - len(in_neither)), float(len(own))),
        "figure_precision_source": (float(len(own) - len(made_up)), float(len(own))),
        "figure_recall": (float(len(wanted) - len(_unsupported(gold, own))), float(len(wanted))),
    }


def kind_share(summary: Summary) -> Share:
    """Return how many lines call a figure what gold calls it, of those whose first figure gold has too."""
    known = [right for right in told_as_gold(summary) if right is not None]
    return float(sum(known)), float(len(known))


def told_as_gold(summary: Summary) -> list[bool | None]:
    """Return of each line whether gold calls its first figure the same; None where gold lacks the figure."""
    gold = [(line, find_figures(line)) for line in summary.example.bullets]
    found: list[bool | None] = []
    for line in summary.lines:
        figures = find_figures(line)
        others = [other for other, own in gold if figures and _has(own, figures[0])]
        found.append(any(told_alike(line, other) for other in others) if others else None)
    return found


def name_share(summary: Summary) -> Share:
    """Return how many of the summary's names stand in the document, and how many there are."""
    text, wording = "\n".join(summary.lines), frozenset(summary.style.wording)
    lacking = unsupported_names(text, source=summary.example.text, wording=wording)
    num_names = len(find_names(text, wording=wording))
    return float(num_names - len(lacking)), float(num_names)


def style_shares(summary: Summary) -> dict[str, Share]:
    """Return whether the summary keeps to the style, as a whole and by rule."""
    given = float(bool(summary.lines))
    broken = {fault.rule for fault in summary.faults}
    by_rule = {f"style_{rule}": (given * (rule not in broken), given) for rule in RULES}
    return {"style_pass": (given * (not broken), given), **by_rule}


def compression(lines: Sequence[str], sentences: Sequence[str]) -> Share:
    """Return the words of the document over those of the summary, as divided by white space."""
    ours, theirs = (sum(len(text.split()) for text in texts) for texts in (lines, sentences))
    return (theirs / ours, 1.0) if ours else _NONE


def copied_share(lines: Sequence[str], sentences: Sequence[str]) -> Share:
    """Return the share of the summary's 4-grams that stand in the document; none crosses a line."""
    known = {gram for text in sentences for gram in ngrams(words(text), _COPIED_LENGTH)}
    own = [gram for text in lines for gram in ngrams(words(text), _COPIED_LENGTH)]
    return (sum(gram in known for gram in own) / len(own), 1.0) if own else _NONE


def rouge_lsum(summed: Array) -> Array:
    """Return the mean rougeLsum from summed ROUGE_COLUMNS (..., 2)."""
    return ratio(summed, 0)


def ratio(summed: Array, at: int) -> Array:
    """Return column `at` of the last axis over the next one, 0 where that is 0."""
    return divided(summed[..., at], summed[..., at + 1])


def _has(figures: Sequence[Figure], figure: Figure) -> bool:
    """Return whether one of the figures is this one, either of the two rounded."""
    return any(supported(figure, own) or supported(own, figure) for own in figures)


def _figures(lines: Sequence[str]) -> list[Figure]:
    return [figure for line in lines for figure in find_figures(line)]


def _unsupported(lines: Sequence[str], sources: Sequence[Figure]) -> list[Figure]:
    return [figure for line in lines for figure in unsupported(line, sources)]
