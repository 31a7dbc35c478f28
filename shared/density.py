"""What normal reads like: how far a text lies from the normal ones, in meaning and in how it is written.

Five parts, each the higher the odder. None reads an anomaly, except the last two, which are 0 without any:

- `neighbours`: 1 - cosine to the nearest normal text (Sun et al. 2022, 'Out-of-distribution detection with
  deep nearest neighbors').
- `mahalanobis`: distance to the mean of the normal texts in units of their spread (Lee et al. 2018, 'A simple
  unified framework for detecting out-of-distribution samples and adversarial attacks'), whose covariance is
  that of Ledoit and Wolf (2004), as there are few texts for so many dimensions.
- `surface`: mean distance to the nearest normal texts by how they are written (`shared.surface`).
- `likeness`: cosine to the nearest known anomaly minus that to the nearest normal text.
- `probe`: log odds of a logistic regression on embedding and writing together, known anomalies against normal
  texts, both classes of equal weight.

Sizes: M texts to score, N normal texts, K of them kept, A known anomalies, H dimensions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.errors import UserError
from shared.surface import surfaces, surfaces_of_training, words

LEAST_SCALE = 0.01  # of a part of the score: a hundredth of a cosine
SURFACE_NEIGHBOURS = 10
VARIANCE_FLOOR = 1e-6  # on each dimension, so that a direction no normal text uses has a finite distance
# Chosen on train of SMS spam in six draws: 20 messages known, its other spam and normal texts held out
PROBE_C = 10.0  # the inverse of the probe's L2 penalty
PROBE_SURFACE, PROBE_MOST = 0.2, 4.0  # weight of the writing beside the embedding, and where it is cut
BLOCK = 1024  # texts compared with all neighbours at a time, so that memory stays small

Floats = NDArray[np.float32]
Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class NormalDensity:
    """The normal texts as they are compared with; embeddings are of length 1.

    `texts` are those of the kept embeddings, in order; `words` are those of all normal texts, also of those
    not kept.
    """

    embeddings: Floats  # (K, H)
    surfaces: Floats  # (K, 7), standardised
    surface_location: Floats  # (7,)
    surface_scale: Floats  # (7,)
    mean: Floats  # (H,)
    whitening: Floats  # (H, H), the inverse of the covariance's Cholesky factor
    anomalies: Floats  # (A, H)
    texts: tuple[str, ...]
    words: tuple[str, ...]  # sorted
    # (H + 7 + 1,), the constant last; (0,) where none was fitted, as in older bundles
    probe: Floats = field(default_factory=lambda: np.zeros(0, np.float32))

    @classmethod
    def from_state(
        cls, arrays: Mapping[str, Floats], texts: Iterable[str], words: Iterable[str]
    ) -> NormalDensity:
        """Return the density with these `arrays()`, texts and words; it scores exactly as the saved one."""
        return cls(**arrays, texts=tuple(texts), words=tuple(words))

    def arrays(self) -> dict[str, Floats]:
        """Return the arrays by name."""
        named = {own.name: getattr(self, own.name) for own in fields(self)}
        return {name: value for name, value in named.items() if isinstance(value, np.ndarray)}

    @cached_property
    def known_words(self) -> frozenset[str]:
        """The words, to look one up."""
        return frozenset(self.words)

    def parts(self, embeddings: Floats, texts: Sequence[str]) -> dict[str, Array]:
        """Return the five parts (M,) of the texts with these embeddings (M, H)."""
        to_normal = _largest_cosine(embeddings, self.embeddings)
        written = self._standardised(surfaces(texts, known_words=self.known_words))
        likeness = np.zeros(len(embeddings))
        if len(self.anomalies):
            likeness = _largest_cosine(embeddings, self.anomalies) - to_normal
        return {
            "neighbours": 1 - to_normal,
            "mahalanobis": self._mahalanobis(embeddings),
            "surface": self._surface(written),
            "likeness": likeness,
            "probe": self._probe(embeddings, written),
        }

    def nearest(self, embeddings: Floats, k: int) -> list[list[tuple[int, float]]]:
        """Return for each embedding (M, H) its k nearest `texts` by place, with the cosine, nearest first.

        Of equally near texts the first comes first; there are fewer where fewer are kept.
        """
        cosines = embeddings @ self.embeddings.T
        places = np.argsort(-cosines, axis=1, kind="stable")[:, :k]
        rows = zip(cosines, places, strict=True)
        return [[(int(place), float(row[place])) for place in best] for row, best in rows]

    def _mahalanobis(self, embeddings: Floats) -> Array:
        apart = embeddings.astype(np.float64) - self.mean
        found: Array = np.linalg.norm(apart @ self.whitening.T.astype(np.float64), axis=1)
        return found

    def _standardised(self, written: Array) -> Array:
        found: Array = (written - self.surface_location) / self.surface_scale
        return found

    def _probe(self, embeddings: Floats, written: Array) -> Array:
        if not len(self.probe):
            return np.zeros(len(embeddings))
        found: Array = _probed(embeddings, written) @ self.probe[:-1].astype(np.float64) + self.probe[-1]
        return found

    def _surface(self, written: Array) -> Array:
        ranks = range(1, min(SURFACE_NEIGHBOURS, len(self.texts)) + 1)
        distances, _ = self._surface_tree.query(written, k=list(ranks))
        mean: Array = distances.mean(axis=1)
        return mean

    @cached_property
    def _surface_tree(self) -> Any:
        from scipy.spatial import cKDTree

        return cKDTree(self.surfaces)


def fit_density(
    embeddings: Floats,
    texts: Sequence[str],
    *,
    anomalies: Floats,
    anomaly_texts: Sequence[str],
    max_neighbours: int,
    seed: int,
    probe: bool,
) -> NormalDensity:
    """Return the density of normal texts with embeddings (N, H) of length 1, and anomalies (A, H), also none.

    Equal texts are counted once. Of more than `max_neighbours` different texts a sample, drawn with `seed`,
    is kept to compare with, in the given order; means, spreads and words are those of all. `probe` says
    whether to fit one. Fewer than two different texts are a `UserError`, as they have no spread.
    """
    different = _first_places(texts)
    if len(different) < 2:
        raise UserError(
            f"{len(different)} different normal texts among {len(texts)}; what is normal needs at least 2"
        )
    embeddings, texts = embeddings[different], [texts[place] for place in different]
    written = surfaces_of_training(texts)
    location, scale = written.mean(axis=0), _spread(written)
    kept = _sample(len(texts), max_neighbours, seed=seed)
    mean, whitening = _fit_covariance(embeddings)
    odd = _first_places(anomaly_texts)
    known_words = {word for text in texts for word in words(text)}
    fitted = np.zeros(0, np.float32)
    if probe and odd:
        odd_written = surfaces([anomaly_texts[place] for place in odd], known_words=known_words)
        fitted = _fit_probe(
            _probed(embeddings, (written - location) / scale),
            _probed(anomalies[odd], (odd_written - location) / scale),
        )
    return NormalDensity(
        embeddings=_float32(embeddings[kept]),
        surfaces=_float32((written[kept] - location) / scale),
        surface_location=_float32(location),
        surface_scale=_float32(scale),
        mean=_float32(mean),
        whitening=_float32(whitening),
        anomalies=_float32(anomalies[odd]),
        texts=tuple(texts[place] for place in kept),
        words=tuple(sorted(known_words)),
        probe=fitted,
    )


def fit_scales(parts: Mapping[str, Array]) -> tuple[dict[str, float], dict[str, float]]:
    """Return the mean and the standard deviation of each part over held-out normal texts.

    No scale is below `LEAST_SCALE`: where every held-out text stands in train too, as in a log that repeats
    itself, the spread of a distance is nothing but the noise of its arithmetic.
    """
    location = {name: float(part.mean()) for name, part in parts.items()}
    return location, {name: max(float(part.std()), LEAST_SCALE) for name, part in parts.items()}


def standard_scores(
    parts: Mapping[str, Array],
    *,
    location: Mapping[str, float],
    scale: Mapping[str, float],
    weights: Mapping[str, float],
) -> Array:
    """Return the sum (M,) over the parts of weight x (part - location) / scale; each part needs all three."""
    terms = [weights[name] * (part - location[name]) / scale[name] for name, part in parts.items()]
    total: Array = np.sum(terms, axis=0)
    return total


def _largest_cosine(embeddings: Floats, others: Floats) -> Array:
    found = np.zeros(len(embeddings))
    for start in range(0, len(embeddings), BLOCK):
        found[start : start + BLOCK] = (embeddings[start : start + BLOCK] @ others.T).max(axis=1)
    return found


def _fit_covariance(embeddings: Floats) -> tuple[Array, Array]:
    """Return the mean (H,) and the whitening (H, H)."""
    from sklearn.covariance import LedoitWolf

    fitted = LedoitWolf(store_precision=False).fit(embeddings.astype(np.float64))
    floor = VARIANCE_FLOOR * np.eye(embeddings.shape[1])
    return fitted.location_, np.linalg.inv(np.linalg.cholesky(fitted.covariance_ + floor))


def _probed(embeddings: Floats, written: Array) -> Array:
    """Return what the probe reads (M, H + 7), of the standardised writing (M, 7)."""
    return np.hstack([embeddings, PROBE_SURFACE * written.clip(-PROBE_MOST, PROBE_MOST)])


def _fit_probe(normal: Array, odd: Array) -> Floats:
    """Return the weights and the constant that tell (A, H + 7) from (N, H + 7)."""
    from sklearn.linear_model import LogisticRegression

    classifier = LogisticRegression(C=PROBE_C, class_weight="balanced", max_iter=3000)
    classifier.fit(np.vstack([normal, odd]), [0] * len(normal) + [1] * len(odd))
    return _float32(np.append(classifier.coef_[0], classifier.intercept_))


def _sample(total: int, most: int, *, seed: int) -> list[int]:
    """Return at most `most` places of `total`, in order."""
    if total <= most:
        return list(range(total))
    drawn: list[int] = np.sort(np.random.default_rng(seed).choice(total, most, replace=False)).tolist()
    return drawn


def _first_places(texts: Sequence[str]) -> list[int]:
    """Return where each different text stands first."""
    first: dict[str, int] = {}
    for place, text in enumerate(texts):
        first.setdefault(text, place)
    return list(first.values())


def _spread(values: Array) -> Array:
    """Return the standard deviation of each column, 1 where all values are equal."""
    found: Array = np.where(np.ptp(values, axis=0) == 0, 1.0, values.std(axis=0))
    return found


def _float32(values: NDArray[Any]) -> Floats:
    return np.ascontiguousarray(values, dtype=np.float32)
