"""Dual encoding: queries and passages are read apart and meet by the cosine of their embeddings.

The encoder's mean token vector embeds a text; a long passage is cut into overlapping windows and counts by
the best one. Training draws a query to a relevant passage and away from hard negatives and from all other
passages of the batch (multiple negatives ranking, arXiv 1705.00652; hard negatives: arXiv 2004.04906).

Q queries in a batch, P passages, T tokens, H hidden size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shared.contracts import Arrays, Outputs, Reviewer, Types
from shared.errors import BundleError
from shared.fast_tokenizer import FastTokenizer
from shared.heads.settings import DualEncoding
from shared.padding import padded_tokens
from shared.passages import Passage, RankingExample, RankingPrediction
from shared.ranking import Candidates, ranking, ranking_row, tuned
from shared.text_pieces import Pieces

if TYPE_CHECKING:
    from torch import Tensor, nn

MOST_KNOWN = 200_000  # passages whose embeddings are kept while a bundle answers

Content = tuple[str, str]  # of a passage: title and text
Array = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class Text:
    """One window of a passage, or a query, to embed."""

    example: int  # the first one that has it
    passage: Content | None  # None for a query
    part: int  # the window's place in its text
    tokens: list[int]
    truncated_tokens: int

    @property
    def num_tokens(self) -> int:
        """Tokens of the window, special ones included."""
        return len(self.tokens)


@dataclass(frozen=True)
class Lesson:
    """A training query with a window of each relevant passage and hard negative, see `Pieces.taught`."""

    example: int
    query: list[int]
    positives: dict[str, list[int]]  # by passage id
    negatives: dict[str, list[int]]
    relevant: frozenset[str]
    num_tokens: int  # of the query, a mean positive and so many mean negatives as are drawn
    truncated_tokens: int
    part: int = 0


class DualEncodingHead:
    """See `shared.contracts.Head`; the logits of a window are its embedding (H), of length 1."""

    def __init__(
        self, settings: DualEncoding, *, types: Types, tokenizer: FastTokenizer, module: Any
    ) -> None:
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
        self._index = PassageIndex({})  # of passages that were read, once the weights no longer change

    def start(self, backbone: nn.Module, examples: Sequence[RankingExample]) -> None:
        """Keep the training examples: they are encoded as lessons."""
        self._training = examples

    def encode(self, examples: Sequence[RankingExample]) -> list[Any]:
        """Return texts, each once; of the training examples a lesson, where a relevant candidate is there."""
        pieces = Pieces(self.tokenizer, self.settings)
        if len(self._index) > MOST_KNOWN:
            self._index = PassageIndex({})
        if examples is not self._training:
            return [*self._queries(examples, pieces), *self._passages(examples, pieces)]
        lessons = (self._lesson(number, example, pieces) for number, example in enumerate(examples))
        return [lesson for lesson in lessons if lesson]

    def _lesson(self, number: int, example: RankingExample, pieces: Pieces) -> Lesson | None:
        relevant = frozenset(example.relevant())
        found = [p for p in example.passages if p.id in relevant]
        if not found:
            return None
        query, cut = pieces.query(example.text)
        others = [p for p in example.passages if p.id not in relevant][: self.settings.depth]
        positives, negatives = (
            {p.id: pieces.taught(query, p.text, title=p.title) for p in passages}
            for passages in (found, others)
        )
        drawn = min(self.settings.negatives, len(negatives))
        size = len(query) + _mean_length(positives) + drawn * _mean_length(negatives)
        return Lesson(number, query, positives, negatives, relevant, int(size), cut)

    def _queries(self, examples: Sequence[RankingExample], pieces: Pieces) -> list[Text]:
        asked = [pieces.query(example.text) for example in examples]
        return [Text(number, None, 0, tokens, cut) for number, (tokens, cut) in enumerate(asked)]

    def _passages(self, examples: Sequence[RankingExample], pieces: Pieces) -> list[Text]:
        first: dict[Content, int] = {}
        for number, example in enumerate(examples):
            for passage in example.passages:
                first.setdefault((passage.title, passage.text), number)
        return [
            Text(number, (title, text), part, tokens, 0)
            for (title, text), number in first.items()
            if (title, text) not in self._index
            for part, tokens in enumerate(pieces.passage(text, title=title))
        ]

    def collate(self, features: Sequence[Any]) -> Arrays:
        """Return tokens and mask (rows, T); of lessons also what each query's row is to find.

        The rows of lessons are Q queries, then P passages; `targets` (Q,) are places among the passages, and
        `hidden` (Q, P) marks other relevant passages, which are no negatives.
        """
        if isinstance(features[0], Text):
            return self._rows([text.tokens for text in features])
        from shared.modules.rows import draw

        passages: dict[tuple[str, tuple[int, ...]], int] = {}  # places by id and window
        targets = []
        for lesson in features:
            chosen = draw(lesson.positives, 1)
            drawn = chosen | draw(lesson.negatives, self.settings.negatives)
            places = [passages.setdefault((n, tuple(w)), len(passages)) for n, w in drawn.items()]
            targets.append(places[0])
        hidden = [
            [name in f.relevant and place != target for place, (name, _) in enumerate(passages)]
            for f, target in zip(features, targets, strict=True)
        ]
        return {
            **self._rows([*(lesson.query for lesson in features), *(window for _, window in passages)]),
            "targets": np.array(targets),
            "hidden": np.array(hidden),
        }

    def _rows(self, rows: Sequence[Sequence[int]]) -> Arrays:
        return {**padded_tokens(rows, fill=self.tokenizer.pad_token_id)}

    def forward(self, backbone: nn.Module, batch: Mapping[str, Tensor]) -> Outputs:
        """Return the embeddings (rows, H), and for lessons the cross-entropy over the batch's passages."""
        outputs: Outputs = self.module(backbone, batch)
        return outputs

    def decode(
        self, examples: Sequence[RankingExample], features: Sequence[Text], logits: Sequence[Array]
    ) -> list[RankingPrediction]:
        """Return the candidates of each query, ordered as `shared.ranking` says."""
        return [
            ranking(candidates, self.decoding, answers=self.settings.order.answers)
            for candidates in self._candidates(examples, features, logits)
        ]

    def _candidates(
        self, examples: Sequence[RankingExample], features: Sequence[Text], logits: Sequence[Array]
    ) -> list[Candidates]:
        queries: list[Array] = []
        windows: dict[Content, list[Array]] = {}
        for text, row in zip(features, logits, strict=True):
            rows = queries if text.passage is None else windows.setdefault(text.passage, [])
            rows.append(row)
        index = self._index.joined(windows)
        if self.source:  # of a bundle: its weights no longer change
            self._index = index
        return [
            Candidates(example, index.cosines(query, example.passages))
            for example, query in zip(examples, queries, strict=True)
        ]

    def tune(
        self, examples: Sequence[RankingExample], features: Sequence[Text], logits: Sequence[Array]
    ) -> None:
        """Choose the weights beside the cosine, and fit probabilities and the threshold of 'nothing'."""
        self.decoding.clear()
        self.decoding.update(tuned(self._candidates(examples, features, logits), self.settings.order))

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
        """Return what is found."""
        return f"the {self.settings.order.answers} passages nearest to a query"


