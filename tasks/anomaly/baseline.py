"""Systems without tuning: never seen templates, lengths, rare words, detectors on TF-IDF and embeddings.

Each is fitted on train, and alarms at the promised rate: a conformal p-value says which share of the held-out
normal texts of validation is at least as odd. The score of a window is that of its oddest text.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from importlib import import_module
from statistics import fmean, pstdev
from typing import TYPE_CHECKING, Any, ClassVar

from shared.contracts import Answers, DataAdapter
from shared.errors import UserError
from shared.examples import AnomalyExample, AnomalyPrediction
from shared.training_config import ModelConfig
from shared.words import find_words

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

PLACES = 6
Score = Callable[[Sequence[str]], Sequence[float]]  # texts, each once -> how odd each is


class Detector(Enum):
    """The detectors of pyod that are rows of the table, by the names of their classes."""

    ECOD = "ECOD"
    KNN = "KNN"
    LOF = "LOF"
    IForest = "IForest"


@dataclass(frozen=True)
class NeverSeenTemplate:
    """Scores 1 where no normal text of train has the text's template, else 0."""

    name: str
    rate: float  # promised share of false alarms

    kind: ClassVar[str] = "baseline"

    def answer(self, data: DataAdapter, examples: Sequence[AnomalyExample]) -> Answers:
        """Return an answer for each example, in order; templates are mined by drain3."""
        from shared.templates import Templates

        templates = Templates.mined(_normal_texts(data, "train"))

        def score(texts: Sequence[str]) -> list[float]:
            return [float(not templates.of(text)[1]) for text in texts]

        return _answers(data, examples, score=score, rate=self.rate)


@dataclass(frozen=True)
class TextLength:
    """Scores by how many standard deviations the log of the length is from the mean of train."""

    name: str
    rate: float

    kind: ClassVar[str] = "baseline"

    def answer(self, data: DataAdapter, examples: Sequence[AnomalyExample]) -> Answers:
        """Return an answer for each example, in order; lengths are in characters."""
        known = [_log_length(text) for text in _normal_texts(data, "train")]
        mean, deviation = fmean(known), pstdev(known) or 1.0  # where all are as long, any unit will do

        def score(texts: Sequence[str]) -> list[float]:
            return [abs(_log_length(text) - mean) / deviation for text in texts]

        return _answers(data, examples, score=score, rate=self.rate)


@dataclass(frozen=True)
class RareWords:
    """Scores by the mean surprise of the words, -log of their frequency in train; case does not matter."""

    name: str
    rate: float

    kind: ClassVar[str] = "baseline"

    def answer(self, data: DataAdapter, examples: Sequence[AnomalyExample]) -> Answers:
        """Return an answer for each example, in order.

        One is added to each word's count, and to that of a word that train does not have.
        """
        counts = Counter(word for text in _normal_texts(data, "train") for word in _words(text))
        total = counts.total() + len(counts) + 1

        def score(texts: Sequence[str]) -> list[float]:
            return [fmean(math.log(total / (counts[word] + 1)) for word in _words(text)) for text in texts]

        return _answers(data, examples, score=score, rate=self.rate)


@dataclass(frozen=True)
class TfidfIsolationForest:
    """An isolation forest on TF-IDF of words and word pairs, reduced by a singular value decomposition."""

    name: str
    rate: float
    dimensions: int  # of the decomposition
    seed: int

    kind: ClassVar[str] = "baseline"

    def answer(self, data: DataAdapter, examples: Sequence[AnomalyExample]) -> Answers:
        """Return an answer for each example, in order; words that train does not have are not seen."""
        from sklearn.decomposition import TruncatedSVD
        from sklearn.ensemble import IsolationForest

        vectorizer = _tfidf()
        known = vectorizer.fit_transform(_normal_texts(data, "train"))
        dimensions = min(self.dimensions, known.shape[1])
        reduction = TruncatedSVD(dimensions, random_state=self.seed).fit(known)
        forest = IsolationForest(random_state=self.seed).fit(reduction.transform(known))

        def score(texts: Sequence[str]) -> Any:
            return -forest.score_samples(reduction.transform(vectorizer.transform(texts)))

        return _answers(data, examples, score=score, rate=self.rate)


@dataclass(frozen=True)
class TfidfOneClassSvm:
    """A linear one-class support vector machine on TF-IDF of words and word pairs."""

    name: str
    rate: float
    nu: float  # upper bound of the share of train left outside

    kind: ClassVar[str] = "baseline"

    def answer(self, data: DataAdapter, examples: Sequence[AnomalyExample]) -> Answers:
        """Return an answer for each example, in order; words that train does not have are not seen."""
        from sklearn.svm import OneClassSVM

        vectorizer = _tfidf()
        known = vectorizer.fit_transform(_normal_texts(data, "train"))
        machine = OneClassSVM(kernel="linear", nu=self.nu).fit(known)

        def score(texts: Sequence[str]) -> Any:
            return -machine.decision_function(vectorizer.transform(texts))

        return _answers(data, examples, score=score, rate=self.rate)


