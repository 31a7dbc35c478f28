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

from shared.config import ModelConfig
from shared.contracts import Answers, DataAdapter
from shared.errors import UserError
from shared.examples import FacetExample, FacetPrediction
from shared.ontology import Cardinality, Facet, Ontology, read_ontology_row

if TYPE_CHECKING:
    import numpy as np

    from shared.facet_decoding import FacetDecoder, FacetOutputs

    Array = np.ndarray[Any, Any]

LEAST = -30.0  # no answer is less probable than exp of this
DETECTORS = ("max_softmax", "energy")
SENT_AWAY = 0.01  # as in the heads of the published rows
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

        return _answer(data, examples, features=features, fit=fit, mean_number=True)


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
        vectorizer.fit([_read(example) for example in data.load("train")])

        def features(found: Sequence[FacetExample]) -> Any:
            return vectorizer.transform([_read(example) for example in found])

        return _answer(data, examples, features=features, fit=_logistic(self.c))


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
            return embed([_read(example) for example in found], model=self.model)

        return _answer(data, examples, features=features, fit=_logistic(self.c))


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
            texts = embed([_read(example) for example in found], model=self.model)
            scores = np.where(own, COSINE_SCALE * (texts @ concepts.T - centre), 0.0)
            return FacetOutputs(scores, np.zeros((len(found), _num_numbers(ontology))), texts)

        return _decoded(ontology, data, examples, outputs)


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
                    facets[name] = replace(answer, concepts=ontology.most_specific(answer.independent))
            answers.append(FacetPrediction(prediction.id, facets))
        return Answers(answers)


def _answer(
    data: DataAdapter,
    examples: Sequence[FacetExample],
    *,
    features: Callable[[Sequence[FacetExample]], Any],
    fit: Callable[[Any, Sequence[Any]], Callable[[Any], Any]],
    mean_number: bool = False,
) -> Answers:
    """Return answers of one model a facet: `fit(features, labels)` gives features -> log probabilities."""
    import numpy as np

    from shared.facet_decoding import FacetOutputs

    ontology, training = read_ontology_row(data.types()), data.load("train")
    known = features(training)
    models: dict[str, tuple[list[tuple[str, ...]], Callable[[Any], Any]]] = {}
    numbers: list[Callable[[Any], Any]] = []
    for facet in ontology.facets:
        places = [place for place, example in enumerate(training) if _is_labelled(facet, example)]
        if not places:
            raise UserError(
                f"no text of train is labelled with the facet {facet.id}, so nothing is fitted to it"
            )
        if facet.cardinality is Cardinality.number:
            values = [training[place].values[facet.id] for place in places]
            numbers.append(_mean(values) if mean_number else _ridge(known[places], values))
        else:
            labels = [training[place].labels[facet.id] for place in places]
            answers = sorted(set(labels))
            models[facet.id] = (answers, fit(known[places], [answers.index(label) for label in labels]))

    def outputs(found: Sequence[FacetExample]) -> FacetOutputs:
        rows = features(found)
        scores = np.zeros((len(found), len(ontology.concepts)))
        for facet in ontology.facets:
            if facet.id in models:
                answers, predict = models[facet.id]
                _place(scores, ontology, facet, answers=answers, logs=predict(rows))
        values = np.zeros((len(found), len(numbers)))
        for column, number in enumerate(numbers):
            values[:, column] = number(rows)
        return FacetOutputs(scores, values, np.zeros((len(found), 1), dtype=np.float32))

    return _decoded(ontology, data, examples, outputs)


def _decoded(
    ontology: Ontology,
    data: DataAdapter,
    examples: Sequence[FacetExample],
    outputs: Callable[[Sequence[FacetExample]], FacetOutputs],
) -> Answers:
    from shared.facet_decoding import FacetDecoder

    decoder: FacetDecoder = FacetDecoder(ontology, detectors=DETECTORS, sent_away=SENT_AWAY, explained_by=0)
    validation = data.load("validation")
    decoder.tune(validation, outputs(validation))
    return Answers(decoder.decode(examples, outputs(examples)))


def _place(
    scores: Array, ontology: Ontology, facet: Facet, *, answers: Sequence[tuple[str, ...]], logs: Array
) -> None:
    """Write the facet's columns of the scores (E, C): sums over a path are an answer's log less that of none.

    What train never answers has the log `LEAST`, none too. Where several concepts may be chosen, each gets
    its log-odds.
    """
    import numpy as np

    concepts = [ontology.concepts[place].id for place in ontology.by_facet[facet.id]]
    if facet.single:
        log_of = {answer: np.maximum(logs[:, column], LEAST) for column, answer in enumerate(answers)}
        none = log_of.get((), LEAST)
        for concept in sorted(concepts, key=ontology.depth.__getitem__):
            broader = [ontology.index[name] for name in ontology.ancestors[concept]]
            own = log_of.get((concept,), LEAST) - none
            scores[:, ontology.index[concept]] = own - scores[:, broader].sum(axis=1)
        return
    for concept in concepts:
        has = [any(concept in ontology.closure[name] for name in answer) for answer in answers]
        share = np.clip(np.exp(logs[:, has]).sum(axis=1), 1e-9, 1 - 1e-9)
        scores[:, ontology.index[concept]] = np.log(share / (1 - share))


def _logistic(c: float) -> Callable[[Any, Sequence[int]], Callable[[Any], Any]]:
    def fit(features: Any, labels: Sequence[int]) -> Callable[[Any], Any]:
        import numpy as np
        from sklearn.linear_model import LogisticRegression

        if len(set(labels)) == 1:  # which scikit-learn refuses
            return lambda rows: np.zeros((rows.shape[0], 1))
        fitted = LogisticRegression(C=c, max_iter=1000).fit(features, labels)
        return lambda rows: fitted.predict_log_proba(rows)

    return fit


def _ridge(features: Any, values: Sequence[float]) -> Callable[[Any], Any]:
    from sklearn.linear_model import Ridge

    fitted = Ridge(alpha=1.0).fit(features, values)
    return lambda rows: fitted.predict(rows)


def _mean(values: Sequence[float]) -> Callable[[Any], Any]:
    import numpy as np

    return lambda rows: np.full(len(rows), sum(values) / len(values))


def _is_labelled(facet: Facet, example: FacetExample) -> bool:
    """Return whether there is an answer to learn, none among them, but no text out of scope."""
    from shared.facet_decoding import out_of_scope

    return facet.id in {**example.labels, **example.values} and not out_of_scope(facet, example)


def _read(example: FacetExample) -> str:
    """Return what a bag of words or an untuned encoder reads: the texts; what is between two marks first."""
    if len(example.marks) == 2:
        first, second = sorted(example.marks, key=lambda mark: mark.start)
        between = example.text[first.end : second.start]
        ends = f"{example.text[first.start : first.end]} {between} {example.text[second.start : second.end]}"
        return f"{ends}. {example.text}"
    return f"{example.text} {example.pair}".strip()


def _num_numbers(ontology: Ontology) -> int:
    return sum(facet.cardinality is Cardinality.number for facet in ontology.facets)
