"""A system without weights of ours: the first stage's order as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from shared.contracts import Answers, DataAdapter
from shared.passages import RankingExample, RankingPrediction

MOST = 100  # passages of an answer


@dataclass(frozen=True)
class FirstStageOrder:
    """Answers with the candidates in the order they come in, with the first stage's scores."""

    name: str

    kind: ClassVar[str] = "baseline"

    def answer(self, data: DataAdapter, examples: Sequence[RankingExample]) -> Answers:
        """Return an answer for each example, in order."""
        return Answers(
            [
                RankingPrediction(
                    example.id,
                    tuple(passage.id for passage in example.passages[:MOST]),
                    example.first[:MOST],
                )
                for example in examples
            ]
        )