@dataclass(frozen=True)
class Pyod:
    """A detector of pyod, as it comes, on the embeddings of the base as it is.

    Its own threshold rests on a share of anomalies in train that nobody knows, and is not used.
    """

    name: str
    rate: float
    detector: Detector
    model: ModelConfig
    seed: int

    kind: ClassVar[str] = "baseline"

    def answer(self, data: DataAdapter, examples: Sequence[AnomalyExample]) -> Answers:
        """Return an answer for each example, in order.

        ECOD compares with the texts scored at the same time as well, so its scores change with the examples.
        Equal texts of train all stay, as when they were written; around them LOF's densities have no bound.
        """
        embeddings = _Embeddings(self.model)
        module = import_module(f"pyod.models.{self.detector.value.lower()}")
        seeded = {"random_state": self.seed} if self.detector is Detector.IForest else {}
        detector = getattr(module, self.detector.value)(**seeded)
        detector.fit(embeddings.of(_normal_texts(data, "train")))

        def score(texts: Sequence[str]) -> Any:
            return detector.decision_function(embeddings.of(texts))

        return _answers(data, examples, score=score, rate=self.rate)


@dataclass(frozen=True)
class FrozenLogistic:
    """Logistic regression on the embeddings of the base as it is: normal texts against known anomalies."""

    name: str
    rate: float
    c: float  # inverse strength of the regularisation
    model: ModelConfig

    kind: ClassVar[str] = "baseline"

    def answer(self, data: DataAdapter, examples: Sequence[AnomalyExample]) -> Answers:
        """Return an answer for each example, in order; raises `UserError` without a known anomaly.

        All texts of an anomalous window count as anomalous. Both classes weigh the same.
        """
        from sklearn.linear_model import LogisticRegression

        embeddings = _Embeddings(self.model)
        normal = _normal_texts(data, "train")
        odd = [text for example in data.load("train") if example.anomalous for text in example.texts]
        if not odd:
            raise UserError(
                f"{data.name} gives no known anomaly to learn from, and logistic regression needs one: "
                "set data.known to how many of them it is shown (20, say), or to null for all"
            )
        classifier = LogisticRegression(C=self.c, class_weight="balanced", max_iter=1000)
        classifier.fit(embeddings.of([*normal, *odd]), [0] * len(normal) + [1] * len(odd))

        def score(texts: Sequence[str]) -> Any:
            return classifier.decision_function(embeddings.of(texts))

        return _answers(data, examples, score=score, rate=self.rate)


@dataclass
class _Embeddings:
    """The embeddings of texts by the base as it is, each computed once."""

    model: ModelConfig
    found: dict[str, Array] = field(default_factory=dict)

    def of(self, texts: Sequence[str]) -> Array:
        """Return (texts, H) float32."""
        import numpy as np

        from shared.embedding import embed

        new = [text for text in dict.fromkeys(texts) if text not in self.found]
        self.found.update(zip(new, embed(new, model=self.model), strict=True))
        return np.stack([self.found[text] for text in texts])


def _answers(data: DataAdapter, examples: Sequence[AnomalyExample], *, score: Score, rate: float) -> Answers:
    """Return one prediction per example, in order; `score` is called once, with all texts there are."""
    import numpy as np

    from shared.conformal import p_values

    held_out = _normal(data, "validation")
    _check_rate(rate, len(held_out))
    texts = list(dict.fromkeys(text for example in [*held_out, *examples] for text in example.texts))
    found = dict(zip(texts, map(float, score(texts)), strict=True))

    def scores(of: Sequence[AnomalyExample]) -> Array:
        highest = [max(found[text] for text in example.texts) for example in of]
        return np.round(highest, PLACES)  # as predictions are published, so that they score the same again

    own = scores(examples)
    return Answers(
        [
            AnomalyPrediction(example.id, float(value), float(p_value), alarm=bool(p_value <= rate))
            for example, value, p_value in zip(examples, own, p_values(own, scores(held_out)), strict=True)
        ]
    )


def _check_rate(rate: float, num_held_out: int) -> None:
    """Raise `UserError` if the rate is none, or so low that no text could be odd enough for an alarm."""
    from shared.conformal import least_held_out

    if not 0 < rate < 1:
        raise UserError(f"baseline.rate={rate} is no rate of false alarms: give a number above 0 and below 1")
    if num_held_out < (needed := least_held_out(rate)):
        raise UserError(
            f"baseline.rate={rate} needs {needed} normal texts in validation, there are {num_held_out}: "
            "with fewer, no text could ever be odd enough for an alarm; promise a higher rate"
        )


def _normal(data: DataAdapter, split: str) -> list[AnomalyExample]:
    """Return the examples of a split that nobody calls anomalous; raises `UserError` where there is none."""
    found = [example for example in data.load(split) if not example.anomalous]
    if not found:
        raise UserError(f"{data.name} has no normal text in {split}, and what is odd is measured by those")
    return found


def _normal_texts(data: DataAdapter, split: str) -> list[str]:
    return [text for example in _normal(data, split) for text in example.texts]


def _log_length(text: str) -> float:
    return math.log(len(text) or 1)  # an empty text counts as one character


def _words(text: str) -> list[str]:
    """Return the words and marks; a blank text is a word of its own."""
    return [text[start:end].casefold() for start, end in find_words(text)] or [""]


def _tfidf() -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
