"""From a model's scores to answers: consistent with the ontology, calibrated, silent where out of scope.

E examples, C concepts, N facets that are numbers, D units of an embedding, A possible answers of a facet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from shared.calibration import Judged, calibrated, fit_calibration
from shared.consistency import Decoder
from shared.examples import FacetAnswer, FacetExample, FacetPrediction
from shared.facet_calibration import Classes, choose_detector, fit_temperature, oddities
from shared.facet_scores import assignment_log_probabilities, assignments, independent
from shared.facet_sets import FacetSet, check_risk, find_limits, find_sets, grade, read_limits
from shared.ontology import Cardinality, Facet, Ontology

PLACES = 6  # decimals of a probability
CONFIDENCE = "confidence"
RIDGE = 1e-3  # added to the covariance, as a share of its mean variance
UNMARKED = "a relation holds between two marked spans, and the text has none"

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class FacetOutputs:
    """What the model says of each example: scores (E, C), numbers (E, N), embeddings (E, D)."""

    scores: Array
    numbers: Array
    embeddings: Array


class FacetDecoder:
    """Makes predictions of outputs; `thresholds` is what validation chose, and stands in the bundle.

    `temperature/<facet>` divides the facet's scores; `confidence/...` is the calibration of guesses;
    `<detector>/<facet>` is the oddity above which a text is out of the facet's scope. Those of prediction
    sets are of `facet_sets.find_limits`.
    """

    def __init__(
        self, ontology: Ontology, *, detectors: Sequence[str], sent_away: float, explained_by: int
    ) -> None:
        self.ontology, self.detectors = ontology, list(detectors)
        self.sent_away, self.explained_by = sent_away, explained_by
        self.thresholds: dict[str, float] = {}
        self.risk = 0.0  # of the prediction sets beside the answers; 0 for none
        self.classes = Classes(np.zeros((0, 0), np.float32), np.zeros((0, 0), np.float32))
        self.shift = np.zeros(len(ontology.concepts), np.float32)  # see `prior_shift`
        self.memory: list[FacetExample] = []
        self._memory_vectors = np.zeros((0, 0), np.float32)
        self._consistent = Decoder(ontology)
        self._of_relations = {relation.facet for relation in ontology.relations}
        self._names = np.array([concept.id for concept in ontology.concepts])

    def decode(self, examples: Sequence[FacetExample], outputs: FacetOutputs) -> list[FacetPrediction]:
        """Return the most probable answers that the ontology allows together."""
        if not examples:
            return []
        chosen = self._consistent.decode(outputs.scores / self._temperatures() + self.shift)
        alone = independent(self.ontology, outputs.scores)
        answers: list[dict[str, FacetAnswer]] = [{} for _ in examples]
        number = 0
        for facet in self.ontology.facets:
            if facet.cardinality is Cardinality.number:
                found = [FacetAnswer(value=_rounded(value)) for value in outputs.numbers[:, number]]
                number += 1
            else:
                found = self._answers(facet, outputs, chosen=chosen, alone=alone)
            if facet.id in self._of_relations:
                found = [
                    _unless_marked(example, answer) for example, answer in zip(examples, found, strict=True)
                ]
            for own, answer in zip(answers, found, strict=True):
                own[facet.id] = answer
        nearest = self._nearest(outputs.embeddings)
        return [
            FacetPrediction(example.id, own, near)
            for example, own, near in zip(examples, answers, nearest, strict=True)
        ]

    def give_sets(self, risk: float) -> None:
        """Give prediction sets at this risk beside the answers; raises `UserError` where none is known."""
        check_risk(self.thresholds, risk)
        self.risk = risk

    def tune(self, examples: Sequence[FacetExample], outputs: FacetOutputs) -> None:
        """Choose each facet's temperature, a detector and threshold where examples are out of scope.

        The limits of prediction sets, and how sure a guess is, are those of the examples in scope. A
        temperature serves all answers of a facet; whether the chosen one is right is fitted on top of it.
        """
        self.thresholds.clear()
        for facet in self.ontology.facets:
            outside = [row for row, example in enumerate(examples) if out_of_scope(facet, example)]
            labelled = {row for row, example in enumerate(examples) if facet.id in example.labels}
            inside = sorted(labelled.difference(outside))
            if facet.cardinality is Cardinality.number or not inside:
                continue
            scores, gold = outputs.scores[inside], self._gold(facet, [examples[row] for row in inside])
            temperature = fit_temperature(self._loss(facet, scores, gold))
            self.thresholds[f"temperature/{facet.id}"] = temperature
            grades = grade(self.ontology, facet, scores, temperature=temperature)
            documents = [examples[row].document for row in inside]
            self.thresholds.update(find_limits(self.ontology, facet, grades, gold, documents=documents))
            found = self._oddities(facet, outputs, self.detectors) if outside else {}
            if found:  # none before `measure`, where distances are all that is asked for
                detector, threshold = choose_detector(
                    found, inside=inside, outside=outside, sent_away=self.sent_away
                )
                self.thresholds[f"{detector}/{facet.id}"] = threshold
        guesses = self._guesses(examples, self.decode(examples, outputs))
        self.thresholds.update(fit_calibration(guesses, name=CONFIDENCE))

    def _guesses(
        self, examples: Sequence[FacetExample], predictions: Sequence[FacetPrediction]
    ) -> list[Judged]:
        """Return each labelled facet's guess, given or not, of the texts in scope."""
        return [
            Judged(answer.probability, set(answer.concepts) == set(example.labels[facet.id]), group=facet.id)
            for example, prediction in zip(examples, predictions, strict=True)
            for facet in self.ontology.facets
            for answer in [prediction.facets[facet.id]]
            if facet.id in example.labels and answer.probability is not None
            if not out_of_scope(facet, example)
        ]

    def remember(self, examples: Sequence[FacetExample], outputs: FacetOutputs) -> None:
        """Keep the training examples to explain answers by."""
        self.memory, self._memory_vectors = list(examples), _unit(outputs.embeddings)

    def measures(self, validation: Sequence[FacetExample]) -> bool:
        """Return whether a facet has examples out of its scope and distances are among the detectors."""
        known = any(out_of_scope(facet, example) for facet in self.ontology.facets for example in validation)
        return known and "mahalanobis" in self.detectors

    def measure(self, examples: Sequence[FacetExample], outputs: FacetOutputs) -> None:
        """Keep the classes of the training examples to measure distances by."""
        facet = next((f for f in self.ontology.facets if f.cardinality is Cardinality.exactly_one), None)
        if facet is not None:
            self.classes = _classes(
                [example.labels.get(facet.id, ()) for example in examples], outputs.embeddings
            )

    def _answers(
        self, facet: Facet, outputs: FacetOutputs, *, chosen: Array, alone: Array
    ) -> list[FacetAnswer]:
        places = np.array(self.ontology.by_facet[facet.id])
        temperature = self.thresholds.get(f"temperature/{facet.id}", 1.0)
        sure = self._probabilities(facet, outputs.scores, chosen[:, places], temperature)
        raw = self._probabilities(facet, outputs.scores, chosen[:, places], 1.0)
        odd, reasons = self._scope(facet, outputs)
        found = [
            FacetAnswer(
                concepts=self.ontology.most_specific(self._names[places[chosen[row, places]]].tolist()),
                probability=calibrated(_rounded(sure[row]), self.thresholds, name=CONFIDENCE, group=facet.id),
                raw_probability=_rounded(raw[row]),
                oddity=None if odd is None else _rounded(odd[row]),
                abstained=reasons[row],
                independent=tuple(self._names[places[alone[row, places]]].tolist()),
            )
            for row in range(len(chosen))
        ]
        if not self.risk:
            return found
        sets = self._sets(facet, outputs.scores, chosen[:, places])
        return [_with_set(answer, own) for answer, own in zip(found, sets, strict=True)]

    def _probabilities(self, facet: Facet, scores: Array, own: Array, temperature: float) -> Array:
        """Return (E,): of the chosen concept among all answers, or of the least sure of several concepts."""
        if facet.single:
            logs = assignment_log_probabilities(self.ontology, facet.id, scores, temperature=temperature)
            columns = assignments(self.ontology, facet, own)[:, None]
            found: Array = np.exp(np.take_along_axis(logs, columns, axis=1))[:, 0]
            return found
        sure = 1 / (1 + np.exp(-scores[:, self.ontology.by_facet[facet.id]] / temperature))
        least: Array = np.where(own, sure, np.where(own.any(1, keepdims=True), 1.0, 1 - sure)).min(axis=1)
        return least

    def _sets(self, facet: Facet, scores: Array, own: Array) -> list[FacetSet]:
        """Return the prediction set of each example with the chosen concepts (E, K)."""
        temperature = self.thresholds.get(f"temperature/{facet.id}", 1.0)
        grades = grade(self.ontology, facet, scores, temperature=temperature)
        limits = read_limits(self.thresholds, facet, self.risk)
        return find_sets(self.ontology, facet, grades, own, limits=limits)

    def _scope(self, facet: Facet, outputs: FacetOutputs) -> tuple[Array | None, list[str]]:
        """Return how odd each text is, None where nothing detects, and why it is not answered."""
        detector = next((name for name in self.detectors if f"{name}/{facet.id}" in self.thresholds), None)
        if detector is None:
            return None, [""] * len(outputs.scores)
        odd = self._oddities(facet, outputs, [detector])[detector]
        limit = self.thresholds[f"{detector}/{facet.id}"]
        reason = "out of scope: {} {:.3f} is above {:.3f}"
        return odd, [reason.format(detector, value, limit) if value > limit else "" for value in odd]

    def _oddities(self, facet: Facet, outputs: FacetOutputs, detectors: Sequence[str]) -> dict[str, Array]:
        return oddities(
            detectors,
            assignment_log_probabilities(self.ontology, facet.id, outputs.scores, temperature=1.0),
            outputs.scores[:, self.ontology.by_facet[facet.id]],
            outputs.embeddings,
            self.classes,
        )

    def _gold(self, facet: Facet, examples: Sequence[FacetExample]) -> Array:
        """Return which of the facet's concepts the examples have (E, K), broader ones included."""
        places = self.ontology.by_facet[facet.id]
        columns = {self.ontology.concepts[place].id: column for column, place in enumerate(places)}
        gold = np.zeros((len(examples), len(places)), dtype=bool)
        for row, example in enumerate(examples):
            for concept in example.labels[facet.id]:
                gold[row, [columns[name] for name in (concept, *self.ontology.ancestors[concept])]] = True
        return gold

    def _loss(self, facet: Facet, scores: Array, gold: Array) -> Callable[[float], float]:
        """Return the mean negative log likelihood of the gold concepts as a function of the temperature."""
        if facet.single:
            answers = assignments(self.ontology, facet, gold)[:, None]
            return lambda temperature: float(
                -np.take_along_axis(
                    assignment_log_probabilities(self.ontology, facet.id, scores, temperature=temperature),
                    answers,
                    axis=1,
                ).mean()
            )
        signs = np.where(gold, 1.0, -1.0)
        own = scores[:, self.ontology.by_facet[facet.id]]
        return lambda temperature: float(np.logaddexp(0, -signs * own / temperature).mean())

    def _temperatures(self) -> Array:
        """Return (C,): each concept's temperature, so that facets weigh by what they know."""
        return np.array(
            [self.thresholds.get(f"temperature/{concept.facet}", 1.0) for concept in self.ontology.concepts]
        )

    def _nearest(self, embeddings: Array) -> list[tuple[tuple[str, float], ...]]:
        """Return the training examples most like each text, where `remember` was called for them."""
        if not self.memory:
            return [()] * len(embeddings)
        same = _unit(embeddings) @ self._memory_vectors.T
        order = np.argsort(-same, axis=1, kind="stable")[:, : self.explained_by]
        return [
            tuple((self.memory[place].id, _rounded(same[row, place])) for place in places)
            for row, places in enumerate(order)
        ]


