"""Labels that are probably wrong, and words labelled in two ways: what to look at before training."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from shared.examples import AnomalyExample, FacetExample, SpanExample, SpanPrediction
from shared.labelling.confident_learning import likely_classes, noise_matrix
from shared.labelling.drafts import Label
from shared.training_config import ModelConfig

Array = np.ndarray[Any, Any]

OUTSIDE = "no entity"
NONE = "none"
FEWEST = 5  # items of a class, below which its labels are not judged
FORMS_SHOWN = 20


@dataclass(frozen=True)
class Unit:
    """Something that has one class: a word, or a facet of a text; `what` shows it to a person."""

    text: str  # the id
    document: str
    question: str  # words, or the facet
    what: str
    given: str


@dataclass(frozen=True)
class Suspect:
    """A label that is probably wrong."""

    unit: Unit
    likely: str
    probability: float  # of the likely class, by a model that did not see the text


@dataclass(frozen=True)
class Estimate:
    """How many of a question's labels are estimated to be wrong, by the class they are given."""

    question: str
    num: int
    wrong: dict[str, float]  # class -> the share of its labels
    suspects: list[Suspect]

    @property
    def share(self) -> float:
        """The share of all labels."""
        return len(self.suspects) / max(self.num, 1)


def estimate_errors(labels: Sequence[Label], *, model: ModelConfig, folds: int = 5) -> list[Estimate]:
    """Return for each question the labels that a classifier on the untuned base's vectors contradicts.

    The classifier is fitted in folds of documents, so that none has seen the labels that it judges. Numbers
    and free text are not judged, nor are questions with a class or documents too few.
    """
    units, vectors = _units(labels, model)
    by_question: dict[str, list[int]] = defaultdict(list)
    for place, unit in enumerate(units):
        by_question[unit.question].append(place)
    found = []
    for question, places in by_question.items():
        own = [units[place] for place in places]
        counts = Counter(unit.given for unit in own)
        kept = [k for k, unit in enumerate(own) if counts[unit.given] >= FEWEST]
        documents = {own[k].document for k in kept}
        if len({own[k].given for k in kept}) > 1 and len(documents) >= folds:
            rows = vectors[[places[k] for k in kept]]
            found.append(_estimate(question, [own[k] for k in kept], rows, folds))
    return found


def two_ways(labels: Sequence[Label]) -> list[tuple[str, Counter[str]]]:
    """Return the words, or whole texts, that are labelled in more than one way, the most frequent first.

    An entity's words are counted also where they stand without a label.
    """
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    spans = [label for label in labels if isinstance(label.prediction, SpanPrediction)]
    known = {form for label in spans for form, _ in _entities(label)}
    longest = max((len(form.split()) for form in known), default=0)
    for label in spans:
        for form, name in _entities(label):
            found[form][name] += 1
        for form in _unlabelled(label, known, longest):
            found[form][OUTSIDE] += 1
    for label in labels:
        if label.prediction is not None and not isinstance(label.prediction, SpanPrediction):
            found[" ".join(label.example.text.split())][str(label.prediction.key)] += 1
    mixed = [(form, ways) for form, ways in found.items() if len(ways) > 1]
    return sorted(mixed, key=lambda entry: (-entry[1].total(), entry[0]))


def audit_text(estimates: Sequence[Estimate], forms: Sequence[tuple[str, Counter[str]]]) -> str:
    """Return what a person reads of both."""
    lines = []
    for one in estimates:
        shares = ", ".join(f"{name} {share:.1%}" for name, share in sorted(one.wrong.items()))
        lines.append(f"{one.question}: about {one.share:.1%} of {one.num:,} labels are wrong ({shares})")
    lines.append(f"labelled in two ways: {len(forms):,}")
    for form, ways in forms[:FORMS_SHOWN]:
        shown = form if len(form) <= 60 else f"{form[:57]}..."
        lines.append(f"  {shown}: {', '.join(f'{name} {count}' for name, count in ways.most_common())}")
    return "\n".join(lines)


