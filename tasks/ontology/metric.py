"""The scores of facet answers: by facet, and as the mean over facets, each facet weighing the same.

`accuracy/topic` is the score of the facet `topic`; a name without a facet is the score of the facet that the
main score is about, or the mean over all facets of the kind that are labelled (concepts, or numbers).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from shared.contracts import Score, Trial, Trials
from shared.errors import ConfigError, UserError, suggest
from shared.examples import FacetExample, FacetPrediction, aligned
from shared.ontology import Cardinality, Facet, Ontology, read_ontology_row

if TYPE_CHECKING:
    from shared.contracts import Types
    from shared.intervals import SumStatistic
    from shared.record import Counts
    from tasks.ontology.counting import Table

MAIN = (
    "accuracy",
    "macro_f1",
    "weighted_f1",
    "level2_accuracy",
    "hf1",
    "official_f1",
    "exact_match",
    "r2",
)


@dataclass(frozen=True)
class FacetScores:
    """Scores of concepts and numbers; `main` is one of MAIN, of `facet` ('' for the mean over facets).

    Over texts in scope, where no answer is a wrong one: accuracy, level2_accuracy (paths cut to two levels),
    coverage (the share answered), accuracy_answered, and of the guesses, given or not, ece and brier (ece_raw
    and brier_raw before calibration). Of their prediction sets, where all have one: set_coverage (the
    gold is in it), set_size, sure_share (some concept is sure), sure_right (nothing sure is wrong). Over all
    labelled texts: macro_f1, micro_f1, weighted_f1, hp, hr, hf1, official_f1, exact_match (all facets right),
    violation_share (answers that break a rule of the ontology) and violation_share_independent (the same of
    concepts decided each alone). Of texts out of scope: oos_recall, oos_auroc and oos_recall_at_accuracy
    (with accuracy in scope kept at `asked_accuracy`). Of numbers: r2, mse, mae, number_coverage.
    """

    main: str
    facet: str
    asked_accuracy: float
    ontology: Ontology | None = None  # set by `bind`, never from YAML

    version: ClassVar[str] = "1"

    def __post_init__(self) -> None:
        mistakes = []
        if self.main not in MAIN:
            mistakes.append(
                f"metric.main={self.main!r}{suggest(self.main, MAIN)}; allowed: {', '.join(MAIN)}"
            )
        if not 0 < self.asked_accuracy <= 1:
            mistakes.append(f"metric.asked_accuracy={self.asked_accuracy}; allowed: above 0, at most 1")
        if mistakes:
            raise ConfigError(mistakes)

    def bind(self, types: Types) -> FacetScores:
        """Return the metric for data with this ontology, given as its plain form.

        Raises `ConfigError` if the ontology lacks the facet, or what the main score is about.
        """
        bound = replace(self, ontology=read_ontology_row(types))
        facets = [facet.id for facet in bound._facets(numbers=self.main == "r2")]
        if self.main == "official_f1":
            facets = [facet for facet in facets if facet in bound._related]
        if not facets or (self.facet and self.facet not in facets):
            close = suggest(self.facet, facets)
            allowed = f"'', {', '.join(facets)}" if facets else f"no facet of {types['name']}"
            raise ConfigError([f"metric.facet={self.facet!r}{close}; allowed for {self.main}: {allowed}"])
        return bound

    def quick(self, examples: Sequence[FacetExample], predictions: Sequence[FacetPrediction]) -> float:
        """Return the main score."""
        return float(self.main_statistic()(self._main_table(examples, predictions).values.sum(axis=0)))

    def score(
        self, examples: Sequence[FacetExample], predictions: Sequence[FacetPrediction]
    ) -> dict[str, Score]:
        """Return every score by name, the main one first, with its 95 % interval over documents.

        Left out is what the ontology, the labels or the answers give no ground for.
        """
        from tasks.ontology.blocks import all_scores
        from tasks.ontology.judged import documents

        self._main_table(examples, predictions)  # raises where the main score has no ground
        found = all_scores(
            aligned(examples, predictions),
            ontology=self._known,
            rows=documents(examples),
            facet=self.facet,
            asked_accuracy=self.asked_accuracy,
        )
        return {self.main: found[self.main], **found}

    def counts(self, examples: Sequence[FacetExample], predictions: Sequence[FacetPrediction]) -> Counts:
        """Return the counts of the main score by document, see `tasks.ontology.scores` for the columns.

        The groups are facets, facet/concept for the F1s of concepts, and all for exact_match.
        """
        from shared.record import Counts
        from tasks.ontology.judged import documents

        table = self._main_table(examples, predictions)
        rows = zip(documents(examples), table.values.tolist(), strict=True)
        return Counts(groups=table.groups, columns=list(table.columns), rows=dict(rows))

    def main_statistic(self) -> SumStatistic:
        """Return the main score as a function of summed counts, the one of `tasks.ontology.scores`."""
        from tasks.ontology import scores

        return scores.MAIN[self.main]

    def trials(self, examples: Sequence[FacetExample], predictions: Sequence[FacetPrediction]) -> Trials:
        """Return each labelled facet that was answered with a probability, right if all its concepts are.

        These are the answers that a user gets: abstained ones are left out, and an answer to a text out of
        scope is wrong; it says which share of all texts is. The scores ece and brier judge the guesses in
        scope, given or not.
        """
        from tasks.ontology.judged import documents, judged

        rows = documents(examples)
        names = list(rows)
        items = judged(self._facets(numbers=False), aligned(examples, predictions), rows=rows)
        scopes = [item.in_scope for own in items for item in own]
        outside = scopes.count(False) / len(scopes) if scopes else 0.0
        facets = [
            Trial(
                names[item.row],
                item.answer.probability,
                item.right,
                raw=item.answer.raw_probability,
                outside=None if item.in_scope else outside,
            )
            for own in items
            for item in own
            if item.answered and item.answer.probability is not None
        ]
        return {"facets": facets} if facets else {}

    def wrong(
        self, examples: Sequence[FacetExample], predictions: Sequence[FacetPrediction]
    ) -> Iterator[dict[str, Any]]:
        """Yield id, text and the wrong facets of each example whose labelled concepts are not all right."""
        from tasks.ontology.mistakes import wrong_rows

        yield from wrong_rows(aligned(examples, predictions), ontology=self._known)

    def details(self, examples: Sequence[FacetExample], predictions: Sequence[FacetPrediction]) -> str:
        """Return by facet: the worst concepts, the commonest confusions, accuracy at several coverages."""
        from tasks.ontology.mistakes import details_text

        return details_text(aligned(examples, predictions), ontology=self._known)

    @property
    def _known(self) -> Ontology:
        if self.ontology is None:
            raise RuntimeError("a metric of facets needs an ontology: call bind(data.types()) first")
        return self.ontology

    @property
    def _related(self) -> set[str]:
        return {relation.facet for relation in self._known.relations}

    def _facets(self, *, numbers: bool) -> list[Facet]:
        """Return the facets that are numbers, or those that are concepts."""
        return [facet for facet in self._known.facets if (facet.cardinality is Cardinality.number) == numbers]

    def _main_table(self, examples: Sequence[FacetExample], predictions: Sequence[FacetPrediction]) -> Table:
        """Return the counts of the main score; raises `UserError` where no example has labels for it."""
        from tasks.ontology.counting import COUNTS, exact_counts, join
        from tasks.ontology.judged import documents, judged, of_facet

        rows = documents(examples)
        facets = self._facets(numbers=self.main == "r2")
        items = judged(facets, aligned(examples, predictions), rows=rows)
        if self.main == "exact_match":
            tables = [exact_counts(items, num_rows=len(rows))]
        else:
            count = COUNTS[self.main]
            asked = [facet for facet in facets if self.facet in ("", facet.id)]
            tables = [count(of_facet(it, items), ontology=self._known, num_rows=len(rows)) for it in asked]
        tables = [table for table in tables if table.groups]
        if not tables:
            raise UserError(
                f"{self.main} of {self.facet or self._known.name} needs labels: none of the {len(examples)} "
                "examples has one"
            )
        return join(tables)