def prior_shift(ontology: Ontology, counts: Sequence[int], *, power: float) -> Array:
    """Return what to add to each concept's score (C,) so that common concepts win less often.

    It is minus `power` times the log of the concept's share of the training texts (`counts`, ancestors
    included): of all that have a concept of the facet, below a broader concept of that one's. Post-hoc logit
    adjustment (Menon et al., arXiv 2007.07314); no count is below 1. It moves the choice alone: probabilities
    stay those of the scores as they are. Facets with any number of concepts are not shifted.
    """
    known, shift = np.maximum(counts, 1), np.zeros(len(ontology.concepts), np.float32)
    for facet in ontology.facets:
        if facet.single:
            places = ontology.by_facet[facet.id]
            total = sum(known[place] for place in places if not ontology.concepts[place].broader)
            for place in places:
                broader = [known[ontology.index[name]] for name in ontology.concepts[place].broader]
                shift[place] = -power * np.log(known[place] / max(broader, default=total))
    return shift


def _with_set(answer: FacetAnswer, found: FacetSet) -> FacetAnswer:
    """Return the answer with its set, of which nothing is sure where the text is out of scope."""
    return replace(answer, candidates=found.candidates, sure=() if answer.abstained else found.sure)


def _unless_marked(example: FacetExample, answer: FacetAnswer) -> FacetAnswer:
    if len(example.marks) == 2:
        return answer
    return replace(answer, abstained=UNMARKED, candidates=None, sure=None)


