"""Systems without tuning: the commonest answer, linear classifiers, nearest definitions, no consistency.

Each scores the concepts of every facet, and the decoder that the trained models use makes answers of that:
the same consistency, temperature and scope. E examples, C concepts, K answers of a facet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from shared.contracts import Answers, DataAdapter
from shared.errors import UserError
from shared.examples import FacetExample, FacetPrediction
from shared.ontology import read_ontology_row
from shared.training_config import ModelConfig
from tasks.ontology.linear import decoded, fitted_answers, logistic, num_numbers, plain_text

if TYPE_CHECKING:
    import numpy as np

    from shared.facet_decoding import FacetOutputs

    Array = np.ndarray[Any, Any]

COSINE_SCALE = 20.0


@dataclass(frozen=True)
class Majority:
    """Answers each facet as train does most often; of several concepts, with each that most of train has."""

    name: str

    kind: ClassVar[str] = "baseline"

    def answer(self, data: DataAdapter, examples: Sequence[FacetExample]) -> Answers:
        """Return the same answer for every example."""
        import numpy as np

        def fit(training: Sequence[FacetExample], labels: Sequence[Any]) -> Callable[[Any], Any]:
            counts = Counter(labels)
            logs = np.log([counts[label] / len(labels) for label in sorted(counts)])
            return lambda rows: np.tile(logs, (len(rows), 1))

        def features(found: Sequence[FacetExample]) -> Any:
            return np.zeros((len(found), 0))

        return fitted_answers(data, examples, features=features, fit=fit, mean_number=True)


@dataclass(frozen=True)
class TfidfLogistic:
    """Logistic regression on TF-IDF of words and word pairs."""

    name: str
    c: float  # inverse strength of the regularisation

    kind: ClassVar[str] = "baseline"

    def answer(self, data: DataAdapter, examples: Sequence[FacetExample]) -> Answers:
        """Return the answers of classifiers fitted on train, one a facet."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
        vectorizer.fit([plain_text(example) for example in data.load("train")])

        def features(found: Sequence[FacetExample]) -> Any:
            return vectorizer.transform([plain_text(example) for example in found])

        return fitted_answers(data, examples, features=features, fit=logistic(self.c))


@dataclass(frozen=True)
class FrozenLogistic:
    """Logistic regression on the embeddings of the base as it is."""

    name: str
    c: float
    model: ModelConfig

    kind: ClassVar[str] = "baseline"

    def answer(self, data: DataAdapter, examples: Sequence[FacetExample]) -> Answers:
        """Return the answers of classifiers fitted on train, one a facet."""
        from shared.embedding import embed

        def features(found: Sequence[FacetExample]) -> Any:
            return embed([plain_text(example) for example in found], model=self.model)

        return fitted_answers(data, examples, features=features, fit=logistic(self.c))


@dataclass(frozen=True)
class NearestDefinition:
    """The narrowest concept whose label and definition are nearest to the text, by the base as it is.

    Where any number may be chosen, every concept that is near enough, broad ones too. There is no training.
    """

    name: str
    model: ModelConfig

    kind: ClassVar[str] = "baseline"

    def answer(self, data: DataAdapter, examples: Sequence[FacetExample]) -> Answers:
        """Return the answers; validation is read for temperatures and thresholds alone."""
        import numpy as np

        from shared.embedding import embed
        from shared.facet_decoding import FacetOutputs

        ontology = read_ontology_row(data.types())
        concepts = embed([concept.text for concept in ontology.concepts], model=self.model)
        broad = frozenset().union(*ontology.ancestors.values())
        alone = {facet.id for facet in ontology.facets if facet.single}
        single = np.array([concept.facet in alone for concept in ontology.concepts])
        own = ~single | [concept.id not in broad for concept in ontology.concepts]
        centre = np.where(single, 0.0, 0.5)  # where any may be chosen, the similarity of open odds

        def outputs(found: Sequence[FacetExample]) -> FacetOutputs:
            texts = embed([plain_text(example) for example in found], model=self.model)
            scores = np.where(own, COSINE_SCALE * (texts @ concepts.T - centre), 0.0)
            return FacetOutputs(scores, np.zeros((len(found), num_numbers(ontology))), texts)

        return decoded(ontology, data, examples, outputs)


@dataclass(frozen=True)
class Independent:
    """A run's own scores with every concept decided alone: what consistency changes, and what it costs."""

    name: str
    predictions: str  # the predictions file of the run
    run: int  # its seed

    kind: ClassVar[str] = "baseline"

    def answer(self, data: DataAdapter, examples: Sequence[FacetExample]) -> Answers:
        """Return the run's independent choices as answers, all of them, consistent or not."""
        from dataclasses import replace

        from shared.runs import read_predictions

        path = Path(self.predictions).expanduser()
        if not path.is_file():
            raise UserError(
                f"baseline.predictions={self.predictions!r} is no file: give a run's predictions-test.jsonl"
            )
        ontology = read_ontology_row(data.types())
        answers = []
        for prediction in read_predictions(path):
            if not isinstance(prediction, FacetPrediction):
                raise UserError(f"{path} holds other answers than facets")
            facets = dict(prediction.facets)
            for name, answer in facets.items():
                if answer.value is None:
                    if answer.independent is None:
                        raise UserError(f"{path} does not hold what a run decides of each concept alone")
                    alone = ontology.most_specific(answer.independent)
                    facets[name] = replace(answer, concepts=alone, candidates=None, sure=None)
            answers.append(FacetPrediction(prediction.id, facets))
        return Answers(answers)
