"""Scores of texts become alarms with their reasons: the density of normal texts, and what validation chose.

A score is a sum of parts (`shared.density`, and an output that known anomalies trained), each in standard
deviations of held-out normal texts; an alarm is a conformal p-value (`shared.conformal`).

N texts, of all examples in turn, with embeddings of H units.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from shared.conformal import least_held_out, p_values
from shared.density import NormalDensity, fit_density, fit_scales, standard_scores
from shared.errors import UserError
from shared.examples import AnomalyExample, AnomalyPrediction, Reasons
from shared.heads.settings import EmbeddingDensity
from shared.occlusion import ROUNDING
from shared.surface import words
from shared.templates import Templates

LOGIT = "logit"  # the part of the score that is trained
PLACES = 6  # decimals of a score
HELD_OUT = "held_out"  # the array of scores of held-out normal examples
LOCATION, SCALE = "location/", "scale/"

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class TextsRead:
    """What the encoder read: a row for each text of each example."""

    example: Array  # (N,) the index of the example
    texts: list[str]
    logits: Array  # (N,) of the trained output
    embeddings: Array  # (N, H), of length 1

    def highest(self, scores: Array) -> tuple[Array, Array]:
        """Return each example's highest score (N,) and the row of the text that has it."""
        order = np.lexsort((-scores, self.example))
        first = np.flatnonzero(np.diff(self.example[order], prepend=-1))
        return scores[order[first]], order[first]


@dataclass(frozen=True)
class Normal:
    """What is known of the normal texts of train."""

    density: NormalDensity
    templates: Templates

    @classmethod
    def restored(cls, arrays: Mapping[str, Array], kept: Mapping[str, Any]) -> Normal:
        """Return what `density.arrays()` and `kept` came from."""
        density = NormalDensity.from_state(arrays, texts=kept["texts"], words=kept["words"])
        return cls(density, Templates(list(kept["templates"])))

    @property
    def kept(self) -> dict[str, Any]:
        """What is no array, as plain JSON."""
        return {
            "texts": list(self.density.texts),
            "words": list(self.density.words),
            "templates": self.templates.known,
        }

    def parts(self, read: TextsRead) -> dict[str, Array]:
        """Return the parts of the score of each text (N,)."""
        return {**self.density.parts(read.embeddings, read.texts), LOGIT: read.logits}

    def reasons(self, read: TextsRead, rows: Array, *, most: int) -> list[Reasons]:
        """Return for the texts of these rows what is like them and what was never seen."""
        found = []
        nearest = self.density.nearest(read.embeddings[rows], most)
        for row, similar in zip(rows, nearest, strict=True):
            template, seen = self.templates.of(read.texts[row])
            unseen = dict.fromkeys(
                word for word in words(read.texts[row]) if word not in self.density.known_words
            )
            texts = tuple((self.density.texts[place], cosine) for place, cosine in similar)
            found.append(Reasons((), texts, template, seen, tuple(unseen)))
        return found


class AnomalyDecoder:
    """Makes predictions of what was read.

    `thresholds` is what validation chose, and stands in the bundle: `location/<part>` and `scale/<part>`.
    `normal` is None until `measure`; `held_out` are the sorted scores of held-out normal examples.
    """

    def __init__(self, settings: EmbeddingDensity) -> None:
        self.settings = settings
        self.thresholds: dict[str, float] = {}
        self.normal: Normal | None = None
        self.held_out: Array = np.zeros(0)

    def measure(self, examples: Sequence[AnomalyExample], read: TextsRead) -> Normal:
        """Return, and keep, what the normal texts are like, and the known anomalies.

        Texts that are only there to be unlike the normal ones are neither.
        """
        anomalous = np.array([bool(examples[index].anomalous) for index in read.example])
        known = anomalous & ~np.array([examples[index].unrelated for index in read.example])
        normal_texts = [read.texts[row] for row in np.flatnonzero(~anomalous)]
        if not normal_texts:
            raise UserError("train has no normal text: there is nothing to tell anomalies from")
        density = fit_density(
            read.embeddings[~anomalous],
            normal_texts,
            anomalies=read.embeddings[known],
            anomaly_texts=[read.texts[row] for row in np.flatnonzero(known)],
            max_neighbours=self.settings.max_neighbours,
            seed=0,
            probe=bool(self.settings.weights.get("probe")),
        )
        self.normal = Normal(density, Templates.mined(normal_texts))
        return self.normal

    def tune(self, examples: Sequence[AnomalyExample], read: TextsRead) -> None:
        """Fit on held-out normal examples what the parts are measured by, and keep their scores.

        While training, before `measure`, nothing is tuned. Raises `UserError` when there are too few of them
        for the promised rate of false alarms.
        """
        if self.normal is None:
            return
        held_out = np.array([not example.anomalous for example in examples])
        needed = least_held_out(self.settings.false_alarms)
        if held_out.sum() < needed:
            raise UserError(
                f"head.false_alarms={self.settings.false_alarms} needs {needed} normal texts in validation, "
                f"there are {held_out.sum()}: with fewer, no text could ever be odd enough for an alarm"
            )
        parts = self.normal.parts(read)
        location, scale = fit_scales(
            {name: parts[name][held_out[read.example]] for name in self.settings.weights}
        )
        self.thresholds.clear()
        self.thresholds.update({LOCATION + name: value for name, value in location.items()})
        self.thresholds.update({SCALE + name: value for name, value in scale.items()})
        self.held_out = np.sort(read.highest(self._scores(parts))[0][held_out])

    def decode(self, examples: Sequence[AnomalyExample], read: TextsRead) -> list[AnomalyPrediction]:
        """Return how odd each example is: as its oddest text. Before `measure`, the trained output says."""
        if self.normal is None:
            scores, _ = read.highest(read.logits.astype(np.float64))
            return [AnomalyPrediction(e.id, float(s)) for e, s in zip(examples, scores, strict=True)]
        scores, oddest = read.highest(self._scores(self.normal.parts(read)))
        scores = scores.round(PLACES)  # as predictions are published, so that they score the same again
        chances = p_values(scores - ROUNDING, self.held_out)
        alarms = chances <= self.settings.false_alarms
        found = [
            AnomalyPrediction(example.id, float(score), float(chance), bool(alarm))
            for example, score, chance, alarm in zip(examples, scores, chances, alarms, strict=True)
        ]
        reasons = self.normal.reasons(read, oddest[alarms], most=self.settings.explained_by)
        for place, reason in zip(np.flatnonzero(alarms), reasons, strict=True):
            found[place] = replace(found[place], reasons=reason)
        return found

    def _scores(self, parts: Mapping[str, Array]) -> Array:
        """Return the score of each text (N,): the weighted sum of its parts, in standard deviations."""
        weights = self.settings.weights
        return standard_scores(
            {name: parts[name] for name in weights},
            location={name: self.thresholds[LOCATION + name] for name in weights},
            scale={name: self.thresholds[SCALE + name] for name in weights},
            weights=weights,
        )