def out_of_scope(facet: Facet, example: FacetExample) -> bool:
    """Return whether the facet needs a concept and the example is known to have none."""
    needs = facet.cardinality in (Cardinality.exactly_one, Cardinality.ordinal)
    return needs and example.labels.get(facet.id) == ()


def _classes(labels: Sequence[tuple[str, ...]], embeddings: Array) -> Classes:
    """Return the means of the classes and the inverse of their shared covariance, made regular by a ridge.

    There are none where no class has two texts that differ: nothing is known of how classes spread.
    """
    groups: dict[tuple[str, ...], list[int]] = {}
    for row, label in enumerate(labels):
        if label:
            groups.setdefault(label, []).append(row)
    if not any(np.ptp(embeddings[rows], axis=0).any() for rows in groups.values()):
        nothing = np.zeros((0, embeddings.shape[1]), np.float32)
        return Classes(nothing, nothing)
    means = np.stack([embeddings[rows].mean(axis=0) for rows in groups.values()])
    centred = np.concatenate(
        [embeddings[rows] - mean for rows, mean in zip(groups.values(), means, strict=True)]
    ).astype(np.float64)
    spread = centred.T @ centred / len(centred)
    precision = np.linalg.inv(spread + RIDGE * np.trace(spread) / len(spread) * np.eye(len(spread)))
    return Classes(means.astype(np.float32), precision.astype(np.float32))


def _unit(vectors: Array) -> Array:
    length: Array = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return vectors / length


def _rounded(value: Any) -> float:
    return round(float(value), PLACES)
