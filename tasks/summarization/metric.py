"""The scores of summaries: likeness to a person's, right figures and names, house style, what was copied."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from shared.contracts import Score, Trial, Trials
from shared.examples import SummaryExample, SummaryPrediction, aligned
from shared.sums import bootstrapped, by_document
from tasks.summarization.scores import (
    ROUGE_COLUMNS,
    Summary,
    make_scorer,
    ratio,
    rouge_lsum,
    rouge_shares,
    shares,
    summary_lines,
    told_as_gold,
)
from tasks.summarization.style import RULES, HouseStyle

if TYPE_CHECKING:
    from shared.contracts import Types
    from shared.intervals import Statistic
    from shared.record import Counts

_ROUGE = ("rouge1", "rouge2", "rougeL", "rougeLsum")

Examples = Sequence[SummaryExample]
Predictions = Sequence[SummaryPrediction]


@dataclass(frozen=True)
class SummaryScores:
    """Scores of summaries against gold, source and the house style.

    Means over documents: rouge1, rouge2, rougeL and rougeLsum are F measures of rouge-score with Porter's
    stemmer. rougeL is the longest common subsequence of the whole texts, bullets in order; rougeLsum takes
    the union of those of each gold bullet with all of ours, so that order does not matter. rougeLsum_weighted
    is the same on the scale that ECT-BPS published (`scores.weighted`). compression is the words of the
    document over those of the summary, copied_4grams the share of the summary's 4-grams that the document
    has, abstained the share of documents without a summary: their ROUGE and figure_recall are 0, the other
    scores leave them out. style_pass is the share of summaries that keep every rule, style_<rule> that one.

    Pooled over documents: figure_precision is the share of the summaries' figures that document or gold bear
    out, figure_precision_source by the document alone, figure_recall the share of gold's figures that the
    summary has, name_precision the share of names that the document has. kind_precision is the share of the
    lines whose first figure gold has too that call it what gold calls it: of the quarter, an outlook or a
    result, adjusted or not. ROUGE, figure_recall and kind_precision leave out documents without a gold
    summary.
    """

    style: HouseStyle

    version: ClassVar[str] = "1"
    main: ClassVar[str] = "rougeLsum"

    def bind(self, types: Types) -> SummaryScores:
        """Return the metric itself: there is one thing to answer."""
        return self

    def quick(self, examples: Examples, predictions: Predictions) -> float:
        """Return the mean rougeLsum; 0 where no document has a gold summary."""
        import numpy as np

        rows = self.counts(examples, predictions).rows
        return float(rouge_lsum(np.array(list(rows.values())).sum(axis=0)))

    def score(self, examples: Examples, predictions: Predictions) -> dict[str, Score]:
        """Return every score by name, each with its 95 % interval, bootstrapped over documents."""
        scorer = make_scorer(_ROUGE)
        read = [summary for summary, _ in self._read(examples, predictions)]
        found = [shares(summary, scorer=scorer) for summary in read]
        rows = [[number for share in by_name.values() for number in share] for by_name in found]
        summed = by_document([summary.example.document for summary in read], rows)
        statistics: dict[str, Statistic] = {
            name: partial(ratio, at=2 * place) for place, name in enumerate(found[0])
        }
        return bootstrapped(list(summed.values()), statistics)

    def counts(self, examples: Examples, predictions: Predictions) -> Counts:
        """Return by document the sum of rougeLsum and the number of its gold summaries."""
        from shared.record import Counts

        scorer = make_scorer([self.main])
        read = [summary for summary, _ in self._read(examples, predictions)]
        rows = [rouge_shares(s.lines, s.example.bullets, scorer=scorer)[self.main] for s in read]
        documents = [summary.example.document for summary in read]
        return Counts(groups=[""], columns=ROUGE_COLUMNS, rows=by_document(documents, rows))

    def main_statistic(self) -> Statistic:
        """Return the mean rougeLsum as a function of summed counts (..., 2)."""
        return rouge_lsum

    def trials(self, examples: Examples, predictions: Predictions) -> Trials:
        """Return the bullets with a confidence whose figure gold has too: right if gold calls it the same."""
        found = [
            Trial(summary.example.document, bullet.confidence, right)
            for summary, prediction in self._read(examples, predictions)
            for bullet, right in zip(prediction.bullets, told_as_gold(summary), strict=False)
            if bullet.confidence is not None and right is not None
        ]
        return {"bullets": found} if found else {}

    def details(self, examples: Examples, predictions: Predictions) -> str:
        """Return by rule how many summaries keep it, and what breaks it in one that quotes no sentence."""
        from tabulate import tabulate

        given = [pair for pair in self._read(examples, predictions) if pair[0].lines]
        headers = ["rule", "kept by", "for example"]
        rows = [_rule_row(rule, given) for rule in RULES]
        return str(tabulate(rows, headers=headers, disable_numparse=True))

    def wrong(self, examples: Examples, predictions: Predictions) -> Iterator[dict[str, Any]]:
        """Yield our lines and gold's of each summary that is not gold, with faults and figures made up."""
        for summary, prediction in self._read(examples, predictions):
            if summary.lines != list(summary.example.bullets):
                yield {
                    "id": summary.example.id,
                    "ours": summary.lines,
                    "gold": list(summary.example.bullets),
                    "abstained": prediction.abstained,
                    "faults": [str(fault) for fault in summary.faults],
                    "made_up_figures": [figure.text for figure in summary.made_up()],
                }

    def _read(
        self, examples: Examples, predictions: Predictions
    ) -> Iterator[tuple[Summary, SummaryPrediction]]:
        for example, prediction in aligned(examples, predictions):
            lines = summary_lines(example, prediction, style=self.style)
            yield Summary(example, lines, self.style), prediction


def _rule_row(rule: str, given: Sequence[tuple[Summary, SummaryPrediction]]) -> list[str]:
    broken = [pair for pair in given if any(fault.rule == rule for fault in pair[0].faults)]
    own = (
        fault.found
        for summary, prediction in broken
        if not any(bullet.quoted for bullet in prediction.bullets)
        for fault in summary.faults
        if fault.rule == rule
    )
    return [rule, f"{len(given) - len(broken):,} of {len(given):,}", next(own, "")]