def _estimate(question: str, units: Sequence[Unit], vectors: Array, folds: int) -> Estimate:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import LabelEncoder, StandardScaler

    names = LabelEncoder().fit([unit.given for unit in units])
    given = names.transform([unit.given for unit in units])
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=200))
    probabilities = cross_val_predict(
        classifier,
        vectors,
        given,
        groups=[unit.document for unit in units],
        cv=GroupKFold(folds),
        method="predict_proba",
    )
    likely = likely_classes(given, probabilities)
    matrix = noise_matrix(given, likely, num_classes=len(names.classes_))
    suspects = [
        Suspect(units[k], str(names.classes_[likely[k]]), float(probabilities[k, likely[k]]))
        for k in np.flatnonzero(likely != given).tolist()
    ]
    rows = matrix.sum(axis=1)
    wrong = {str(name): float(1 - matrix[k, k] / rows[k]) for k, name in enumerate(names.classes_) if rows[k]}
    return Estimate(question, len(units), wrong, sorted(suspects, key=lambda own: -own.probability))


def _units(labels: Sequence[Label], model: ModelConfig) -> tuple[list[Unit], Array]:
    """Return the units of all labels, and a vector for each."""
    answered = [label for label in labels if label.prediction is not None]
    if answered and isinstance(answered[0].example, SpanExample):
        return _words(answered, model)
    units, texts = [], []
    for label in answered:
        for question, given in _answers(label):
            units.append(Unit(label.example.id, label.example.document, question, label.example.text, given))
            texts.append(f"{label.example.text} {getattr(label.example, 'pair', '')}".strip())
    if not units:
        return [], np.zeros((0, 1))
    from shared.embedding import embed

    distinct = list(dict.fromkeys(texts))
    places = {text: place for place, text in enumerate(distinct)}
    return units, embed(distinct, model=model)[[places[text] for text in texts]]


def _answers(label: Label) -> list[tuple[str, str]]:
    """Return (question, class) of the facets with one concept, or of an alarm."""
    prediction: Any = label.prediction
    if isinstance(label.example, AnomalyExample):
        return [("anomalous", str(prediction.alarm).lower())]
    if not isinstance(label.example, FacetExample):
        return []
    return [
        (name, answer.concepts[0] if answer.concepts else NONE)
        for name, answer in prediction.facets.items()
        if answer.value is None and len(answer.concepts) <= 1
    ]


def _words(labels: Sequence[Label], model: ModelConfig) -> tuple[list[Unit], Array]:
    from shared.embedding import embed_words

    examples: list[Any] = [label.example for label in labels]
    words = [[one.text[start:end] for start, end in one.words] for one in examples]
    units, rows = [], []
    for label, own, vectors in zip(labels, words, embed_words(words, model=model), strict=True):
        example: Any = label.example
        prediction: Any = label.prediction
        for (start, end), word, vector in zip(example.words, own, vectors, strict=False):
            name = next((s.label for s in prediction.spans if s.start < end and start < s.end), OUTSIDE)
            units.append(Unit(example.id, example.document, "words", word, name))
            rows.append(vector)
    return units, np.array(rows)


def _entities(label: Label) -> list[tuple[str, str]]:
    prediction: Any = label.prediction
    text = label.example.text
    return [(" ".join(text[span.start : span.end].split()), span.label) for span in prediction.spans]


def _unlabelled(label: Label, known: set[str], longest: int) -> list[str]:
    """Return the known words that stand in the text where no entity is."""
    example: Any = label.example
    prediction: Any = label.prediction
    taken = [(span.start, span.end) for span in prediction.spans]
    found = []
    for first in range(len(example.words)):
        for last in range(first, min(first + longest, len(example.words))):
            start, end = example.words[first][0], example.words[last][1]
            form = " ".join(example.text[start:end].split())
            if form in known and not any(left < end and start < right for left, right in taken):
                found.append(form)
    return found
