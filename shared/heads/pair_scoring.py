"""Pair scoring: a cross-encoder reads a query and a passage together and says how well they fit.

`shared.modules.pair_scorer` makes a score of one pass over both. A long passage counts by its best window.
Training tells a query's relevant passages from the first stage's others.

T tokens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shared.contracts import Arrays, Examples, Outputs, Reviewer, Types
from shared.errors import BundleError, UserError
from shared.fast_tokenizer import FastTokenizer
from shared.heads.settings import PairScoring
from shared.padding import padded_tokens
from shared.passages import RankingExample, RankingPrediction
from shared.ranking import Candidates, ranking, ranking_row, tuned
from shared.text_pieces import Pieces

if TYPE_CHECKING:
    from torch import Tensor, nn

TEACHER_TOKENS = 8192  # the teacher's batch budget

Array = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class Pair:
    """A query with one window of one of its passages."""

    example: int
    place: int  # of the passage among the candidates
    part: int  # the window's place in its passage
    tokens: list[int]
    query_length: int  # tokens of the query, special ones included
    truncated_tokens: int

    @property
    def num_tokens(self) -> int:
        """Tokens of the pair, special ones included."""
        return len(self.tokens)


@dataclass(frozen=True)
class Choice:
    """A training query with a window of each relevant passage and of those to tell it from.

    The windows are those of `Pieces.taught`.
    """

    example: int
    positives: dict[int, Pair]  # by place among the candidates
    negatives: dict[int, Pair]
    teacher: dict[int, float]  # scores by place; empty without a teacher
    drawn: int  # negatives of a batch
    truncated_tokens: int
    part: int = 0

    @property
    def num_tokens(self) -> int:
        """Tokens of a mean positive and as many mean negatives as are drawn."""
        means = [
            sum(pair.num_tokens for pair in pairs.values()) / max(len(pairs), 1)
            for pairs in (self.positives, self.negatives)
        ]
        return int(means[0] + self.drawn * means[1])


class PairScoringHead:
    """See `shared.contracts.Head`; the logit of a window is the score of its pair."""

    def __init__(self, settings: PairScoring, *, types: Types, tokenizer: FastTokenizer, module: Any) -> None:
        self.settings, self.tokenizer, self.types = settings, tokenizer, dict(types)
        self.new_tokens: list[int] = []
        self.remembers, self.inspector = False, None
        self.bundles: dict[str, Path] = {}
        self.reviewer: Reviewer | None = None
        self.decoding: dict[str, float] = {}
        self.kept: dict[str, Any] = {}
        self.source: dict[str, str] = {}
        self.module = module
        self._training: Sequence[RankingExample] | None = None  # the list that training begins with
        self._teacher: list[dict[int, float]] = []  # its scores of each training query's candidates, by place

    def start(self, backbone: nn.Module, examples: Sequence[RankingExample]) -> None:
        """Keep the training examples, and what the teacher, if there is one, thinks of their candidates.

        Raises `UserError` where the teacher is missing.
        """
        self._training = examples
        self._teacher = [{} for _ in examples]
        if self.settings.teacher:
            self._teacher = _teacher_scores(Path(self.settings.teacher), examples)

    def encode(self, examples: Sequence[RankingExample]) -> list[Any]:
        """Return each candidate's windows; of the training examples a choice, where one is relevant."""
        pieces = Pieces(self.tokenizer, self.settings)
        if examples is not self._training:
            depth = self.settings.depth
            return [p for n, example in enumerate(examples) for p in self._pairs(n, example, pieces, depth)]
        return [
            choice
            for number, (example, taught) in enumerate(zip(examples, self._teacher, strict=True))
            if (choice := self._choice(number, example, pieces, taught))
        ]

    def _pairs(self, number: int, example: RankingExample, pieces: Pieces, depth: int) -> list[Pair]:
        query, cut = pieces.query(example.text)
        return [
            Pair(number, place, part, pieces.pair(query, window), len(query), 0 if place or part else cut)
            for place, passage in enumerate(example.passages[:depth])
            for part, window in enumerate(pieces.passage(passage.text, title=passage.title))
        ]

    def _choice(
        self, number: int, example: RankingExample, pieces: Pieces, taught: Mapping[int, float]
    ) -> Choice | None:
        relevant, passages = example.relevant(), example.passages
        positives = [place for place, passage in enumerate(passages) if passage.id in relevant]
        if not positives:
            return None
        query, cut = pieces.query(example.text)

        def pair(place: int) -> Pair:
            window = pieces.taught(query, passages[place].text, title=passages[place].title)
            return Pair(number, place, 0, pieces.pair(query, window), len(query), 0 if place else cut)

        others = [place for place in range(len(passages)) if place not in positives][: self.settings.depth]
        return Choice(
            example=number,
            positives={place: pair(place) for place in positives},
            negatives={place: pair(place) for place in others},
            teacher=dict(taught),
            drawn=min(self.settings.negatives, len(others)),
            truncated_tokens=cut,
        )

    def collate(self, features: Sequence[Any]) -> Arrays:
        """Return tokens, mask (rows, T) and query lengths (rows,).

        Rows of choices are, query by query, a relevant passage and then others, drawn anew; `queries` (rows,)
        tells whose they are, and `taught` (rows,) the teacher's scores, NaN where there are none.
        """
        if isinstance(features[0], Pair):
            return self._rows(features)
        from shared.modules.rows import draw

        drawn = [draw(c.positives, 1) | draw(c.negatives, c.drawn) for c in features]
        rows = self._rows([pair for pairs in drawn for pair in pairs.values()])
        taught = [
            c.teacher.get(p, float("nan")) for c, pairs in zip(features, drawn, strict=True) for p in pairs
        ]
        numbers = [number for number, pairs in enumerate(drawn) for _ in pairs]
        return {**rows, "queries": np.array(numbers), "taught": np.array(taught, dtype=np.float32)}

    def _rows(self, pairs: Sequence[Pair]) -> Arrays:
        rows = padded_tokens([pair.tokens for pair in pairs], fill=self.tokenizer.pad_token_id)
        return {**rows, "query_lengths": np.array([pair.query_length for pair in pairs])}

    def forward(self, backbone: nn.Module, batch: Mapping[str, Tensor]) -> Outputs:
        """Return the scores (rows,), and for choices their loss, the mean over queries."""
        outputs: Outputs = self.module(backbone, batch)
        return outputs

    def decode(
        self, examples: Sequence[RankingExample], features: Sequence[Pair], logits: Sequence[Array]
    ) -> list[RankingPrediction]:
        """Return the candidates of each query, ordered as `shared.ranking` says."""
        return [
            ranking(candidates, self.decoding, answers=self.settings.order.answers)
            for candidates in self.candidates(examples, features, logits)
        ]

    def candidates(
        self, examples: Sequence[RankingExample], features: Sequence[Pair], logits: Sequence[Array]
    ) -> list[Candidates]:
        """Return each query's candidates with the score of each one's best window."""
        scores = [np.full(len(e.passages[: self.settings.depth]), -np.inf) for e in examples]
        for pair, logit in zip(features, logits, strict=True):
            row = scores[pair.example]
            row[pair.place] = max(row[pair.place], float(logit))
        return [Candidates(example, row) for example, row in zip(examples, scores, strict=True)]

    def tune(
        self, examples: Sequence[RankingExample], features: Sequence[Pair], logits: Sequence[Array]
    ) -> None:
        """Choose the weights beside the score, and fit probabilities and the threshold of 'nothing'."""
        self.decoding.clear()
        self.decoding.update(tuned(self.candidates(examples, features, logits), self.settings.order))

    def measures(self, validation: Sequence[RankingExample]) -> bool:
        """Return False: nothing is measured on train after training."""
        return False

    def measure(
        self, examples: Sequence[RankingExample], features: Sequence[Any], logits: Sequence[Array]
    ) -> None:
        """Do nothing: see `measures`."""

    def remember(
        self, examples: Sequence[RankingExample], features: Sequence[Any], logits: Sequence[Array]
    ) -> None:
        """Do nothing: a passage that was found is its own reason."""

    def ask(self, types: Types) -> None:
        """Accept what was trained alone."""
        if dict(types) != self.types:
            raise BundleError(f"this bundle orders passages, asked for: {', '.join(types)}")

    def row(self, example: RankingExample, prediction: RankingPrediction) -> dict[str, Any]:
        """Return the passages in order with their texts, scores and probabilities."""
        return ranking_row(example, prediction)

    def finds(self) -> str:
        """Return what is ordered."""
        return f"the order of {self.settings.depth} passages by how well they answer a query"


def _teacher_scores(folder: Path, examples: Examples) -> list[dict[int, float]]:
    """Return by place the scores that a trained pair scorer gives each query's candidates."""
    if not folder.is_dir():
        raise UserError(
            f"head.teacher={str(folder)!r} is no folder; give the adapter folder of a trained run"
        )
    from shared.adapters import load_bundle
    from shared.evaluate import infer

    teacher = load_bundle(folder)
    if not isinstance(teacher.head, PairScoringHead):
        raise UserError(f"head.teacher={str(folder)!r} does not score pairs: it finds {teacher.head.finds()}")
    features = teacher.head.encode(examples)
    logits = infer(teacher, features, batch_tokens=TEACHER_TOKENS)
    found = teacher.head.candidates(examples, features, logits)
    return [dict(enumerate(map(float, candidates.scores))) for candidates in found]