class PassageIndex:
    """The embedded windows of passages in one array, so that a query is one product."""

    def __init__(self, windows: Mapping[Content, Sequence[Array]]) -> None:
        self._places = {passage: place for place, passage in enumerate(windows)}
        self._starts = np.cumsum([0, *map(len, windows.values())])[:-1]
        self._rows = np.array([row for rows in windows.values() for row in rows], dtype=np.float32)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, passage: Content) -> bool:
        return passage in self._places

    def joined(self, windows: Mapping[Content, Sequence[Array]]) -> PassageIndex:
        """Return the index with these passages too, itself where there are none."""
        if not windows:
            return self
        parts = np.split(self._rows, self._starts[1:])
        known = {passage: list(parts[place]) for passage, place in self._places.items()}
        return PassageIndex({**known, **windows})

    def cosines(self, query: Array, passages: Sequence[Passage]) -> Any:
        """Return the cosine of each passage's best window, float64."""
        if not passages:
            return np.zeros(0)
        best = np.maximum.reduceat(self._rows @ query, self._starts)
        places = [self._places[passage.title, passage.text] for passage in passages]
        return best[places].astype(np.float64)


def _mean_length(passages: Mapping[str, Sequence[int]]) -> float:
    return sum(map(len, passages.values())) / max(len(passages), 1)
