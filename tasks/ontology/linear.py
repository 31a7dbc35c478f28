"""One linear model a facet, and how its probabilities become scores that the facet decoder reads.

E examples, C concepts, K answers of a facet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

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


def fitted_answers(
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

    return decoded(ontology, data, examples, outputs)


def decoded(
    ontology: Ontology,
    data: DataAdapter,
    examples: Sequence[FacetExample],
    outputs: Callable[[Sequence[FacetExample]], FacetOutputs],
) -> Answers:
    """Return consistent answers, with temperatures and thresholds from validation."""
    from shared.facet_decoding import FacetDecoder

    decoder: FacetDecoder = FacetDecoder(ontology, detectors=DETECTORS, sent_away=SENT_AWAY, explained_by=0)
    validation = data.load("validation")
    decoder.tune(validation, outputs(validation))
    return Answers([_whole(prediction) for prediction in decoder.decode(examples, outputs(examples))])


def _whole(prediction: FacetPrediction) -> FacetPrediction:
    """Return the prediction without what each concept alone would be: a linear model scores whole answers."""
    facets = {name: replace(answer, independent=None) for name, answer in prediction.facets.items()}
    return replace(prediction, facets=facets)


def plain_text(example: FacetExample) -> str:
    """Return what a bag of words or an untuned encoder reads: the texts; what is between two marks first."""
    if len(example.marks) == 2:
        first, second = sorted(example.marks, key=lambda mark: mark.start)
        between = example.text[first.end : second.start]
        ends = f"{example.text[first.start : first.end]} {between} {example.text[second.start : second.end]}"
        return f"{ends}. {example.text}"
    return f"{example.text} {example.pair}".strip()


def num_numbers(ontology: Ontology) -> int:
    """Return how many facets are numbers."""
    return sum(facet.cardinality is Cardinality.number for facet in ontology.facets)


def logistic(c: float) -> Callable[[Any, Sequence[int]], Callable[[Any], Any]]:
    """Return a fit of logistic regression; `c` is the inverse strength of its regularisation."""

    def fit(features: Any, labels: Sequence[int]) -> Callable[[Any], Any]:
        import numpy as np
        from sklearn.linear_model import LogisticRegression

        if len(set(labels)) == 1:  # which scikit-learn refuses
            return lambda rows: np.zeros((rows.shape[0], 1))
        fitted = LogisticRegression(C=c, max_iter=1000).fit(features, labels)
        return lambda rows: fitted.predict_log_proba(rows)

    return fit


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
