"""First stages made of others: several together, and one that is asked several queries.

Q queries, P passages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.errors import ConfigError, DataError
from shared.passages import Passage
from shared.table_files import json_rows, read_cell
from shared.typed_config import build, typed
from tasks.retrieval.collection import FirstStage, Query

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class Part:
    """A stage of a fusion, as a `_target_` node, and its weight."""

    stage: Any
    weight: float


@dataclass(frozen=True)
class Fusion:
    """The weighted sum of several stages' scores, each in standard deviations from its mean for the query.

    What a stage did not find gets the lowest that it gave; what no stage found is not found.
    """

    stages: dict[str, Any]  # {stage, weight} by a name, see `Part`

    def __post_init__(self) -> None:
        if not self.stages:
            raise ConfigError(["first_stage.stages is empty; needed: {stage, weight} by a name"])
        self._parts()

    def score(self, passages: Sequence[Passage], queries: Sequence[Query]) -> Array:
        """Return (Q, P); see `FirstStage.score`."""
        import numpy as np

        total = np.zeros((len(queries), len(passages)))
        found = np.zeros(total.shape, dtype=bool)
        for stage, weight in self._parts():
            scores = stage.score(passages, queries)
            total += weight * standardised(scores)
            found |= np.isfinite(scores)
        return np.where(found, total, -np.inf).astype(np.float32)

    def _parts(self) -> list[tuple[FirstStage, float]]:
        found = []
        for name, value in self.stages.items():
            path = f"first_stage.stages.{name}"
            part = typed(_node(value, path=path, keys="stage and weight"), Part, path=path)
            path = f"{path}.stage"
            stage = build(_node(part.stage, path=path, keys="_target_ and what it asks for"), path=path)
            found.append((stage, part.weight))
        return found


@dataclass(frozen=True)
class SeveralQueries:
    """What a stage finds for a query together with what it finds for others that were written for it.

    The score adds to the query's own the mean over the others, each in standard deviations from its mean.
    """

    stage: Any  # a `_target_` node
    queries: str  # JSON lines {"id": of the query, "queries": [text, ...]}, as a query generator writes them
    weight: float  # of the others together

    def score(self, passages: Sequence[Passage], queries: Sequence[Query]) -> Array:
        """Return (Q, P); raises `DataError` for a query that the file does not have."""
        import numpy as np

        stage: FirstStage = build(self.stage, path="first_stage.stage")
        others = self._others(queries)
        asked = [Query(str(number), text) for number, text in enumerate(t for row in others for t in row)]
        found = standardised(stage.score(passages, [*queries, *asked]))
        total, further = found[: len(queries)], iter(found[len(queries) :])
        means = [np.mean([next(further) for _ in row], axis=0) if row else 0.0 for row in others]
        summed: Array = np.stack([own + self.weight * mean for own, mean in zip(total, means, strict=True)])
        return summed.astype(np.float32)

    def _others(self, queries: Sequence[Query]) -> list[list[str]]:
        if not self.queries:
            raise ConfigError(
                ["first_stage.queries is empty: give the file, as first_stage.queries=path/to/written.jsonl"]
            )
        path = Path(self.queries)
        written: dict[str, list[str]] = {}
        for line, row in json_rows(path):
            texts = row.get("queries")
            if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
                raise DataError('no "queries" with a list of texts', file=path, line=line)
            written[read_cell(row, "id")] = texts
        for query in queries:
            if query.id not in written:
                raise DataError(f"nothing was written for query {query.id!r}, which the data has", file=path)
        return [written[query.id] for query in queries]


def standardised(scores: Array) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return (Q, P) in standard deviations from the row's mean; a row of equal scores gives 0.

    -inf is left out of both, and gives the lowest of its row.
    """
    import numpy as np

    found = np.isfinite(scores)
    num_found = found.sum(axis=1, keepdims=True).clip(min=1)
    values = np.where(found, scores, 0.0).astype(np.float64)
    centred = np.where(found, values - values.sum(axis=1, keepdims=True) / num_found, 0.0)
    deviation = np.sqrt((centred**2).sum(axis=1, keepdims=True) / num_found)
    highest = np.where(found, scores, -np.inf).max(axis=1, keepdims=True)
    lowest = np.where(found, scores, np.inf).min(axis=1, keepdims=True)
    result = centred / np.where(highest > lowest, deviation, np.inf)  # rounding makes equal scores deviate
    return np.where(found, result, result.min(axis=1, keepdims=True))


def _node(value: Any, *, path: str, keys: str) -> Any:
    if not isinstance(value, dict):
        raise ConfigError([f"{path}={value!r}; needed: {keys}"])
    return value
